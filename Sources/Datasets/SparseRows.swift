import Kernels
import LinearAlgebra

/// Rows of a sparse matrix as a file lists them: compressed sparse rows.
public struct SparseRows<Scalar: KernelScalar>: Sendable, Hashable {
    public let columns: Int
    /// Row i has the entries `rowStarts[i]..<rowStarts[i + 1]`; one more number than rows.
    public let rowStarts: [Int]
    /// The column of each entry, ascending within a row.
    public let columnIndices: [Int]
    /// The value of each entry.
    public let values: [Scalar]

    public var rows: Int { rowStarts.count - 1 }

    /// The dense matrix, `rows` × `columns` numbers.
    public func matrix() -> Matrix<Scalar> {
        var elements = [Scalar](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for k in rowStarts[row]..<rowStarts[row + 1] { elements[row * columns + columnIndices[k]] = values[k] }
        }
        return Matrix(rows: rows, columns: columns, elements: elements)
    }
}
