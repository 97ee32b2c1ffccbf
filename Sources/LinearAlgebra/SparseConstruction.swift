import Kernels

extension SparseMatrix {
    /// One summand of an element.
    public struct Triplet: Sendable, Hashable {
        public let row: Int
        public let column: Int
        public let value: Scalar

        public init(row: Int, column: Int, value: Scalar) {
            self.row = row
            self.column = column
            self.value = value
        }
    }

    /// A matrix from triplets in any order. Those at the same place are added, in the order given; sums of zero are kept.
    ///
    /// - Precondition: sizes are not negative, and `columns` is at most 2³¹ − 1.
    /// - Throws: ``LinearAlgebraError/indexOutOfRange(row:column:rows:columns:)``.
    /// - Complexity: O(`rows` + t log r) for t triplets and r in the fullest row.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public init(rows: Int, columns: Int, triplets: [Triplet]) throws(LinearAlgebraError) {
        requireShape(rows, columns)
        _ = size32(columns)
        // Count, then place: row by row, in the order given.
        var starts = [Int](repeating: 0, count: rows + 1)
        for t in triplets {
            guard t.row >= 0, t.row < rows, t.column >= 0, t.column < columns else {
                throw .indexOutOfRange(row: t.row, column: t.column, rows: rows, columns: columns)
            }
            starts[t.row + 1] += 1
        }
        for i in 0..<rows { starts[i + 1] += starts[i] }
        var next = starts
        var order = [Int](repeating: 0, count: triplets.count)
        for (k, t) in triplets.enumerated() {
            order[next[t.row]] = k
            next[t.row] += 1
        }
        var offsets = [0], indices: [Int32] = [], values: [Scalar] = []
        offsets.reserveCapacity(rows + 1)
        indices.reserveCapacity(triplets.count)
        values.reserveCapacity(triplets.count)
        for i in 0..<rows {
            // The position breaks ties, so that the sums are added in the order given.
            let row = order[starts[i]..<starts[i + 1]].sorted { (triplets[$0].column, $0) < (triplets[$1].column, $1) }
            for k in row {
                let column = Int32(truncatingIfNeeded: triplets[k].column)
                if indices.count > offsets[i], indices.last == column {
                    values[values.count - 1] += triplets[k].value
                } else {
                    indices.append(column)
                    values.append(triplets[k].value)
                }
            }
            offsets.append(indices.count)
        }
        self.init(rows, columns, offsets, indices, values)
    }

    /// The entries of `dense` that are not zero; NaN is kept.
    ///
    /// - Complexity: O(`rows` · `columns`).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public init(_ dense: Matrix<Scalar>) {
        _ = size32(dense.columns)
        var offsets = [0], indices: [Int32] = [], values: [Scalar] = []
        for i in 0..<dense.rows {
            for j in 0..<dense.columns where dense[i, j] != 0 {
                indices.append(Int32(truncatingIfNeeded: j))
                values.append(dense[i, j])
            }
            offsets.append(indices.count)
        }
        self.init(dense.rows, dense.columns, offsets, indices, values)
    }

    /// The identity of the given size.
    public static func identity(_ size: Int) -> SparseMatrix {
        diagonal(Array(repeating: 1, count: size))
    }

    /// The square matrix with `values` on the diagonal.
    public static func diagonal(_ values: [Scalar]) -> SparseMatrix {
        SparseMatrix(values.count, values.count, Array(0...values.count), (0..<size32(values.count)).map { $0 }, values)
    }

    /// `factor` times the matrix, with the same pattern.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public static func * (factor: Scalar, a: SparseMatrix) -> SparseMatrix {
        SparseMatrix(a.rows, a.columns, a.rowOffsets, a.columnIndices, a.values.map { factor * $0 })
    }

    /// The sum; its pattern is the union of both, so sums of zero are kept.
    ///
    /// - Precondition: equal shapes.
    /// - Complexity: O(`rows` + entries of both).
    public static func + (a: SparseMatrix, b: SparseMatrix) -> SparseMatrix { a.adding(b, scale: 1) }

    /// The difference; its pattern is the union of both.
    ///
    /// - Precondition: equal shapes.
    public static func - (a: SparseMatrix, b: SparseMatrix) -> SparseMatrix { a.adding(b, scale: -1) }

    /// `self` + `scale`·`other`; the pattern is the union of both.
    ///
    /// - Precondition: equal shapes.
    /// - Complexity: O(`rows` + entries of both).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func adding(_ other: SparseMatrix, scale: Scalar) -> SparseMatrix {
        require(rows == other.rows && columns == other.columns,
                "shapes \(rows)×\(columns) and \(other.rows)×\(other.columns) differ; expected equal shapes")
        var offsets = [0], indices: [Int32] = [], sums: [Scalar] = []
        indices.reserveCapacity(entryCount + other.entryCount)
        sums.reserveCapacity(entryCount + other.entryCount)
        for i in 0..<rows {
            var k = rowOffsets[i], l = other.rowOffsets[i]
            let kEnd = rowOffsets[i + 1], lEnd = other.rowOffsets[i + 1]
            while k < kEnd || l < lEnd {
                let left = k < kEnd ? columnIndices[k] : .max
                let right = l < lEnd ? other.columnIndices[l] : .max
                indices.append(min(left, right))
                var sum: Scalar = 0
                if left <= right {
                    sum = values[k]
                    k += 1
                }
                if right <= left {
                    sum += scale * other.values[l]
                    l += 1
                }
                sums.append(sum)
            }
            offsets.append(indices.count)
        }
        return SparseMatrix(rows, columns, offsets, indices, sums)
    }
}
