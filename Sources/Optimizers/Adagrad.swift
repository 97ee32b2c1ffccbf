import Kernels
import Objectives

/// Adagrad: the gradient over the root of the sum of all its squares.
///
///     G = g + λ x,   v ← v + G²,   x ← x − η G / (√v + ε)
///
/// One fused kernel: 20 bytes a `Float`. As a `Float` the sum stops growing by terms below 6·10⁻⁸ of it, after some 10⁷ steps of
/// equal gradients.
///
/// Source: Duchi, Hazan & Singer 2011. Formula and defaults as PyTorch's `Adagrad`; optax starts v at 0.1 and adds ε inside the
/// root.
public struct Adagrad<Scalar: KernelScalar>: Optimizer, Sendable, Hashable, Codable {
    public typealias OptimizerState = MomentState<Scalar>

    public let learningRate: Schedule
    public let epsilon: Double
    public let weightDecay: Double
    public let decayMask: ParameterMask?

    public init(
        learningRate: Schedule = 1e-2, epsilon: Double = 1e-10, weightDecay: Double = 0, decayMask: ParameterMask? = nil
    ) {
        self.learningRate = learningRate
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.decayMask = decayMask
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: false, second: true)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        state.stepByRootMeanSquare(
            &parameters, gradient: gradient, step: learningRate, weights: (1, 1), epsilon: epsilon, weightDecay: weightDecay,
            decayMask: decayMask)
    }
}
