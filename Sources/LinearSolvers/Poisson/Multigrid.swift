import Kernels
import LinearAlgebra
import Objectives

/// Geometric multigrid for a ``PoissonOperator``: V-cycles of ``MultigridHierarchy``, each a fixed share of the error for any number of points.
///
/// From no start, the first iterate comes from full multigrid, which is as accurate as the discretisation. The residual norm comes from the last
/// sweep of a cycle at no cost. Three cycles that each leave more than 0.9 of the residual end the run as `stagnated` (rounding, or a singular,
/// inconsistent system: Neumann sides, no shift and a right-hand side whose mean is not 0); the iterate is then the last but does not matter much.
///
/// - Complexity: O(n) for each cycle; set-up O(side).
public struct Multigrid<Scalar: KernelScalar>: Sendable {
    public let sweepsBefore: Int
    public let sweepsAfter: Int
    public let startsFull: Bool
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int

    /// - Parameters:
    ///   - sweepsBefore: of the smoother before the correction, and after it.
    ///   - startsFull: whether a run without a start begins with full multigrid.
    ///   - tolerance: ``ResidualTolerance/standard(_:)`` if `nil`.
    ///   - iterationLimit: of cycles.
    public init(
        sweepsBefore: Int = 1, sweepsAfter: Int = 1, startsFull: Bool = true, tolerance: ResidualTolerance? = nil, iterationLimit: Int = 100
    ) {
        require(sweepsAfter >= 1, "\(sweepsAfter) sweeps after the correction; expected at least 1")
        requireLimit(iterationLimit)
        (self.sweepsBefore, self.sweepsAfter, self.startsFull) = (sweepsBefore, sweepsAfter, startsFull)
        (self.tolerance, self.iterationLimit) = (tolerance ?? .standard(Scalar.self), iterationLimit)
    }

    /// The iterate of a run; its buffers are the hierarchy's.
    public struct State: LinearSolverState {
        public fileprivate(set) var iterate: [Scalar]
        public fileprivate(set) var residualNorm: Scalar
        /// Cycles so far; full multigrid is none.
        public fileprivate(set) var iterations = 0
        public fileprivate(set) var applications = 0
        fileprivate let bound: Scalar
        /// Cycles in a row that left more than 0.9 of the residual.
        fileprivate var idle = 0
    }

    public func makeState(_ grids: MultigridHierarchy<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil) -> State {
        let system = LinearSystem(grids.base, b)
        system.requireStart(start)
        var x = start ?? [Scalar](repeating: 0, count: b.count), r = b
        let isFull = start == nil && startsFull && Scalar.maxAbs(b.span).isFinite
        if isFull {
            var span = x.mutableSpan
            grids.fullMultigrid(b.span, into: &span)
        }
        if start != nil || isFull { system.residual(of: x, into: &r) }
        let first = start == nil ? norm(b) : norm(r), size = norm(r)
        return State(iterate: x, residualNorm: size, applications: start != nil || isFull ? 1 : 0,
                     bound: tolerance.bound(rightHandSide: b.span, initialResidual: first))
    }

    /// Why the run ends where it stands; `nil` to go on.
    public func check(_ state: State) -> Termination? {
        guard state.residualNorm.isFinite, state.bound == state.bound else {
            return Termination(.nonFinite, "the residual norm is \(state.residualNorm) after \(state.iterations) cycles")
        }
        if state.residualNorm <= state.bound {
            return Termination(.converged, "the residual norm \(state.residualNorm) is at most \(state.bound)")
        }
        return state.idle < 3 ? nil : Termination(
            .stagnated, "three cycles have each left more than 0.9 of the residual, whose norm is \(state.residualNorm)")
    }

    /// ``check(_:)``, and one cycle if that says nothing.
    public func step(_ state: inout State, _ grids: MultigridHierarchy<Scalar>, _ b: [Scalar]) -> Termination? {
        if let end = check(state) { return end }
        let square = cycle(grids, b, &state.iterate), before = state.residualNorm
        if grids.levels == 1 || !(square > Scalar.leastNormalMagnitude && square.isFinite) {
            // No sweep measured it, or its square left the range.
            var r = b
            LinearSystem(grids.base, b).residual(of: state.iterate, into: &r)
            state.applications += 1
            state.residualNorm = norm(r)
        } else {
            state.residualNorm = square.squareRoot()
        }
        state.iterations += 1
        state.idle = state.residualNorm > before * 9 / 10 ? state.idle + 1 : 0
        return nil
    }

    private func cycle(_ grids: MultigridHierarchy<Scalar>, _ b: [Scalar], _ x: inout [Scalar]) -> Scalar {
        var span = x.mutableSpan
        return grids.cycle(&span, b.span)
    }

    /// Solves A·x = b, with the set-up.
    ///
    /// - Throws: as ``MultigridHierarchy/init(_:sweepsBefore:sweepsAfter:isSymmetric:)``.
    public func solve(
        _ a: PoissonOperator<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil, recordsResiduals: Bool = false
    ) throws(LinearAlgebraError) -> LinearSolution<Scalar> {
        let grids = try MultigridHierarchy(a, sweepsBefore: sweepsBefore, sweepsAfter: sweepsAfter, isSymmetric: false)
        return solve(grids, b, from: start, recordsResiduals: recordsResiduals)
    }

    /// Solves A·x = b on grids that are there; their sweeps count.
    public func solve(
        _ grids: MultigridHierarchy<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        var state = makeState(grids, b, from: start)
        return solve(grids, b, resuming: &state, recordsResiduals: recordsResiduals)
    }

    /// Goes on with a state. The limit counts from the very first cycle.
    public func solve(
        _ grids: MultigridHierarchy<Scalar>, _ b: [Scalar], resuming state: inout State, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        require(grids.sweepsAfter >= 1, "grids with no sweep after the correction; expected at least 1")
        return iterate(&state, limit: iterationLimit, recordsResiduals: recordsResiduals, check: { check($0) }) { step(&$0, grids, b) }
    }
}
