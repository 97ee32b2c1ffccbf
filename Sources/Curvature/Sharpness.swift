import Kernels
import LinearAlgebra
import Objectives

/// The sharpness at a point: the largest eigenvalue of the Hessian there, by ``Lanczos`` from a random start.
///
/// Gradient descent with a step above 2/sharpness is unstable along its eigenvector. For the eigenvector, more eigenvalues, the negative
/// end or a run that can be resumed, use ``Lanczos`` itself.
///
/// - Parameters:
///   - hessian: e.g. `HessianOperator(of: loss, at: parameters)`.
///   - relativeTolerance: of the residual; see ``Lanczos``.
/// - Throws: `NotConvergedError` if the products run out or one is not finite.
public func sharpness<Scalar: KernelScalar>(
    of hessian: any LinearOperator<Scalar>, relativeTolerance: Double = 1e-3, seed: UInt64 = 0
) throws(NotConvergedError) -> Scalar {
    try Lanczos<Scalar>(largest: 1, relativeTolerance: relativeTolerance, seed: seed).solve(hessian).get().largest[0].value
}
