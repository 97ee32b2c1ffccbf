import Kernels
import Objectives

/// Adam with weight decay apart from the gradient.
///
///     m, v, m̂, v̂ as in ``Adam``, of the gradient alone
///     x ← x − η (m̂ / (√v̂ + ε) + λ x)
///
/// One fused kernel: 28 bytes a `Float`.
///
/// Source: Loshchilov & Hutter 2019. Differs from PyTorch in rounding alone: there x is multiplied by 1 − η λ first. The default
/// of λ is PyTorch's 0.01; optax has 10⁻⁴.
public struct AdamW<Scalar: KernelScalar>: Optimizer, Sendable, Hashable, Codable {
    public typealias OptimizerState = MomentState<Scalar>

    public let learningRate: Schedule
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let weightDecay: Double
    public let decayMask: ParameterMask?

    /// Parameters as in ``Adam``; the decay follows the schedule of the learning rate.
    public init(
        learningRate: Schedule = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        weightDecay: Double = 0.01, decayMask: ParameterMask? = nil
    ) {
        self.learningRate = learningRate
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.decayMask = decayMask
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: true)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        state.steps += 1
        var c = MomentCoefficients<Scalar>(
            step: Scalar(learningRate.value(at: state.steps - 1)), b1: beta1, b2: beta2, t1: state.steps, t2: state.steps)
        c.epsilon = Scalar(epsilon)
        state.advance(&parameters, gradient: gradient, mask: decayMask) { isInside, g, m, v, x in
            c.decay = isInside ? Scalar(weightDecay) : 0
            Scalar.adamStep(c, gradient: g, first: &m, second: &v, parameters: &x)
        }
    }
}
