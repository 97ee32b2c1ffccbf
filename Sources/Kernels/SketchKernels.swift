import CKernels

// Witnesses of KernelScalar: one call of C for each strip of columns.

private func requirePowerOfTwo(_ count: Int, _ name: String) {
    require(count >= 0 && count & (count - 1) == 0, "a Walsh–Hadamard transform of \(count) \(name); expected a power of two")
}

private func requireMatrix(_ name: String, _ rows: Int, _ columns: Int, _ count: Int) {
    require(rows >= 0 && columns >= 0, "\(name) is \(rows)×\(columns); expected no negative size")
    let (needed, overflow) = rows.multipliedReportingOverflow(by: columns)
    require(!overflow && count == needed, "\(name) has \(count) elements; expected \(rows)·\(columns)")
}

func requireTargets(_ targets: Span<Int32>, _ rows: Int, _ each: Int, _ bound: Int) {
    require(each >= 0 && targets.count == rows * each, "\(targets.count) targets; expected \(each) for each of \(rows) rows")
    var largest: Int32 = -1
    for i in targets.indices { largest = max(largest, targets[i] ^ (targets[i] >> 31)) }
    require(Int(largest) < bound, "target \(largest) of \(bound) rows; expected one of 0 ..< \(bound)")
}

private func requireGather(_ columns: Int, _ x: Int, _ targets: Span<Int32>, _ y: Int) {
    require(columns >= 0 && y == targets.count * columns, "\(targets.count) rows of \(columns) into \(y) elements")
    require(columns > 0 ? x % columns == 0 : x == 0, "X has \(x) elements; expected whole rows of \(columns)")
    // The largest as unsigned number is a negative one, if there is one.
    var largest: UInt32 = 0
    for i in targets.indices { largest = max(largest, UInt32(bitPattern: targets[i])) }
    require(targets.isEmpty || columns == 0 || Int(largest) < x / columns,
            "target \(Int32(bitPattern: largest)) of \(columns == 0 ? 0 : x / columns) rows; expected one of 0 ..< \(columns == 0 ? 0 : x / columns)")
}

private func requireGram(_ columns: Int, _ x: Int, _ targets: Span<Int32>, _ b: Int, _ gram: Int, _ g: Int) {
    requireGather(columns, x, targets, targets.count * columns)
    require(b == targets.count && gram == columns * columns && g == columns,
            "b has \(b) elements, the Gram matrix \(gram), Aᵀb \(g); expected \(targets.count), \(columns * columns) and \(columns)")
}

/// The columns of a thread, a multiple of 64 bytes.
private func stripWidth(_ columns: Int, _ size: Int) -> Int {
    let line = 64 / size, share = (columns + Threads.count - 1) / Threads.count
    return max(line, (share + line - 1) / line * line)
}

/// Calls `body` for strips of `width` columns, on up to ``Threads/count`` threads; `buffer` holds the matrix whose columns they are.
private func forEachStrip<Element>(
    of columns: Int, width: Int, _ buffer: UnsafeMutableBufferPointer<Element>,
    _ body: @Sendable (_ buffer: UnsafeMutableBufferPointer<Element>, _ start: Int, _ width: Int) -> Void
) {
    guard !buffer.isEmpty else { return }
    // Strips have no element in common.
    nonisolated(unsafe) let buffer = unsafe buffer
    concurrentPerform(iterations: (columns + width - 1) / width) { strip in
        unsafe body(buffer, strip * width, min(width, columns - strip * width))
    }
}

/// Rows that one part of a pass over a matrix takes: at most 64 parts, none of fewer than 512 rows.
private func partRows(_ rows: Int) -> Int { max(512, ((rows + 63) / 64 + 3) / 4 * 4) }

private func requireResidual(
    _ rows: Int, _ columns: Int, _ a: Int, _ x: Int, _ b: Int, _ r: Int, _ g: Int
) {
    requireMatrix("A", rows, columns, a)
    require(x == columns && g == columns, "x and its pullback have \(x) and \(g) elements; expected \(columns)")
    require(b == rows && r == rows, "b and the residual have \(b) and \(r) elements; expected \(rows)")
}

