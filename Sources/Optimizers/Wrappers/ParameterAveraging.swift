import Kernels
import Objectives

/// Keeps an average of the iterates beside the base's own course, which it does not change.
public struct ParameterAveraging<Base: Optimizer>: Optimizer {
    public typealias Scalar = Base.Scalar

    public enum Average: Sendable, Hashable, Codable {
        /// a ← ρ a + (1 − ρ) x from the start: ρ = 0.999 averages over about a thousand steps.
        case exponential(Double)
        /// The mean of all iterates after the first `n` steps (Polyak & Ruppert); the iterate itself until then.
        case mean(after: Int)
    }

    public struct OptimizerState: Codable, Sendable {
        public internal(set) var steps = 0
        /// What to evaluate the model with.
        public internal(set) var average: [Scalar]
        public internal(set) var base: Base.OptimizerState
    }

    public let base: Base
    public let average: Average

    public init(_ base: Base, _ average: Average) {
        switch average {
        case .exponential(let rate): _ = checkedRate(rate, "rate of the average")
        case .mean(let after): require(after >= 0, "average after \(after) steps; expected no negative number")
        }
        self.base = base
        self.average = average
    }

    public func initialState(like parameters: Span<Scalar>) -> OptimizerState {
        OptimizerState(average: copy(of: parameters), base: base.initialState(like: parameters))
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout OptimizerState) {
        base.step(&parameters, gradient: gradient, state: &state.base)
        state.steps += 1
        let weight: Scalar = switch average {
        case .exponential(let rate): Scalar(1 - rate)
        case .mean(let after): 1 / Scalar(max(1, state.steps - after))
        }
        mix(parameters.span, weight, into: &state.average)
    }

    private func mix(_ parameters: Span<Scalar>, _ weight: Scalar, into average: inout [Scalar]) {
        var span = average.mutableSpan
        Scalar.axpby(weight, parameters, 1 - weight, &span)
    }
}
