import Kernels
import Objectives

/// An eigenvalue λ of a symmetric operator and a unit eigenvector v.
public struct Eigenpair<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let value: Scalar
    public let vector: [Scalar]
    /// ‖A v − λ v‖₂, by the recurrence: an eigenvalue of A is at most so far from ``value``, beside rounding.
    public let residualNorm: Scalar
}

/// What ``Lanczos`` hands back.
public struct EigenSolution<Scalar: KernelScalar>: Sendable, Codable {
    /// From the smallest up. Fewer than asked for only if the run ended before that many products.
    public let smallest: [Eigenpair<Scalar>]
    /// From the largest down.
    public let largest: [Eigenpair<Scalar>]
    /// `converged`, `iterationLimit`, or `nonFinite` with the pairs before the product that was not.
    public let status: SolverStatus
    /// Why the run ended, as a sentence.
    public let reason: String
    /// Products with the operator.
    public let products: Int
    public let restarts: Int

    /// The pairs, if all have converged.
    ///
    /// - Throws: `NotConvergedError`.
    public func get() throws(NotConvergedError) -> (smallest: [Eigenpair<Scalar>], largest: [Eigenpair<Scalar>]) {
        guard status == .converged else { throw NotConvergedError(status: status, reason: reason) }
        return (smallest, largest)
    }
}
