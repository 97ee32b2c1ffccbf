import Kernels

/// The eigendecomposition A = V·diag(λ)·Vᵀ of a symmetric matrix, by divide and conquer (LAPACK `syevd`).
///
/// Only the lower triangle of A is read.
public struct SymmetricEigen<Scalar: KernelScalar>: Sendable {
    /// The eigenvalues, rising.
    public let values: [Scalar]
    /// The eigenvectors, orthonormal: column j belongs to `values[j]`.
    public let vectors: Matrix<Scalar>

    /// Decomposes `matrix`.
    ///
    /// - Precondition: the matrix is square.
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)`` (lower triangle),
    ///   ``LinearAlgebraError/noConvergence(method:unconverged:)``, ``LinearAlgebraError/overflow(operation:)``.
    /// - Complexity: O(n³); the vectors are transposed once.
    public init(_ matrix: Matrix<Scalar>) throws(LinearAlgebraError) {
        var work = matrix
        values = try Self.decompose(&work, "V")
        vectors = work.transposed()
    }

    /// The eigenvalues alone, rising; several times faster than with vectors.
    ///
    /// - Precondition: the matrix is square.
    /// - Throws: as the decomposition.
    public static func values(of matrix: Matrix<Scalar>) throws(LinearAlgebraError) -> [Scalar] {
        var work = matrix
        return try decompose(&work, "N")
    }

    /// Returns the eigenvalues; with job V leaves the eigenvectors in the rows of `matrix`.
    private static func decompose(_ matrix: inout Matrix<Scalar>, _ job: Unicode.Scalar) throws(LinearAlgebraError) -> [Scalar] {
        requireSquare(matrix.rows, matrix.columns, "symmetric eigendecomposition")
        try matrix.requireFinite(.lower)
        var values: [Scalar] = zeroVector(matrix.rows)
        guard !matrix.isEmpty else { return values }
        let info = unsafe Scalar.syevd(CChar(job), Triangle.lower.swapped, matrix.rows, &matrix.storage, &values)
        try checkArguments(info, "symmetric eigendecomposition")
        if info > 0 { throw .noConvergence(method: "symmetric eigendecomposition", unconverged: Int(info)) }
        if firstNonFinite(values.span) != nil { throw .overflow(operation: "symmetric eigendecomposition") }
        return values
    }
}
