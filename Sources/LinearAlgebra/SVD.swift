import Kernels

/// The singular value decomposition A = U·diag(s)·Vᵀ of a matrix of any shape.
///
/// Divide and conquer (LAPACK `gesdd`); where that does not converge, QR iteration (`gesvd`) runs instead. A row-major
/// A is LAPACK's Aᵀ, whose decomposition has U and V exchanged, so nothing is transposed.
public struct SVD<Scalar: KernelScalar>: Sendable {
    /// Which vectors to compute, for A m×n and k = min(m, n).
    public enum Vectors: Sendable, Hashable, Codable {
        /// U m×k, Vᵀ k×n.
        case thin
        /// U m×m, Vᵀ n×n.
        case full
    }

    /// The left singular vectors, in columns.
    public let u: Matrix<Scalar>
    /// The min(m, n) singular values, falling.
    public let singularValues: [Scalar]
    /// The right singular vectors, in rows.
    public let vTransposed: Matrix<Scalar>

    /// Decomposes `matrix`.
    ///
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)``, ``LinearAlgebraError/noConvergence(method:unconverged:)``,
    ///   ``LinearAlgebraError/overflow(operation:)``, ``LinearAlgebraError/outOfMemory(operation:)``.
    /// - Complexity: O(m·n·min(m, n)).
    public init(_ matrix: Matrix<Scalar>, vectors: Vectors = .thin) throws(LinearAlgebraError) {
        let (m, n) = (matrix.rows, matrix.columns)
        let k = min(m, n)
        let (left, right) = vectors == .full ? (m, n) : (k, k)
        guard k > 0 else {
            self.init(u: .identity(m, left), singularValues: [], vTransposed: .identity(right, n))
            return
        }
        var u = Matrix<Scalar>.zeros(rows: m, columns: left)
        var vt = Matrix<Scalar>.zeros(rows: right, columns: n)
        let s = try Self.decompose(matrix, vectors == .full ? "A" : "S", &u.storage, left, &vt.storage)
        self.init(u: u, singularValues: s, vTransposed: vt)
    }

    private init(u: Matrix<Scalar>, singularValues: [Scalar], vTransposed: Matrix<Scalar>) {
        self.u = u
        self.singularValues = singularValues
        self.vTransposed = vTransposed
    }

    /// The singular values alone, falling; several times faster than the vectors too.
    ///
    /// - Throws: as the decomposition.
    public static func singularValues(of matrix: Matrix<Scalar>) throws(LinearAlgebraError) -> [Scalar] {
        guard !matrix.isEmpty else { return [] }
        var none: [Scalar] = [0], nothing: [Scalar] = [0]
        return try decompose(matrix, "N", &none, 1, &nothing)
    }

    /// Fills `u` and `vt` (row-major, `left` columns in `u`) and returns the singular values.
    private static func decompose(
        _ matrix: Matrix<Scalar>, _ job: Unicode.Scalar, _ u: inout [Scalar], _ left: Int, _ vt: inout [Scalar]
    ) throws(LinearAlgebraError) -> [Scalar] {
        try matrix.requireFinite()
        let (m, n) = (matrix.rows, matrix.columns)
        var s: [Scalar] = zeroVector(min(m, n))
        var work = matrix.storage
        var info = unsafe Scalar.gesdd(CChar(job), n, m, &work, &s, &vt, &u, left)
        try checkArguments(info, "singular value decomposition")
        if info > 0 {
            work = matrix.storage
            var rest: [Scalar] = zeroVector(min(m, n))
            info = unsafe Scalar.gesvd(CChar(job), n, m, &work, &s, &vt, &u, left, &rest)
            try checkArguments(info, "singular value decomposition")
        }
        if info > 0 { throw .noConvergence(method: "singular value decomposition", unconverged: Int(info)) }
        if firstNonFinite(s.span) != nil { throw .overflow(operation: "singular value decomposition") }
        return s
    }

    /// How many singular values exceed `relativeTolerance` times the largest one. Default: max(m, n)·eps, as in NumPy.
    ///
    /// - Precondition: the tolerance is not negative.
    public func rank(relativeTolerance: Scalar? = nil) -> Int {
        requireTolerance(relativeTolerance)
        guard let largest = singularValues.first else { return 0 }
        let tolerance = relativeTolerance ?? defaultRankTolerance(u.rows, vTransposed.columns)
        return singularValues.count { $0 > tolerance * largest }
    }

    /// s₀ / s₋₁, the condition number in the 2-norm; infinity for a singular matrix, 1 for an empty one.
    public var conditionNumber: Scalar {
        guard let largest = singularValues.first, let smallest = singularValues.last else { return 1 }
        return smallest == 0 ? .infinity : largest / smallest
    }

    /// The Moore–Penrose inverse V·diag(1/s)·Uᵀ over the singular values that ``rank(relativeTolerance:)`` counts.
    ///
    /// Differs from NumPy: the default tolerance is max(m, n)·eps and not 1e-15.
    ///
    /// - Throws: ``LinearAlgebraError/overflow(operation:)``.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func pseudoInverse(relativeTolerance: Scalar? = nil) throws(LinearAlgebraError) -> Matrix<Scalar> {
        let rank = rank(relativeTolerance: relativeTolerance)
        var vt = vTransposed.submatrix(rows: 0..<rank, columns: 0..<vTransposed.columns)
        for i in 0..<rank {
            var row = vt.mutableRow(i)
            for j in 0..<row.count { row[j] /= singularValues[i] }
        }
        var result = Matrix<Scalar>.zeros(rows: vTransposed.columns, columns: u.rows)
        multiply(vt.view, u.view.submatrix(rows: 0..<u.rows, columns: 0..<rank), transposeA: true, transposeB: true,
                 into: &result)
        return try result.checkedResult("pseudo-inverse")
    }
}

extension Matrix {
    /// Ones on the diagonal of a matrix of any shape.
    fileprivate static func identity(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns) { $0 == $1 ? 1 : 0 }
    }
}
