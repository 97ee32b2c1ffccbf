import Kernels
import LinearAlgebra
import Synchronization

/// How a product reads the bits of its right operand.
public enum BitMeaning: Sendable, Hashable {
    /// 0 and 1.
    case zeroOne
    /// −1 and +1.
    case signs
}

/// A·Bᵀ for ±1 matrices: cᵢⱼ = K − 2 · popcount(aᵢ xor bⱼ), exact.
///
/// Shapes: `a` m×K, `b` n×K, packed.
/// - Returns: m×n.
/// - Complexity: m · n · K bit pairs, 512 at a time on the widest tier; parallel over blocks of rows, or of columns where
///   there are few rows. Empty shapes are allowed; for K = 0 every element is 0.
/// - Precondition: equal K.
public func xnorProduct(_ a: BinaryMatrix, _ b: PackedBinaryMatrix) -> IntegerMatrix {
    var result = IntegerMatrix(zeros: a.rows, b.rows)
    var c = result.elements.mutableSpan
    xnorProduct(a, b, into: &c)
    return result
}

/// As ``xnorProduct(_:_:)``, into a caller's buffer of m · n integers, row after row.
public func xnorProduct(_ a: BinaryMatrix, _ b: PackedBinaryMatrix, into c: inout MutableSpan<Int32>) {
    product(.xor, a, b, offset: [Int32](repeating: Int32(a.columns), count: a.rows), into: &c)
}

/// A·Bᵀ for a 0/1 matrix A and B read as 0/1 (Σ aₖbₖ = popcount(a and b)) or as ±1 (2 · popcount(a and b) − popcount(a)),
/// exact. Shapes and cost as ``xnorProduct(_:_:)``.
public func andProduct(_ a: BinaryMatrix, _ b: PackedBinaryMatrix, as meaning: BitMeaning) -> IntegerMatrix {
    var result = IntegerMatrix(zeros: a.rows, b.rows)
    var c = result.elements.mutableSpan
    let operation = AndOperation(a, meaning)
    product(operation.kind, a, b, offset: operation.offset, into: &c)
    return result
}

/// The output of a binary linear layer: cᵢⱼ = rowScaleᵢ · columnScaleⱼ · (A·Bᵀ)ᵢⱼ + biasⱼ, with ±1 operands.
///
/// Scaling and bias are fused into the product. The integer is exact for K ≤ 2²⁴; each floating-point operation rounds once,
/// in the order written, so every tier gives the same bits.
///
/// `rowScale` has m numbers, `columnScale` and `bias` have n; `nil` stands for ones, ones and zeros.
public func scaledXnorProduct(
    _ a: BinaryMatrix, _ b: PackedBinaryMatrix,
    rowScale: [Float]? = nil, columnScale: [Float]? = nil, bias: [Float]? = nil
) -> Matrix<Float> {
    scaledProduct(.xor, a, b, offset: [Int32](repeating: Int32(a.columns), count: a.rows), rowScale, columnScale, bias)
}

/// As ``scaledXnorProduct(_:_:rowScale:columnScale:bias:)`` with A read as 0/1 and B as `meaning` says.
public func scaledAndProduct(
    _ a: BinaryMatrix, _ b: PackedBinaryMatrix, as meaning: BitMeaning,
    rowScale: [Float]? = nil, columnScale: [Float]? = nil, bias: [Float]? = nil
) -> Matrix<Float> {
    let operation = AndOperation(a, meaning)
    return scaledProduct(operation.kind, a, b, offset: operation.offset, rowScale, columnScale, bias)
}

/// sign(X)·Bᵀ from float rows, packed on the fly: the signs of a block of rows are taken into a small buffer and
/// multiplied while they lie in the cache. Signs as in ``BinaryMatrix/init(signsOf:)``, NaN included.
///
/// Shapes: `x` m×K, `b` n×K, packed.
public func xnorProduct(signsOf x: Matrix<Float>, _ b: PackedBinaryMatrix) -> IntegerMatrix {
    var result = IntegerMatrix(zeros: x.rows, b.rows)
    var c = result.elements.mutableSpan
    xnorProduct(signsOf: x, b, into: &c)
    return result
}

