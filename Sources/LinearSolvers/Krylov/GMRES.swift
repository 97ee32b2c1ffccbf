import Kernels
import LinearAlgebra
import Objectives

/// The generalised minimal residual method for any square A, restarted after m steps, preconditioned from the right.
///
/// Arnoldi vectors V by modified Gram–Schmidt give A M⁻¹ V = V H; the iterate x₀ + M⁻¹ V y has the smallest residual of its Krylov
/// space. The norm of the residual itself is minimised, with a preconditioner too, and never rises.
///
/// A full cycle that gains nothing (as for a rotation with a short cycle) would be followed by others like it: the run ends as `stagnated`. When the Krylov space closes, the
/// solution is exact if A is regular on it ("lucky breakdown"), and otherwise the run ends as `singular` with the best iterate.
///
/// Step j of a cycle: one product with A and with M⁻¹, and j inner products and updates. Memory: m + 4 vectors.
///
/// Differs from SciPy's `gmres`: an iteration is one product (as SciPy's since 1.14), and the preconditioner acts from the right, so that the
/// tolerance is that of the true residual. The iterate of a state is that of the last cycle; the one handed back is up to date.
///
/// Source: Saad & Schultz 1986.
public struct GMRES<Scalar: KernelScalar>: LinearSolver {
    public let restart: Int
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - restart: m; 30 is customary. Never more than n.
    ///   - tolerance: ``ResidualTolerance/standard(_:)`` if `nil`.
    ///   - iterationLimit: of products, 10 n if `nil`.
    public init(restart: Int = 30, tolerance: ResidualTolerance? = nil, iterationLimit: Int? = nil) {
        require(restart >= 1, "restart after \(restart) steps; expected at least 1")
        requireLimit(iterationLimit)
        self.restart = restart
        self.tolerance = tolerance ?? .standard(Scalar.self)
        self.iterationLimit = iterationLimit
    }

    public struct State: LinearSolverState {
        public internal(set) var iterate: [Scalar]
        public internal(set) var iterations = 0
        public internal(set) var applications = 0
        public internal(set) var preconditionerApplications = 0
        var basis: [[Scalar]]
        /// R of the QR factorisation of H, column by column with m + 1 rows, its rotations, and the rotated right-hand side.
        var factor: [Scalar], cosines: [Scalar], sines: [Scalar], projected: [Scalar]
        /// Steps of this cycle.
        var size = 0
        var scratch: [Scalar], second: [Scalar]
        /// The residual at the start of the cycle, and its norm.
        var residual: [Scalar], cycleNorm: Scalar
        /// Of the cycle before.
        var lastCycleNorm = Scalar.greatestFiniteMagnitude
        var bound: Scalar = 0
        var isClosed = false

        public var residualNorm: Scalar { size == 0 ? cycleNorm : projected[size].magnitude }
    }

    public func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State {
        system.requireSquare("GMRES", start)
        let n = system.matrix.columns, m = max(1, min(restart, n))
        let zeros = [Scalar](repeating: 0, count: n)
        var state = State(
            iterate: start ?? zeros, basis: Array(repeating: zeros, count: m + 1), factor: [Scalar](repeating: 0, count: m * (m + 1)),
            cosines: [Scalar](repeating: 0, count: m), sines: [Scalar](repeating: 0, count: m), projected: [Scalar](repeating: 0, count: m + 1),
            scratch: zeros, second: zeros, residual: system.rightHandSide, cycleNorm: 0)
        if start != nil { takeResidual(&state, system) }
        beginCycle(&state)
        state.bound = tolerance.bound(rightHandSide: system.rightHandSide.span, initialResidual: state.cycleNorm)
        return state
    }

    private func takeResidual(_ state: inout State, _ system: LinearSystem<Scalar>) {
        system.residual(of: state.iterate, into: &state.residual)
        state.applications += 1
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func beginCycle(_ state: inout State) {
        state.cycleNorm = norm(state.residual)
        state.size = 0
        state.isClosed = false
        state.projected[0] = state.cycleNorm
        assign(state.residual, &state.basis[0])
        if state.cycleNorm > 0 { normalize(&state.basis[0], state.cycleNorm) }
    }

    /// By a power of two first: 1/norm may overflow.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func normalize(_ v: inout [Scalar], _ norm: Scalar) {
        let size = powerOfTwo(near: norm)
        if size != 1 { scale(1 / size, &v) }
        scale(1 / (norm / size), &v)
    }

    public func finish(_ state: inout State, _ system: LinearSystem<Scalar>) {
        closeCycle(&state, system)
        // What a part of a cycle has gained says nothing about stagnation.
        state.lastCycleNorm = .greatestFiniteMagnitude
    }

