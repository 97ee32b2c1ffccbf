// Derivatives of a function of tensors: value and gradient, a Hessian product, and the whole as an objective.
import Descent

@Sendable func rosenbrock(_ x: Tensor<Double>) -> Tensor<Double> {
    let n = x.count
    let (a, b) = (x.slice(0, 0..<n - 1), x.slice(0, 1..<n))
    return ((1 - a).squared() + 100 * (b - a.squared()).squared()).sum()
}

let x = Tensor([-1.2, 1, 0.5, 2])
let (value, slope) = valueAndGradient(of: rosenbrock)(x)
let curvature = hessianVectorProduct(of: rosenbrock)(x, .ones([4]))
print(value.scalar, slope.elements, curvature.elements)
print(hessian(of: rosenbrock)(x)[0, 1], gradient(of: { gradient(of: rosenbrock)($0).sum() })(x) == curvature)

let objective = TensorObjective(dimension: 4, rosenbrock)
print(checkGradient(of: objective, at: x.elements).message)
print(checkHessian(of: objective, at: x.elements).passed)
