import Kernels

/// A dense matrix, row-major over one array: element (i, j) lies at `elements[i * columns + j]`.
public struct Matrix<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let rows: Int
    public let columns: Int

    /// The elements, row after row; `elements.count == rows * columns`.
    public var elements: [Scalar] {
        didSet {
            require(elements.count == rows * columns,
                         "\(elements.count) elements for a \(rows)×\(columns) matrix; expected \(rows * columns)")
        }
    }

    /// A matrix over `elements`, which are moved, not copied.
    ///
    /// - Precondition: `rows` and `columns` are not negative, and `elements.count == rows * columns`.
    public init(rows: Int, columns: Int, elements: [Scalar]) {
        require(rows >= 0 && columns >= 0, "shape is \(rows)×\(columns); expected no negative size")
        require(elements.count == rows * columns,
                     "\(elements.count) elements for a \(rows)×\(columns) matrix; expected \(rows * columns)")
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    @inlinable public subscript(row: Int, column: Int) -> Scalar {
        get { elements[row * columns + column] }
        set { elements[row * columns + column] = newValue }
    }
}
