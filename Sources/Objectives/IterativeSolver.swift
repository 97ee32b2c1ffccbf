import Kernels

/// A method that moves an iterate step by step.
///
/// A solver is a value of hyper-parameters. All that changes during a run is in an explicit, `Codable` state, so a user can step by
/// hand, look, save and resume:
///
/// ```swift
/// var state = solver.makeState(problem, from: start)
/// while solver.step(&state, problem) == nil, state.value > 1e-3 { }
/// ```
///
/// The loop with stopping criteria, trace and observer is written once, for all solvers:
/// ``solve(_:from:stopping:traceCapacity:observer:)``.
public protocol IterativeSolver<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar
    /// What is solved: for minimisers `any Objective<Scalar>` or one of its refinements.
    associatedtype Problem
    associatedtype State: SolverState<Scalar>

    /// The state before the first step, evaluated at `start`.
    func makeState(_ problem: Problem, from start: [Scalar]) -> State

    /// One iteration.
    ///
    /// - Returns: `nil` to go on, or why the method ends of itself. Then the state holds the last good iterate.
    func step(_ state: inout State, _ problem: Problem) -> Termination?

    /// When to stop if the caller does not say.
    var defaultStopping: StoppingCriterion { get }
}

extension IterativeSolver {
    /// ‖∇f‖₂ ≤ √ε, with ε the spacing of `Scalar` at 1: 1.5e-8 for `Double`, 3.5e-4 for `Float`.
    public var defaultStopping: StoppingCriterion { .gradientNorm(atMost: Double(Scalar.ulpOfOne.squareRoot())) }
}

/// What changes during a run of a solver.
///
/// It must hold everything that the next step depends on, so that a decoded copy goes on to the same bits.
public protocol SolverState<Scalar>: Codable, Sendable {
    associatedtype Scalar: KernelScalar

    var iterate: [Scalar] { get }
    /// f at ``iterate``.
    var value: Scalar { get }
    /// ‖∇f‖₂ at ``iterate``; `nil` for a method that knows no gradient.
    var gradientNorm: Scalar? { get }
    /// The length of the last step, ‖Δx‖₂; `nil` before the first step or if the method does not know it.
    var stepNorm: Scalar? { get }
    /// All evaluations so far, the one in ``IterativeSolver/makeState(_:from:)`` included.
    var evaluations: EvaluationCounts { get }
    /// How often the method called its costly operations other than evaluations, by name, e.g. `"cholesky"`.
    var work: [String: Int] { get }
}

extension SolverState {
    public var work: [String: Int] { [:] }
}
