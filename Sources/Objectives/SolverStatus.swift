/// How a solver ended.
public enum SolverStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// A criterion that certifies the solution holds, and value, gradient norm and iterate are finite.
    case converged
    /// The iterations ran out.
    case iterationLimit
    /// The evaluations ran out.
    case evaluationLimit
    /// The wall time ran out.
    case timeLimit
    /// Value or iterate no longer change, which proves nothing about optimality.
    case stagnated
    /// The method cannot go on, e.g. a division by zero in a recurrence.
    case brokeDown
    /// A linear system of the method is singular.
    case singular
    /// A value, gradient or iterate is NaN or infinite.
    case nonFinite
    /// No acceptable step was found along the search direction.
    case lineSearchFailed
    /// No point meets the constraints.
    case infeasible
    /// The observer asked to stop.
    case cancelled
}

/// Why a solver ends: the status and the reason in words.
public struct Termination: Sendable, Hashable, Codable {
    public let status: SolverStatus
    public let reason: String

    public init(_ status: SolverStatus, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}
