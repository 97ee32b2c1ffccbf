import CKernels
import Synchronization

// Witnesses of KernelScalar: one call of C for each part of the product.

/// op(A)·op(B): the shapes of a product and how the rows of its matrices lie, where op transposes if asked to.
public struct MatrixProductForm: Sendable, Hashable {
    /// Rows and columns of the product, and the extent that is summed over.
    public let rows: Int, columns: Int, inner: Int
    public let transposeA: Bool, transposeB: Bool
    /// From one row to the next, of A and B as they lie, and of the product.
    public let strideA: Int, strideB: Int, stride: Int

    /// - Precondition: no extent is negative, and the strides are at least the lengths of their rows.
    public init(
        rows: Int, columns: Int, inner: Int, transposeA: Bool = false, transposeB: Bool = false, strideA: Int? = nil, strideB: Int? = nil,
        stride: Int? = nil
    ) {
        require(min(rows, columns, inner) >= 0, "product of \(rows)×\(inner) by \(inner)×\(columns); expected no negative number")
        let widthA = transposeA ? rows : inner, widthB = transposeB ? inner : columns
        (self.strideA, self.strideB, self.stride) = (strideA ?? widthA, strideB ?? widthB, stride ?? columns)
        require(self.strideA >= widthA && self.strideB >= widthB && self.stride >= columns,
                "row strides \(self.strideA), \(self.strideB) and \(self.stride); expected at least \(widthA), \(widthB) and \(columns)")
        (self.rows, self.columns, self.inner) = (rows, columns, inner)
        (self.transposeA, self.transposeB) = (transposeA, transposeB)
    }

    /// The elements from the first to the last of each matrix.
    public var countA: Int { transposeA ? extent(inner, rows, strideA) : extent(rows, inner, strideA) }
    public var countB: Int { transposeB ? extent(columns, inner, strideB) : extent(inner, columns, strideB) }
    public var count: Int { extent(rows, columns, stride) }

    private func extent(_ rows: Int, _ columns: Int, _ stride: Int) -> Int {
        rows > 0 && columns > 0 ? (rows - 1) * stride + columns : 0
    }

    fileprivate func requireCounts(_ a: Int, _ b: Int, row: Int, _ c: Int) {
        require(a >= countA && b >= countB && c >= count,
                "product of \(a) by \(b) elements into \(c); expected at least \(countA), \(countB) and \(count)")
        require(row == 0 || row == columns, "a row of \(row) elements for \(columns) columns; expected one each, or none")
    }

    /// Calls `body` with the first row, the rows, the first column and the columns of each part of the product, on up to
    /// ``Threads/count`` threads. Parts are whole tiles, along the longer side, and worth a thread.
    fileprivate func forEachPart(_ body: @Sendable (Range<Int>, Range<Int>) -> Void) {
        let work = rows * columns * inner, parts = max(1, min(Threads.count, work >> 20))
        guard parts > 1, !Threads.isInsideParallelRegion else { return body(0..<rows, 0..<columns) }
        let byRows = rows >= columns, whole = byRows ? rows : columns, tile = byRows ? 14 : 32
        let tiles = (whole + tile - 1) / tile
        concurrentPerform(iterations: min(parts, tiles)) { part in
            let parts = min(parts, tiles)
            let range = min(whole, part * tiles / parts * tile)..<min(whole, (part + 1) * tiles / parts * tile)
            if byRows { body(range, 0..<columns) } else { body(0..<rows, range) }
        }
    }
}

/// Room for the blocks of factors that a product packs. It is kept from one product to the next, so that it stays in the cache.
private enum ProductWorkspace {
    private static let free = Mutex<[Room]>([])

    /// Large enough for either element type; as many exist as were in use at once.
    @safe private struct Room: @unchecked Sendable {
        let start = UnsafeMutableRawPointer.allocate(byteCount: Int(DSC_MATRIX_WORK) * MemoryLayout<Double>.stride, alignment: 64)
    }

    static func with<Scalar>(_: Scalar.Type, _ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        let room = free.withLock { $0.popLast() } ?? Room()
        unsafe body(room.start.assumingMemoryBound(to: Scalar.self))
        free.withLock { $0.append(room) }
    }
}

