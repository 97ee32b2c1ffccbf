import Kernels
import LinearAlgebra
import LinearSolvers
import Objectives

/// The Deep Conjugate Direction method for A·x = b with A symmetric and positive (semi-)definite: a conjugate direction iteration whose
/// search directions come from a learned model f.
///
///     q = f(r/‖r‖)
///     d = q − Σ (qᵀA dⱼ / dⱼᵀA dⱼ) dⱼ        over the last `history` directions
///     β = dᵀr / dᵀA d
///     x ← x + β d,   r ← b − A x
///
/// The coefficients are those of q itself. With f(r) = r and a history of 1 or more it is the conjugate gradient method, with
/// f(r) = M⁻¹r the preconditioned one; a history of all directions makes x the best point of their span. Whatever f gives, the error in
/// the norm of A never grows, since the step is an exact line search: an unsuitable f costs time, not the result.
///
/// Where dᵀA d is not positive beyond rounding (f gave 0, a multiple of earlier directions, a vector of the null space, or what is not finite), the direction is
/// r and the history begins anew; ``State/fallbacks`` counts that.
///
/// A singular A (pure Neumann sides, cells that are left out) needs ``projection``, the orthogonal projector off its null space, which is
/// applied to residuals, the start and every q. ``PressureProblem`` has it.
///
/// The iteration is that of `FlexibleConjugateGradient` of `LinearSolvers`, whose preconditioner may change, with a map that is not
/// linear at all in its place, residuals of unit norm for it, and residuals that are always those of the iterate.
///
/// x, r and A are in `Double`; a network in `Float` does not limit the accuracy. Differs from the paper's program, which casts A to
/// single precision.
///
/// Source: Kaneda et al. 2023, arXiv 2205.10763, Algorithm 1; history 2, tolerance 10⁻⁴ and 100 iterations are its defaults.
///
/// - Complexity: an iteration has one evaluation of f, two products with A, and 2 · history + 2 dot products.
public struct DeepConjugateDirection<Model: DirectionModel>: LinearSolver {
    public let model: Model
    /// How many directions q is made conjugate to; all if `nil`.
    public let history: Int?
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int?
    /// The orthogonal projector off the null space of a singular A.
    public let projection: (any LinearOperator<Double>)?

    public init(
        model: Model, history: Int? = 2, tolerance: ResidualTolerance = .relativeToInitialResidual(1e-4), iterationLimit: Int? = 100,
        projection: (any LinearOperator<Double>)? = nil
    ) {
        require(history.map { $0 >= 0 } ?? true, "history is \(history ?? 0); expected no negative number")
        require(iterationLimit.map { $0 >= 0 } ?? true, "iteration limit is \(iterationLimit ?? 0); expected no negative number")
        (self.model, self.history, self.tolerance, self.iterationLimit) = (model, history, tolerance, iterationLimit)
        self.projection = projection
    }

    /// All that the next step depends on.
    public struct State: LinearSolverState {
        struct Direction: Codable, Sendable {
            let d: [Double], image: [Double], square: Double
        }

        /// Of all iterates so far the one with the smallest residual.
        public fileprivate(set) var iterate: [Double]
        public fileprivate(set) var residualNorm: Double
        public fileprivate(set) var iterations = 0
        public fileprivate(set) var applications: Int
        /// Evaluations of the model.
        public fileprivate(set) var preconditionerApplications = 0
        /// Iterations that searched along r in place of what the model gave.
        public fileprivate(set) var fallbacks = 0
        /// The last iterate, whose error is the smallest so far in the norm of A.
        public fileprivate(set) var latestIterate: [Double]
        fileprivate var residual: [Double], norm: Double
        fileprivate var directions: [Direction] = []
        fileprivate let bound: Double
    }

