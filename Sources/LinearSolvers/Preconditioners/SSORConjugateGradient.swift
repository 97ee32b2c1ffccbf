import Kernels
import LinearAlgebra
import Objectives

/// Conjugate gradients with the SSOR preconditioner by Eisenstat's trick: the iterates of ``ConjugateGradient`` with ``SSORPreconditioner``, for two
/// triangular solves a step and no product with A.
///
/// With F = D/ω + L the method runs on F⁻¹A F⁻ᵀ; for p̂ = Fᵀt, F⁻¹A t = t + F⁻¹(p̂ + (1 − 2/ω) D t), and the pass that solves with F gives A·t too, so that
/// the residual of the system itself is known.
///
/// Source: Eisenstat 1981, SIAM J. Sci. Stat. Comput. 2(1).
public struct SSORConjugateGradient<Scalar: KernelScalar>: Sendable {
    public let relaxation: Scalar
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - relaxation: ω in (0, 2).
    ///   - tolerance: ``ResidualTolerance/standard(_:)`` if `nil`.
    ///   - iterationLimit: 10 n if `nil`.
    public init(relaxation: Scalar = 1, tolerance: ResidualTolerance? = nil, iterationLimit: Int? = nil) {
        require(relaxation > 0 && relaxation < 2, "relaxation factor is \(relaxation); expected one in (0, 2)")
        requireLimit(iterationLimit)
        self.relaxation = relaxation
        self.tolerance = tolerance ?? .standard(Scalar.self)
        self.iterationLimit = iterationLimit
    }

    /// The iterate and the buffers of a run.
    public struct State: LinearSolverState {
        fileprivate var run: RecurredResidual<Scalar>
        /// r̂ = F⁻¹ r, p̂, t = F⁻ᵀ p̂, F⁻¹A t and A t.
        fileprivate var transformed: [Scalar], direction: [Scalar], step: [Scalar], image: [Scalar], product: [Scalar]
        /// D (2 − ω)/ω, and D r̂ scaled by it.
        fileprivate let factors: [Scalar]
        fileprivate var preconditioned: [Scalar], work: [Scalar]
        fileprivate var square: Scalar = 0
        fileprivate let badDiagonal: Int?

        public var iterate: [Scalar] { run.best(unlessGrown: growthLimit()) }
        public var residualNorm: Scalar { run.bestNorm(unlessGrown: growthLimit()) }
        public var iterations: Int { run.iterations }
        public var applications: Int { run.applications }
        /// Pairs of triangular solves.
        public var preconditionerApplications: Int { run.preconditionerApplications }
    }

    /// - Precondition: A is square; `b` and `start` have as many elements.
    public func makeState(_ a: any RelaxableOperator<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil) -> State {
        let system = LinearSystem(a, b)
        system.requireSquare("conjugate gradients", start)
        let zeros = [Scalar](repeating: 0, count: a.columns)
        var state = State(
            run: RecurredResidual(system, from: start, tolerance), transformed: zeros, direction: zeros, step: zeros, image: zeros,
            product: zeros, factors: a.diagonal.map { $0 * ((2 - relaxation) / relaxation) }, preconditioned: zeros,
            work: [Scalar](repeating: 0, count: a.workCount), badDiagonal: a.badDiagonal)
        if state.badDiagonal == nil { restart(&state, a) }
        return state
    }

    /// Why the run ends where it stands; `nil` to go on.
    public func check(_ state: inout State, _ a: any RelaxableOperator<Scalar>, _ b: [Scalar]) -> Termination? {
        if let i = state.badDiagonal { return Termination(.singular, "element \(i) of the diagonal is 0 or not finite") }
        switch state.run.check(LinearSystem(a, b)) {
        case .ended(let termination): return termination
        case .proceed: return nil
        case .replaced:
            restart(&state, a)
            return nil
        }
    }

    /// r̂ = F⁻¹ r, p̂ = D̂ r̂.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func restart(_ state: inout State, _ a: any RelaxableOperator<Scalar>) {
        a.solveTriangle(state.run.residual, into: &state.transformed, relaxation: relaxation, upper: false, work: &state.work)
        applyPreconditioner(&state)
        assign(state.preconditioned, &state.direction)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func applyPreconditioner(_ state: inout State) {
        multiply(state.transformed, state.factors, into: &state.preconditioned)
        state.square = dot(state.transformed, state.preconditioned)
        state.run.preconditionerApplications += 1
    }

    /// ``check(_:_:_:)``, and one iteration if that says nothing.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ a: any RelaxableOperator<Scalar>, _ b: [Scalar]) -> Termination? {
        if let end = check(&state, a, b) { return end }
        guard state.square.isFinite, state.square > 0 else { return preconditionerFailure(state.square, state.iterations) }
        a.solveTriangle(state.direction, into: &state.step, relaxation: relaxation, upper: true, work: &state.work)
        a.eisenstat(state.direction, state.step, into: &state.image, image: &state.product, relaxation: relaxation, work: &state.work)
        axpy(1, state.step, &state.image)
        let curvature = dot(state.step, state.product)
        if let end = curvatureFailure(curvature, state.iterations) { return end }
        let alpha = state.square / curvature
        state.run.move(alpha, along: state.step, image: state.product)
        axpy(-alpha, state.image, &state.transformed)
        let before = state.square
        applyPreconditioner(&state)
        axpby(1, state.preconditioned, state.square / before, &state.direction)
        return nil
    }

    /// Solves A·x = b.
    public func solve(
        _ a: any RelaxableOperator<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        var state = makeState(a, b, from: start)
        return solve(a, b, resuming: &state, recordsResiduals: recordsResiduals)
    }

    /// Goes on with a state. The limit counts from the very first iteration.
    public func solve(
        _ a: any RelaxableOperator<Scalar>, _ b: [Scalar], resuming state: inout State, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        iterate(&state, limit: iterationLimit ?? 10 * a.columns, recordsResiduals: recordsResiduals, check: { check(&$0, a, b) }) {
            step(&$0, a, b)
        }
    }
}
