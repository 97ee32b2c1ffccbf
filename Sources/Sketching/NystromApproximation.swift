import Kernels
import LinearAlgebra
import Randomness

/// A ≈ U diag(λ) Uᵀ for a symmetric positive semidefinite A, from A Ω with orthonormal Ω alone: A Ω (Ωᵀ A Ω)⁺ (A Ω)ᵀ (Tropp, Yurtsever, Udell
/// and Cevher 2017, Algorithm 3; Frangella, Tropp and Udell 2023, Algorithm 2.1).
///
/// A shift of the size of rounding keeps the small factorisation definite and is taken off again; ``shift`` says how large it was.
public struct NystromApproximation<Scalar: KernelScalar>: Sendable {
    /// U, with orthonormal columns.
    public let vectors: Matrix<Scalar>
    /// λ, falling, none negative.
    public let values: [Scalar]
    public let shift: Scalar

    /// Of one block product with A.
    ///
    /// - Parameters:
    ///   - rank: the columns of Ω. Take a few more than the eigenvalues that matter.
    ///   - seed: chooses Ω.
    /// - Precondition: A is square; the rank is at least 1.
    /// - Throws: `LinearAlgebraError.notPositiveDefinite` if Ωᵀ A Ω is not semidefinite, so that A is not; `LinearAlgebraError.nonFinite`,
    ///   `LinearAlgebraError.overflow`, and those of the decomposition.
    /// - Complexity: `rank` products with A, and O(n rank²).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(_ a: any SketchableMatrix<Scalar>, rank: Int, seed: UInt64 = 0) throws(LinearAlgebraError) {
        let n = a.rows
        require(a.columns == n, "a Nyström approximation of a \(n)×\(a.columns) matrix; expected a square one")
        require(rank >= 1, "a Nyström approximation of rank \(rank); expected at least 1")
        let width = min(rank, n)
        guard width > 0 else {
            (vectors, values, shift) = (.zeros(rows: 0, columns: 0), [], 0)
            return
        }
        var random = RandomStream(seed: seed)
        let omega = try QR(Matrix<Scalar>(rows: n, columns: width, elements: random.normal(count: n * width))).q()
        var y = a.applied(to: omega)
        if !isFinite(y.elements) {
            try a.requireFiniteElements()
            throw .overflow(operation: "Nyström approximation")
        }
        let nu = Scalar(n).squareRoot() * Scalar.ulpOfOne * y.frobeniusNorm
        shift = nu
        guard nu > 0 else {
            (vectors, values) = (omega, [Scalar](repeating: 0, count: width))
            return
        }
        y.add(omega, scale: nu)
        let core = multiply(omega, y, transposeA: true)
        // Rounding leaves the core symmetric but for its last digits.
        let lower = try Cholesky(0.5 * (core + core.transposed())).lower
        // B = Y L⁻ᵀ, so that B Bᵀ = Y (Ωᵀ Y)⁻¹ Yᵀ.
        let b = try solveTriangular(lower, y.transposed(), triangle: .lower).transposed()
        let svd = try SVD(b)
        vectors = svd.u
        values = svd.singularValues.map { max(0, $0 * $0 - nu) }
    }

    /// The preconditioner of A + `ridge` I that this approximation makes.
    ///
    /// - Precondition: the ridge is positive, or all ``values`` are.
    public func preconditioner(ridge: Scalar) -> NystromPreconditioner<Scalar> { NystromPreconditioner(self, ridge: ridge) }
}

/// P⁻¹ = (λ_k + μ) U (diag(λ) + μ I)⁻¹ Uᵀ + (I − U Uᵀ): what a conjugate gradient method on A + μ I is to apply to its residuals (Frangella, Tropp
/// and Udell 2023, Equation 1.3).
///
/// With k about twice the effective dimension of A at μ the preconditioned condition number is below 28 (their Theorem 5.1). Symmetric and
/// positive definite.
public struct NystromPreconditioner<Scalar: KernelScalar>: LinearOperator {
    private let vectors: Matrix<Scalar>
    /// (λ_k + μ)/(λ + μ) − 1 of each direction.
    private let excess: [Scalar]

    init(_ approximation: NystromApproximation<Scalar>, ridge: Scalar) {
        require(ridge >= 0 && ridge.isFinite, "ridge is \(ridge); expected a finite number, at least 0")
        let least = (approximation.values.last ?? 1) + ridge
        require(least > 0, "ridge is 0 with an eigenvalue of 0; expected one of them positive")
        vectors = approximation.vectors
        excess = approximation.values.map { least / ($0 + ridge) - 1 }
    }

    public var rows: Int { vectors.rows }
    public var columns: Int { vectors.rows }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        require(x.count == rows && y.count == rows,
                "a preconditioner of order \(rows) from \(x.count) to \(y.count) elements; expected \(rows)")
        var inner = [Scalar](repeating: 0, count: vectors.columns)
        var span = inner.mutableSpan
        multiply(vectors, x, transpose: true, into: &span)
        for k in inner.indices { inner[k] *= excess[k] }
        copy(x, &y)
        multiply(vectors, inner.span, beta: 1, into: &y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { apply(y, into: &x) }
}
