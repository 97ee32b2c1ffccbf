import Kernels

/// What a solver hands back.
public struct Solution<Scalar: KernelScalar>: Sendable, Codable {
    /// The last iterate if the solver converged, otherwise the one with the lowest finite value; the start if no value was finite.
    public let iterate: [Scalar]
    /// f at ``iterate``.
    public let value: Scalar
    /// ‖∇f‖₂ at ``iterate``; `nil` for a method that knows no gradient.
    public let gradientNorm: Scalar?
    public let status: SolverStatus
    /// Why the solver ended, as a sentence.
    public let reason: String
    public let iterations: Int
    public let evaluations: EvaluationCounts
    /// How often the method called its costly operations, by name; see ``SolverState/work``.
    public let work: [String: Int]
    /// Wall time.
    public let seconds: Double
    /// The course of the run, thinned to bounded length, with its first and last iteration.
    public let trace: Trace

    /// The iterate, if the solver converged.
    ///
    /// - Throws: ``NotConvergedError``.
    public func get() throws(NotConvergedError) -> [Scalar] {
        guard status == .converged else { throw NotConvergedError(status: status, reason: reason) }
        return iterate
    }
}

/// A solver that ended without convergence.
public struct NotConvergedError: Error, Sendable, Hashable, CustomStringConvertible {
    public let status: SolverStatus
    public let reason: String

    public init(status: SolverStatus, reason: String) {
        self.status = status
        self.reason = reason
    }

    public var description: String { "not converged (\(status.rawValue)): \(reason)" }
}
