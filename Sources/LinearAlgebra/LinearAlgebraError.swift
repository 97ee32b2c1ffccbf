/// What data can do to a factorisation, a solve or a sparse matrix. Rows, columns and pivots count from 0.
public enum LinearAlgebraError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An input has a NaN or an infinity at this place. For a vector `column` is 0. Inputs are searched before LAPACK runs.
    case nonFinite(row: Int, column: Int)
    /// The leading block that ends at this pivot is not positive definite, so there is no Cholesky factor.
    case notPositiveDefinite(pivot: Int)
    /// A pivot is exactly zero, so the matrix has no inverse.
    case singular(pivot: Int)
    /// An iteration of LAPACK did not converge; `unconverged` of its intermediate values (off-diagonals) are left over.
    case noConvergence(method: String, unconverged: Int)
    /// The exact result, or a number on the way to it, is too large for the scalar type.
    case overflow(operation: String)
    /// The work space for this operation could not be had.
    case outOfMemory(operation: String)
    /// The row offsets of a CSR matrix are not `rows + 1` numbers from 0 up to the number of values, never falling.
    /// `row` is the first row that breaks this, and `rows` where the count or the last offset does.
    case malformedRowOffsets(row: Int)
    /// A row of a sparse matrix names a column outside 0 ..< `columns`, or a triplet an element outside the shape.
    case indexOutOfRange(row: Int, column: Int, rows: Int, columns: Int)
    /// In this row of a CSR matrix the columns do not rise strictly from the entry before to `column`.
    case unsortedColumns(row: Int, column: Int)
    /// The arrays of a sparse matrix differ in length.
    case unequalCounts(indices: Int, values: Int)

    public var description: String {
        switch self {
        case .nonFinite(let row, let column):
            "element (\(row), \(column)) is not finite; expected no NaN or infinity"
        case .notPositiveDefinite(let pivot):
            "not positive definite at pivot \(pivot): the leading \(pivot + 1)×\(pivot + 1) block has no Cholesky factor"
        case .singular(let pivot):
            "singular: pivot \(pivot) is exactly zero"
        case .noConvergence(let method, let unconverged):
            "\(method) did not converge: \(unconverged) values are left over"
        case .overflow(let operation):
            "\(operation): the result is too large for the scalar type"
        case .outOfMemory(let operation):
            "\(operation): no memory for the work space"
        case .malformedRowOffsets(let row):
            "row offsets break at row \(row); expected rows + 1 offsets from 0 to the number of values, never falling"
        case .indexOutOfRange(let row, let column, let rows, let columns):
            "element (\(row), \(column)) lies outside a \(rows)×\(columns) matrix"
        case .unsortedColumns(let row, let column):
            "row \(row): column \(column) does not come after the one before it; expected strictly rising columns"
        case .unequalCounts(let indices, let values):
            "\(indices) column indices and \(values) values; expected equal counts"
        }
    }
}
