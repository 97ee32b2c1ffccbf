import Kernels
import LinearAlgebra
import Objectives

/// LSMR for ‖b − A·x‖² + λ² ‖x − x₀‖² → min: as ``LSQR``, but the iterates are those of MINRES on the normal equations.
///
/// ‖Aᵀr‖ falls in every step, and ‖r‖ too, so a run may be ended early with less loss than with LSQR, whose ‖Aᵀr‖ jumps. The last
/// iterate is the best.
///
/// One step: one product with A and one with Aᵀ, and four passes over vectors of n, one over vectors of m elements. Memory: 2 m + 5 n.
///
/// Differs from SciPy's `lsmr`: nothing but the names, see ``LeastSquaresStopping``.
///
/// Source: Fong & Saunders 2011, SIAM J. Sci. Comput. 33(5).
public struct LSMR<Scalar: KernelScalar>: LinearSolver {
    public let damping: Scalar
    public let stopping: LeastSquaresStopping
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - damping: λ.
    ///   - iterationLimit: 10 n if `nil` (SciPy: the lesser side of A).
    public init(damping: Scalar = 0, stopping: LeastSquaresStopping = LeastSquaresStopping(), iterationLimit: Int? = nil) {
        require(damping >= 0 && damping.isFinite, "damping is \(damping); expected a finite number of at least 0")
        requireLimit(iterationLimit)
        (self.damping, self.stopping, self.iterationLimit) = (damping, stopping, iterationLimit)
    }

    public struct State: BidiagonalizationState {
        /// x − x₀, and x₀, empty for 0.
        var correction: [Scalar]
        let start: [Scalar]
        public internal(set) var iterations = 0
        var basis: GolubKahan<Scalar>
        var h: [Scalar], hbar: [Scalar]
        var alphabar: Scalar, zetabar: Scalar
        var rho: Scalar = 1, rhobar: Scalar = 1, cbar: Scalar = 1, sbar: Scalar = 0, zeta: Scalar = 0
        // For ‖r‖.
        var betadd: Scalar, betad: Scalar = 0, rhodold: Scalar = 1, tautilde: Scalar = 0, thetatilde: Scalar = 0, damped: Scalar = 0
        // For ‖A‖ and its condition.
        var matrixSquare: Scalar, largest: Scalar = 0, smallest = Scalar.greatestFiniteMagnitude
        public internal(set) var condition: Scalar = 1
        var norm: Scalar, gradient: Scalar, solutionNorm: Scalar = 0
        let rightHandSide: Scalar
        let dampingSquare: Scalar

        public var residualNorm: Scalar {
            basis.scale * max(0, norm * norm - dampingSquare * solutionNorm * solutionNorm).squareRoot()
        }
        public var applications: Int { basis.applications }
        public var adjointApplications: Int { basis.adjointApplications }
        /// The estimate of ‖A‖ in the Frobenius norm.
        public var matrixNorm: Scalar { matrixSquare.squareRoot() }
        public var iterate: [Scalar] { start.isEmpty ? correction : zip(start, correction).map { $0 + $1 } }
    }

    public func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State {
        system.requireNoPreconditioner("LSMR")
        system.requireStart(start)
        let basis = GolubKahan(system, from: start), zeros = [Scalar](repeating: 0, count: system.matrix.columns)
        return State(
            correction: zeros, start: start ?? [], basis: basis, h: basis.v, hbar: zeros, alphabar: basis.alpha, zetabar: basis.alpha * basis.beta,
            betadd: basis.beta, matrixSquare: basis.alpha * basis.alpha, norm: basis.beta, gradient: basis.alpha * basis.beta,
            rightHandSide: basis.beta, dampingSquare: damping * damping)
    }

    public func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? { stopping.check(state) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if let end = check(&state, system) { return end }
        state.basis.advance(system.matrix)
        let alpha = state.basis.alpha, beta = state.basis.beta
        guard alpha.isFinite, beta.isFinite else {
            return Termination(.nonFinite, "a product is not finite after \(state.iterations) iterations")
        }
        let damped = PlaneRotation(state.alphabar, damping), first = PlaneRotation(damped.r, beta)
        let oldRho = state.rho, oldRhobar = state.rhobar, oldZeta = state.zeta
        state.rho = first.r
        let theta = first.s * alpha
        state.alphabar = first.c * alpha
        let thetabar = state.sbar * state.rho, last = state.cbar * state.rho
        let second = PlaneRotation(last, theta)
        (state.cbar, state.sbar, state.rhobar) = (second.c, second.s, second.r)
        state.zeta = state.cbar * state.zetabar
        state.zetabar *= -state.sbar
        // h̄ ← h − (θ̄ρ / ρ'ρ̄') h̄,  x ← x + (ζ/ρρ̄) h̄,  h ← v − (θ/ρ) h.
        axpby(1, state.h, -thetabar * state.rho / (oldRho * oldRhobar), &state.hbar)
        axpy(state.zeta / (state.rho * state.rhobar) * state.basis.scale, state.hbar, &state.correction)
        axpby(1, state.basis.v, -theta / state.rho, &state.h)
        state.solutionNorm = norm(state.correction) / state.basis.scale
        estimateResidual(&state, damped, first, thetabar: thetabar, oldZeta: oldZeta)
        // ‖A‖ in the Frobenius norm, and the extremes of the triangular factor's diagonal.
        if state.iterations > 0 { state.smallest = min(state.smallest, oldRhobar) }
        state.largest = max(state.largest, oldRhobar)
        state.matrixSquare += beta * beta
        state.condition = max(state.largest, last) / min(state.smallest, last)
        state.gradient = state.zetabar.magnitude
        state.iterations += 1
        state.matrixSquare += alpha * alpha
        return nil
    }

    /// ‖(r, λ (x − x₀))‖ from one more QR factorisation, of the transposed factor.
    private func estimateResidual(
        _ state: inout State, _ damped: PlaneRotation<Scalar>, _ first: PlaneRotation<Scalar>, thetabar: Scalar, oldZeta: Scalar
    ) {
        let acute = damped.c * state.betadd, check = -damped.s * state.betadd
        let hat = first.c * acute
        state.betadd = -first.s * acute
        let oldThetatilde = state.thetatilde, tilde = PlaneRotation(state.rhodold, thetabar)
        state.thetatilde = tilde.s * state.rhobar
        state.rhodold = tilde.c * state.rhobar
        state.betad = tilde.c * hat - tilde.s * state.betad
        state.tautilde = (oldZeta - oldThetatilde * state.tautilde) / tilde.r
        let tau = (state.zeta - state.thetatilde * state.tautilde) / state.rhodold
        state.damped += check * check
        let gap = state.betad - tau
        state.norm = (state.damped + gap * gap + state.betadd * state.betadd).squareRoot()
    }
}
