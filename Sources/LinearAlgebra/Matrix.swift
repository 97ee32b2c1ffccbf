import Kernels

/// A dense matrix, row-major over one array: element (i, j) lies at `elements[i * columns + j]`.
///
/// A user's array goes in and comes out without copying: ``init(rows:columns:elements:)`` moves it in, ``elements``
/// lends it. Any size may be zero.
///
/// Differs from NumPy: `==` compares whole matrices, `*` is the matrix product, and a row is a `Span` (``row(_:)``),
/// not an alias that outlives the matrix.
public struct Matrix<Scalar: KernelScalar>: Sendable, Hashable {
    public let rows: Int
    public let columns: Int

    @usableFromInline var storage: [Scalar]

    /// The elements, row after row; `elements.count == rows * columns`, also after an assignment (a precondition).
    @inlinable public var elements: [Scalar] {
        get { storage }
        _modify {
            defer { requireElementCount(storage.count, rows, columns) }
            yield &storage
        }
        set {
            requireElementCount(newValue.count, rows, columns)
            storage = newValue
        }
    }

    /// A matrix over `elements`, which are moved, not copied.
    ///
    /// - Precondition: `rows` and `columns` are not negative, and `elements.count == rows * columns`.
    public init(rows: Int, columns: Int, elements: [Scalar]) {
        requireShape(rows, columns)
        requireElementCount(elements.count, rows, columns)
        self.rows = rows
        self.columns = columns
        self.storage = elements
    }

    /// The element in row `row` and column `column`, both counted from 0.
    ///
    /// - Precondition: both are in range.
    /// - Complexity: O(1), with two range checks; loops over whole rows are faster by ``row(_:)``.
    @inlinable public subscript(row: Int, column: Int) -> Scalar {
        get {
            requireIndex(row, column)
            return storage[row &* columns &+ column]
        }
        set {
            requireIndex(row, column)
            storage[row &* columns &+ column] = newValue
        }
    }

    @inlinable @inline(__always) func requireIndex(_ row: Int, _ column: Int) {
        if UInt(bitPattern: row) >= UInt(bitPattern: rows) || UInt(bitPattern: column) >= UInt(bitPattern: columns) {
            indexOutOfRange(row, column)
        }
    }

    @usableFromInline func indexOutOfRange(_ row: Int, _ column: Int) -> Never {
        fatalError("element (\(row), \(column)) of a \(rows)×\(columns) matrix")
    }

    /// Whether the matrix has no elements.
    public var isEmpty: Bool { storage.isEmpty }

    /// Whether there are as many rows as columns.
    public var isSquare: Bool { rows == columns }
}

@usableFromInline func requireElementCount(_ count: Int, _ rows: Int, _ columns: Int) {
    require(count == rows * columns,
            "\(count) elements for a \(rows)×\(columns) matrix; expected \(rows * columns)")
}

func requireShape(_ rows: Int, _ columns: Int) {
    require(rows >= 0 && columns >= 0, "shape is \(rows)×\(columns); expected no negative size")
}

func requireSquare(_ rows: Int, _ columns: Int, _ operation: String) {
    require(rows == columns, "\(operation) of a \(rows)×\(columns) matrix; expected a square one")
}

func requireCount(_ count: Int, _ expected: Int, _ what: @autoclosure () -> String) {
    require(count == expected, "\(what()) has \(count) elements; expected \(expected)")
}

extension Matrix: Codable {
    private enum CodingKeys: String, CodingKey {
        case rows, columns, elements
    }

    /// Decodes what `encode(to:)` wrote.
    ///
    /// - Throws: `DecodingError.dataCorrupted` if a size is negative or the number of elements is not their product.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let rows = try container.decode(Int.self, forKey: .rows)
        let columns = try container.decode(Int.self, forKey: .columns)
        let elements = try container.decode([Scalar].self, forKey: .elements)
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows >= 0, columns >= 0, !overflow, count == elements.count else {
            throw DecodingError.dataCorruptedError(
                forKey: .elements, in: container,
                debugDescription: "\(elements.count) elements for a \(rows)×\(columns) matrix")
        }
        self.init(rows: rows, columns: columns, elements: elements)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rows, forKey: .rows)
        try container.encode(columns, forKey: .columns)
        try container.encode(storage, forKey: .elements)
    }
}

extension Matrix: CustomStringConvertible {
    /// The shape, and the rows where there are at most 16 rows and 16 columns.
    public var description: String {
        guard rows <= 16, columns <= 16 else { return "\(rows)×\(columns) matrix" }
        let lines = (0..<rows).map { i in "[" + (0..<columns).map { "\(self[i, $0])" }.joined(separator: ", ") + "]" }
        return "\(rows)×\(columns) matrix [" + lines.joined(separator: ", ") + "]"
    }
}
