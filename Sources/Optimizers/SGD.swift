import Kernels
import Objectives

/// Stochastic gradient descent with momentum and Nesterov's look-ahead.
///
///     G = g + λ x                          λ: weight decay
///     m ← μ m + (1 − τ) G                  μ: momentum, τ: dampening; m = G in the first step
///     x ← x − η m                          or x − η (G + μ m) with Nesterov's look-ahead
///
/// Without momentum x ← x − η G, and no state but the count of steps. One fused kernel reads and writes each array once: 12 bytes
/// a `Float` without momentum, 20 with it.
///
/// The formula and its first step are PyTorch's `SGD`. Differs from optax, whose `sgd` has no decay.
public struct SGD<Scalar: KernelScalar>: Optimizer, Sendable, Hashable, Codable {
    public typealias OptimizerState = MomentState<Scalar>

    public let learningRate: Schedule
    public let momentum: Double
    public let dampening: Double
    public let isNesterov: Bool
    public let weightDecay: Double
    public let decayMask: ParameterMask?

    /// - Parameters:
    ///   - learningRate: η.
    ///   - momentum: μ, at least 0 and less than 1.
    ///   - dampening: τ from 0 to 1; 0 with Nesterov's look-ahead.
    ///   - weightDecay: λ, at least 0.
    ///   - decayMask: where the decay applies; everywhere if `nil`.
    public init(
        learningRate: Schedule, momentum: Double = 0, dampening: Double = 0, isNesterov: Bool = false, weightDecay: Double = 0,
        decayMask: ParameterMask? = nil
    ) {
        require(dampening >= 0 && dampening <= 1, "dampening is \(dampening); expected at least 0 and at most 1")
        require(!isNesterov || momentum > 0 && dampening == 0,
                "Nesterov's look-ahead with momentum \(momentum) and dampening \(dampening); expected a momentum and no dampening")
        self.learningRate = learningRate
        self.momentum = checkedRate(momentum, "momentum")
        self.dampening = dampening
        self.isNesterov = isNesterov
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.decayMask = decayMask
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: momentum > 0, second: false)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        state.steps += 1
        var c = SGDCoefficients(step: Scalar(learningRate.value(at: state.steps - 1)))
        c.momentum = Scalar(momentum)
        c.gain = state.steps == 1 ? 1 : Scalar(1 - dampening)
        c.isNesterov = isNesterov
        state.advance(&parameters, gradient: gradient, mask: decayMask) { isInside, g, m, v, x in
            c.l2 = isInside ? Scalar(weightDecay) : 0
            if momentum > 0 {
                Scalar.momentumStep(c, gradient: g, momentum: &m, parameters: &x)
            } else {
                Scalar.sgdStep(c, gradient: g, parameters: &x)
            }
        }
    }
}