    /// Ends a cycle at the tolerance, or when it is full.
    public func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        guard state.residualNorm.isFinite, state.bound == state.bound else {
            return Termination(.nonFinite, "the residual norm is \(state.residualNorm) after \(state.iterations) iterations")
        }
        let wasClosed = state.isClosed
        if state.size > 0, state.residualNorm <= state.bound || state.isClosed || state.size == state.basis.count - 1 {
            closeCycle(&state, system)
            guard state.cycleNorm.isFinite else {
                return Termination(.nonFinite, "the residual is not finite after \(state.iterations) iterations")
            }
        } else if state.size > 0 {
            return nil
        }
        if state.cycleNorm <= state.bound {
            return Termination(.converged, "the residual norm \(state.cycleNorm) is at most \(state.bound)")
        }
        if state.cycleNorm >= state.lastCycleNorm * (1 - 8 * Scalar.ulpOfOne) {
            return wasClosed
                ? Termination(.singular, "the Krylov space is invariant and the residual norm in it \(state.cycleNorm): the operator is singular")
                : Termination(.stagnated, "a cycle of \(state.basis.count - 1) steps left the residual norm at \(state.cycleNorm)")
        }
        return nil
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if let end = check(&state, system) { return end }
        let j = state.size, height = state.basis.count
        if let m = system.preconditioner {
            apply(m, state.basis[j], into: &state.second)
            state.preconditionerApplications += 1
            apply(system.matrix, state.second, into: &state.scratch)
        } else {
            apply(system.matrix, state.basis[j], into: &state.scratch)
        }
        state.applications += 1
        let before = norm(state.scratch)
        guard before.isFinite else {
            closeCycle(&state, system)
            return Termination(.nonFinite, "a product is not finite after \(state.iterations) iterations")
        }
        for i in 0..<j + 1 {
            let h = dot(state.basis[i], state.scratch)
            axpy(-h, state.basis[i], &state.scratch)
            state.factor[j * height + i] = h
        }
        let below = norm(state.scratch)
        // What is left is rounding: the space is invariant.
        state.isClosed = below <= 4 * Scalar.ulpOfOne * before
        if !state.isClosed {
            assign(state.scratch, &state.basis[j + 1])
            normalize(&state.basis[j + 1], below)
        }
        rotate(&state, j, state.isClosed ? 0 : below)
        state.size = j + 1
        state.iterations += 1
        return nil
    }

    /// The new column of H under the rotations before, and one more.
    private func rotate(_ state: inout State, _ j: Int, _ below: Scalar) {
        let column = j * state.basis.count
        for i in 0..<j {
            let a = state.factor[column + i], b = state.factor[column + i + 1]
            state.factor[column + i] = state.cosines[i] * a + state.sines[i] * b
            state.factor[column + i + 1] = state.sines[i] * a - state.cosines[i] * b
        }
        let rotation = PlaneRotation(state.factor[column + j], below)
        state.factor[column + j] = rotation.r
        (state.cosines[j], state.sines[j]) = (rotation.c, rotation.s)
        state.projected[j + 1] = rotation.s * state.projected[j]
        state.projected[j] *= rotation.c
    }

    /// x ← x + M⁻¹ V y, with the residual taken anew.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func closeCycle(_ state: inout State, _ system: LinearSystem<Scalar>) {
        var count = state.size
        guard count > 0 else { return }
        let height = state.basis.count
        // The last column is singular if A is on an invariant space; what rounding leaves of it there would make y huge.
        let isInvariant = state.isClosed || count == state.residual.count
        let negligible = isInvariant ? Scalar.ulpOfOne.squareRoot() : 64 * Scalar.ulpOfOne
        let largest = (0..<count).map { state.factor[$0 * height + $0] }.max()!
        if state.factor[(count - 1) * height + count - 1] <= negligible * largest { count -= 1 }
        var y = state.projected
        for i in stride(from: count - 1, through: 0, by: -1) {
            y[i] /= state.factor[i * height + i]
            for k in 0..<i { y[k] -= y[i] * state.factor[i * height + k] }
        }
        if let m = system.preconditioner {
            for k in state.scratch.indices { state.scratch[k] = 0 }
            for i in 0..<count { axpy(y[i], state.basis[i], &state.scratch) }
            apply(m, state.scratch, into: &state.second)
            state.preconditionerApplications += 1
            axpy(1, state.second, &state.iterate)
        } else {
            for i in 0..<count { axpy(y[i], state.basis[i], &state.iterate) }
        }
        state.lastCycleNorm = state.cycleNorm
        takeResidual(&state, system)
        beginCycle(&state)
    }
}