/// Calls `body` for each part of the rows with its first row, their number and the part's own row of `partial`.
private func forEachRowPart<Element>(
    _ rows: Int, _ residual: UnsafeMutableBufferPointer<Element>, _ partial: UnsafeMutableBufferPointer<Element>, columns: Int,
    _ body: @Sendable (_ first: Int, _ count: Int, _ r: UnsafeMutablePointer<Element>, _ g: UnsafeMutablePointer<Element>) -> Void
) {
    let height = partRows(rows)
    // Parts have no element in common.
    nonisolated(unsafe) let residual = unsafe residual, partial = unsafe partial
    concurrentPerform(iterations: (rows + height - 1) / height) { part in
        let first = part * height
        unsafe body(first, min(height, rows - first), residual.baseAddress! + first, partial.baseAddress! + part * columns)
    }
}

private func requireSums(_ sums: SignedRowSums, _ columns: Int, _ x: Int, _ y: Int) {
    requireMatrix("X", sums.rows, columns, x)
    requireMatrix("Y", sums.targetRows, columns, y)
}

/// The parts of ``KernelScalar/sumRows(_:columns:of:scale:into:)`` that do not depend on the type, with the two kernels.
private func sumRowsByStrips<Element>(
    _ sums: SignedRowSums, columns: Int, of x: UnsafePointer<Element>, into y: UnsafeMutablePointer<Element>,
    add: @Sendable (
        _ block: SignedRowSums.Block, _ columns: Int, _ xStride: Int, _ xCount: Int, _ x: UnsafePointer<Element>, _ yStride: Int,
        _ yCount: Int, _ y: UnsafeMutablePointer<Element>) -> Void,
    copy: @Sendable (
        _ rows: Int, _ columns: Int, _ width: Int, _ scales: Bool, _ xStride: Int, _ x: UnsafePointer<Element>, _ yStride: Int,
        _ y: UnsafeMutablePointer<Element>) -> Void
) {
    let size = MemoryLayout<Element>.stride, d = sums.targetRows
    // Threads share neither strips nor elements of Y.
    nonisolated(unsafe) let x = unsafe x, y = unsafe y
    if sums.readsInPlace {
        let width = stripWidth(columns, size)
        concurrentPerform(iterations: (columns + width - 1) / width) { strip in
            let start = strip * width, own = min(width, columns - start)
            for block in sums.blocks {
                unsafe add(block, own, columns, sums.rows * columns - start, x + start, columns, d * columns - start, y + start)
            }
            unsafe copy(d, own, own, true, columns, y + start, columns, y + start)
        }
        return
    }
    let width = sums.stripWidth(columns: columns, size: size), strips = (columns + width - 1) / width
    let workers = min(Threads.isInsideParallelRegion ? 1 : Threads.count, strips)
    let blockRows = sums.blocks.map(\.rows).max() ?? 0
    concurrentPerform(iterations: workers) { worker in
        // The strips of Y and of a block of X, aligned to lines.
        let tileCount = blockRows * width, stripCount = d * width
        let memory = UnsafeMutableRawPointer.allocate(byteCount: (tileCount + stripCount) * size, alignment: 64)
        let tile = unsafe memory.bindMemory(to: Element.self, capacity: tileCount + stripCount), strip = unsafe tile + tileCount
        for s in strips * worker / workers..<strips * (worker + 1) / workers {
            let start = s * width, own = min(width, columns - start), padded = ((own * size + 63) / 64) * 64 / size
            unsafe UnsafeMutableRawPointer(strip).initializeMemory(as: UInt8.self, repeating: 0, count: d * padded * size)
            for block in sums.blocks {
                unsafe copy(block.rows, own, padded, false, columns, x + block.firstRow * columns + start, padded, tile)
                unsafe add(block, padded, padded, block.rows * padded, tile, padded, d * padded, strip)
            }
            unsafe copy(d, own, own, true, padded, strip, columns, y + start)
        }
        unsafe memory.deallocate()
    }
}

extension Float {
    public static func hadamard(_ x: inout MutableSpan<Float>) {
        requirePowerOfTwo(x.count, "elements")
        unsafe withPointers(&x) { [count = x.count] in unsafe dsc_sketch_hadamard_f32(count, $0) }
    }

