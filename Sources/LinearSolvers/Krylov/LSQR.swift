import Kernels
import LinearAlgebra
import Objectives

/// LSQR for ‖b − A·x‖² + λ² ‖x − x₀‖² → min with any A, given by its products with vectors and with those of its transpose.
///
/// In exact arithmetic these are the iterates of conjugate gradients on the normal equations, in a form that is stable. ‖r‖ never rises, so
/// the last iterate is the best. From x₀ = 0 a system with many solutions gets that of least length.
///
/// One step: one product with A and one with Aᵀ, and three passes over vectors of n, one over vectors of m elements. Memory: 2 m + 4 n.
///
/// Differs from SciPy's `lsqr` in nothing but the names: see ``LeastSquaresStopping``. A preconditioner is composed with the operator.
///
/// Source: Paige & Saunders 1982, ACM Trans. Math. Softw. 8(1).
public struct LSQR<Scalar: KernelScalar>: LinearSolver {
    public let damping: Scalar
    public let stopping: LeastSquaresStopping
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - damping: λ.
    ///   - iterationLimit: 10 n if `nil` (SciPy: 2 n).
    public init(damping: Scalar = 0, stopping: LeastSquaresStopping = LeastSquaresStopping(), iterationLimit: Int? = nil) {
        require(damping >= 0 && damping.isFinite, "damping is \(damping); expected a finite number of at least 0")
        requireLimit(iterationLimit)
        (self.damping, self.stopping, self.iterationLimit) = (damping, stopping, iterationLimit)
    }

    public struct State: BidiagonalizationState {
        public internal(set) var iterate: [Scalar]
        public internal(set) var iterations = 0
        var basis: GolubKahan<Scalar>
        var direction: [Scalar]
        var rhobar: Scalar, phibar: Scalar
        /// Estimates, all in units of the basis: squares of ‖A‖, ‖A⁻¹‖, the damped part of the residual, ‖x‖.
        var matrixSquare: Scalar = 0, inverseSquare: Scalar = 0, dampedSquare: Scalar = 0, solutionSquare: Scalar = 0
        var solutionNorm: Scalar = 0
        var c: Scalar = -1, s: Scalar = 0, z: Scalar = 0
        /// ‖(r, λ x)‖ and the norm of its gradient.
        var norm: Scalar, gradient: Scalar
        let rightHandSide: Scalar

        public var residualNorm: Scalar {
            basis.scale * max(0, norm * norm - dampingSquare * solutionNorm * solutionNorm).squareRoot()
        }
        let dampingSquare: Scalar
        public var applications: Int { basis.applications }
        public var adjointApplications: Int { basis.adjointApplications }
        /// The estimate of ‖A‖ in the Frobenius norm, λ included.
        public var matrixNorm: Scalar { matrixSquare.squareRoot() }
        /// The estimate of the condition of A.
        public var condition: Scalar { (matrixSquare * inverseSquare).squareRoot() }
    }

    public func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State {
        system.requireNoPreconditioner("LSQR")
        system.requireStart(start)
        let basis = GolubKahan(system, from: start)
        return State(
            iterate: start ?? [Scalar](repeating: 0, count: system.matrix.columns), basis: basis, direction: basis.v, rhobar: basis.alpha,
            phibar: basis.beta, matrixSquare: basis.alpha * basis.alpha, norm: basis.beta, gradient: basis.alpha * basis.beta,
            rightHandSide: basis.beta, dampingSquare: damping * damping)
    }

    public func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? { stopping.check(state) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if let end = check(&state, system) { return end }
        let oldAlpha = state.basis.alpha
        state.basis.advance(system.matrix)
        let alpha = state.basis.alpha, beta = state.basis.beta
        guard alpha.isFinite, beta.isFinite else {
            return Termination(.nonFinite, "a product is not finite after \(state.iterations) iterations")
        }
        if state.iterations == 0 { state.matrixSquare = 0 }
        state.matrixSquare += oldAlpha * oldAlpha + beta * beta + damping * damping
        let damped = PlaneRotation(state.rhobar, damping), rotation = PlaneRotation(damped.r, beta)
        let psi = damped.s * state.phibar, phibar = damped.c * state.phibar
        let rho = rotation.r
        let theta = rotation.s * alpha, phi = rotation.c * phibar
        state.rhobar = -rotation.c * alpha
        state.phibar = rotation.s * phibar
        // x ← x + (φ/ρ) w, w ← v − (θ/ρ) w.
        let length = norm(state.direction) / rho
        state.inverseSquare += length * length
        axpy(phi / rho * state.basis.scale, state.direction, &state.iterate)
        axpby(1, state.basis.v, -theta / rho, &state.direction)
        estimateSolution(&state, rho: rho, theta: theta, phi: phi)
        state.dampedSquare += psi * psi
        state.norm = (state.phibar * state.phibar + state.dampedSquare).squareRoot()
        state.gradient = alpha * (rotation.s * phi).magnitude
        state.iterations += 1
        return nil
    }

    /// ‖x − x₀‖ from a rotation of the bidiagonal factor from the right.
    private func estimateSolution(_ state: inout State, rho: Scalar, theta: Scalar, phi: Scalar) {
        let delta = state.s * rho, gammabar = -state.c * rho, rest = phi - delta * state.z
        let zbar = rest / gammabar
        state.solutionNorm = (state.solutionSquare + zbar * zbar).squareRoot()
        let gamma = hypotenuse(gammabar, theta)
        (state.c, state.s, state.z) = (gammabar / gamma, theta / gamma, rest / gamma)
        state.solutionSquare += state.z * state.z
    }
}
