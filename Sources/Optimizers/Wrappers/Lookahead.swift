import Kernels
import Objectives

/// Every k steps of the base the parameters go back to a point on the way: φ ← φ + α (x − φ), x ← φ.
///
/// Source: Zhang, Lucas, Hinton & Ba 2019, with its α = 0.5 and k = 5. The base's state is kept over the return.
public struct Lookahead<Base: Optimizer>: Optimizer {
    public typealias Scalar = Base.Scalar

    public struct OptimizerState: Codable, Sendable {
        public internal(set) var steps = 0
        /// φ.
        public internal(set) var slow: [Scalar]
        public internal(set) var base: Base.OptimizerState
    }

    public let base: Base
    public let every: Int
    public let rate: Double

    /// - Parameters:
    ///   - every: k, at least 1.
    ///   - rate: α from 0 to 1.
    public init(_ base: Base, every: Int = 5, rate: Double = 0.5) {
        require(every >= 1, "return after \(every) steps; expected at least 1")
        require(rate >= 0 && rate <= 1, "rate is \(rate); expected at least 0 and at most 1")
        self.base = base
        self.every = every
        self.rate = rate
    }

    public func initialState(like parameters: Span<Scalar>) -> OptimizerState {
        OptimizerState(slow: copy(of: parameters), base: base.initialState(like: parameters))
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout OptimizerState) {
        requireState(state.slow.count, parameters.count)
        base.step(&parameters, gradient: gradient, state: &state.base)
        state.steps += 1
        guard state.steps % every == 0 else { return }
        for i in parameters.indices {
            state.slow[i] += Scalar(rate) * (parameters[i] - state.slow[i])
            parameters[i] = state.slow[i]
        }
    }
}
