import Kernels
import Objectives

/// Looks for NaN and infinite gradients, counts them, and does with them what the caller chose.
///
/// Costs one reading of the gradient a step.
public struct NonFiniteGuard<Base: Optimizer>: Optimizer {
    public typealias Scalar = Base.Scalar

    public enum Policy: String, Sendable, Hashable, Codable {
        /// No step: parameters and the base's state stay as they are.
        case skip
        /// No step, now or later: ``OptimizerState/hasStopped`` tells.
        case stop
        /// The base gets them.
        case pass
    }

    public struct OptimizerState: Codable, Sendable {
        /// Gradients met that were not finite.
        public internal(set) var nonFiniteGradients = 0
        /// Whether a gradient that was not finite has ended the run.
        public internal(set) var hasStopped = false
        public internal(set) var base: Base.OptimizerState
    }

    public let base: Base
    public let policy: Policy

    public init(_ base: Base, _ policy: Policy) {
        self.base = base
        self.policy = policy
    }

    public func initialState(like parameters: Span<Scalar>) -> OptimizerState {
        OptimizerState(base: base.initialState(like: parameters))
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout OptimizerState) {
        if state.hasStopped { return }
        if !Scalar.maxAbs(gradient).isFinite {
            state.nonFiniteGradients += 1
            if policy == .stop { state.hasStopped = true }
            if policy != .pass { return }
        }
        base.step(&parameters, gradient: gradient, state: &state.base)
    }
}
