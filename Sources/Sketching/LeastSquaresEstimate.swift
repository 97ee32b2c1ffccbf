import Kernels
import LinearAlgebra
import Objectives

/// The solution of a least-squares problem, and how it came about.
public struct LeastSquaresEstimate<Scalar: KernelScalar>: Sendable {
    /// What gave the solution.
    public enum Method: String, Sendable, Hashable, Codable {
        case sketchAndSolve, sketchAndPrecondition, iterativeSketching, fossils, minimumNorm
        /// LAPACK's `geqrf`.
        case householderQR
        /// LAPACK's `gelsd`, for a rank that is deficient.
        case singularValues
    }

    /// The best iterate: that of the least backward error.
    public let solution: [Scalar]
    public let method: Method
    /// `converged`, `iterationLimit`, `stagnated` or `nonFinite`.
    public let status: SolverStatus
    /// Why the solver ended, or took a direct method, as a sentence.
    public let reason: String
    /// d, the rows of the sketch; 0 if none was made.
    public let sketchRows: Int
    /// The number of singular vectors that were used.
    public let rank: Int
    public let iterations: Int
    /// How often A was read: for the sketch, for each product with it and its transpose together, and once for a direct method.
    public let passes: Int
    /// The Karlson–Waldén estimate of the least ‖ΔA‖_F/‖A‖_F for which ``solution`` solves the problem of A + ΔA, from the sketch's singular
    /// values, with the columns as the solver scales them; `nil` for a direct method.
    public let backwardError: Scalar?
    /// σ₁/σ of the sketch over the singular values that were used: within (1 + η)/(1 − η) of that of A with its columns scaled; `nil` for
    /// a direct method.
    public let conditionEstimate: Scalar?

    /// Whether a direct method of LAPACK gave the solution, which ``reason`` explains.
    public var usedDirectMethod: Bool { method == .householderQR || method == .singularValues }

    /// The solution, if the solver converged.
    ///
    /// - Throws: `NotConvergedError`.
    public func get() throws(NotConvergedError) -> [Scalar] {
        guard status == .converged else { throw NotConvergedError(status: status, reason: reason) }
        return solution
    }
}
