import Kernels
import LinearAlgebra
import Objectives

/// The exact plan, min ⟨P, C⟩ over P ≥ 0 with P1 = a and Pᵀ1 = b, by the method that suits the problem; the solution's reason names it.
///
/// * points on a line with their distance or its square: sorting (``LineTransport``);
/// * as many sources as targets, all of one weight: ``LinearAssignment``, since some optimal plan is a permutation (Birkhoff);
/// * all else, and costs of some pairs: ``NetworkSimplex``.
///
/// The solution has potentials with fᵢ + gⱼ ≤ Cᵢⱼ, equal where P is positive, to rounding; its plan has at most n + m − 1 entries.
public struct ExactTransport: Sendable {
    /// Pivots after which ``NetworkSimplex`` ends with `iterationLimit`.
    public var pivotLimit: Int

    public init(pivotLimit: Int = .max) {
        require(pivotLimit >= 0, "pivot limit is \(pivotLimit); expected no negative number")
        self.pivotLimit = pivotLimit
    }

    /// - Precondition: both marginals are exact.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(_ problem: TransportProblem<Scalar>) -> TransportSolution<Scalar> {
        requireExactMarginals(problem)
        if LineTransport.suits(problem) { return LineTransport().solve(problem) }
        let a = problem.sourceWeights, b = problem.targetWeights
        if case .sparse = problem.geometry.storage { return NetworkSimplex(pivotLimit: pivotLimit).solve(problem) }
        guard a.count == b.count, a.allSatisfy({ $0 == a[0] }), b.allSatisfy({ $0 == b[0] }) else {
            return NetworkSimplex(pivotLimit: pivotLimit).solve(problem)
        }
        let clock = ContinuousClock(), start = clock.now
        let assignment = LinearAssignment().solve(problem.geometry)
        return planSolution(
            problem, entries: assignment.targets.enumerated().map { ($0, $1!, Double(a[$0])) },
            assignment.sourcePotential.map { Double($0) }, assignment.targetPotential.map { Double($0) }, status: .converged,
            reason: "assignment of points of one weight: no path improves it", iterations: assignment.rowScans,
            seconds: (clock.now - start) / .seconds(1))
    }
}

/// A solution from the entries of its plan and potentials, of which those of points without mass may be missing.
///
/// - Parameters:
///   - penalty: what the method minimises beyond the cost.
///   - dualValue: ⟨f, a⟩ + ⟨g, b⟩ if `nil`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func planSolution<Scalar: KernelScalar>(
    _ problem: TransportProblem<Scalar>, entries: [(row: Int, column: Int, value: Double)], _ f: [Double?], _ g: [Double?],
    penalty: Double = 0, dualValue: Double? = nil, status: SolverStatus, reason: String, iterations: Int, errors: [Double] = [], seconds: Double
) -> TransportSolution<Scalar> {
    let geometry = problem.geometry
    let (f, g) = completed(geometry, f, g)
    var cost = 0.0, dual = 0.0, error = 0.0
    var sent = problem.sourceWeights.map { -Double($0) }, received = problem.targetWeights.map { -Double($0) }
    let ordered = entries.sorted { ($0.row, $0.column) < ($1.row, $1.column) }
    var offsets = [0]
    for entry in ordered {
        while offsets.count <= entry.row { offsets.append(offsets[offsets.count - 1]) }
        if offsets.count == entry.row + 1 { offsets.append(offsets[entry.row]) }
        offsets[entry.row + 1] += 1
        cost += entry.value * Double(geometry[entry.row, entry.column])
        sent[entry.row] += entry.value
        received[entry.column] += entry.value
    }
    while offsets.count <= geometry.rows { offsets.append(ordered.count) }
    for (i, a) in problem.sourceWeights.enumerated() where a > 0 { dual += Double(a) * f[i] }
    for (j, b) in problem.targetWeights.enumerated() where b > 0 { dual += Double(b) * g[j] }
    for x in sent + received { error += abs(x) }
    // Sorted by row and column, each pair once.
    let plan = try! SparseMatrix(rows: geometry.rows, columns: geometry.columns, rowOffsets: offsets,
                                 columnIndices: ordered.map { Int32($0.column) }, values: ordered.map { Scalar($0.value) })
    return TransportSolution(
        problem: problem, plan: plan, sourcePotential: f.map { Scalar($0) }, targetPotential: g.map { Scalar($0) },
        transportCost: Scalar(cost), primalValue: Scalar(cost + penalty), dualValue: Scalar(dualValue ?? dual), marginalError: Scalar(error),
        status: status, reason: reason, iterations: iterations, marginalErrors: errors, seconds: seconds)
}

/// Potentials with the missing ones as large as the others allow: fᵢ = minⱼ Cᵢⱼ − gⱼ, then gⱼ = minᵢ Cᵢⱼ − fᵢ.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func completed<Scalar: KernelScalar>(_ geometry: Geometry<Scalar>, _ f: [Double?], _ g: [Double?]) -> (f: [Double], g: [Double]) {
    if !f.contains(nil), !g.contains(nil) { return (f.map { $0! }, g.map { $0! }) }
    var f = f
    var best = [Double](repeating: .infinity, count: g.count)
    for i in f.indices {
        let costs = geometry.costs(ofRows: i..<i + 1)
        if f[i] == nil {
            var least = Double.infinity
            for (j, potential) in g.enumerated() { if let potential { least = min(least, Double(costs[0, j]) - potential) } }
            // A point without a pair is not bound by any.
            f[i] = least < .infinity ? least : 0
        }
        for j in g.indices where g[j] == nil { best[j] = min(best[j], Double(costs[0, j]) - f[i]!) }
    }
    return (f.map { $0! }, g.enumerated().map { $1 ?? (best[$0] < .infinity ? best[$0] : 0) })
}
