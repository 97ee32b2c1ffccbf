import Kernels

/// The Cholesky factorisation A = L·Lᵀ of a symmetric positive definite matrix (LAPACK `potrf`).
///
/// Only the lower triangle of A is read. The cost is n³/3 operations; nothing is copied beyond the factor, because
/// the row-major lower triangle is LAPACK's upper one. No jitter is added: a matrix that is not positive definite is an error.
public struct Cholesky<Scalar: KernelScalar>: Sendable {
    /// L, lower triangular with a positive diagonal.
    public let lower: Matrix<Scalar>
    private let oneNorm: Scalar

    /// The number of rows and of columns.
    public var size: Int { lower.rows }

    /// Factorises `matrix`.
    ///
    /// - Precondition: the matrix is square.
    /// - Throws: ``LinearAlgebraError/notPositiveDefinite(pivot:)``, ``LinearAlgebraError/nonFinite(row:column:)`` (lower triangle).
    public init(_ matrix: Matrix<Scalar>) throws(LinearAlgebraError) {
        requireSquare(matrix.rows, matrix.columns, "Cholesky factorisation")
        try matrix.requireFinite(.lower)
        let n = matrix.rows
        var factor = matrix
        let info = unsafe Scalar.potrf(Triangle.lower.swapped, n, &factor.storage)
        try checkArguments(info, "Cholesky factorisation")
        if info > 0 { throw .notPositiveDefinite(pivot: Int(info) - 1) }
        factor.clearAboveDiagonal()
        // A pivot that overflowed is not reported by every build of LAPACK.
        if let k = firstNonFinite(factor.span) { throw .notPositiveDefinite(pivot: k / n) }
        lower = factor
        oneNorm = matrix.symmetricOneNorm()
    }

    /// A⁻¹·b.
    ///
    /// - Precondition: `b` has ``size`` elements.
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)`` for `b`; ``LinearAlgebraError/overflow(operation:)``.
    /// - Complexity: O(n²).
    public func solve(_ b: [Scalar]) throws(LinearAlgebraError) -> [Scalar] {
        try solve(Matrix(rows: b.count, columns: 1, elements: b)).storage
    }

    /// A⁻¹·B, one solution in each column.
    ///
    /// - Precondition: B has ``size`` rows.
    /// - Throws: as for one vector.
    /// - Complexity: O(n²) for each column; B is transposed on the way in and out.
    public func solve(_ b: Matrix<Scalar>) throws(LinearAlgebraError) -> Matrix<Scalar> {
        try unsafe b.solvedByColumns(size, "Cholesky solve") { x, count in
            unsafe Scalar.potrs(Triangle.lower.swapped, size, count, lower.storage, x)
        }
    }

    /// A⁻¹, symmetric to the bit. To solve systems, `solve` is faster and more accurate.
    ///
    /// - Throws: ``LinearAlgebraError/overflow(operation:)``.
    public func inverse() throws(LinearAlgebraError) -> Matrix<Scalar> {
        var result = lower
        let info = unsafe Scalar.potri(Triangle.lower.swapped, size, &result.storage)
        try checkArguments(info, "Cholesky inverse")
        if info > 0 { throw .singular(pivot: Int(info) - 1) }
        result.mirrorLower()
        return try result.checkedResult("Cholesky inverse")
    }

    /// log det A. Does not overflow.
    public var logDeterminant: Scalar { 2 * lower.diagonal.reduce(0) { $0 + naturalLogarithm($1) } }

    /// An estimate of 1 / (‖A‖₁·‖A⁻¹‖₁), from 0 (singular) to 1; seldom more than 3 times too large. O(n²).
    public func reciprocalCondition() throws(LinearAlgebraError) -> Scalar {
        var result: Scalar = 0
        let info = unsafe Scalar.pocon(Triangle.lower.swapped, size, lower.storage, oneNorm, &result)
        try checkArguments(info, "condition estimate")
        return result
    }
}

// For many small systems in the caller's buffers: nothing is allocated, searched for NaN or mirrored.

/// The lower triangle of Aᵀ·A over that of `c`; the other half is not touched.
///
/// - Precondition: C is square, with as many rows as A has columns.
package func lowerGram<Scalar: KernelScalar>(_ a: borrowing MatrixView<Scalar>, into c: inout Matrix<Scalar>) {
    let (n, k, stride) = (a.columns, a.rows, a.rowStride)
    require(c.rows == n && c.columns == n, "Gram matrix of \(n) columns into \(c.rows)×\(c.columns); expected \(n)×\(n)")
    guard n > 0, k > 0 else { return c.scaleInPlace(by: 0) }
    unsafe a.elements.withUnsafeBufferPointer { a in
        unsafe c.storage.withUnsafeMutableBufferPointer { c in
            unsafe Scalar.syrk(true, n, k, 1, a.baseAddress!, stride, 0, c.baseAddress!)
        }
    }
}

/// Factorises the lower triangle of `a` in place, A = L·Lᵀ. What lies above the diagonal is neither read nor touched.
///
/// - Returns: whether A is positive definite and the factor finite.
package func factorizePositiveDefinite<Scalar: KernelScalar>(_ a: inout Matrix<Scalar>) -> Bool {
    requireSquare(a.rows, a.columns, "Cholesky factorisation")
    let n = a.rows
    guard unsafe Scalar.potrf(Triangle.lower.swapped, n, &a.storage) == 0 else { return false }
    // A pivot that overflowed is not reported by every build of LAPACK.
    for i in 0..<n where !a.storage[i * (n + 1)].isFinite { return false }
    return true
}

/// x ← L⁻¹·x, or L⁻ᵀ·x with `transpose`, for the lower triangle of `l`.
///
/// - Precondition: `x` has as many elements as L has rows.
package func solveLowerTriangle<Scalar: KernelScalar>(_ l: Matrix<Scalar>, transpose: Bool, _ x: inout MutableSpan<Scalar>) {
    requireCount(x.count, l.rows, "right-hand side of a triangular system")
    guard !x.isEmpty else { return }
    unsafe l.storage.withUnsafeBufferPointer { l in
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe Scalar.trsv(.lower, transpose, false, x.count, l.baseAddress!, x.count, x.baseAddress!)
        }
    }
}
