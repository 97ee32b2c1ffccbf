import Kernels
import LinearAlgebra
import Objectives

/// Conjugate gradients with a preconditioner that may change from step to step, or is not linear.
///
///     z = M⁻¹ r,   p = z − Σⱼ (zᵀA pⱼ / pⱼᵀA pⱼ) pⱼ over the last m directions,   α = pᵀr / pᵀA·p
///
/// With a fixed symmetric positive definite preconditioner and m ≥ 1 these are the iterates of ``ConjugateGradient`` (to rounding).
/// The error in the norm of A never rises, whatever M⁻¹ does: a direction that is no descent has a step of length 0. A direction of
/// curvature ≤ 0, or one that is not finite, is replaced by the residual, and the directions before it are forgotten; if that has
/// curvature ≤ 0 too, the run ends as `brokeDown`.
///
/// One step: one product with A, m + 1 inner products and updates. Memory: 2 m + 6 vectors.
///
/// Source: Notay 2000, Flexible conjugate gradients, SIAM J. Sci. Comput. 22(4).
public struct FlexibleConjugateGradient<Scalar: KernelScalar>: LinearSolver {
    public let memory: Int
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int?

    /// - Parameters:
    ///   - memory: m; 0 is steepest descent.
    ///   - tolerance: ``ResidualTolerance/standard(_:)`` if `nil`.
    ///   - iterationLimit: 10 n if `nil`.
    public init(memory: Int = 1, tolerance: ResidualTolerance? = nil, iterationLimit: Int? = nil) {
        require(memory >= 0, "memory of \(memory) directions; expected no negative number")
        requireLimit(iterationLimit)
        self.memory = memory
        self.tolerance = tolerance ?? .standard(Scalar.self)
        self.iterationLimit = iterationLimit
    }

    public struct State: LinearSolverState {
        var run: RecurredResidual<Scalar>
        var preconditioned: [Scalar]
        /// Directions, their images and curvatures; step k is in place k modulo m + 1.
        var directions: [[Scalar]]
        var images: [[Scalar]]
        var curvatures: [Scalar]
        /// Directions that are kept, at most m, and the place of the next one.
        var kept = 0, next = 0

        public var iterate: [Scalar] { run.best(unlessGrown: growthLimit()) }
        public var residualNorm: Scalar { run.bestNorm(unlessGrown: growthLimit()) }
        public var iterations: Int { run.iterations }
        public var applications: Int { run.applications }
        public var preconditionerApplications: Int { run.preconditionerApplications }
    }

    public func makeState(_ system: LinearSystem<Scalar>, from start: [Scalar]?) -> State {
        system.requireSquare("flexible conjugate gradients", start)
        let zeros = [Scalar](repeating: 0, count: system.matrix.columns)
        return State(run: RecurredResidual(system, from: start, tolerance), preconditioned: zeros,
                     directions: Array(repeating: zeros, count: memory + 1), images: Array(repeating: zeros, count: memory + 1),
                     curvatures: [Scalar](repeating: 0, count: memory + 1))
    }

    public func check(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if case .ended(let termination) = state.run.check(system) { return termination }
        return nil
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ system: LinearSystem<Scalar>) -> Termination? {
        if let end = check(&state, system) { return end }
        let place = state.next
        if let m = system.preconditioner {
            apply(m, state.run.residual, into: &state.preconditioned)
            state.run.preconditionerApplications += 1
        } else {
            assign(state.run.residual, &state.preconditioned)
        }
        orthogonalize(&state)
        var curvature = measure(&state, system)
        if !(curvature > 0 && curvature.isFinite), system.preconditioner != nil {
            state.kept = 0
            assign(state.run.residual, &state.directions[place])
            curvature = measure(&state, system)
        }
        if let end = curvatureFailure(curvature, state.iterations) { return end }
        let alpha = dot(state.directions[place], state.run.residual) / curvature
        state.run.move(alpha, along: state.directions[place], image: state.images[place])
        state.curvatures[place] = curvature
        state.kept = min(memory, state.kept + 1)
        state.next = (place + 1) % (memory + 1)
        return nil
    }

    /// The next direction, from z. All coefficients are those of z itself.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func orthogonalize(_ state: inout State) {
        assign(state.preconditioned, &state.directions[state.next])
        for age in 1..<state.kept + 1 {
            let j = (state.next + memory + 1 - age) % (memory + 1)
            let factor = dot(state.preconditioned, state.images[j]) / state.curvatures[j]
            subtract(factor, j, &state)
        }
    }

    /// p ← p − factor · pⱼ.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func subtract(_ factor: Scalar, _ j: Int, _ state: inout State) {
        // In place: the array is taken out so that two of the list can be used at once, and nothing is copied.
        var p: [Scalar] = []
        swap(&p, &state.directions[state.next])
        axpy(-factor, state.directions[j], &p)
        swap(&p, &state.directions[state.next])
    }

    /// The image of the next direction and its curvature.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func measure(_ state: inout State, _ system: LinearSystem<Scalar>) -> Scalar {
        state.run.applications += 1
        return applyMeasuring(system.matrix, state.directions[state.next], into: &state.images[state.next])
    }
}
