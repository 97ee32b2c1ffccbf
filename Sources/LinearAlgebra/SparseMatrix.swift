import Kernels

/// A sparse matrix in compressed rows (CSR).
///
/// Row i holds the entries `rowOffsets[i] ..< rowOffsets[i + 1]` of `columnIndices` and `values`, with strictly rising
/// columns. Column indices are `Int32`: a product reads one for each value, so 64 bits would cost a third more memory
/// traffic in `Double`, and half as much again in `Float`; row offsets are `Int`, since there are few of them and the number
/// of entries may pass 2³¹. Stored zeros are allowed and kept.
public struct SparseMatrix<Scalar: KernelScalar>: Sendable, Hashable {
    public let rows: Int
    public let columns: Int
    /// Where each row begins, and at the end the number of entries: `rows + 1` numbers.
    public let rowOffsets: [Int]
    /// The column of each entry.
    public let columnIndices: [Int32]
    /// The value of each entry. May be replaced, not resized (a precondition).
    public var values: [Scalar] {
        didSet { requireCount(values.count, columnIndices.count, "list of values") }
    }

    /// The number of stored entries.
    public var entryCount: Int { values.count }

    /// A matrix over raw arrays, which are moved, not copied.
    ///
    /// - Precondition: sizes are not negative, and `columns` is at most 2³¹ − 1.
    /// - Throws: ``LinearAlgebraError/malformedRowOffsets(row:)``, ``LinearAlgebraError/unequalCounts(indices:values:)``,
    ///   ``LinearAlgebraError/indexOutOfRange(row:column:rows:columns:)``, ``LinearAlgebraError/unsortedColumns(row:column:)``.
    /// - Complexity: O(`rows` + entries).
    public init(
        rows: Int, columns: Int, rowOffsets: [Int], columnIndices: [Int32], values: [Scalar]
    ) throws(LinearAlgebraError) {
        requireShape(rows, columns)
        _ = size32(columns)
        guard rowOffsets.count == rows + 1 else { throw .malformedRowOffsets(row: rows) }
        guard columnIndices.count == values.count else {
            throw .unequalCounts(indices: columnIndices.count, values: values.count)
        }
        guard rowOffsets[0] == 0 else { throw .malformedRowOffsets(row: 0) }
        guard rowOffsets[rows] == values.count else { throw .malformedRowOffsets(row: rows) }
        for i in 0..<rows {
            guard rowOffsets[i + 1] >= rowOffsets[i], rowOffsets[i + 1] <= values.count else {
                throw .malformedRowOffsets(row: i)
            }
            var last: Int32 = -1
            for column in columnIndices[rowOffsets[i]..<rowOffsets[i + 1]] {
                guard column >= 0, column < columns else {
                    throw .indexOutOfRange(row: i, column: Int(column), rows: rows, columns: columns)
                }
                guard column > last else { throw .unsortedColumns(row: i, column: Int(column)) }
                last = column
            }
        }
        self.init(rows, columns, rowOffsets, columnIndices, values)
    }

    /// A matrix over arrays that are known to be right.
    init(_ rows: Int, _ columns: Int, _ rowOffsets: [Int], _ columnIndices: [Int32], _ values: [Scalar]) {
        self.rows = rows
        self.columns = columns
        self.rowOffsets = rowOffsets
        self.columnIndices = columnIndices
        self.values = values
    }

    /// A stored element of a row.
    public struct Entry: Sendable, Hashable {
        public let column: Int
        public let value: Scalar
    }

    /// The stored entries of row `index`, by rising column. A copy; the arrays themselves are there for hot loops.
    ///
    /// - Precondition: `index` is in range.
    public func row(_ index: Int) -> [Entry] {
        require(index >= 0 && index < rows, "row \(index) of a \(rows)×\(columns) matrix")
        return (rowOffsets[index]..<rowOffsets[index + 1]).map { Entry(column: Int(columnIndices[$0]), value: values[$0]) }
    }

    /// The element in row `row` and column `column`; 0 where no entry is stored.
    ///
    /// - Precondition: both are in range.
    /// - Complexity: O(log of the row's entries).
    public subscript(row: Int, column: Int) -> Scalar {
        require(row >= 0 && row < rows && column >= 0 && column < columns,
                "element (\(row), \(column)) of a \(rows)×\(columns) matrix")
        var low = rowOffsets[row], high = rowOffsets[row + 1]
        while low < high {
            let middle = (low + high) / 2
            if columnIndices[middle] < column { low = middle + 1 } else { high = middle }
        }
        return low < rowOffsets[row + 1] && columnIndices[low] == column ? values[low] : 0
    }

    /// A copy of the diagonal, min(`rows`, `columns`) elements.
    public var diagonal: [Scalar] { (0..<min(rows, columns)).map { self[$0, $0] } }

    /// The matrix with every element, zeros included.
    ///
    /// - Complexity: O(`rows` · `columns`).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func dense() -> Matrix<Scalar> {
        var result = Matrix<Scalar>.zeros(rows: rows, columns: columns)
        for i in 0..<rows {
            for k in rowOffsets[i]..<rowOffsets[i + 1] { result.storage[i * columns + Int(columnIndices[k])] = values[k] }
        }
        return result
    }

    /// The transpose, by counting the entries of each column.
    ///
    /// - Complexity: O(`rows` + `columns` + entries).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func transposed() -> SparseMatrix {
        _ = size32(rows)
        var offsets = [Int](repeating: 0, count: columns + 1)
        for column in columnIndices { offsets[Int(column) + 1] += 1 }
        for j in 0..<columns { offsets[j + 1] += offsets[j] }
        var next = offsets
        var indices = [Int32](repeating: 0, count: entryCount)
        var transposed: [Scalar] = zeroVector(entryCount)
        for i in 0..<rows {
            for k in rowOffsets[i]..<rowOffsets[i + 1] {
                let j = Int(columnIndices[k])
                indices[next[j]] = Int32(truncatingIfNeeded: i)
                transposed[next[j]] = values[k]
                next[j] += 1
            }
        }
        return SparseMatrix(columns, rows, offsets, indices, transposed)
    }
}

extension SparseMatrix: Codable {
    private enum CodingKeys: String, CodingKey {
        case rows, columns, rowOffsets, columnIndices, values
    }

    /// Decodes what `encode(to:)` wrote.
    ///
    /// - Throws: `DecodingError.dataCorrupted` with what is wrong with the arrays.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let rows = try container.decode(Int.self, forKey: .rows)
        let columns = try container.decode(Int.self, forKey: .columns)
        guard rows >= 0, columns >= 0, columns <= Int(Int32.max), rows < Int.max else {
            throw DecodingError.dataCorruptedError(forKey: .rows, in: container, debugDescription: "shape \(rows)×\(columns)")
        }
        do {
            try self.init(rows: rows, columns: columns, rowOffsets: container.decode([Int].self, forKey: .rowOffsets),
                          columnIndices: container.decode([Int32].self, forKey: .columnIndices),
                          values: container.decode([Scalar].self, forKey: .values))
        } catch let error as LinearAlgebraError {
            throw DecodingError.dataCorruptedError(forKey: .values, in: container, debugDescription: error.description)
        }
    }
}

extension SparseMatrix: CustomStringConvertible {
    public var description: String { "\(rows)×\(columns) sparse matrix with \(entryCount) entries" }
}
