import Kernels
import Objectives

/// RMSProp: the gradient over the root of its mean square.
///
///     G = g + λ x,   v ← α v + (1 − α) G²,   x ← x − η G / (√v + ε)
///
/// No correction for the start at 0, so the first steps are 1/√(1 − α) times as long. One fused kernel: 20 bytes a `Float`.
/// With momentum it is the chain of ``ScaleByRMS`` and ``Momentum``.
///
/// Source: Hinton's lectures, 2012. Formula and defaults as PyTorch's `RMSprop`, without centring; optax adds ε inside the root
/// by default.
public struct RMSProp<Scalar: KernelScalar>: Optimizer, Sendable, Hashable, Codable {
    public typealias OptimizerState = MomentState<Scalar>

    public let learningRate: Schedule
    public let alpha: Double
    public let epsilon: Double
    public let weightDecay: Double
    public let decayMask: ParameterMask?

    public init(
        learningRate: Schedule = 1e-2, alpha: Double = 0.99, epsilon: Double = 1e-8, weightDecay: Double = 0,
        decayMask: ParameterMask? = nil
    ) {
        self.learningRate = learningRate
        self.alpha = checkedRate(alpha, "alpha")
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.decayMask = decayMask
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: false, second: true)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        state.stepByRootMeanSquare(
            &parameters, gradient: gradient, step: learningRate, weights: (alpha, 1 - alpha), epsilon: epsilon,
            weightDecay: weightDecay, decayMask: decayMask)
    }
}

extension MomentState {
    /// A step of ``RMSProp`` or ``Adagrad``: v ← `weights.0` v + `weights.1` G², x ← x − η G / (√v + ε).
    mutating func stepByRootMeanSquare(
        _ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, step: Schedule, weights: (Double, Double),
        epsilon: Double, weightDecay: Double, decayMask: ParameterMask?
    ) {
        steps += 1
        var c = MomentCoefficients<Scalar>(step: Scalar(step.value(at: steps - 1)), b1: 0, b2: 0, t1: steps, t2: steps)
        (c.b2, c.a2, c.epsilon) = (Scalar(weights.0), Scalar(weights.1), Scalar(epsilon))
        advance(&parameters, gradient: gradient, mask: decayMask) { isInside, g, _, v, x in
            c.l2 = isInside ? Scalar(weightDecay) : 0
            Scalar.rmsPropStep(c, gradient: g, second: &v, parameters: &x)
        }
    }
}
