import Kernels
import LinearAlgebra
import Objectives

/// The Chebyshev iteration for symmetric positive definite A whose (preconditioned) eigenvalues lie in a known interval [l, u].
///
///     θ = (u + l)/2,  δ = (u − l)/2,  σ = θ/δ;   p₀ = z/θ,  ρ₀ = 1/σ;   ρₖ₊₁ = 1/(2 σ − ρₖ),   p ← ρₖ₊₁ ρₖ p + (2 ρₖ₊₁/δ) z
///
/// Needs no inner products but the residual's norm. After k steps the residual (for no preconditioner) is at most
/// 1/T_k(θ/δ) = 2/(cᵏ + c⁻ᵏ) of the first, c = (√κ + 1)/(√κ − 1) with κ = u/l. An interval that leaves out large eigenvalues diverges:
/// the run then ends as `brokeDown` once the residual has grown a thousandfold, and the best iterate is handed back, to a factor of 10 in
/// the residual.
///
/// Source: Golub & Varga 1961; Saad, Iterative Methods for Sparse Linear Systems, algorithm 12.1.
public struct ChebyshevIteration<Scalar: KernelScalar>: LinearSolver {
    public let eigenvalues: ClosedRange<Scalar>
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - eigenvalues: [l, u], of M⁻¹A where there is a preconditioner.
    ///   - tolerance: ``ResidualTolerance/standard(_:)`` if `nil`.
    ///   - iterationLimit: 10 n if `nil`.
    public init(eigenvalues: ClosedRange<Scalar>, tolerance: ResidualTolerance? = nil, iterationLimit: Int? = nil) {
        require(eigenvalues.lowerBound > 0 && eigenvalues.upperBound.isFinite,
                "eigenvalues in \(eigenvalues); expected a finite interval above 0")
        requireLimit(iterationLimit)
        self.eigenvalues = eigenvalues
        self.tolerance = tolerance ?? .standard(Scalar.self)
        self.iterationLimit = iterationLimit
    }

    public struct State: LinearSolverState {
        var run: RecurredResidual<Scalar>
        var direction: [Scalar]
        var image: [Scalar]
        var preconditioned: [Scalar]
        /// ρₖ; `nil` where the recurrence begins.
        var rho: Scalar?

        public var iterate: [Scalar] { run.best(unlessGrown: 1) }
        public var residualNorm: Scalar { run.bestNorm(unlessGrown: 1) }
        public var iterations: Int { run.iterations }
        public var applications: Int { run.applications }
        public var preconditionerApplications: Int { run.preconditionerApplications }
    }

    public func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State {
        system.requireSquare("the Chebyshev iteration", start)
        let zeros = [Scalar](repeating: 0, count: system.matrix.columns)
        return State(run: RecurredResidual(system, from: start, tolerance), direction: zeros, image: zeros,
                     preconditioned: system.preconditioner == nil ? [] : zeros)
    }

    public func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        switch state.run.check(system) {
        case .ended(let termination): return termination
        case .proceed: return nil
        case .replaced:
            state.rho = nil
            return nil
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if let end = check(&state, system) { return end }
        guard state.run.norm <= 1000 * state.run.checkpointNorm else {
            return Termination(.brokeDown, "the residual norm has grown from \(state.run.checkpointNorm) to \(state.run.norm): "
                               + "not all eigenvalues lie in \(eigenvalues)")
        }
        let theta = (eigenvalues.upperBound + eigenvalues.lowerBound) / 2, delta = (eigenvalues.upperBound - eigenvalues.lowerBound) / 2
        var old: Scalar = 0, new = 1 / theta, rho: Scalar = delta / theta
        if let last = state.rho, delta > 0 {
            rho = 1 / (2 * theta / delta - last)
            (old, new) = (rho * last, 2 * rho / delta)
        }
        state.rho = rho
        if let m = system.preconditioner {
            apply(m, state.run.residual, into: &state.preconditioned)
            state.run.preconditionerApplications += 1
            axpby(new, state.preconditioned, old, &state.direction)
        } else {
            axpby(new, state.run.residual, old, &state.direction)
        }
        apply(system.matrix, state.direction, into: &state.image)
        state.run.applications += 1
        guard Scalar.maxAbs(state.image.span).isFinite else {
            return Termination(.nonFinite, "a product is not finite after \(state.iterations) iterations")
        }
        state.run.move(1, along: state.direction, image: state.image)
        return nil
    }
}
