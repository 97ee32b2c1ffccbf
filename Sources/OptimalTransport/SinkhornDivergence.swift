import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// The Sinkhorn divergence: entropic transport without its bias.
///
///     S(α, β) = OT(α, β) − ½ OT(α, α) − ½ OT(β, β) + (ε/2)(mass α − mass β)²
///
/// S(α, α) = 0 and S ≥ 0 for the costs ‖x − y‖ and ‖x − y‖². It goes to the transport cost as ε → 0, and for ‖x − y‖² to the squared distance of
/// the means as ε → ∞. The last term is there for relaxed marginals alone.
///
/// Sources: Feydy et al. 2019; Séjourné et al. 2019 (unbalanced).
public struct SinkhornDivergence<Scalar: KernelScalar>: Sendable {
    public let solver: Sinkhorn<Scalar>

    public init(_ solver: Sinkhorn<Scalar>) { self.solver = solver }

    /// The three solutions and what they give together.
    public struct Solution: Sendable {
        /// S.
        public let value: Scalar
        public let cross: TransportSolution<Scalar>
        public let source: TransportSolution<Scalar>
        public let target: TransportSolution<Scalar>

        /// ∂S/∂a = f − f₀, up to a constant where masses are fixed.
        public var sourceWeightGradient: [Scalar] { zip(cross.sourcePotential, source.sourcePotential).map { $0 - $1 } }
        /// ∂S/∂b = g − g₀.
        public var targetWeightGradient: [Scalar] { zip(cross.targetPotential, target.sourcePotential).map { $0 - $1 } }

        /// Whether all three converged.
        public var hasConverged: Bool { [cross, source, target].allSatisfy { $0.status == .converged } }

        /// ∂S/∂x and ∂S/∂y by the envelope theorem: Σⱼ Pᵢⱼ ∇c(xᵢ, yⱼ) − Σⱼ Qᵢⱼ ∇c(xᵢ, xⱼ) with Q the plan of α to itself. It is as exact as
        /// the marginals are.
        ///
        /// - Precondition: the geometry is one of points.
        public func pointGradients() -> (source: Matrix<Scalar>, target: Matrix<Scalar>) {
            let (x, y) = cross.pointGradients()
            return (x - source.pointGradients().source, y - target.pointGradients().source)
        }
    }

    /// S of the two measures of a problem on points, or on a grid.
    ///
    /// - Precondition: the geometry is one of points or a grid whose axes have places or are symmetric, and both marginals are held in the
    ///   same way.
    /// - Throws: what ``Sinkhorn/solve(_:from:)`` does.
    public func solve(_ problem: TransportProblem<Scalar>) throws(TransportError) -> Solution {
        require(problem.sourcePenalty == problem.targetPenalty, "the marginals are held in two ways; a divergence wants one")
        func own(_ side: TransportError.Side, _ weights: [Scalar]) throws(TransportError) -> TransportSolution<Scalar> {
            try solver.solveSymmetric(TransportProblem(
                problem.geometry.own(side), from: weights, to: weights, sourcePenalty: problem.sourcePenalty, targetPenalty: problem.targetPenalty))
        }
        let cross = try solver.solve(problem)
        let source = try own(.source, problem.sourceWeights), target = try own(.target, problem.targetWeights)
        let a = problem.mass, b = problem.targetWeights.reduce(0.0) { $0 + Double($1) }
        var value = Double(cross.dualValue) - (Double(source.dualValue) + Double(target.dualValue)) / 2
        if !problem.isBalanced { value += Double(solver.epsilon) / 2 * (a - b) * (a - b) }
        return Solution(value: Scalar(value), cross: cross, source: source, target: target)
    }
}

