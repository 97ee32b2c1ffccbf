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

    public let learningRate: Schedule
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let weightDecay: Double
    public let decayMask: ParameterMask?

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
            c.l2 = isInside ? Scalar(weightDecay) : 0
            Scalar.adamStep(c, gradient: g, first: &m, second: &v, parameters: &x)
        }
    }
}
