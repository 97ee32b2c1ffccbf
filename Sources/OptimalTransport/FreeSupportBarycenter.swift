import Kernels
import LinearAlgebra
import Objectives

/// A barycentre of weighted point sets that places its own n points, for ‖x − y‖²: a local minimum of Σₖ λₖ OT(p, αₖ) over points of equal
/// weight.
///
/// Each point moves to the mean of where its mass goes, x ← Σₖ λₖ (Pₖ yₖ) / (Pₖ 1), with the plans Pₖ of ``Sinkhorn`` or the exact ones
/// (Cuturi & Doucet 2014): the objective never rises. With an entropic plan points draw together by about ε; take it small, or exact.
///
/// - Complexity: a transport solve for each measure in an iteration.
public struct FreeSupportBarycenter<Scalar: KernelScalar>: Sendable {
    /// `nil` for exact plans.
    public let solver: Sinkhorn<Scalar>?
    public let tolerance: Double
    public let iterationLimit: Int

    /// - Parameters:
    ///   - solver: of the plans; exact ones if `nil`.
    ///   - tolerance: for the largest move of a point, over the largest coordinate's magnitude.
    public init(solver: Sinkhorn<Scalar>? = nil, tolerance: Double = 1e-6, iterationLimit: Int = 100) {
        require(tolerance >= 0, "tolerance is \(tolerance); expected no negative number")
        require(iterationLimit >= 0, "iteration limit is \(iterationLimit); expected no negative number")
        (self.solver, self.tolerance, self.iterationLimit) = (solver, tolerance, iterationLimit)
    }

    /// A barycentre's points and how the search for them ended.
    public struct Solution: Sendable {
        public let points: Matrix<Scalar>
        /// Σₖ λₖ ⟨Pₖ, Cₖ⟩ before each move.
        public let costs: [Double]
        public let status: SolverStatus
        public let reason: String
    }

    /// - Parameters:
    ///   - measures: points, one a row, with their weights; equal ones if `nil`.
    ///   - shares: λₖ ≥ 0 with the sum 1; equal ones if `nil`.
    ///   - start: the n points to begin with.
    /// - Precondition: at least one measure; as many coordinates everywhere; a share for each measure.
    /// - Throws: ``TransportError`` for data that make no transport problem.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve(
        _ measures: [(points: Matrix<Scalar>, weights: [Scalar]?)], shares: [Scalar]? = nil, from start: Matrix<Scalar>
    ) throws(TransportError) -> Solution {
        require(!measures.isEmpty, "a barycentre of no measures; expected at least one")
        let shares = shares ?? [Scalar](repeating: 1 / Scalar(measures.count), count: measures.count)
        require(shares.count == measures.count && shares.allSatisfy { $0 >= 0 }, "shares \(shares) of \(measures.count) measures; expected one each, none negative")
        var x = start, costs: [Double] = []
        while costs.count < iterationLimit {
            var next = Matrix<Scalar>.zeros(rows: x.rows, columns: x.columns), cost = 0.0
            for (measure, share) in zip(measures, shares) {
                // The points' mass is that of the measure.
                let mass = measure.weights.map { $0.reduce(0, +) } ?? 1
                let problem = try TransportProblem(
                    Geometry(from: x, to: measure.points), from: [Scalar](repeating: mass / Scalar(x.rows), count: x.rows), to: measure.weights)
                let solution: TransportSolution<Scalar>
                if let solver { solution = try solver.solve(problem) } else { solution = ExactTransport().solve(problem) }
                guard solution.status == .converged else {
                    return Solution(points: x, costs: costs, status: solution.status, reason: "a transport solve ended: " + solution.reason)
                }
                next = next + share * solution.barycentricMap(of: measure.points)
                cost += Double(share) * Double(solution.transportCost)
            }
            costs.append(cost)
            let difference = next - x, move = Double(Scalar.maxAbs(difference.span)), size = Double(Scalar.maxAbs(next.span))
            x = next
            if move <= tolerance * size {
                return Solution(points: x, costs: costs, status: .converged, reason: "points moved by \(move), at most \(tolerance) of \(size)")
            }
        }
        return Solution(points: x, costs: costs, status: .iterationLimit, reason: "all \(iterationLimit) iterations are done")
    }
}
