import Kernels

extension SparseMatrix {
    /// The product with a column vector.
    ///
    /// - Precondition: the vector has as many elements as the matrix has columns.
    public static func * (a: SparseMatrix, x: [Scalar]) -> [Scalar] {
        var y: [Scalar] = zeroVector(a.rows)
        var span = y.mutableSpan
        a.multiply(x.span, into: &span)
        return y
    }

    /// The product with a dense matrix.
    ///
    /// - Precondition: B has as many rows as the matrix has columns.
    public static func * (a: SparseMatrix, b: Matrix<Scalar>) -> Matrix<Scalar> {
        var c = Matrix<Scalar>.zeros(rows: a.rows, columns: b.columns)
        a.multiply(b, into: &c)
        return c
    }

    /// y ← A·x. Rows go over the threads in parts of equally many entries; each row is added from left to right, so
    /// the result has the same bits for any number of threads.
    ///
    /// - Precondition: `x` has as many elements as there are columns, `y` as many as there are rows.
    /// - Complexity: O(`rows` + entries); 12 bytes read for each entry in `Double`, 8 in `Float`, and x.
    public func multiply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        requireCount(x.count, columns, "vector factor of a \(rows)×\(columns) matrix")
        requireCount(y.count, rows, "result of a \(rows)×\(columns) matrix")
        unsafe x.withUnsafeBufferPointer { x in
            unsafe y.withUnsafeMutableBufferPointer { y in
                // Each part writes rows of its own.
                nonisolated(unsafe) let (x, y) = unsafe (x, y)
                overRowParts(workPerEntry: 1) { range in
                    unsafe multiplyRows(range, x, y)
                }
            }
        }
    }

    /// y ← Aᵀ·x, on one thread: each row of A is scattered into y. Where this is hot, keep ``transposed()`` and multiply by it.
    ///
    /// - Precondition: `x` has as many elements as there are rows, `y` as many as there are columns.
    /// - Complexity: O(`rows` + `columns` + entries).
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public func multiplyTransposed(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        requireCount(x.count, rows, "vector factor of the transpose of a \(rows)×\(columns) matrix")
        requireCount(y.count, columns, "result of the transpose of a \(rows)×\(columns) matrix")
        for j in 0..<y.count { y[j] = 0 }
        for i in 0..<rows {
            let factor = x[i]
            for k in rowOffsets[i]..<rowOffsets[i + 1] { y[Int(columnIndices[k])] += factor * values[k] }
        }
    }

    /// C ← A·B with B and C dense, split over the threads as the product with a vector is.
    ///
    /// - Precondition: B has as many rows as A has columns, and C the shape of the product.
    /// - Complexity: O((`rows` + entries) · columns of B).
    public func multiply(_ b: Matrix<Scalar>, into c: inout Matrix<Scalar>) {
        require(b.rows == columns, "product of \(rows)×\(columns) by \(b.rows)×\(b.columns); expected inner sizes to agree")
        require(c.rows == rows && c.columns == b.columns,
                "product of \(rows)×\(columns) by \(b.rows)×\(b.columns) into \(c.rows)×\(c.columns)")
        let n = b.columns
        unsafe b.storage.withUnsafeBufferPointer { b in
            unsafe c.storage.withUnsafeMutableBufferPointer { c in
                nonisolated(unsafe) let (b, c) = unsafe (b, c)
                overRowParts(workPerEntry: max(1, n)) { range in
                    unsafe multiplyRows(range, b, c, n)
                }
            }
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func multiplyRows(
        _ range: Range<Int>, _ x: UnsafeBufferPointer<Scalar>, _ y: UnsafeMutableBufferPointer<Scalar>
    ) {
        for i in range {
            var sum: Scalar = 0
            for k in rowOffsets[i]..<rowOffsets[i + 1] {
                sum += unsafe values[k] * x[Int(columnIndices[k])]
            }
            unsafe y[i] = sum
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func multiplyRows(
        _ range: Range<Int>, _ b: UnsafeBufferPointer<Scalar>, _ c: UnsafeMutableBufferPointer<Scalar>, _ n: Int
    ) {
        for i in range {
            let row = i * n
            for j in 0..<n { unsafe c[row + j] = 0 }
            for k in rowOffsets[i]..<rowOffsets[i + 1] {
                let value = values[k], other = Int(columnIndices[k]) * n
                for j in 0..<n { unsafe c[row + j] += unsafe value * b[other + j] }
            }
        }
    }

    /// Runs `body` over ranges of rows that together cover all, with about equally many entries each. Small products
    /// stay in one range, on the caller's thread.
    private func overRowParts(workPerEntry: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let smallestPart = 16384
        let parts = min(rows, 4 * Threads.count, (rows + entryCount) * workPerEntry / smallestPart)
        guard parts > 1, Threads.count > 1 else { return body(0..<rows) }
        // A row costs one unit besides its entries, so that empty rows are spread too.
        let total = rows + entryCount
        let bounds = (0...parts).map { part in firstRow(reaching: total * part / parts) }
        concurrentPerform(iterations: parts) { part in body(bounds[part]..<bounds[part + 1]) }
    }

    /// The first row i with i + rowOffsets[i] ≥ `work`.
    private func firstRow(reaching work: Int) -> Int {
        var low = 0, high = rows
        while low < high {
            let middle = (low + high) / 2
            if middle + rowOffsets[middle] < work { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
