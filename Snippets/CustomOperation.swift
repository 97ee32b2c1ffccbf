// An operation of one's own: value, jvp and vjp in one place, and derivatives of any order from them.
import Descent

/// y = x / (1 + |x|), elementwise: y′ = 1 / (1 + |x|)².
struct Softsign: DifferentiableOperation {
    func value(_ x: [Tensor<Double>]) -> Tensor<Double> {
        Tensor(shape: x[0].shape, elements: x[0].elements.map { $0 / (1 + abs($0)) })
    }

    func jvp(_ x: [Tensor<Double>], _ dx: [Tensor<Double>?], output y: Tensor<Double>) -> Tensor<Double>? {
        dx[0].map { slope(x[0]) * $0 }
    }

    func vjp(
        _ x: [Tensor<Double>], output y: Tensor<Double>, cotangent g: Tensor<Double>, wanted: InputSet
    ) -> [Tensor<Double>?] {
        [slope(x[0]) * g]
    }

    var derivativesRead: DerivativeOperands { .inputs }

    private func slope(_ x: Tensor<Double>) -> Tensor<Double> { (1 + x.magnitude()).squared().reciprocal() }
}

let objective = TensorObjective<Double>(dimension: 3) { x in apply(Softsign(), to: [x]).squared().sum() }
print(checkGradient(of: objective, at: [0.5, -1, 2]).message)
print(checkHessian(of: objective, at: [0.5, -1, 2]).message)
