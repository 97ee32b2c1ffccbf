import Kernels
import Objectives

/// What a solver of linear systems hands back.
public struct LinearSolution<Scalar: KernelScalar>: Sendable, Codable {
    /// The solution, or the best that there is: see ``LinearSolverState/iterate`` of the method.
    public let iterate: [Scalar]
    /// `converged`, `iterationLimit`, `stagnated` (rounding keeps the residual above the tolerance), `brokeDown` (the operator is not what
    /// the method needs, e.g. not positive definite), `singular`, or `nonFinite`.
    public let status: SolverStatus
    /// Why the solver ended, as a sentence.
    public let reason: String
    /// ‖b − A·x‖₂ as the method knows it; if it says `converged`, computed from the iterate itself (LSQR and LSMR: from their recurrences).
    public let residualNorm: Scalar
    public let iterations: Int
    /// Products with A.
    public let applications: Int
    /// Products with Aᵀ.
    public let adjointApplications: Int
    public let preconditionerApplications: Int
    /// ``residualNorm`` at the start and after each iteration, if the caller asked for it; otherwise empty.
    public let residualNorms: [Scalar]

    /// The iterate, if the solver converged.
    ///
    /// - Throws: `NotConvergedError`.
    public func get() throws(NotConvergedError) -> [Scalar] {
        guard status == .converged else { throw NotConvergedError(status: status, reason: reason) }
        return iterate
    }
}
