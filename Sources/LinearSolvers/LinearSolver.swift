import Kernels
import LinearAlgebra
import Objectives

/// An iterative method for A·x = b.
///
/// A solver is a value of hyper-parameters. All that changes is in an explicit state with all buffers of the method, so that a step allocates
/// nothing, and a user can step by hand, save and resume to the same bits:
///
/// ```swift
/// var state = solver.makeState(system)
/// while solver.step(&state, system) == nil, state.iterations < 50 { }
/// ```
public protocol LinearSolver<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar
    associatedtype State: LinearSolverState<Scalar>

    /// The most iterations of a run; 10 n for n unknowns if `nil`.
    var iterationLimit: Int? { get }

    /// The state before the first step; x₀ = 0 if `start` is `nil`.
    func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State

    /// Why the run ends where it stands; `nil` to go on. May take the residual anew, and writes what it finds into the state.
    func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination?

    /// ``check(_:_:)``, and one iteration if that says nothing.
    ///
    /// - Returns: `nil` to go on, or why the run ends. The state then holds the best iterate.
    func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination?

    /// Brings the iterate up to date, for a method that forms it only now and then.
    func finish(_ state: inout State, _ system: LinearSystem<Scalar>)
}

/// What changes during a run: everything that the next step depends on.
public protocol LinearSolverState<Scalar>: Codable, Sendable {
    associatedtype Scalar: KernelScalar

    var iterate: [Scalar] { get }
    /// ‖b − A·x‖₂ as the recurrences of the method have it.
    var residualNorm: Scalar { get }
    var iterations: Int { get }
    /// Products with A so far.
    var applications: Int { get }
    /// Products with Aᵀ so far.
    var adjointApplications: Int { get }
    var preconditionerApplications: Int { get }
}

extension LinearSolverState {
    public var adjointApplications: Int { 0 }
    public var preconditionerApplications: Int { 0 }
}

extension LinearSolver {
    public func finish(_ state: inout State, _ system: LinearSystem<Scalar>) {}

    /// The state before the first step, from x₀ = 0.
    public func makeState(_ system: LinearSystem<Scalar>) -> State { makeState(system, from: nil) }

    /// Solves A·x = b.
    ///
    /// - Parameters:
    ///   - start: x₀; 0 if `nil`.
    ///   - preconditioner: applies M⁻¹.
    ///   - recordsResiduals: whether to keep the residual norm of each iteration.
    public func solve(
        _ a: any LinearOperator<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil,
        preconditioner: (any LinearOperator<Scalar>)? = nil, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        let system = LinearSystem(a, b, preconditioner: preconditioner)
        var state = makeState(system, from: start)
        return solve(system, resuming: &state, recordsResiduals: recordsResiduals)
    }

    /// Goes on with a state, which can be saved and resumed again afterwards. The limit counts from the very first iteration.
    public func solve(
        _ system: LinearSystem<Scalar>, resuming state: inout State, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        iterate(
            &state, limit: iterationLimit ?? 10 * system.matrix.columns, recordsResiduals: recordsResiduals,
            finish: { finish(&$0, system) }, check: { check(&$0, system) }, step: { step(&$0, system) })
    }
}

/// Steps until one says why the run ends, or the limit is reached.
func iterate<State: LinearSolverState>(
    _ state: inout State, limit: Int, recordsResiduals: Bool, finish: (inout State) -> Void = { _ in },
    check: (inout State) -> Termination?, step: (inout State) -> Termination?
) -> LinearSolution<State.Scalar> {
    var norms = recordsResiduals ? [state.residualNorm] : []
    var end: Termination?
    while end == nil, state.iterations < limit {
        let before = state.iterations
        end = step(&state)
        if recordsResiduals, state.iterations > before { norms.append(state.residualNorm) }
    }
    if end == nil {
        finish(&state)
        end = check(&state)
    }
    let termination = end ?? Termination(.iterationLimit, "all \(limit) iterations are done; the residual norm is \(state.residualNorm)")
    return LinearSolution(
        iterate: state.iterate, status: termination.status, reason: termination.reason, residualNorm: state.residualNorm,
        iterations: state.iterations, applications: state.applications, adjointApplications: state.adjointApplications,
        preconditionerApplications: state.preconditionerApplications, residualNorms: norms)
}

func requireLimit(_ limit: Int?) {
    require(limit.map { $0 >= 0 } ?? true, "iteration limit is \(limit ?? 0); expected no negative number")
}