    public static func hadamardRows(rows: Int, columns: Int, _ x: inout MutableSpan<Float>) {
        requirePowerOfTwo(rows, "rows")
        requireMatrix("x", rows, columns, x.count)
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe forEachStrip(of: columns, width: stripWidth(columns, MemoryLayout<Float>.stride), x) { x, start, width in
                unsafe dsc_sketch_hadamard_rows_f32(rows, width, columns, x.count - start, x.baseAddress! + start)
            }
        }
    }

    public static func scatterRows(
        rows: Int, columns: Int, of x: Span<Float>, targets: Span<Int32>, each: Int, into y: inout MutableSpan<Float>, rows yRows: Int
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireMatrix("y", yRows, columns, y.count)
        requireTargets(targets, rows, each, yRows)
        // Whole rows of Y for each thread: strips that stay in the second-level cache took 1.3 to 1.8 times as long,
        // as the rows of X then come in pieces.
        unsafe withPointers(x, targets) { x, targets in
            nonisolated(unsafe) let x = unsafe x, targets = unsafe targets
            unsafe y.withUnsafeMutableBufferPointer { y in
                unsafe forEachStrip(of: columns, width: stripWidth(columns, MemoryLayout<Float>.stride), y) { y, start, width in
                    unsafe dsc_sketch_scatter_rows_f32(
                        rows, width, columns, rows * columns - start, x! + start, each, rows * each, targets, columns,
                        y.count - start, y.baseAddress! + start)
                }
            }
        }
    }

    public static func sumRows(
        _ sums: SignedRowSums, columns: Int, of x: Span<Float>, scale: Float, into y: inout MutableSpan<Float>
    ) {
        requireSums(sums, columns, x.count, y.count)
        guard columns > 0, sums.targetRows > 0 else { return }
        if sums.readsInPlace || x.isEmpty { for i in y.indices { y[i] = 0 } }
        guard !x.isEmpty else { return }
        unsafe withPointers(x, sums.classes.span, sums.targets.span) { x, classes, targets in
            unsafe sums.members.withUnsafeBufferPointer { members in
                nonisolated(unsafe) let classes = unsafe classes!, targets = unsafe targets!, members = members.baseAddress!
                unsafe y.withUnsafeMutableBufferPointer { y in
                    unsafe sumRowsByStrips(
                        sums, columns: columns, of: x!, into: y.baseAddress!,
                        add: { block, columns, xStride, xCount, x, yStride, yCount, y in
                            unsafe dsc_sketch_sum_rows_f32(
                                block.classes.count, classes + block.classes.lowerBound, block.targets.count, targets + block.targets.lowerBound,
                                block.members.count, members + block.members.lowerBound, columns, xStride, xCount, x, yStride, yCount, y)
                        },
                        copy: { rows, columns, width, scales, xStride, x, yStride, y in
                            if scales, scale == 1, unsafe UnsafePointer(y) == x { return }
                            unsafe dsc_sketch_scaled_rows_f32(
                                rows, columns, width, scales ? scale : 1, xStride, (rows - 1) * xStride + columns, x, yStride,
                                (rows - 1) * yStride + width, y)
                        })
                }
            }
        }
    }

    public static func residualPullback(
        rows: Int, columns: Int, of a: Span<Float>, _ x: Span<Float>, _ b: Span<Float>, into r: inout MutableSpan<Float>,
        pulled g: inout MutableSpan<Float>
    ) {
        requireResidual(rows, columns, a.count, x.count, b.count, r.count, g.count)
        var partial = [Float](repeating: 0, count: (rows + partRows(rows) - 1) / partRows(rows) * columns)
        if columns == 0 { return copy(b, &r) }
        unsafe withPointers(a, x, b) { a, x, b in
            nonisolated(unsafe) let (a, x, b) = unsafe (a, x, b)
            unsafe r.withUnsafeMutableBufferPointer { r in
                unsafe partial.withUnsafeMutableBufferPointer { partial in
                    unsafe forEachRowPart(rows, r, partial, columns: columns) { first, count, r, g in
                        unsafe dsc_sketch_residual_pullback_f32(
                            count, columns, count * columns, a! + first * columns, x!, b! + first, r, g)
                    }
                }
            }
        }
        columnSums(rows: partial.count / columns, columns: columns, of: partial.span, into: &g)
    }

    public static func signPullback(
        rows: Int, columns: Int, of a: Span<Float>, _ x: Span<Float>, _ b: Span<Float>, into r: inout MutableSpan<Float>,
        pulled g: inout MutableSpan<Float>
    ) {
        requireResidual(rows, columns, a.count, x.count, b.count, r.count, g.count)
        var partial = [Float](repeating: 0, count: (rows + partRows(rows) - 1) / partRows(rows) * columns)
        if columns == 0 { return copy(b, &r) }
        unsafe withPointers(a, x, b) { a, x, b in
            nonisolated(unsafe) let (a, x, b) = unsafe (a, x, b)
            unsafe r.withUnsafeMutableBufferPointer { r in
                unsafe partial.withUnsafeMutableBufferPointer { partial in
                    unsafe forEachRowPart(rows, r, partial, columns: columns) { first, count, r, g in
                        unsafe dsc_sketch_sign_pullback_f32(
                            count, columns, count * columns, a! + first * columns, x!, b! + first, r, g)
                    }
                }
            }
        }
        columnSums(rows: partial.count / columns, columns: columns, of: partial.span, into: &g)
    }

    public static func gatherRows(columns: Int, of x: Span<Float>, targets: Span<Int32>, into y: inout MutableSpan<Float>) {
        requireGather(columns, x.count, targets, y.count)
        let rows = targets.count, xCount = x.count
        guard rows > 0, columns > 0 else { return }
        unsafe withPointers(x, targets) { x, targets in
            unsafe y.withUnsafeMutableBufferPointer { y in
                unsafe dsc_sketch_gather_rows_f32(rows, columns, xCount, x!, targets!, y.count, y.baseAddress!)
            }
        }
    }

    public static func gatherGram(
        columns: Int, of x: Span<Float>, targets: Span<Int32>, _ b: Span<Float>, into gram: inout MutableSpan<Float>, pulled g: inout MutableSpan<Float>
    ) {
        requireGram(columns, x.count, targets, b.count, gram.count, g.count)
        let rows = targets.count, xCount = x.count
        guard rows > 0, columns > 0 else { return }
        unsafe withPointers(x, targets, b) { x, targets, b in
            unsafe withPointers(&gram, &g) { gram, g in
                unsafe dsc_sketch_gather_gram_f32(rows, columns, xCount, x!, targets!, b!, columns * columns, gram!, g!)
            }
        }
    }
}

