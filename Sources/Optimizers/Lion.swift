import Kernels
import Objectives

/// Lion: signs of an interpolated momentum, with weight decay.
///
///     x ← x − η (sign(β₁ m + (1 − β₁) g) + λ x)
///     m ← β₂ m + (1 − β₂) g
///
/// It minimises f on the box ‖x‖∞ ≤ 1/λ; ``LionK`` has the family that it belongs to and its Lyapunov function. One fused
/// kernel: 20 bytes a `Float`, and half of Adam's state. The sign of 0 is 0.
///
/// Source: Chen et al. 2023, with its defaults of β; rates are 3 to 10 times smaller than AdamW's, decays as much larger.
public struct Lion<Scalar: KernelScalar>: Optimizer, Sendable, Hashable, Codable {
    public typealias OptimizerState = MomentState<Scalar>

    public let learningRate: Schedule
    public let beta1: Double
    public let beta2: Double
    public let weightDecay: Double
    public let decayMask: ParameterMask?

    public init(
        learningRate: Schedule = 1e-4, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 0,
        decayMask: ParameterMask? = nil
    ) {
        self.learningRate = learningRate
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.decayMask = decayMask
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: false)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        state.steps += 1
        var c = MomentCoefficients<Scalar>(
            step: Scalar(learningRate.value(at: state.steps - 1)), b1: beta1, b2: beta2, t1: state.steps, t2: state.steps)
        state.advance(&parameters, gradient: gradient, mask: decayMask) { isInside, g, m, v, x in
            c.decay = isInside ? Scalar(weightDecay) : 0
            Scalar.lionStep(c, gradient: g, first: &m, parameters: &x)
        }
    }
}
