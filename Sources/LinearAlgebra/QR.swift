import Kernels

/// The factorisation A = Q·R by Householder reflections (LAPACK `geqrf`), for any shape.
///
/// With A m×n and k = min(m, n), Q is m×k with orthonormal columns and R is k×n upper triangular. Q is kept as
/// reflectors: ``multiplyQ(_:transpose:)`` applies it without forming it. Diagonal elements of R may be negative.
public struct QR<Scalar: KernelScalar>: Sendable {
    let reflectors: Reflectors<Scalar>

    /// Factorises `matrix`.
    ///
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)``; ``LinearAlgebraError/overflow(operation:)``.
    /// - Complexity: about 2mn² − 2n³/3 operations for m ≥ n.
    public init(_ matrix: Matrix<Scalar>) throws(LinearAlgebraError) {
        try matrix.requireFinite()
        var packed = matrix.transposed()
        var tau: [Scalar] = zeroVector(min(matrix.rows, matrix.columns))
        let info = unsafe Scalar.geqrf(matrix.rows, matrix.columns, &packed.storage, &tau)
        try checkArguments(info, "QR factorisation")
        reflectors = Reflectors(packed: try packed.checkedResult("QR factorisation"), tau: tau)
    }

    /// The thin Q, m×min(m, n). A copy.
    public func q() throws(LinearAlgebraError) -> Matrix<Scalar> { try reflectors.thinQ() }

    /// R, min(m, n)×n. A copy.
    public var r: Matrix<Scalar> { reflectors.r }

    /// Q·B, or Qᵀ·B with `transpose`, where Q is the full m×m one.
    ///
    /// - Precondition: B has m rows.
    /// - Throws: ``LinearAlgebraError/outOfMemory(operation:)``.
    /// - Complexity: O(mk) for each column, with no transposition of B.
    public func multiplyQ(_ b: Matrix<Scalar>, transpose: Bool = false) throws(LinearAlgebraError) -> Matrix<Scalar> {
        try reflectors.multiply(b, transpose: transpose)
    }

    /// The x of least ‖A·x − b‖₂ for a matrix of full column rank.
    ///
    /// - Precondition: A has no fewer rows than columns; `b` has as many elements as A has rows.
    /// - Throws: ``LinearAlgebraError/singular(pivot:)`` if a diagonal element of R is exactly zero;
    ///   ``LinearAlgebraError/nonFinite(row:column:)`` for `b`; ``LinearAlgebraError/overflow(operation:)``.
    ///   For a rank that may be deficient use ``leastSquares(_:_:method:relativeTolerance:)-(_,Matrix<Scalar>,_,_)``.
    public func solve(_ b: [Scalar]) throws(LinearAlgebraError) -> [Scalar] {
        try solve(Matrix(rows: b.count, columns: 1, elements: b)).storage
    }

    /// The X of least ‖A·X − B‖, column by column, for a matrix of full column rank.
    ///
    /// - Precondition: A has no fewer rows than columns, and B as many rows as A.
    /// - Throws: as for one vector.
    public func solve(_ b: Matrix<Scalar>) throws(LinearAlgebraError) -> Matrix<Scalar> {
        let (m, n) = (reflectors.rows, reflectors.columns)
        require(m >= n, "QR solve with a \(m)×\(n) matrix; expected no fewer rows than columns")
        try b.requireFinite()
        let top = try multiplyQ(b, transpose: true).submatrix(rows: 0..<n, columns: 0..<b.columns)
        return try solveTriangular(r, top.checkedResult("QR solve"), triangle: .upper)
    }
}

/// The factorisation A·P = Q·R with columns exchanged so that |r₀₀| ≥ |r₁₁| ≥ … (LAPACK `geqp3`): a cheap, nearly
/// always reliable rank estimate.
public struct PivotedQR<Scalar: KernelScalar>: Sendable {
    let reflectors: Reflectors<Scalar>
    /// The order of columns: column j of Q·R is column `permutation[j]` of A.
    public let permutation: [Int]

