import Kernels
import Objectives

/// Adam: steps along the mean gradient over the root of its mean square, each corrected for its start at 0.
///
///     G = g + λ x                                           λ: weight decay
///     m ← β₁ m + (1 − β₁) G,   v ← β₂ v + (1 − β₂) G²
///     x ← x − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
///
/// One fused kernel: 28 bytes a `Float`. The same bits as the chain of ``ScaleByAdam`` and ``Scale`` and for any tier and thread
/// count.
///
/// Source: Kingma & Ba 2015, with its defaults. ε is added to √v̂ as there, in PyTorch and in optax; TensorFlow adds it before
/// the correction. The decay enters the gradient, as in PyTorch's `Adam`; ``AdamW`` keeps it apart.
public struct Adam<Scalar: KernelScalar>: Optimizer, Sendable, Hashable, Codable {
    public typealias OptimizerState = MomentState<Scalar>

    public let hyperparameters: AdamHyperparameters

    /// - Parameters:
    ///   - learningRate: η.
    ///   - beta1: β₁, at least 0 and less than 1; `beta2` too.
    ///   - epsilon: ε, at least 0. As a `Float` 10⁻⁸ is kept, but added to a root above 0.1 it is lost.
    ///   - weightDecay: λ, at least 0.
    ///   - decayMask: where the decay applies; everywhere if `nil`.
    public init(
        learningRate: Schedule = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
        decayMask: ParameterMask? = nil
    ) {
        hyperparameters = AdamHyperparameters(learningRate, beta1, beta2, epsilon, weightDecay, decayMask)
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: true)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        hyperparameters.step(&parameters, gradient: gradient, state: &state, decay: \.l2) {
            Scalar.adamStep($0, gradient: $1, first: &$2, second: &$3, parameters: &$4)
        }
    }
}
