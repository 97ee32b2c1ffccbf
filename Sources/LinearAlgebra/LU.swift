import Kernels

/// The factorisation P·A = L·U of a square matrix with row pivoting (LAPACK `getrf`).
///
/// A singular matrix has one too: ``determinant`` is then 0, and `solve` and ``inverse()`` throw.
/// The one copy that a factorisation needs anyway is a transposing one, so that rows are pivoted as in other packages.
public struct LU<Scalar: KernelScalar>: Sendable {
    /// The number of rows and of columns.
    public let size: Int
    /// The first pivot that is exactly zero; `nil` if A has an inverse.
    public let singularPivot: Int?
    /// L below and U on and above the diagonal, as LAPACK has them: transposed.
    private let factor: Matrix<Scalar>
    /// In step i row i was exchanged with row `exchanges[i] - 1`.
    private let exchanges: [Int32]
    private let oneNorm: Scalar

    /// Factorises `matrix`.
    ///
    /// - Precondition: the matrix is square.
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)``; ``LinearAlgebraError/overflow(operation:)``.
    /// - Complexity: 2n³/3 operations.
    public init(_ matrix: Matrix<Scalar>) throws(LinearAlgebraError) {
        requireSquare(matrix.rows, matrix.columns, "LU factorisation")
        try matrix.requireFinite()
        size = matrix.rows
        var factor = matrix.transposed()
        var exchanges = [Int32](repeating: 0, count: size)
        let info = unsafe Scalar.getrf(size, &factor.storage, &exchanges)
        try checkArguments(info, "LU factorisation")
        self.factor = try factor.checkedResult("LU factorisation")
        self.exchanges = exchanges
        singularPivot = info > 0 ? Int(info) - 1 : nil
        oneNorm = matrix.oneNorm()
    }

    /// L, lower triangular with ones on the diagonal. A copy.
    public var lower: Matrix<Scalar> {
        var result = factor.transposed()
        result.clearAboveDiagonal()
        for i in 0..<size { result[i, i] = 1 }
        return result
    }

    /// U, upper triangular. A copy.
    public var upper: Matrix<Scalar> {
        var result = factor.transposed()
        result.clearBelowDiagonal()
        return result
    }

    /// The order of rows: row i of L·U is row `permutation[i]` of A.
    public var permutation: [Int] {
        var order = Array(0..<size)
        for (i, other) in exchanges.enumerated() { order.swapAt(i, Int(other) - 1) }
        return order
    }

    /// A⁻¹·b, or (Aᵀ)⁻¹·b with `transpose`. That A is nearly singular is no error: ``reciprocalCondition()`` tells.
    ///
    /// - Precondition: `b` has ``size`` elements.
    /// - Throws: ``LinearAlgebraError/singular(pivot:)``; ``LinearAlgebraError/nonFinite(row:column:)`` for `b`;
    ///   ``LinearAlgebraError/overflow(operation:)``.
    /// - Complexity: O(n²).
    public func solve(_ b: [Scalar], transpose: Bool = false) throws(LinearAlgebraError) -> [Scalar] {
        try solve(Matrix(rows: b.count, columns: 1, elements: b), transpose: transpose).storage
    }

    /// A⁻¹·B, or (Aᵀ)⁻¹·B with `transpose`, one solution in each column.
    ///
    /// - Precondition: B has ``size`` rows.
    /// - Throws: as for one vector.
    /// - Complexity: O(n²) for each column; B is transposed on the way in and out.
    public func solve(_ b: Matrix<Scalar>, transpose: Bool = false) throws(LinearAlgebraError) -> Matrix<Scalar> {
        if let singularPivot { throw .singular(pivot: singularPivot) }
        return try unsafe b.solvedByColumns(size, "LU solve") { x, count in
            unsafe Scalar.getrs(CChar(transpose ? "T" : "N"), size, count, factor.storage, exchanges, x)
        }
    }

    /// A⁻¹. To solve systems, ``solve(_:transpose:)-(Matrix<Scalar>,_)`` is faster and more accurate.
    ///
    /// - Throws: ``LinearAlgebraError/singular(pivot:)``; ``LinearAlgebraError/overflow(operation:)``.
    public func inverse() throws(LinearAlgebraError) -> Matrix<Scalar> {
        if let singularPivot { throw .singular(pivot: singularPivot) }
        guard size > 0 else { return factor }
        var result = factor
        let info = unsafe Scalar.getri(size, &result.storage, exchanges)
        try checkArguments(info, "LU inverse")
        return try result.transposed().checkedResult("LU inverse")
    }

    /// det A. Only the result can overflow (to ±infinity) or underflow (to 0), never a partial product.
    public var determinant: Scalar {
        var significand: Scalar = permutationSign
        var exponent = 0
        for pivot in factor.diagonal {
            if pivot == 0 { return 0 }
            significand *= pivot.sign == .minus ? -pivot.significand : pivot.significand
            exponent += Int(pivot.exponent) + Int(significand.exponent)
            significand = significand.sign == .minus ? -significand.significand : significand.significand
        }
        return Scalar(sign: .plus, exponent: Scalar.Exponent(clamping: exponent), significand: significand)
    }

    /// log|det A| and the sign of det A; −infinity and 0 for a singular matrix. As NumPy's `slogdet`.
    public var logAbsoluteDeterminant: (value: Scalar, sign: Scalar) {
        if singularPivot != nil { return (-.infinity, 0) }
        var sign = permutationSign
        var value: Scalar = 0
        for pivot in factor.diagonal {
            if pivot < 0 { sign = -sign }
            value += naturalLogarithm(pivot.magnitude)
        }
        return (value, sign)
    }

    /// An estimate of 1 / (‖A‖₁·‖A⁻¹‖₁), from 0 (singular) to 1; seldom more than 3 times too large. O(n²).
    public func reciprocalCondition() throws(LinearAlgebraError) -> Scalar {
        if singularPivot != nil { return 0 }
        var result: Scalar = 0
        let info = unsafe Scalar.gecon(size, factor.storage, oneNorm, &result)
        try checkArguments(info, "condition estimate")
        return result
    }

    private var permutationSign: Scalar {
        exchanges.enumerated().reduce(1) { $1.element == Int32($1.offset + 1) ? $0 : -$0 }
    }
}
