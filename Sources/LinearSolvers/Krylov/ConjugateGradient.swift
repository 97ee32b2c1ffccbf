import Kernels
import LinearAlgebra
import Objectives

/// Conjugate gradients for symmetric positive definite A, with a symmetric positive definite preconditioner or none.
///
///     q = A p,   α = rᵀz / pᵀq,   x ← x + α p,   r ← r − α q,   z = M⁻¹ r,   β = rᵀz / old rᵀz,   p ← z + β p
///
/// The error falls in the norm of A by 2 ((√κ − 1)/(√κ + 1))ᵏ at least, κ the condition of M⁻¹A, and ends after as many steps as M⁻¹A has
/// distinct eigenvalues. The iterate is the last one: its error in that norm is the smallest, though its residual need not be.
/// pᵀA·p ≤ 0 ends the run as `brokeDown` with the iterate before it. A residual that grows 1/√ε times ends it too (a singular, inconsistent system does
/// that); then the best iterate is handed back, to a factor of 10 in the residual.
///
/// One step: one product with A and with M⁻¹, and five passes over vectors. Memory: five vectors, six with a preconditioner.
///
/// Differs from SciPy's `cg`: the residual is taken anew before the solver says `converged`, at the cost of one product. A singular
/// consistent system (a Neumann problem whose right-hand side has mean 0) is fine.
///
/// Source: Hestenes & Stiefel 1952.
public struct ConjugateGradient<Scalar: KernelScalar>: LinearSolver {
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - tolerance: ``ResidualTolerance/standard(_:)`` if `nil`.
    ///   - iterationLimit: 10 n if `nil`, as SciPy.
    public init(tolerance: ResidualTolerance? = nil, iterationLimit: Int? = nil) {
        requireLimit(iterationLimit)
        self.tolerance = tolerance ?? .standard(Scalar.self)
        self.iterationLimit = iterationLimit
    }

    public struct State: LinearSolverState {
        var run: RecurredResidual<Scalar>
        var direction: [Scalar]
        var image: [Scalar]
        /// M⁻¹ r; empty without a preconditioner, where it is r.
        var preconditioned: [Scalar]
        /// rᵀz.
        var product: Scalar = 0

        public var iterate: [Scalar] { run.best(unlessGrown: growthLimit()) }
        public var residualNorm: Scalar { run.bestNorm(unlessGrown: growthLimit()) }
        public var iterations: Int { run.iterations }
        public var applications: Int { run.applications }
        public var preconditionerApplications: Int { run.preconditionerApplications }
    }

    public func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State {
        system.requireSquare("conjugate gradients", start)
        let zeros = [Scalar](repeating: 0, count: system.matrix.columns)
        var state = State(run: RecurredResidual(system, from: start, tolerance), direction: zeros, image: zeros,
                          preconditioned: system.preconditioner == nil ? [] : zeros)
        restart(&state, system)
        return state
    }

    public func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        switch state.run.check(system) {
        case .ended(let termination): return termination
        case .proceed: return nil
        case .replaced:
            restart(&state, system)
            return nil
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if let end = check(&state, system) { return end }
        guard state.product.isFinite, state.product > 0 else { return preconditionerFailure(state.product, state.iterations) }
        let curvature = applyMeasuring(system.matrix, state.direction, into: &state.image)
        state.run.applications += 1
        if let end = curvatureFailure(curvature, state.iterations) { return end }
        state.run.move(state.product / curvature, along: state.direction, image: state.image)
        let before = state.product
        applyPreconditioner(&state, system)
        let beta = state.product / before
        if system.preconditioner == nil {
            axpby(1, state.run.residual, beta, &state.direction)
        } else {
            axpby(1, state.preconditioned, beta, &state.direction)
        }
        return nil
    }

    /// p = z.
    private func restart(_ state: inout State, _ system: LinearSystem<Scalar>) {
        applyPreconditioner(&state, system)
        if system.preconditioner == nil { assign(state.run.residual, &state.direction) } else { assign(state.preconditioned, &state.direction) }
    }

    /// z = M⁻¹ r and rᵀz.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func applyPreconditioner(_ state: inout State, _ system: LinearSystem<Scalar>) {
        guard let m = system.preconditioner else { return state.product = state.run.square }
        state.product = applyMeasuring(m, state.run.residual, into: &state.preconditioned)
        state.run.preconditionerApplications += 1
    }
}

/// Why a method that needs rᵀM⁻¹r > 0 cannot go on.
func preconditionerFailure<Scalar: KernelScalar>(_ product: Scalar, _ iterations: Int) -> Termination {
    product.isFinite
        ? Termination(.brokeDown, "rᵀM⁻¹r is \(product) after \(iterations) iterations: the preconditioner is not positive definite")
        : Termination(.nonFinite, "the preconditioned residual is not finite after \(iterations) iterations")
}

/// Why a method that needs pᵀA·p > 0 cannot go on; `nil` if it can.
func curvatureFailure<Scalar: KernelScalar>(_ curvature: Scalar, _ iterations: Int) -> Termination? {
    if !curvature.isFinite {
        return Termination(.nonFinite, "the product with the operator is not finite after \(iterations) iterations")
    }
    return curvature > 0 ? nil : Termination(
        .brokeDown, "pᵀA·p is \(curvature) after \(iterations) iterations: the operator is not positive definite")
}