/// What C is called with, shared among threads that write disjoint parts of `result`.
@unsafe private struct ProductOperands<Scalar>: @unchecked Sendable {
    let a: UnsafePointer<Scalar>, b: UnsafePointer<Scalar>, row: UnsafePointer<Scalar>? // nil for none, not for empty
    let result: UnsafeMutablePointer<Scalar>
}

extension Float {
    public static func multiply(
        _ form: MatrixProductForm, alpha: Float, _ a: Span<Float>, _ b: Span<Float>, beta: Float, row: Span<Float>,
        into c: inout MutableSpan<Float>
    ) {
        form.requireCounts(a.count, b.count, row: row.count, c.count)
        guard form.count > 0, form.inner > 0 else { return scaleRows(form, by: beta, adding: row, &c) }
        let hasRow = !row.isEmpty
        unsafe withPointers(a, b, row) { a, b, row in
            unsafe c.withUnsafeMutableBufferPointer { c in
                let o = unsafe ProductOperands(a: a!, b: b!, row: hasRow ? row : nil, result: c.baseAddress!)
                form.forEachPart { rows, columns in
                    unsafe ProductWorkspace.with(Float.self) { work in
                        let i = rows.lowerBound, j = columns.lowerBound
                        let skipA = form.transposeA ? i : i * form.strideA, skipB = form.transposeB ? j * form.strideB : j
                        unsafe dsc_matrix_product_f32(
                            form.transposeA ? 1 : 0, form.transposeB ? 1 : 0, rows.count, columns.count, form.inner, alpha,
                            form.countA - skipA, o.a + skipA, form.strideA, form.countB - skipB, o.b + skipB, form.strideB, beta,
                            o.row == nil ? 0 : columns.count, o.row.map { unsafe $0 + j }, form.count - i * form.stride - j,
                            o.result + i * form.stride + j, form.stride, Int(DSC_MATRIX_WORK), work)
                    }
                }
            }
        }
    }
}

extension Double {
    public static func multiply(
        _ form: MatrixProductForm, alpha: Double, _ a: Span<Double>, _ b: Span<Double>, beta: Double, row: Span<Double>,
        into c: inout MutableSpan<Double>
    ) {
        form.requireCounts(a.count, b.count, row: row.count, c.count)
        guard form.count > 0, form.inner > 0 else { return scaleRows(form, by: beta, adding: row, &c) }
        let hasRow = !row.isEmpty
        unsafe withPointers(a, b, row) { a, b, row in
            unsafe c.withUnsafeMutableBufferPointer { c in
                let o = unsafe ProductOperands(a: a!, b: b!, row: hasRow ? row : nil, result: c.baseAddress!)
                form.forEachPart { rows, columns in
                    unsafe ProductWorkspace.with(Double.self) { work in
                        let i = rows.lowerBound, j = columns.lowerBound
                        let skipA = form.transposeA ? i : i * form.strideA, skipB = form.transposeB ? j * form.strideB : j
                        unsafe dsc_matrix_product_f64(
                            form.transposeA ? 1 : 0, form.transposeB ? 1 : 0, rows.count, columns.count, form.inner, alpha,
                            form.countA - skipA, o.a + skipA, form.strideA, form.countB - skipB, o.b + skipB, form.strideB, beta,
                            o.row == nil ? 0 : columns.count, o.row.map { unsafe $0 + j }, form.count - i * form.stride - j,
                            o.result + i * form.stride + j, form.stride, Int(DSC_MATRIX_WORK), work)
                    }
                }
            }
        }
    }
}

extension KernelScalar {
    /// c ← `beta`·c + row, row by row: a product with nothing to sum over. With `beta` = 0 the old c is not read.
    fileprivate static func scaleRows(_ form: MatrixProductForm, by beta: Self, adding row: Span<Self>, _ c: inout MutableSpan<Self>) {
        guard form.columns > 0 else { return }
        for i in 0..<form.rows {
            for j in 0..<form.columns {
                let old = beta == 0 ? 0 : beta * c[i * form.stride + j]
                c[i * form.stride + j] = row.isEmpty ? old : old + row[j]
            }
        }
    }
}
