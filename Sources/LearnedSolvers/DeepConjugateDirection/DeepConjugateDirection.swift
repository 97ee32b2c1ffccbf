import Kernels
import LinearAlgebra
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
/// A singular A (pure Neumann sides, cells that are left out) needs `projection`, the orthogonal projector off its null space, which is
/// applied to b, the start and every q.
///
/// x, r and A are in `Double`; a network in `Float` does not limit the accuracy. Differs from the paper's program, which casts A to
/// single precision.
///
/// Source: Kaneda et al. 2023, arXiv 2205.10763, Algorithm 1; history 2, tolerance 10⁻⁴ and 100 iterations are its defaults.
///
/// - Complexity: an iteration has one evaluation of f, two products with A, and 2 · history + 2 dot products.
public struct DeepConjugateDirection<Model: DirectionModel>: Sendable {
    public let model: Model
    /// How many directions q is made conjugate to; all if `nil`.
    public let history: Int?
    /// The bound of ‖r‖/‖r₀‖.
    public let tolerance: Double
    public let maximumIterations: Int

    public init(model: Model, history: Int? = 2, tolerance: Double = 1e-4, maximumIterations: Int = 100) {
        require(history.map { $0 >= 0 } ?? true, "history is \(history ?? 0); expected no negative number")
        require(tolerance >= 0, "tolerance is \(tolerance); expected at least 0")
        require(maximumIterations >= 0, "iteration limit is \(maximumIterations); expected no negative number")
        (self.model, self.history, self.tolerance, self.maximumIterations) = (model, history, tolerance, maximumIterations)
    }

    /// All that the next step depends on.
    public struct State: Codable, Sendable {
        struct Direction: Codable, Sendable {
            let d: [Double], image: [Double], square: Double
        }

        /// The start, or the iterate with the smallest residual so far.
        public internal(set) var best: [Double]
        public internal(set) var bestResidualNorm: Double
        /// The iterate at hand: of the lowest error in the norm of A.
        public internal(set) var iterate: [Double]
        public internal(set) var residualNorm: Double
        public let initialResidualNorm: Double
        public internal(set) var iterations = 0
        /// Evaluations of f.
        public internal(set) var modelEvaluations = 0
        /// Products with A.
        public internal(set) var applications = 1
        /// Iterations that searched along r in place of what f gave.
        public internal(set) var fallbacks = 0
        var residual: [Double]
        var directions: [Direction] = []
    }

    /// The state before the first step.
    ///
    /// - Precondition: A is square, b and the start fit.
    public func makeState(_ system: DirectionSystem, from start: [Double]? = nil) -> State {
        let x = start.map(system.projected) ?? [Double](repeating: 0, count: system.rightHandSide.count)
        require(x.count == system.rightHandSide.count, "start has \(x.count) elements; expected \(system.rightHandSide.count)")
        let residual = system.residual(x), norm = Double.nrm2(residual.span)
        return State(best: x, bestResidualNorm: norm, iterate: x, residualNorm: norm, initialResidualNorm: norm, residual: residual)
    }

    /// One iteration.
    ///
    /// - Returns: `nil` to go on, or why the method ends. The state then holds the best iterate.
    public func step(_ state: inout State, _ system: DirectionSystem) -> Termination? {
        if let end = check(state) { return end }
        let norm = state.residualNorm
        let unit = state.residual.map { $0 / norm }
        state.modelEvaluations += 1
        let proposal = system.projected(model.direction(for: unit.span))
        require(proposal.count == unit.count, "the model gave \(proposal.count) elements; expected \(unit.count)")
        var next = direction(from: proposal, &state, system)
        if next == nil {
            state.fallbacks += 1
            state.directions = []
            next = direction(from: unit, &state, system)
        }
        guard let next else {
            return Termination(.brokeDown, "rᵀA r is not positive at the residual r, of norm \(norm), after \(state.iterations) iterations")
        }
        let step = Double.dot(next.d.span, state.residual.span) / next.square
        var x = state.iterate.mutableSpan
        Double.axpy(step, next.d.span, &x)
        state.residual = system.residual(state.iterate)
        state.applications += 1
        state.residualNorm = Double.nrm2(state.residual.span)
        if state.residualNorm < state.bestResidualNorm { (state.best, state.bestResidualNorm) = (state.iterate, state.residualNorm) }
        state.directions.append(next)
        if let history, state.directions.count > history { state.directions.removeFirst() }
        state.iterations += 1
        return check(state)
    }

    private func check(_ state: State) -> Termination? {
        guard state.residualNorm.isFinite else {
            return Termination(.nonFinite, "the residual norm is \(state.residualNorm) after \(state.iterations) iterations")
        }
        guard state.residualNorm <= tolerance * state.initialResidualNorm else { return nil }
        return Termination(.converged, "the residual norm \(state.residualNorm) is at most \(tolerance) of the first one")
    }

