import Kernels
import LinearAlgebra
import Objectives
import Optimizers

/// Transport with a regulariser by L-BFGS on its smooth dual: quadratic, sparsity-constrained or entropic.
///
///     min over P ≥ 0 with P1 = a, Pᵀ1 = b of ⟨P, C⟩ + Σⱼ Ω(tⱼ)          (tⱼ: column j of P)
///
/// With a bound of k entries a column the primal is not convex; the dual is that of its relaxation, and smooth but where the k-th largest
/// of a column is tied. Without ties at the end the plan has at most k entries a column, holds its marginals and is optimal for the
/// non-convex problem. With ties — always where no plan with k entries a column has the marginals, for k n < m certainly — the dual value
/// is a lower bound, the plan that is read off misses the rows' marginals by ``TransportSolution/marginalError``, and the run ends as
/// `stagnated` with the number of ties in its reason. The bound is one of columns: exchange the measures to bound rows.
///
/// A k-sparse solve starts with the quadratic one, which has no kinks, unless a start is given.
///
/// Differs from POT's `smooth_ot_dual`: the marginal error is measured and a run that has not reached the tolerance does not count as
/// converged; γ may be any positive number and multiplies the plan's entries, not their number.
///
/// Gradients of the optimal value: P with respect to C, α to a and β to b, the latter up to one constant for both.
///
/// - Complexity: one pass over the costs an evaluation, n m operations, with O(k log(n/k)) more a column for the k-sparse plan. Costs of
///   points are never stored.
public struct SmoothTransport<Scalar: KernelScalar>: Sendable {
    public let regularizer: TransportRegularizer
    /// γ.
    public let gamma: Scalar
    public let formulation: TransportFormulation
    /// The largest ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁ that counts as converged, as a share of the mass.
    public let tolerance: Double
    public let iterationLimit: Int

    /// - Parameters:
    ///   - gamma: γ > 0. Entries of plans are about 1/(n m) of the mass, so useful values grow with the size of the problem.
    ///   - tolerance: 10⁻⁶, for `Float` 10⁻⁴.
    ///   - iterationLimit: of L-BFGS; a k-sparse solve has as many for its start.
    /// - Precondition: γ > 0, k ≥ 1, a tolerance above 0, no negative limit.
    public init(
        _ regularizer: TransportRegularizer, gamma: Scalar, formulation: TransportFormulation = .semiDual,
        tolerance: Double = Scalar.ulpOfOne > 1e-10 ? 1e-4 : 1e-6, iterationLimit: Int = 1000
    ) {
        require(gamma > 0 && gamma.isFinite, "gamma is \(gamma); expected a finite number above 0")
        if case .sparsityConstrained(let k) = regularizer { require(k >= 1, "at most \(k) entries a column; expected at least 1") }
        require(tolerance > 0, "tolerance is \(tolerance); expected a number above 0")
        require(iterationLimit >= 0, "iteration limit is \(iterationLimit); expected no negative number")
        (self.regularizer, self.gamma, self.formulation) = (regularizer, gamma, formulation)
        (self.tolerance, self.iterationLimit) = (tolerance, iterationLimit)
    }

