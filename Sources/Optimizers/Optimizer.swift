import Kernels
import Objectives

/// A first-order method that moves flat parameters along a gradient.
///
/// A training loop computes gradients as it likes and calls `step(_:gradient:state:)`; the state is `Codable` and resumes
/// bit-identically:
///
/// ```swift
/// let adam = Adam<Float>(learningRate: 1e-3)
/// var state = adam.initialState(like: weights.span)
/// adam.step(&weights, gradient: gradient, state: &state)
/// ```
///
/// Each optimiser is also an `IterativeSolver` of any objective, by full gradients:
/// `adam.solve(problem, from: start, stopping: .iterations(500))`. Its runs stop when the gradient norm is small; a fixed learning
/// rate does not descend in each step, and the solution holds the best iterate.
public protocol Optimizer<Scalar>: IterativeSolver
where Problem == any Objective<Scalar>, State == MinimizationState<Scalar, OptimizerState> {
    /// What the method remembers between steps.
    associatedtype OptimizerState: Codable & Sendable

    /// The state before the first step on parameters like these.
    func initialState(like parameters: Span<Scalar>) -> OptimizerState

    /// One step.
    ///
    /// - Precondition: `gradient` has as many elements as `parameters`, and `state` was made for that many.
    func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout OptimizerState)
}

extension Optimizer {
    /// One step on arrays.
    @inlinable
    public func step(_ parameters: inout [Scalar], gradient: [Scalar], state: inout OptimizerState) {
        var span = parameters.mutableSpan
        step(&span, gradient: gradient.span, state: &state)
    }

    /// The state before the first step on an array like this.
    @inlinable
    public func initialState(like parameters: [Scalar]) -> OptimizerState { initialState(like: parameters.span) }

    public func makeState(_ problem: any Objective<Scalar>, from start: [Scalar]) -> MinimizationState<Scalar, OptimizerState> {
        MinimizationState(problem, from: start, optimizer: initialState(like: start.span))
    }

    public func step(_ state: inout MinimizationState<Scalar, OptimizerState>, _ problem: any Objective<Scalar>) -> Termination? {
        let before = state.iterate
        state.move { step(&$0, gradient: $1, state: &$2) }
        state.evaluate(problem, movedFrom: before)
        return nil
    }
}