    /// q made conjugate to the history; `nil` if it has no positive square in the norm of A beyond rounding.
    private func direction(from q: [Double], _ state: inout State, _ system: DirectionSystem) -> State.Direction? {
        var d = q
        for old in state.directions {
            var span = d.mutableSpan
            Double.axpy(-Double.dot(q.span, old.image.span) / old.square, old.d.span, &span)
        }
        let image = system.matrix.apply(d)
        state.applications += 1
        let square = Double.dot(d.span, image.span)
        // What conjugation leaves of a vector in the span of the history is rounding of q's own size.
        let floor = 64 * Double.ulpOfOne
        guard square > floor * Double.nrm2(d.span) * Double.nrm2(image.span), Double.nrm2(d.span) > floor * Double.nrm2(q.span), square.isFinite
        else { return nil }
        return State.Direction(d: d, image: image, square: square)
    }

    /// Solves A·x = b.
    ///
    /// - Parameters:
    ///   - start: x₀; 0 if `nil`.
    ///   - projection: the orthogonal projector off the null space of a singular A.
    public func solve(
        _ a: any LinearOperator<Double>, _ b: [Double], from start: [Double]? = nil, projection: (any LinearOperator<Double>)? = nil
    ) -> DirectionSolution {
        let system = DirectionSystem(a, b, projection: projection)
        var state = makeState(system, from: start)
        return solve(system, resuming: &state)
    }

    /// Goes on with a state, which can be saved and resumed again afterwards. The limit counts from the very first iteration.
    public func solve(_ system: DirectionSystem, resuming state: inout State) -> DirectionSolution {
        var norms = [state.residualNorm]
        var end = check(state)
        while end == nil, state.iterations < maximumIterations {
            end = step(&state, system)
            norms.append(state.residualNorm)
        }
        let termination = end ?? Termination(
            .iterationLimit, "all \(maximumIterations) iterations are done; the residual norm is \(state.residualNorm)")
        let converged = termination.status == .converged
        return DirectionSolution(
            iterate: converged ? state.iterate : state.best, status: termination.status, reason: termination.reason,
            residualNorm: converged ? state.residualNorm : state.bestResidualNorm, iterations: state.iterations,
            modelEvaluations: state.modelEvaluations, applications: state.applications, fallbacks: state.fallbacks, residualNorms: norms)
    }
}

/// A·x = b for ``DeepConjugateDirection``.
public struct DirectionSystem: Sendable {
    public let matrix: any LinearOperator<Double>
    /// b, projected.
    public let rightHandSide: [Double]
    public let projection: (any LinearOperator<Double>)?

    /// - Parameter projection: the orthogonal projector off the null space of a singular A.
    /// - Precondition: A is square, b and the projector fit.
    public init(_ a: any LinearOperator<Double>, _ b: [Double], projection: (any LinearOperator<Double>)? = nil) {
        require(a.rows == a.columns, "conjugate directions with a \(a.rows)×\(a.columns) operator; expected a square one")
        require(b.count == a.rows, "right-hand side has \(b.count) elements for \(a.rows) rows; expected equally many")
        if let projection {
            require(projection.rows == a.rows && projection.columns == a.rows,
                    "projection is \(projection.rows)×\(projection.columns) for \(a.rows) unknowns; expected \(a.rows)×\(a.rows)")
        }
        (matrix, self.projection) = (a, projection)
        rightHandSide = projection?.apply(b) ?? b
    }

    func projected(_ x: [Double]) -> [Double] { projection?.apply(x) ?? x }

    /// b − A·x.
    func residual(_ x: [Double]) -> [Double] {
        var r = matrix.apply(x)
        var span = r.mutableSpan
        Double.axpby(1, rightHandSide.span, -1, &span)
        return projected(r)
    }
}

/// What ``DeepConjugateDirection`` hands back.
public struct DirectionSolution: Sendable, Codable {
    /// The solution if it converged, otherwise the iterate with the smallest residual.
    public let iterate: [Double]
    /// `converged`, `iterationLimit`, `brokeDown` (A is not positive semi-definite, or singular without a projection), or `nonFinite`.
    public let status: SolverStatus
    /// Why the solver ended, as a sentence.
    public let reason: String
    /// ‖b − A·x‖₂ at ``iterate``, computed from it.
    public let residualNorm: Double
    public let iterations: Int
    /// Evaluations of the model.
    public let modelEvaluations: Int
    /// Products with A.
    public let applications: Int
    /// Iterations that searched along the residual in place of what the model gave.
    public let fallbacks: Int
    /// The residual norm at the start and after each iteration of this call.
    public let residualNorms: [Double]

    /// The iterate, if the solver converged.
    ///
    /// - Throws: `NotConvergedError`.
    public func get() throws(NotConvergedError) -> [Double] {
        guard status == .converged else { throw NotConvergedError(status: status, reason: reason) }
        return iterate
    }
}
