import Kernels
import LinearAlgebra
import Randomness

/// An orthonormal basis Q of nearly the range of A, from A Ω with normal Ω (Halko, Martinsson and Tropp 2011, Algorithms 4.1 and 4.4).
///
/// With k columns wanted and p more, E ‖A − Q Qᵀ A‖_F ≤ (1 + k/(p − 1))^½ (Σ_{j>k} σⱼ²)^½ (their Theorem 10.5). Each power iteration
/// multiplies by A Aᵀ, with an orthogonalisation in between, and sharpens the decay of the singular values.
public struct RandomizedRangeFinder: Sendable {
    public let rank: Int
    public let oversampling: Int
    public let powerIterations: Int
    /// Chooses Ω.
    public let seed: UInt64

    /// - Parameters:
    ///   - oversampling: p. Default: 10, as scikit-learn.
    ///   - powerIterations: default: 2; 0 for singular values that fall fast.
    /// - Precondition: the rank is at least 1; the others are not negative.
    public init(rank: Int, oversampling: Int = 10, powerIterations: Int = 2, seed: UInt64 = 0) {
        require(rank >= 1, "a range of rank \(rank); expected at least 1")
        require(oversampling >= 0 && powerIterations >= 0,
                "oversampling \(oversampling) and \(powerIterations) power iterations; expected no negative number")
        (self.rank, self.oversampling, self.powerIterations, self.seed) = (rank, oversampling, powerIterations, seed)
    }

    /// Q, with min(rank + oversampling, rows, columns) columns.
    ///
    /// - Throws: `LinearAlgebraError.nonFinite`, `LinearAlgebraError.overflow`.
    /// - Complexity: 2 + 2·powerIterations − 1 products of A or its transpose with as many vectors.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func basis<Scalar: KernelScalar>(of a: any SketchableMatrix<Scalar>) throws(LinearAlgebraError) -> Matrix<Scalar> {
        let width = min(rank + oversampling, a.rows, a.columns)
        guard width > 0 else { return .zeros(rows: a.rows, columns: 0) }
        var random = RandomStream(seed: seed)
        let probes = Matrix<Scalar>(rows: a.columns, columns: width, elements: random.normal(count: a.columns * width))
        var q = try orthonormal(a.applied(to: probes), a)
        guard powerIterations > 0 else { return q }
        let adjoint = a.adjointMatrix()
        for _ in 0..<powerIterations {
            let z = try orthonormal(adjoint.applied(to: q), a)
            q = try orthonormal(a.applied(to: z), a)
        }
        return q
    }
}

/// Q of the thin QR of a product with A, whose NaN is A's.
private func orthonormal<Scalar: KernelScalar>(
    _ product: Matrix<Scalar>, _ a: any SketchableMatrix<Scalar>
) throws(LinearAlgebraError) -> Matrix<Scalar> {
    if !isFinite(product.elements) {
        try a.requireFiniteElements()
        throw .overflow(operation: "range finder")
    }
    return try QR(product).q()
}

/// The leading singular triplets of A by a randomised range: A ≈ U diag(s) Vᵀ (Halko, Martinsson and Tropp 2011, Algorithm 5.1).
///
/// scikit-learn's `randomized_svd`; differs in that signs are not normalised.
public struct RandomizedSVD: Sendable {
    public let rangeFinder: RandomizedRangeFinder

    /// - Precondition: those of ``RandomizedRangeFinder``.
    public init(rank: Int, oversampling: Int = 10, powerIterations: Int = 2, seed: UInt64 = 0) {
        rangeFinder = RandomizedRangeFinder(rank: rank, oversampling: oversampling, powerIterations: powerIterations, seed: seed)
    }

    /// U of rows×k, s falling, Vᵀ of k×columns, k = min(rank, rows, columns).
    ///
    /// - Throws: `LinearAlgebraError.nonFinite`, `LinearAlgebraError.overflow`, and those of the small decomposition.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func decompose<Scalar: KernelScalar>(
        _ a: any SketchableMatrix<Scalar>
    ) throws(LinearAlgebraError) -> (u: Matrix<Scalar>, singularValues: [Scalar], vTransposed: Matrix<Scalar>) {
        let q = try rangeFinder.basis(of: a), k = min(rangeFinder.rank, a.rows, a.columns)
        let small = try SVD(a.adjointMatrix().applied(to: q).transposed())
        let left = small.u.submatrix(rows: 0..<q.columns, columns: 0..<k)
        return (q * left, Array(small.singularValues[..<k]), small.vTransposed.submatrix(rows: 0..<k, columns: 0..<a.columns))
    }
}