/// As ``xnorProduct(signsOf:_:)``, into a caller's buffer of m · n integers, row after row.
public func xnorProduct(signsOf x: Matrix<Float>, _ b: PackedBinaryMatrix, into c: inout MutableSpan<Int32>) {
    requireOperands(x.rows, x.columns, b, c.count)
    guard !c.isEmpty else { return }
    let words = b.wordsPerRow
    // Short, so that the bits stay in the first-level cache between packing and product.
    let blockRows = min(96, rowsPerBlock(x.rows))
    concurrentBlocks(of: &c, blockLength: blockRows * b.rows) { block, part in
        let rows = part.count / b.rows
        var bits = [UInt64](repeating: 0, count: rows * words)
        let first = block * blockRows * x.columns
        var span = bits.mutableSpan
        _ = BinaryKernels.packSigns(
            rows: rows, columns: x.columns, of: x.elements.span.extracting(first..<first + rows * x.columns),
            stride: x.columns, into: &span, stride: words)
        let offset = [Int32](repeating: Int32(x.columns), count: rows)
        b.panels.withSpan { panels in
            BinaryKernels.product(
                .xor, m: rows, n: b.rows, words: words, offset: offset.span, a: bits.span, stride: words,
                panels: panels, into: &part, stride: b.rows)
        }
    }
}

/// A·x for ±1 bits: yᵢ = K − 2 · popcount(aᵢ xor x), with `x` a single row. Nothing needs to be packed in panels.
///
/// - Complexity: reads A once; bound by the memory that holds it. For many products with one matrix, pack that matrix
///   as the right operand and give the vectors as rows of the left.
public func xnorProduct(_ a: BinaryMatrix, vector x: BinaryMatrix) -> [Int32] {
    vectorProduct(.xor, a, x, offset: [Int32](repeating: Int32(a.columns), count: a.rows))
}

/// A·x for a 0/1 matrix A and a row `x` read as `meaning` says.
public func andProduct(_ a: BinaryMatrix, vector x: BinaryMatrix, as meaning: BitMeaning) -> [Int32] {
    let operation = AndOperation(a, meaning)
    return vectorProduct(operation.kind, a, x, offset: operation.offset)
}

// MARK: - Blocks and threads

/// 0/1 · 0/1 counts the common ones; 0/1 · ±1 counts them twice and takes off the ones of a.
private struct AndOperation {
    let kind: BinaryKernels.Operation
    let offset: [Int32]

    init(_ a: BinaryMatrix, _ meaning: BitMeaning) {
        switch meaning {
        case .zeroOne: (kind, offset) = (.and(shift: 0), [Int32](repeating: 0, count: a.rows))
        case .signs: (kind, offset) = (.and(shift: 1), a.rowCounts().map { -$0 })
        }
    }
}

private func requireEqualLengths(_ a: Int, _ b: Int) {
    require(a == b, "rows of \(a) and \(b) bits; expected equal lengths")
}

private func requireOperands(_ rows: Int, _ columns: Int, _ b: PackedBinaryMatrix, _ count: Int) {
    requireEqualLengths(columns, b.columns)
    require(count == rows * b.rows, "c has \(count) elements; expected \(rows * b.rows) for \(rows)×\(b.rows)")
}

/// Enough blocks to balance the threads, each a whole number of register tiles (12 rows on the widest tier).
private func rowsPerBlock(_ rows: Int) -> Int {
    if Threads.count == 1 { return max(1, rows) }
    let perThread = (rows + 4 * Threads.count - 1) / (4 * Threads.count)
    return max(48, (perThread + 11) / 12 * 12)
}

/// One thread's share of columns, a whole number of panels; all columns where there is one thread or little to do.
private func columnsPerBlock(_ columns: Int, words: Int) -> Int {
    guard Threads.count > 1, columns * words >= 1 << 17 else { return max(1, columns) }
    let panel = BinaryKernels.panelRows
    return max(panel, (columns / (2 * Threads.count) + panel - 1) / panel * panel)
}

/// Whether the next product with a single row takes its panels from the last to the first. It turns with each, so that a
/// row begins with what the row before it left in the cache: with panels of once or twice the second-level cache, a sweep
/// that always began at the same end would find nothing there. The result does not depend on it.
private let sweepDownwards = Atomic(false)

/// Columns of a part of such a sweep: whole panels of some 128 KiB.
private func columnsPerChunk(words: Int) -> Int {
    let panel = BinaryKernels.panelRows
    return max(panel, (128 << 10) / (8 * max(1, words)) / panel * panel)
}