    /// Factorises `matrix`.
    ///
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)``; ``LinearAlgebraError/overflow(operation:)``.
    /// - Complexity: as ``QR``, at about half its speed.
    public init(_ matrix: Matrix<Scalar>) throws(LinearAlgebraError) {
        try matrix.requireFinite()
        var packed = matrix.transposed()
        var tau: [Scalar] = zeroVector(min(matrix.rows, matrix.columns))
        var order = [Int32](repeating: 0, count: matrix.columns)
        let info = unsafe Scalar.geqp3(matrix.rows, matrix.columns, &packed.storage, &order, &tau)
        try checkArguments(info, "pivoted QR factorisation")
        reflectors = Reflectors(packed: try packed.checkedResult("pivoted QR factorisation"), tau: tau)
        // LAPACK returns before it fills the order when there are no rows.
        permutation = matrix.rows == 0 ? Array(0..<matrix.columns) : order.map { Int($0) - 1 }
    }

    /// The thin Q, m×min(m, n). A copy.
    public func q() throws(LinearAlgebraError) -> Matrix<Scalar> { try reflectors.thinQ() }

    /// R, min(m, n)×n, with a diagonal that does not grow in magnitude. A copy.
    public var r: Matrix<Scalar> { reflectors.r }

    /// Q·B, or Qᵀ·B with `transpose`, where Q is the full m×m one.
    ///
    /// - Precondition: B has m rows.
    public func multiplyQ(_ b: Matrix<Scalar>, transpose: Bool = false) throws(LinearAlgebraError) -> Matrix<Scalar> {
        try reflectors.multiply(b, transpose: transpose)
    }

    /// How many diagonal elements of R exceed `relativeTolerance`·|r₀₀|. Default: max(m, n)·eps.
    ///
    /// - Precondition: the tolerance is not negative.
    public func rank(relativeTolerance: Scalar? = nil) -> Int {
        requireTolerance(relativeTolerance)
        let diagonal = reflectors.packed.diagonal.map(\.magnitude)
        guard let first = diagonal.first else { return 0 }
        let tolerance = relativeTolerance ?? defaultRankTolerance(reflectors.rows, reflectors.columns)
        return diagonal.count { $0 > tolerance * first }
    }
}

/// Q as Householder vectors below R, in LAPACK's order: transposed.
struct Reflectors<Scalar: KernelScalar>: Sendable {
    let packed: Matrix<Scalar>
    let tau: [Scalar]

    var rows: Int { packed.columns }
    var columns: Int { packed.rows }

    func thinQ() throws(LinearAlgebraError) -> Matrix<Scalar> {
        let k = tau.count
        var q = packed.submatrix(rows: 0..<k, columns: 0..<rows)
        guard k > 0 else { return q.transposed() }
        let info = unsafe Scalar.orgqr(rows, k, k, &q.storage, tau)
        try checkArguments(info, "forming Q")
        return q.transposed()
    }

    var r: Matrix<Scalar> {
        var r = packed.transposed().submatrix(rows: 0..<tau.count, columns: 0..<columns)
        r.clearBelowDiagonal()
        return r
    }

    /// op(Q)·B: the row-major B is LAPACK's Bᵀ, and Bᵀ·op(Q)ᵀ is the transpose of what is wanted.
    func multiply(_ b: Matrix<Scalar>, transpose: Bool) throws(LinearAlgebraError) -> Matrix<Scalar> {
        require(b.rows == rows, "product with Q of order \(rows) and \(b.rows)×\(b.columns); expected \(rows) rows")
        guard !b.isEmpty, !tau.isEmpty else { return b }
        var result = b
        let info = unsafe Scalar.ormqr(CChar("R"), CChar(transpose ? "N" : "T"), b.columns, rows, tau.count, packed.storage,
                                       rows, tau, &result.storage)
        try checkArguments(info, "product with Q")
        return result
    }
}