    /// - Parameter start: α and, for the dual, β from an earlier solve; of the semi-dual α alone is used. Zeros if `nil`.
    /// - Precondition: both marginals are exact; as many potentials as points.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve(
        _ problem: TransportProblem<Scalar>, from start: (alpha: [Scalar], beta: [Scalar])? = nil
    ) -> TransportSolution<Scalar> {
        let clock = ContinuousClock(), began = clock.now
        let n = problem.geometry.rows, m = problem.geometry.columns
        if let start { require(start.alpha.count == n && start.beta.count == m, "\(start.alpha.count) and \(start.beta.count) potentials for \(n) and \(m) points") }
        let objective = SmoothDual(problem, regularizer, gamma: gamma, formulation: formulation)
        var x = start.map { start in
            objective.sources.map { start.alpha[$0] } + (formulation == .dual ? objective.targets.map { start.beta[$0] } : [])
        } ?? Array(repeating: 0, count: objective.dimension)
        var iterations = 0, errors: [Double] = []
        if start == nil, case .sparsityConstrained(let k) = regularizer, k < objective.sources.count {
            // Near enough: the kinks are elsewhere.
            let smooth = SmoothDual(problem, .quadratic, gamma: gamma, formulation: formulation)
            x = ascend(smooth, from: x, tolerance: max(tolerance, 1e-2), &iterations, &errors).point
        }
        let end = ascend(objective, from: x, tolerance: tolerance, &iterations, &errors)
        return solution(objective, end, iterations, errors, (clock.now - began) / .seconds(1))
    }

    /// L-BFGS until the marginals hold. At kinks they never do: it ends when in ten iterations the value rises by less than 10⁻⁷ of itself
    /// and the marginal error does not halve.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func ascend(
        _ objective: SmoothDual<Scalar>, from start: [Scalar], tolerance: Double, _ iterations: inout Int, _ errors: inout [Double]
    ) -> (point: [Scalar], status: SolverStatus, reason: String) {
        let solver = LBFGS<Scalar>()
        let allowed = tolerance * objective.b.reduce(0) { $0 + Double($1) }, first = iterations
        var state = solver.makeState(objective, from: start), values: [Scalar] = []
        while true {
            let error = state.point.gradient.reduce(0) { $0 + Double(abs($1)) }
            errors.append(error)
            values.append(state.value)
            if !error.isFinite { return (state.iterate, .nonFinite, "the gradient of the dual is not finite") }
            if error <= allowed { return (state.iterate, .converged, "the marginal error \(error) is at most \(allowed)") }
            if iterations - first == iterationLimit {
                return (state.iterate, .iterationLimit, "all \(iterationLimit) iterations are done, the marginal error is \(error)")
            }
            if objective.hasKinks, values.count > 10, values[values.count - 11] - state.value <= 1e-7 * abs(state.value),
               error > errors[errors.count - 11] / 2 {
                return (state.iterate, .stagnated, "the dual value rises no more, the marginal error is \(error)")
            }
            iterations += 1
            if let end = solver.step(&state, objective) {
                return (state.iterate, end.status == .nonFinite ? .nonFinite : .stagnated, "the marginal error \(error) falls no more: \(end.reason)")
            }
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func solution(
        _ dual: SmoothDual<Scalar>, _ end: (point: [Scalar], status: SolverStatus, reason: String), _ iterations: Int, _ errors: [Double],
        _ seconds: Double
    ) -> TransportSolution<Scalar> {
        let problem = dual.problem, (entries, beta, ties) = dual.plan(at: end.point.span)
        var f = [Double?](repeating: nil, count: problem.geometry.rows), g = [Double?](repeating: nil, count: problem.geometry.columns)
        for (k, i) in dual.sources.enumerated() { f[i] = Double(end.point[k]) }
        for (k, j) in dual.targets.enumerated() { g[j] = Double(beta[k]) }
        let penalty = entries.reduce(0.0) { sum, entry in
            sum + Double(gamma) * (regularizer == .entropic ? entry.value * Double.log(entry.value) : entry.value * entry.value / 2)
        }
        return planSolution(
            problem, entries: entries, f, g, penalty: penalty,
            dualValue: -Double(dual.value(at: end.point.span)), status: end.status,
            reason: end.reason + (ties > 0 ? "; the last entry is tied, to 1 part in 1000, in \(ties) of \(beta.count) columns" : ""),
            iterations: iterations, errors: errors, seconds: seconds)
    }
}

extension Geometry {
    /// The same costs from targets to sources, of some of both.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func transposed(sources: [Int], targets: [Int]) -> Geometry {
        func chosen(_ points: Matrix<Scalar>, _ rows: [Int]) -> Matrix<Scalar> {
            rows.count == points.rows ? points : Matrix(rows: rows.count, columns: points.columns, elements: rows.flatMap { points.elements[$0 * points.columns..<($0 + 1) * points.columns] })
        }
        // Both were found finite and not empty when the geometry was made.
        switch storage {
        case .matrix(let c): return try! Geometry(cost: chosen(chosen(c, sources).transposed(), targets))
        case .points(let clouds): return try! Geometry(from: chosen(clouds.target, targets), to: chosen(clouds.source, sources), cost: clouds.cost)
        case .grid(let grid):
            if sources.count == rows, targets.count == columns { return try! Geometry(grid: grid.axes.map(\.transposed)) }
            return try! Geometry(cost: chosen(chosen(costMatrix(), sources).transposed(), targets))
        case .sparse:
            require(false, "costs of some pairs only; expected costs of all")
            fatalError()
        }
    }
}