private func product(
    _ operation: BinaryKernels.Operation, _ a: BinaryMatrix, _ b: PackedBinaryMatrix, offset: [Int32],
    into c: inout MutableSpan<Int32>
) {
    requireOperands(a.rows, a.columns, b, c.count)
    guard !c.isEmpty else { return }
    let words = b.wordsPerRow
    if a.rows == 1 {
        let width = columnsPerBlock(b.rows, words: words)
        let chunk = columnsPerChunk(words: words)
        let downwards = sweepDownwards.logicalXor(true, ordering: .relaxed).oldValue
        concurrentBlocks(of: &c, blockLength: width) { block, part in
            let chunks = (part.count + chunk - 1) / chunk
            for step in 0..<chunks {
                let start = (downwards ? chunks - 1 - step : step) * chunk
                let n = min(chunk, part.count - start)
                let first = (block * width + start) * words
                b.panels.withSpan { panels in
                    var target = part._mutatingExtracting(start..<start + n)
                    BinaryKernels.product(
                        operation, m: 1, n: n, words: words, offset: offset.span, a: a.words.span, stride: words,
                        panels: panels.extracting(first..<first + BinaryKernels.panelCount(rows: n, words: words)),
                        into: &target, stride: n)
                }
            }
        }
        return
    }
    let blockRows = rowsPerBlock(a.rows)
    concurrentBlocks(of: &c, blockLength: blockRows * b.rows) { block, part in
        let rows = part.count / b.rows
        let first = block * blockRows
        b.panels.withSpan { panels in
            BinaryKernels.product(
                operation, m: rows, n: b.rows, words: words, offset: offset.span.extracting(first..<first + rows),
                a: a.words.span.extracting(first * words..<(first + rows) * words), stride: words,
                panels: panels, into: &part, stride: b.rows)
        }
    }
}

private func scaledProduct(
    _ operation: BinaryKernels.Operation, _ a: BinaryMatrix, _ b: PackedBinaryMatrix, offset: [Int32],
    _ rowScale: [Float]?, _ columnScale: [Float]?, _ bias: [Float]?
) -> Matrix<Float> {
    requireEqualLengths(a.columns, b.columns)
    let rowScale = rowScale ?? [Float](repeating: 1, count: a.rows)
    let columnScale = columnScale ?? [Float](repeating: 1, count: b.rows)
    let bias = bias ?? [Float](repeating: 0, count: b.rows)
    require(rowScale.count == a.rows, "row scale has \(rowScale.count) elements; expected \(a.rows)")
    require(columnScale.count == b.rows, "column scale has \(columnScale.count) elements; expected \(b.rows)")
    require(bias.count == b.rows, "bias has \(bias.count) elements; expected \(b.rows)")
    var elements = [Float](repeating: 0, count: a.rows * b.rows)
    if !elements.isEmpty {
        let words = b.wordsPerRow
        let blockRows = rowsPerBlock(a.rows)
        var c = elements.mutableSpan
        concurrentBlocks(of: &c, blockLength: blockRows * b.rows) { block, part in
            let rows = part.count / b.rows
            let first = block * blockRows
            b.panels.withSpan { panels in
                BinaryKernels.scaledProduct(
                    operation, m: rows, n: b.rows, words: words, offset: offset.span.extracting(first..<first + rows),
                    a: a.words.span.extracting(first * words..<(first + rows) * words), stride: words,
                    panels: panels, rowScale: rowScale.span.extracting(first..<first + rows),
                    columnScale: columnScale.span, bias: bias.span, into: &part, stride: b.rows)
            }
        }
    }
    return Matrix(rows: a.rows, columns: b.rows, elements: elements)
}

private func vectorProduct(
    _ operation: BinaryKernels.Operation, _ a: BinaryMatrix, _ x: BinaryMatrix, offset: [Int32]
) -> [Int32] {
    require(x.rows == 1, "x has \(x.rows) rows; expected a single one")
    requireEqualLengths(a.columns, x.columns)
    var y = [Int32](repeating: 0, count: a.rows)
    let words = a.wordsPerRow
    let blockRows = columnsPerBlock(a.rows, words: words)
    var span = y.mutableSpan
    concurrentBlocks(of: &span, blockLength: blockRows) { block, part in
        let first = block * blockRows
        BinaryKernels.vectorProduct(
            operation, m: part.count, words: words, offset: offset.span.extracting(first..<first + part.count),
            a: a.words.span.extracting(first * words..<(first + part.count) * words), stride: words, x: x.words.span,
            into: &part)
    }
    return y
}