    public func makeState(_ system: LinearSystem<Double>, from start: [Double]?) -> State {
        let n = system.matrix.columns
        require(system.matrix.rows == n, "conjugate directions with a \(system.matrix.rows)×\(n) operator; expected a square one")
        require(system.preconditioner == nil, "conjugate directions take no preconditioner; OperatorDirection makes a model of one")
        require(start.map { $0.count == n } ?? true, "start has \(start?.count ?? 0) elements; expected \(n)")
        if let projection {
            require(projection.rows == n && projection.columns == n,
                    "projection is \(projection.rows)×\(projection.columns) for \(n) unknowns; expected \(n)×\(n)")
        }
        let x = start.map(projected) ?? [Double](repeating: 0, count: n)
        let residual = start == nil ? projected(system.rightHandSide) : residual(x, system)
        let norm = Double.nrm2(residual.span)
        return State(
            iterate: x, residualNorm: norm, applications: start == nil ? 0 : 1, latestIterate: x, residual: residual, norm: norm,
            bound: tolerance.bound(rightHandSide: system.rightHandSide.span, initialResidual: norm))
    }

    public func check(_ state: inout State, _ system: LinearSystem<Double>) -> Termination? {
        guard state.norm.isFinite, state.bound.isFinite else {
            return Termination(.nonFinite, "the residual norm is \(state.norm) after \(state.iterations) iterations")
        }
        guard state.norm <= state.bound else { return nil }
        return Termination(.converged, "the residual norm \(state.norm) is at most \(state.bound)")
    }

    public func step(_ state: inout State, _ system: LinearSystem<Double>) -> Termination? {
        if let end = check(&state, system) { return end }
        let unit = state.residual.map { $0 / state.norm }
        let q = projected(model.direction(for: unit.span))
        require(q.count == unit.count, "the model gave \(q.count) elements; expected \(unit.count)")
        state.preconditionerApplications += 1
        var next = direction(from: q, &state, system)
        if next == nil {
            state.fallbacks += 1
            state.directions = []
            next = direction(from: unit, &state, system)
        }
        guard let next else {
            return Termination(.brokeDown, "rᵀA r is not positive at the residual r, of norm \(state.norm), after \(state.iterations) iterations")
        }
        let beta = Double.dot(next.d.span, state.residual.span) / next.square
        var x = state.latestIterate.mutableSpan
        Double.axpy(beta, next.d.span, &x)
        state.residual = residual(state.latestIterate, system)
        state.applications += 1
        state.norm = Double.nrm2(state.residual.span)
        if state.norm < state.residualNorm { (state.iterate, state.residualNorm) = (state.latestIterate, state.norm) }
        state.directions.append(next)
        if let history, state.directions.count > history { state.directions.removeFirst() }
        state.iterations += 1
        return nil
    }

    /// d, made of q and conjugate to the history; `nil` if dᵀA d is not positive beyond rounding.
    private func direction(from q: [Double], _ state: inout State, _ system: LinearSystem<Double>) -> State.Direction? {
        var d = q
        for old in state.directions {
            var span = d.mutableSpan
            Double.axpy(-Double.dot(q.span, old.image.span) / old.square, old.d.span, &span)
        }
        let image = system.matrix.apply(d)
        state.applications += 1
        let square = Double.dot(d.span, image.span), size = Double.nrm2(d.span)
        // What conjugation leaves of a vector in the span of the history is rounding of the size of q.
        let floor = 64 * Double.ulpOfOne
        guard square.isFinite, square > floor * size * Double.nrm2(image.span), size > floor * Double.nrm2(q.span) else { return nil }
        return State.Direction(d: d, image: image, square: square)
    }

    private func projected(_ x: [Double]) -> [Double] { projection?.apply(x) ?? x }

    /// b − A·x, projected.
    private func residual(_ x: [Double], _ system: LinearSystem<Double>) -> [Double] {
        var r = system.matrix.apply(x)
        var span = r.mutableSpan
        Double.axpby(1, system.rightHandSide.span, -1, &span)
        return projected(r)
    }
}
