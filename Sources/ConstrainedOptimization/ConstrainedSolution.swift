import Kernels
import Objectives

/// What a solver for constrained problems hands back.
public struct ConstrainedSolution<Scalar: KernelScalar>: Sendable, Codable {
    /// The last point if the solver converged, otherwise the one with the least residual ‖(∇ₓL, c)‖; the start if none was finite. Its value, its
    /// ``KKTPoint/constraintViolation`` and its ``KKTPoint/stationarity`` are measured there.
    public let point: KKTPoint<Scalar>
    public let status: SolverStatus
    /// Why the solver ended, as a sentence.
    public let reason: String
    public let iterations: Int
    public let evaluations: EvaluationCounts
    /// How often the method called its costly operations, by name.
    public let work: [String: Int]
    public let seconds: Double
    /// The course of the residual.
    public let trace: Trace

    init(_ problem: any ConstrainedObjective<Scalar>, _ solution: Solution<Scalar>) {
        let n = problem.dimension
        point = KKTPoint(problem, at: Array(solution.iterate[..<n]), multipliers: Array(solution.iterate[n...]))
        (status, reason, iterations, evaluations) = (solution.status, solution.reason, solution.iterations, solution.evaluations)
        (work, seconds, trace) = (solution.work, solution.seconds, solution.trace)
    }

    /// x, if the solver converged.
    ///
    /// - Throws: `NotConvergedError`.
    public func get() throws(NotConvergedError) -> [Scalar] {
        guard status == .converged else { throw NotConvergedError(status: status, reason: reason) }
        return point.x
    }
}
