import Kernels
import LinearAlgebra

/// The squared Bures–Wasserstein distance with the factor ½ of the cost ½‖x − y‖²: ½‖m₀ − m₁‖² + ½ tr(A + B − 2(A^{½}BA^{½})^{½}).
///
/// It is the cost of optimal transport between two Gaussians, and bounds from below that between any distributions with these moments.
///
/// - Throws: `LinearAlgebraError`, for a covariance that is not positive semi-definite but for rounding, or not finite.
public func buresWassersteinSquared<Scalar: KernelScalar>(
    _ first: (mean: [Scalar], covariance: Matrix<Scalar>), _ second: (mean: [Scalar], covariance: Matrix<Scalar>)
) throws(LinearAlgebraError) -> Scalar {
    // Rounding may leave eigenvalues just below 0.
    let rounding = 64 * Scalar.ulpOfOne * (first.covariance.trace + second.covariance.trace)
    func root(_ x: Scalar) -> Scalar { x < 0 && x >= -rounding ? 0 : x.squareRoot() }
    let half = try symmetricFunction(of: first.covariance, root)
    let squares = rounding * (first.covariance.trace + second.covariance.trace)
    let cross = try symmetricFunction(of: half * second.covariance * half) { $0 < 0 && $0 >= -squares ? 0 : $0.squareRoot() }.trace
    let distance = zip(first.mean, second.mean).reduce(Scalar(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return max(0, (distance + first.covariance.trace + second.covariance.trace - 2 * cross) / 2)
}
