import Kernels
import LinearAlgebra
import Objectives

/// The minimal residual method for symmetric A, definite or not, with a symmetric positive definite preconditioner or none.
///
/// Lanczos vectors make A tridiagonal; the iterate has the smallest residual of its Krylov space, in the norm of M⁻¹ where there is a
/// preconditioner. That norm never rises, so the last iterate is the best.
///
/// A singular, inconsistent system ends as `singular`, with a least-squares solution (not in general that of smallest length) once
/// ‖A·r‖ ≤ ε^(3/4) ‖A‖ ‖r‖, ‖A‖ being estimated from the tridiagonal matrix; a singular consistent one converges.
///
/// One step: one product with A and with M⁻¹, and eight passes over vectors. Memory: seven vectors, eight with a preconditioner.
///
/// Differs from SciPy's `minres`: the tolerance is that of ``ResidualTolerance``, not of ‖r‖/(‖A‖ ‖x‖), and the residual is taken anew before
/// the solver says `converged`. No shift: add it to the operator.
///
/// Source: Paige & Saunders 1975, Solution of sparse indefinite systems of linear equations, SIAM J. Numer. Anal. 12(4).
public struct MINRES<Scalar: KernelScalar>: LinearSolver {
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - tolerance: ``ResidualTolerance/standard(_:)`` if `nil`.
    ///   - iterationLimit: 10 n if `nil`.
    public init(tolerance: ResidualTolerance? = nil, iterationLimit: Int? = nil) {
        requireLimit(iterationLimit)
        self.tolerance = tolerance ?? .standard(Scalar.self)
        self.iterationLimit = iterationLimit
    }

    public struct State: LinearSolverState {
        public internal(set) var iterate: [Scalar]
        public internal(set) var iterations = 0
        public internal(set) var applications = 0
        public internal(set) var preconditionerApplications = 0
        /// Lanczos vectors before normalisation: the last but one, the last, and room for the next.
        var previous: [Scalar], current: [Scalar], image: [Scalar]
        /// M⁻¹ of the last; empty without a preconditioner.
        var preconditioned: [Scalar]
        /// The normalised one, and the last two directions.
        var vector: [Scalar], older: [Scalar], newer: [Scalar]
        /// The data are divided by this.
        var scale: Scalar
        var beta: Scalar, oldBeta: Scalar = 0
        var c: Scalar = -1, s: Scalar = 0, dbar: Scalar = 0, epsilon: Scalar = 0
        /// The norm of the residual, in the norm of M⁻¹.
        var phi: Scalar
        var squares: Scalar = 0
        var bound: Scalar
        /// What phi must reach before the residual is taken anew, how large it was when that was last done, and whether it is still that of the iterate.
        var target: Scalar, lastTrueNorm = Scalar.greatestFiniteMagnitude, trueNorm: Scalar? = nil

        public var residualNorm: Scalar { trueNorm ?? scale * phi }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State {
        system.requireSquare("MINRES", start)
        let zeros = [Scalar](repeating: 0, count: system.matrix.columns)
        var residual = system.rightHandSide
        if let start {
            system.residual(of: start, into: &residual)
        }
        let norm = LinearSolvers.norm(residual), scale = powerOfTwo(near: norm)
        Kernels.scale(1 / scale, &residual)
        let bound = tolerance.bound(rightHandSide: system.rightHandSide.span, initialResidual: norm)
        var state = State(
            iterate: start ?? zeros, previous: zeros, current: residual, image: zeros,
            preconditioned: system.preconditioner == nil ? [] : zeros, vector: zeros, older: zeros, newer: zeros, scale: scale, beta: 0,
            phi: 0, bound: bound, target: 0)
        state.applications = start == nil ? 0 : 1
        state.trueNorm = norm
        state.beta = lanczosNorm(&state, system)
        state.phi = state.beta
        state.target = norm > 0 ? bound / norm * state.phi : 0
        return state
    }

