import Autodiff
import Kernels
import Objectives
import Randomness
import Testing

/// A function of tensors whose derivatives are tested, on operands drawn around `center`.
struct DifferentiableCase: Sendable, CustomTestStringConvertible {
    let name: String
    let shapes: [[Int]]
    let center: Double, spread: Double
    private let single: @Sendable ([Tensor<Float>]) -> Tensor<Float>
    private let double: @Sendable ([Tensor<Double>]) -> Tensor<Double>

    init(
        _ name: String, _ shapes: [[Int]], center: Double = 0, spread: Double = 1,
        _ double: @escaping @Sendable ([Tensor<Double>]) -> Tensor<Double>,
        _ single: @escaping @Sendable ([Tensor<Float>]) -> Tensor<Float>
    ) {
        self.name = name
        self.shapes = shapes
        self.center = center
        self.spread = spread
        self.single = single
        self.double = double
    }

    var testDescription: String { name }

    func function<Scalar: KernelScalar>(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        if let x = x as? [Tensor<Double>] { return double(x) as! Tensor<Scalar> }
        return single(x as! [Tensor<Float>]) as! Tensor<Scalar>
    }

    var count: Int { shapes.reduce(0) { $0 + $1.reduce(1, *) } }

    func point<Scalar: KernelScalar>(seed: UInt64) -> [Scalar] {
        var random = RandomStream(seed: seed)
        return random.normal(count: count, mean: Scalar(center), standardDeviation: Scalar(spread))
    }

    func operands<Scalar: KernelScalar>(_ x: Tensor<Scalar>) -> [Tensor<Scalar>] {
        var start = 0
        return shapes.map { shape in
            let size = shape.reduce(1, *)
            defer { start += size }
            return x.part(from: start, shape: shape)
        }
    }

    /// Σ w ∘ f(x) with fixed random weights w: a scalar that sees every element of f.
    func weighted<Scalar: KernelScalar>(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let y = function(x)
        var random = RandomStream(seed: 99)
        let weights: [Scalar] = random.normal(count: y.count)
        return (Tensor(shape: y.shape, elements: weights) * y).sum()
    }

    func objective<Scalar: KernelScalar>(_ type: Scalar.Type) -> TensorObjective<Scalar> {
        TensorObjective(dimension: count) { weighted(operands($0)) }
    }
}

/// First and second derivatives by Taylor slopes. In `Float` rounding leaves little room above it, so one direction of three may miss
/// its slope; a wrong derivative misses nearly all.
func checkDerivatives<Scalar: KernelScalar>(_ test: DifferentiableCase, _ type: Scalar.Type) {
    let objective = test.objective(type), x: [Scalar] = test.point(seed: 1)
    let gradients = (2..<5).map { checkGradient(of: objective, at: x, seed: $0) }
    let gradientsPass = gradients.count(where: \.passed) >= 2
    #expect(gradientsPass, "\(test.name) \(type): \(gradients.map(\.message))")
    let hessians = (2..<5).map { checkHessian(of: objective, at: x, seed: $0) }
    let hessiansPass = hessians.count {
        type == Double.self ? $0.passed : $0.gradientTaylor.passed && $0.asymmetry <= $0.tolerance && $0.nonlinearity <= $0.tolerance
    } >= 2
    #expect(hessiansPass, "\(test.name) \(type): \(hessians.map(\.message))")
}

/// ⟨ȳ, J ẋ⟩ = ⟨Jᵀ ȳ, ẋ⟩ to rounding, for forward mode, linearisation and reverse mode.
func checkAdjoint(_ test: DifferentiableCase) {
    let x: Tensor<Double> = Tensor(test.point(seed: 4))
    let f: (Tensor<Double>) -> Tensor<Double> = { test.function(test.operands($0)) }
    var random = RandomStream(seed: 5)
    let direction = Tensor<Double>(random.normal(count: x.count))
    let (y, tangent) = jvp(of: f)(x, direction)
    let (value, pullback) = vjp(of: f)(x)
    let (again, derivative) = linearize(of: f)(x)
    #expect(y == value && y == again && y == f(x), "\(test.name): values of the transformations differ")
    let cotangent = Tensor<Double>(shape: y.shape, elements: random.normal(count: y.count))
    let forward = (cotangent * tangent).sum().scalar, reverse = (pullback(cotangent) * direction).sum().scalar
    let linear = (cotangent * derivative(direction)).sum().scalar
    let scale = (cotangent * tangent).magnitude().sum().scalar + (pullback(cotangent) * direction).magnitude().sum().scalar
    #expect(abs(forward - reverse) <= 1e-12 * scale, "\(test.name): forward \(forward), reverse \(reverse)")
    #expect(abs(forward - linear) <= 1e-12 * scale, "\(test.name): forward \(forward), linearised \(linear)")
}

/// The gradient of ⟨u, ∇²f v⟩ by Taylor slopes: derivatives of third order, through both ways of taking a Hessian product.
func checkThirdOrder(_ test: DifferentiableCase) {
    let x: [Double] = test.point(seed: 6)
    var random = RandomStream(seed: 7)
    let u = Tensor<Double>(random.normal(count: x.count)), v = Tensor<Double>(random.normal(count: x.count))
    let f: @Sendable (Tensor<Double>) -> Tensor<Double> = { test.weighted(test.operands($0)) }
    let forwardOverReverse = TensorObjective<Double>(dimension: x.count) { x in (u * hessianVectorProduct(of: f)(x, v)).sum() }
    let check = checkGradient(of: forwardOverReverse, at: x, seed: 8)
    let passed = check.passed
    #expect(passed, "\(test.name), third order by forward over reverse: \(check.message)")
    let reverseOverReverse = TensorObjective<Double>(dimension: x.count) { x in
        (u * gradient(of: { (gradient(of: f)($0) * v).sum() })(x)).sum()
    }
    let second = checkGradient(of: reverseOverReverse, at: x, seed: 8)
    let secondPassed = second.passed
    #expect(secondPassed, "\(test.name), third order by reverse over reverse: \(second.message)")
}
