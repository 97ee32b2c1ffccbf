import Kernels
import LinearAlgebra

/// The Schrödinger bridge between two Gaussians N(m₀, A) and N(m₁, B) with noise ε, in closed form.
///
/// The plan is π(y | x) = N(y | r + S x, ε S) with the symmetric S = ½(A^{−½}(4A^{½}BA^{½} + ε²I)^{½}A^{−½} − εA⁻¹) and r = m₁ − S m₀; the drift is
/// g(x, t) = M⁻¹((S − I)x + r), M = (1 − t)I + tS. As ε → 0, S goes to the map of optimal transport, as ε → ∞ to 0.
///
/// Source: Bunne, Hsieh, Cuturi & Krause 2023; Janati, Muzellec, Peyré & Cuturi 2020.
public struct GaussianSchrodingerBridge<Scalar: KernelScalar>: Sendable {
    /// ε.
    public let noise: Scalar
    /// m₀ and A.
    public let sourceMean: [Scalar], sourceCovariance: Matrix<Scalar>
    /// S: the slope of the conditional mean, and its covariance over ε.
    public let slope: Matrix<Scalar>
    /// r.
    public let offset: [Scalar]

    /// - Precondition: ε is positive, and the shapes fit.
    /// - Throws: `LinearAlgebraError`: A is not positive definite, B not positive semi-definite, or a number is not finite.
    public init(
        source: (mean: [Scalar], covariance: Matrix<Scalar>), target: (mean: [Scalar], covariance: Matrix<Scalar>), noise: Scalar
    ) throws(LinearAlgebraError) {
        let d = source.mean.count
        require(noise > 0, "noise is \(noise); expected a positive number")
        require(target.mean.count == d && source.covariance.rows == d && source.covariance.columns == d && target.covariance.rows == d && target.covariance.columns == d,
                "means of \(d) and \(target.mean.count) elements, covariances \(source.covariance.rows)×\(source.covariance.columns) and "
                    + "\(target.covariance.rows)×\(target.covariance.columns); expected d, d, d×d and d×d")
        let root = try symmetricFunction(of: source.covariance) { $0.squareRoot() }
        let inverseRoot = try symmetricFunction(of: source.covariance) { 1 / $0.squareRoot() }
        var inner = 4 * (root * target.covariance * root)
        for i in 0..<d { inner[i, i] += noise * noise }
        var slope = inverseRoot * (try symmetricFunction(of: inner) { $0.squareRoot() }) * inverseRoot
        slope.add(inverseRoot * inverseRoot, scale: -noise)
        slope = 0.5 * slope
        self.slope = 0.5 * (slope + slope.transposed())
        let moved = self.slope * source.mean
        offset = zip(target.mean, moved).map { $0 - $1 }
        (self.noise, sourceMean, sourceCovariance) = (noise, source.mean, source.covariance)
    }

    /// The mean of the plan from each row.
    public func barycentricProjection(of x: Matrix<Scalar>) -> Matrix<Scalar> {
        var result = x * slope
        var span = result.mutableSpan
        Scalar.addRow(rows: x.rows, columns: x.columns, &span, offset.span)
        return result
    }

    /// g(x, t) of each row.
    ///
    /// - Throws: `LinearAlgebraError`, for numbers that are not finite.
    public func drift(at x: Matrix<Scalar>, time t: Scalar) throws(LinearAlgebraError) -> Matrix<Scalar> {
        require(t >= 0 && t <= 1, "time is \(t); expected a number from 0 to 1")
        let ahead = barycentricProjection(of: x) - x
        return try Cholesky(mean(t)).solve(ahead.transposed()).transposed()
    }

    /// The Gaussian at time t: mean (1 − t)m₀ + t m₁, covariance M A M + t ε M.
    public func marginal(at t: Scalar) -> (mean: [Scalar], covariance: Matrix<Scalar>) {
        require(t >= 0 && t <= 1, "time is \(t); expected a number from 0 to 1")
        let m = mean(t), moved = m * sourceMean
        var covariance = m * sourceCovariance * m
        // t²εS of the end, t(1 − t)ε of the bridge.
        covariance.add(m, scale: t * noise)
        return (zip(moved, offset).map { $0 + t * $1 }, covariance)
    }

    /// M.
    private func mean(_ t: Scalar) -> Matrix<Scalar> {
        var m = t * slope
        for i in 0..<offset.count { m[i, i] += 1 - t }
        return m
    }
}

/// V f(Λ) Vᵀ.
///
/// - Throws: `LinearAlgebraError/notPositiveDefinite(pivot:)` where f of an eigenvalue is not a finite number.
func symmetricFunction<Scalar: KernelScalar>(of matrix: Matrix<Scalar>, _ f: (Scalar) -> Scalar) throws(LinearAlgebraError) -> Matrix<Scalar> {
    let eigen = try SymmetricEigen(matrix), values = eigen.values.map(f)
    if let i = values.firstIndex(where: { !$0.isFinite }) { throw .notPositiveDefinite(pivot: i) }
    let scaled = Matrix<Scalar>(rows: matrix.rows, columns: matrix.columns) { eigen.vectors[$0, $1] * values[$1] }
    return multiply(scaled, eigen.vectors, transposeB: true)
}
