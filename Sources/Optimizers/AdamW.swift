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

    public let hyperparameters: AdamHyperparameters

    /// Parameters as in ``Adam``; the decay follows the schedule of the learning rate.
    public init(
        learningRate: Schedule = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        weightDecay: Double = 0.01, decayMask: ParameterMask? = nil
    ) {
        hyperparameters = AdamHyperparameters(learningRate, beta1, beta2, epsilon, weightDecay, decayMask)
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: true)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        hyperparameters.step(&parameters, gradient: gradient, state: &state, decay: \.decay) {
            Scalar.adamStep($0, gradient: $1, first: &$2, second: &$3, parameters: &$4)
        }
    }
}