extension Geometry {
    /// The costs between the source points, or the target points, themselves.
    func own(_ side: TransportError.Side) throws(TransportError) -> Geometry {
        switch storage {
        case .points(let clouds):
            let points = side == .source ? clouds.source : clouds.target
            return try Geometry(from: points, to: points, cost: clouds.cost)
        case .grid(let grid):
            let axes = grid.axes.compactMap { $0.own(side) }
            require(axes.count == grid.axes.count, "an axis whose costs between the \(side.rawValue) points are not known; expected places or symmetric costs")
            return try Geometry(grid: axes)
        case .matrix, .sparse:
            require(false, "Sinkhorn divergence of a cost matrix; expected a geometry of points or a grid")
            fatalError()
        }
    }
}

extension Sinkhorn {
    /// The transport of a measure to itself, whose two potentials are equal: f ← ½ (f + S(f)), which halves the error at each
    /// iteration at least, whatever ε.
    ///
    /// - Precondition: the two measures and their penalties are the same, and the costs symmetric.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solveSymmetric(_ problem: TransportProblem<Scalar>) throws(TransportError) -> TransportSolution<Scalar> {
        require(problem.sourceWeights == problem.targetWeights && problem.sourcePenalty == problem.targetPenalty,
                "a transport to itself with two measures or two penalties")
        let clock = ContinuousClock(), begin = clock.now
        let a = problem.sourceWeights, damping = problem.sourcePenalty.damping(epsilon)
        var state = try makeState(problem)
        state.scaling.setEpsilon(epsilon, a, a)
        var end: Termination?
        var none: [Double] = []
        while end == nil, state.iterations < iterationLimit {
            var offsets: [Scalar] = []
            if damping < 1 {
                let (f, _) = problem.geometry.restored(state.scaling.rowPotentials(a), [])
                offsets = f.map { Scalar(-(1 - damping) / Double(epsilon) * $0) }
            }
            // Half of the update: u ← u (a / (s u))^½.
            let before = state.scaling.rowShifts, scales = state.scaling.rowScales
            problem.geometry.gibbsPass(
                scale: state.scaling.scale, rowShifts: &state.scaling.rowShifts, columnShifts: state.scaling.columnShifts,
                columnScales: state.scaling.columnScales, rule: .power(Scalar(damping / 2)), weights: a,
                offsets: offsets.map { $0 / 2 }, rowSums: &state.rowSums, rowScales: &state.scaling.rowScales, columnTotals: &none)
            state.iterations += 1
            if before == state.scaling.rowShifts {
                var measured = state.scaling
                measured.rowScales = scales
                state.marginalError = 2 * problem.rowError(measured, state.rowSums) / problem.mass
                if state.marginalError <= tolerance {
                    state.scaling = measured
                    end = Termination(.converged, "the marginal error \(state.marginalError) is at most \(tolerance)")
                    break
                }
            }
            state.marginalErrors.append(state.marginalError)
            state.scaling.columnShifts = state.scaling.rowShifts
            state.scaling.silence(columns: a)
            state.scaling.columnScales = state.scaling.rowScales
            state.scaling.absorbIfNeeded()
        }
        let termination = end ?? Termination(
            .iterationLimit, "all \(iterationLimit) iterations are done; the marginal error is \(state.marginalError)")
        let duration = (clock.now - begin).components
        return problem.entropicSolution(
            state.scaling, termination, tolerance: tolerance, iterations: state.iterations, errors: state.marginalErrors,
            seconds: Double(duration.seconds) + 1e-18 * Double(duration.attoseconds))
    }
}

extension TransportSolution {
    /// ∂/∂x and ∂/∂y of an entropic value by the envelope theorem: Σⱼ Pᵢⱼ ∇ₓ c(xᵢ, yⱼ), Σᵢ Pᵢⱼ ∇ᵧ c(xᵢ, yⱼ).
    ///
    /// - Precondition: the solution is one of ``Sinkhorn`` on points.
    public func pointGradients() -> (source: Matrix<Scalar>, target: Matrix<Scalar>) {
        guard let plan = plan as? GibbsPlan<Scalar> else {
            require(false, "gradients by points of a plan that is not entropic")
            return (.zeros(rows: 0, columns: 0), .zeros(rows: 0, columns: 0))
        }
        return plan.pointGradients()
    }
}