extension Double {
    public static func hadamard(_ x: inout MutableSpan<Double>) {
        requirePowerOfTwo(x.count, "elements")
        unsafe withPointers(&x) { [count = x.count] in unsafe dsc_sketch_hadamard_f64(count, $0) }
    }

    public static func hadamardRows(rows: Int, columns: Int, _ x: inout MutableSpan<Double>) {
        requirePowerOfTwo(rows, "rows")
        requireMatrix("x", rows, columns, x.count)
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe forEachStrip(of: columns, width: stripWidth(columns, MemoryLayout<Double>.stride), x) { x, start, width in
                unsafe dsc_sketch_hadamard_rows_f64(rows, width, columns, x.count - start, x.baseAddress! + start)
            }
        }
    }

    public static func scatterRows(
        rows: Int, columns: Int, of x: Span<Double>, targets: Span<Int32>, each: Int, into y: inout MutableSpan<Double>, rows yRows: Int
    ) {
        requireMatrix("x", rows, columns, x.count)
        requireMatrix("y", yRows, columns, y.count)
        requireTargets(targets, rows, each, yRows)
        // Whole rows of Y for each thread: strips that stay in the second-level cache took 1.3 to 1.8 times as long,
        // as the rows of X then come in pieces.
        unsafe withPointers(x, targets) { x, targets in
            nonisolated(unsafe) let x = unsafe x, targets = unsafe targets
            unsafe y.withUnsafeMutableBufferPointer { y in
                unsafe forEachStrip(of: columns, width: stripWidth(columns, MemoryLayout<Double>.stride), y) { y, start, width in
                    unsafe dsc_sketch_scatter_rows_f64(
                        rows, width, columns, rows * columns - start, x! + start, each, rows * each, targets, columns,
                        y.count - start, y.baseAddress! + start)
                }
            }
        }
    }

    public static func sumRows(
        _ sums: SignedRowSums, columns: Int, of x: Span<Double>, scale: Double, into y: inout MutableSpan<Double>
    ) {
        requireSums(sums, columns, x.count, y.count)
        guard columns > 0, sums.targetRows > 0 else { return }
        if sums.readsInPlace || x.isEmpty { for i in y.indices { y[i] = 0 } }
        guard !x.isEmpty else { return }
        unsafe withPointers(x, sums.classes.span, sums.targets.span) { x, classes, targets in
            unsafe sums.members.withUnsafeBufferPointer { members in
                nonisolated(unsafe) let classes = unsafe classes!, targets = unsafe targets!, members = members.baseAddress!
                unsafe y.withUnsafeMutableBufferPointer { y in
                    unsafe sumRowsByStrips(
                        sums, columns: columns, of: x!, into: y.baseAddress!,
                        add: { block, columns, xStride, xCount, x, yStride, yCount, y in
                            unsafe dsc_sketch_sum_rows_f64(
                                block.classes.count, classes + block.classes.lowerBound, block.targets.count, targets + block.targets.lowerBound,
                                block.members.count, members + block.members.lowerBound, columns, xStride, xCount, x, yStride, yCount, y)
                        },
                        copy: { rows, columns, width, scales, xStride, x, yStride, y in
                            if scales, scale == 1, unsafe UnsafePointer(y) == x { return }
                            unsafe dsc_sketch_scaled_rows_f64(
                                rows, columns, width, scales ? scale : 1, xStride, (rows - 1) * xStride + columns, x, yStride,
                                (rows - 1) * yStride + width, y)
                        })
                }
            }
        }
    }

    public static func residualPullback(
        rows: Int, columns: Int, of a: Span<Double>, _ x: Span<Double>, _ b: Span<Double>, into r: inout MutableSpan<Double>,
        pulled g: inout MutableSpan<Double>
    ) {
        requireResidual(rows, columns, a.count, x.count, b.count, r.count, g.count)
        var partial = [Double](repeating: 0, count: (rows + partRows(rows) - 1) / partRows(rows) * columns)
        if columns == 0 { return copy(b, &r) }
        unsafe withPointers(a, x, b) { a, x, b in
            nonisolated(unsafe) let (a, x, b) = unsafe (a, x, b)
            unsafe r.withUnsafeMutableBufferPointer { r in
                unsafe partial.withUnsafeMutableBufferPointer { partial in
                    unsafe forEachRowPart(rows, r, partial, columns: columns) { first, count, r, g in
                        unsafe dsc_sketch_residual_pullback_f64(
                            count, columns, count * columns, a! + first * columns, x!, b! + first, r, g)
                    }
                }
            }
        }
        columnSums(rows: partial.count / columns, columns: columns, of: partial.span, into: &g)
    }

    public static func signPullback(
        rows: Int, columns: Int, of a: Span<Double>, _ x: Span<Double>, _ b: Span<Double>, into r: inout MutableSpan<Double>,
        pulled g: inout MutableSpan<Double>
    ) {
        requireResidual(rows, columns, a.count, x.count, b.count, r.count, g.count)
        var partial = [Double](repeating: 0, count: (rows + partRows(rows) - 1) / partRows(rows) * columns)
        if columns == 0 { return copy(b, &r) }
        unsafe withPointers(a, x, b) { a, x, b in
            nonisolated(unsafe) let (a, x, b) = unsafe (a, x, b)
            unsafe r.withUnsafeMutableBufferPointer { r in
                unsafe partial.withUnsafeMutableBufferPointer { partial in
                    unsafe forEachRowPart(rows, r, partial, columns: columns) { first, count, r, g in
                        unsafe dsc_sketch_sign_pullback_f64(
                            count, columns, count * columns, a! + first * columns, x!, b! + first, r, g)
                    }
                }
            }
        }
        columnSums(rows: partial.count / columns, columns: columns, of: partial.span, into: &g)
    }

    public static func gatherRows(columns: Int, of x: Span<Double>, targets: Span<Int32>, into y: inout MutableSpan<Double>) {
        requireGather(columns, x.count, targets, y.count)
        let rows = targets.count, xCount = x.count
        guard rows > 0, columns > 0 else { return }
        unsafe withPointers(x, targets) { x, targets in
            unsafe y.withUnsafeMutableBufferPointer { y in
                unsafe dsc_sketch_gather_rows_f64(rows, columns, xCount, x!, targets!, y.count, y.baseAddress!)
            }
        }
    }

    public static func gatherGram(
        columns: Int, of x: Span<Double>, targets: Span<Int32>, _ b: Span<Double>, into gram: inout MutableSpan<Double>, pulled g: inout MutableSpan<Double>
    ) {
        requireGram(columns, x.count, targets, b.count, gram.count, g.count)
        let rows = targets.count, xCount = x.count
        guard rows > 0, columns > 0 else { return }
        unsafe withPointers(x, targets, b) { x, targets, b in
            unsafe withPointers(&gram, &g) { gram, g in
                unsafe dsc_sketch_gather_gram_f64(rows, columns, xCount, x!, targets!, b!, columns * columns, gram!, g!)
            }
        }
    }
}
