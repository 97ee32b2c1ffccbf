import Kernels

/// How ``leastSquares(_:_:method:relativeTolerance:)-(_,Matrix<Scalar>,_,_)`` decides the rank.
public enum LeastSquaresMethod: Sendable, Hashable, Codable, CaseIterable {
    /// QR with column pivoting and a complete orthogonal factorisation (LAPACK `gelsy`). Fast; the rank is an estimate.
    case completeOrthogonal
    /// Singular value decomposition by divide and conquer (LAPACK `gelsd`): the most reliable rank, and the singular values.
    case singularValues
}

/// The minimum-norm solution of a least-squares problem.
public struct LeastSquaresSolution<Scalar: KernelScalar>: Sendable, Hashable {
    /// One solution in each column, as many rows as A has columns.
    public let solution: Matrix<Scalar>
    /// The rank that was used.
    public let rank: Int
    /// The singular values of A, falling; empty for ``LeastSquaresMethod/completeOrthogonal``.
    public let singularValues: [Scalar]
}

/// The X of least norm among those of least ‖A·X − B‖, for each column; A may have any shape and any rank.
///
/// What counts as zero in A is set by `relativeTolerance`: singular values below it times the largest one, or the
/// reciprocal of the largest condition number of the leading triangle in the pivoted QR. Default: max(m, n)·eps, as NumPy's
/// `lstsq` (SciPy's is eps). The default method is NumPy's, `gelsd`.
///
/// - Precondition: A and B have equally many rows; the tolerance is not negative.
/// - Throws: ``LinearAlgebraError/nonFinite(row:column:)`` for A or B,
///   ``LinearAlgebraError/noConvergence(method:unconverged:)``, ``LinearAlgebraError/overflow(operation:)``.
/// - Complexity: O(m·n·min(m, n)); A and B are each transposed once.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func leastSquares<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, _ b: Matrix<Scalar>, method: LeastSquaresMethod = .singularValues, relativeTolerance: Scalar? = nil
) throws(LinearAlgebraError) -> LeastSquaresSolution<Scalar> {
    require(a.rows == b.rows, "least squares with \(a.rows) and \(b.rows) rows; expected equally many")
    requireTolerance(relativeTolerance)
    try a.requireFinite()
    try b.requireFinite()
    let (m, n) = (a.rows, a.columns)
    let tolerance = relativeTolerance ?? defaultRankTolerance(m, n)
    // One column even where B has none, so that rank and singular values are found all the same.
    let count = max(1, b.columns)
    guard m > 0, n > 0 else {
        return LeastSquaresSolution(solution: .zeros(rows: n, columns: b.columns), rank: 0, singularValues: [])
    }
    var work = a.transposed()
    // LAPACK's right-hand sides lie in columns of length max(m, n), which the solutions overwrite.
    var x = Matrix<Scalar>(rows: count, columns: max(m, n)) { i, j in j < m && i < b.columns ? b[j, i] : 0 }
    var rank: Int32 = 0
    var s: [Scalar] = []
    let info: Int32
    switch method {
    case .completeOrthogonal:
        var order = [Int32](repeating: 0, count: n)
        info = unsafe Scalar.gelsy(m, n, count, &work.storage, &x.storage, &order, tolerance, &rank)
    case .singularValues:
        s = zeroVector(min(m, n))
        info = unsafe Scalar.gelsd(m, n, count, &work.storage, &x.storage, &s, tolerance, &rank)
    }
    try checkArguments(info, "least squares")
    if info > 0 { throw .noConvergence(method: "least squares", unconverged: Int(info)) }
    let solution = x.submatrix(rows: 0..<b.columns, columns: 0..<n).transposed()
    return LeastSquaresSolution(solution: try solution.checkedResult("least squares"), rank: Int(rank), singularValues: s)
}

/// The x of least norm among those of least ‖A·x − b‖₂.
///
/// - Precondition: `b` has as many elements as A has rows.
/// - Throws: as for a matrix of right-hand sides.
public func leastSquares<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, _ b: [Scalar], method: LeastSquaresMethod = .singularValues, relativeTolerance: Scalar? = nil
) throws(LinearAlgebraError) -> LeastSquaresSolution<Scalar> {
    try leastSquares(a, Matrix(rows: b.count, columns: 1, elements: b), method: method, relativeTolerance: relativeTolerance)
}