    /// √(rᵀM⁻¹r) of the current Lanczos vector; NaN if the square is negative.
    private func lanczosNorm(_ state: inout State, _ system: LinearSystem<Scalar>) -> Scalar {
        guard let m = system.preconditioner else { return norm(state.current) }
        state.preconditionerApplications += 1
        return applyMeasuring(m, state.current, into: &state.preconditioned).squareRoot()
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        guard state.phi.isFinite, state.bound == state.bound, state.residualNorm.isFinite else {
            return Termination(.nonFinite, "the residual norm is \(state.residualNorm) after \(state.iterations) iterations")
        }
        if state.trueNorm == nil, state.phi <= state.target {
            system.residual(of: state.iterate, into: &state.image)
            state.applications += 1
            let norm = norm(state.image)
            state.trueNorm = norm
            if norm > state.bound {
                if norm >= state.lastTrueNorm {
                    return Termination(.stagnated, "rounding keeps the residual norm at \(norm), above \(state.bound)")
                }
                state.lastTrueNorm = norm
                // In the norm of M⁻¹ the tolerance stands for another number than thought.
                state.target = state.phi / 2 * min(1, state.bound / norm)
            }
        }
        guard let norm = state.trueNorm, norm <= state.bound else { return nil }
        return Termination(.converged, "the residual norm \(norm) is at most \(state.bound)")
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if let end = check(&state, system) { return end }
        guard state.beta > 0 else {
            return Termination(.brokeDown, "rᵀM⁻¹r is not positive: the preconditioner is not positive definite")
        }
        let beta = state.beta
        if system.preconditioner == nil { assign(state.current, &state.vector) } else { assign(state.preconditioned, &state.vector) }
        scale(1 / beta, &state.vector)
        apply(system.matrix, state.vector, into: &state.image)
        state.applications += 1
        if state.oldBeta > 0 { axpy(-beta / state.oldBeta, state.previous, &state.image) }
        let alpha = dot(state.vector, state.image)
        guard alpha.isFinite else {
            return Termination(.nonFinite, "the product with the operator is not finite after \(state.iterations) iterations")
        }
        axpy(-alpha / beta, state.current, &state.image)
        swap(&state.previous, &state.current)
        swap(&state.current, &state.image)
        state.squares += alpha * alpha + state.oldBeta * state.oldBeta
        state.oldBeta = beta
        state.beta = lanczosNorm(&state, system)
        guard state.beta == state.beta else {
            return Termination(.brokeDown, "rᵀM⁻¹r is negative: the preconditioner is not positive definite")
        }
        state.squares += state.beta * state.beta
        return rotate(&state, alpha)
    }

    /// The QR factorisation of the tridiagonal matrix goes on by one column, and the iterate by one direction.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func rotate(_ state: inout State, _ alpha: Scalar) -> Termination? {
        let delta = state.c * state.dbar + state.s * alpha, gbar = state.s * state.dbar - state.c * alpha
        let oldEpsilon = state.epsilon
        state.epsilon = state.s * state.beta
        state.dbar = -state.c * state.beta
        let norm = state.squares.squareRoot()
        // ‖A r‖ of the iterate before this step.
        if hypotenuse(gbar, state.beta) <= Scalar.ulpOfOne.squareRoot() * Scalar.ulpOfOne.squareRoot().squareRoot() * norm {
            return Termination(
                .singular, "the operator is singular and the system inconsistent: a least-squares solution with residual norm \(state.residualNorm)")
        }
        let rotation = PlaneRotation(gbar, state.beta)
        (state.c, state.s) = (rotation.c, rotation.s)
        let step = state.c * state.phi
        state.phi *= state.s
        axpby(1 / rotation.r, state.vector, -oldEpsilon / rotation.r, &state.older)
        axpy(-delta / rotation.r, state.newer, &state.older)
        axpy(step * state.scale, state.older, &state.iterate)
        swap(&state.older, &state.newer)
        state.iterations += 1
        state.trueNorm = nil
        return nil
    }
}
