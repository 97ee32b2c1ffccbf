import Kernels
import LinearAlgebra

/// A matrix of 32-bit integers, row-major: the exact result of a bit product.
public struct IntegerMatrix: Sendable, Hashable {
    public let rows: Int
    public let columns: Int
    /// Row after row; `elements.count == rows * columns`.
    public internal(set) var elements: [Int32]

    init(zeros rows: Int, _ columns: Int) {
        self.rows = rows
        self.columns = columns
        elements = [Int32](repeating: 0, count: rows * columns)
    }

    /// Element (i, j).
    public subscript(row: Int, column: Int) -> Int32 {
        require(0..<rows ~= row && 0..<columns ~= column, "element (\(row), \(column)) of a \(rows)×\(columns) matrix")
        return elements[row * columns + column]
    }

    /// Row i, without copying.
    public subscript(row row: Int) -> ArraySlice<Int32> {
        require(0..<rows ~= row, "row \(row) of a \(rows)×\(columns) matrix")
        return elements[row * columns..<(row + 1) * columns]
    }
}

extension Matrix {
    /// The integers as floating-point numbers; exact up to 2²⁴ in Float.
    public init(_ integers: IntegerMatrix) {
        self.init(rows: integers.rows, columns: integers.columns, elements: integers.elements.map { Scalar($0) })
    }
}
