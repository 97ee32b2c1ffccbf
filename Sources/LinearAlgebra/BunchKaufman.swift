import Kernels

/// The factorisation P·A·Pᵀ = L·D·Lᵀ of a symmetric matrix that may be indefinite (LAPACK `sytrf`, Bunch and Kaufman), D with blocks of order 1 and 2.
///
/// Only the lower triangle of A is read. Half the operations of ``LU``, and no transposition: for saddle points and shifted Hessians.
public struct BunchKaufman<Scalar: KernelScalar>: Sendable {
    /// The number of rows and of columns.
    public let size: Int
    /// The first block of D that is exactly singular; `nil` if A has an inverse.
    public let singularPivot: Int?
    private let factor: Matrix<Scalar>
    private let exchanges: [Int32]

    /// Factorises `matrix`.
    ///
    /// - Precondition: the matrix is square.
    /// - Throws: ``LinearAlgebraError/nonFinite(row:column:)`` (lower triangle); ``LinearAlgebraError/overflow(operation:)``;
    ///   ``LinearAlgebraError/outOfMemory(operation:)``.
    /// - Complexity: n³/3 operations.
    public init(_ matrix: Matrix<Scalar>) throws(LinearAlgebraError) {
        requireSquare(matrix.rows, matrix.columns, "Bunch–Kaufman factorisation")
        try matrix.requireFinite(.lower)
        size = matrix.rows
        var factor = matrix
        var exchanges = [Int32](repeating: 0, count: size)
        // LAPACK refuses the work space that it asks for itself at order 0.
        let info = size == 0 ? 0 : unsafe Scalar.sytrf(Triangle.lower.swapped, size, &factor.storage, &exchanges)
        try checkArguments(info, "Bunch–Kaufman factorisation")
        // The upper triangle is that of the argument, and not part of the factor.
        for i in 0..<size where firstNonFinite(factor.row(i).extracting(0..<i + 1)) != nil { throw .overflow(operation: "Bunch–Kaufman factorisation") }
        (self.factor, self.exchanges) = (factor, exchanges)
        singularPivot = info > 0 ? Int(info) - 1 : nil
    }

    /// A⁻¹·b.
    ///
    /// - Precondition: `b` has ``size`` elements.
    /// - Throws: ``LinearAlgebraError/singular(pivot:)``; ``LinearAlgebraError/nonFinite(row:column:)`` for `b`;
    ///   ``LinearAlgebraError/overflow(operation:)``.
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
        if let singularPivot { throw .singular(pivot: singularPivot) }
        return try unsafe b.solvedByColumns(size, "Bunch–Kaufman solve") { x, count in
            unsafe Scalar.sytrs(Triangle.lower.swapped, size, count, factor.storage, exchanges, x)
        }
    }
}
