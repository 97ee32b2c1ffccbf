import CKernels

/// Kernels on bit matrices: packing of signs, transposition, and products by XOR or AND and population count.
///
/// A bit matrix is row-major in 64-bit words, `stride` words from row to row; bit (i, k) is bit `k % 64` of word
/// `i * stride + k / 64`, and bits beyond the last column are 0. Module `BinaryAlgebra` gives these a safe type; call
/// them directly to work in your own buffers. Spans must hold what the shapes say: too short a span is a precondition
/// failure that names both counts.
public enum BinaryKernels {
    /// Rows of the right operand that one panel holds (``packPanels(rows:words:from:stride:into:)``).
    public static let panelRows = Int(DSC_BINARY_PANEL)

    /// The operation between bits that a product counts.
    public enum Operation: Sendable, Hashable {
        /// offset − 2 · popcount(a xor b): ±1 · ±1 with the offset K, where bit 1 stands for +1.
        case xor
        /// offset + (popcount(a and b) << shift): 0/1 · 0/1 with offset 0 and shift 0; 0/1 · ±1 with offset
        /// −popcount(a) and shift 1.
        case and(shift: Int)

        var shift: Int32 {
            switch self {
            case .xor: 0
            case .and(let shift): Int32(shift)
            }
        }
    }

    /// Words that a row of `columns` bits takes: ⌈columns / 64⌉.
    @inlinable public static func words(forColumns columns: Int) -> Int { (columns + 63) / 64 }

    /// Bit (i, k) = 1 if x[i, k] ≥ 0, else 0. sign(±0) is +1; NaN becomes 0, that is −1.
    ///
    /// `x` has `rows` rows of `columns` floats, `xStride` floats from row to row; `bits` receives `rows` rows of
    /// ⌈columns / 64⌉ words, `bitsStride` words from row to row.
    ///
    /// - Returns: whether a NaN was met.
    /// - Complexity: reads 4 bytes and writes 1/8 byte an element; bound by memory.
    public static func packSigns(
        rows: Int, columns: Int, of x: Span<Float>, stride xStride: Int,
        into bits: inout MutableSpan<UInt64>, stride bitsStride: Int
    ) -> Bool {
        requireRows("x", rows, columns, xStride, x.count)
        requireRows("bits", rows, words(forColumns: columns), bitsStride, bits.count)
        return unsafe withPointers(x, &bits) { x, xCount, bits, bitsCount in
            unsafe dsc_binary_pack_signs_f32(rows, columns, xCount, x, xStride, bitsCount, bits, bitsStride) != 0
        }
    }

    /// As ``packSigns(rows:columns:of:stride:into:stride:)``, with scale[i] = (1/columns) Σₖ |x[i, k]| in the same pass
    /// (0 for no columns; relative error ≤ 70 ε).
    public static func packSigns(
        rows: Int, columns: Int, of x: Span<Float>, stride xStride: Int,
        into bits: inout MutableSpan<UInt64>, stride bitsStride: Int, scale: inout MutableSpan<Float>
    ) -> Bool {
        requireRows("x", rows, columns, xStride, x.count)
        requireRows("bits", rows, words(forColumns: columns), bitsStride, bits.count)
        require(scale.count == rows, "scale has \(scale.count) elements; expected \(rows), one for each row")
        return unsafe withPointers(x, &bits) { x, xCount, bits, bitsCount in
            unsafe scale.withUnsafeMutableBufferPointer { scale in
                unsafe dsc_binary_pack_signs_scaled_f32(
                    rows, columns, xCount, x, xStride, bitsCount, bits, bitsStride, scale.baseAddress) != 0
            }
        }
    }

    /// t(k, i) = a(i, k): `a` has `rows` × `columns` bits, `t` receives `columns` × `rows`.
    public static func transpose(
        rows: Int, columns: Int, of a: Span<UInt64>, stride aStride: Int,
        into t: inout MutableSpan<UInt64>, stride tStride: Int
    ) {
        requireRows("a", rows, words(forColumns: columns), aStride, a.count)
        requireRows("t", columns, words(forColumns: rows), tStride, t.count)
        unsafe withPointers(a, &t) { a, aCount, t, tCount in
            unsafe dsc_binary_transpose(rows, columns, aCount, a, aStride, tCount, t, tStride)
        }
    }

    /// counts[i] = number of ones in row i.
    public static func rowCounts(
        rows: Int, words: Int, of a: Span<UInt64>, stride: Int, into counts: inout MutableSpan<Int32>
    ) {
        requireRows("a", rows, words, stride, a.count)
        require(counts.count == rows, "counts has \(counts.count) elements; expected \(rows), one for each row")
        unsafe withPointers(a, &counts) { a, aCount, counts, _ in
            unsafe dsc_binary_row_counts(rows, words, aCount, a, stride, counts)
        }
    }

    /// Words that ``packPanels(rows:words:from:stride:into:)`` writes.
    public static func panelCount(rows: Int, words: Int) -> Int {
        (rows + panelRows - 1) / panelRows * panelRows * words
    }

    /// Packs the right operand of a product: word k of row 16 p + j goes to `panels[(p · words + k) · 16 + j]`.
    public static func packPanels(
        rows: Int, words: Int, from b: Span<UInt64>, stride: Int, into panels: inout MutableSpan<UInt64>
    ) {
        requireRows("b", rows, words, stride, b.count)
        requirePanels(rows, words, panels.count)
        unsafe withPointers(b, &panels) { b, bCount, panels, panelsCount in
            unsafe dsc_binary_pack_panels(rows, words, bCount, b, stride, panelsCount, panels)
        }
    }

    /// c[i, j] = the operation's sum over row i of `a` and row j of the packed operand; i < `m`, j < `n`.
    ///
    /// `offset` has one number for each row of `a` (see ``Operation``), `panels` come from
    /// ``packPanels(rows:words:from:stride:into:)`` with `n` rows and the same `words`, and `c` receives `m` rows of `n`,
    /// `cStride` from row to row.
    ///
    /// - Complexity: 2 · 64 · m · n · words bit operations. Exact up to K = 2³¹ − 1.
    public static func product(
        _ operation: Operation, m: Int, n: Int, words: Int, offset: Span<Int32>,
        a: Span<UInt64>, stride aStride: Int, panels: Span<UInt64>, into c: inout MutableSpan<Int32>, stride cStride: Int
    ) {
        requireOperands(operation, m, n, words, offset.count, a.count, aStride, panels.count)
        requireRows("c", m, n, cStride, c.count)
        unsafe withPointers(offset, a, panels, &c) { offset, a, aCount, panels, panelsCount, c, cCount in
            switch operation {
            case .xor:
                unsafe dsc_binary_xor_gemm_i32(
                    m, n, words, 0, offset, aCount, a, aStride, panelsCount, panels, cCount, c, cStride)
            case .and:
                unsafe dsc_binary_and_gemm_i32(
                    m, n, words, operation.shift, offset, aCount, a, aStride, panelsCount, panels, cCount, c, cStride)
            }
        }
    }

    /// c[i, j] = rowScale[i] · columnScale[j] · (the operation's sum) + bias[j], rounded after each operation, so that
    /// every tier gives the same bits. The sum is exact in Float for K ≤ 2²⁴.
    public static func scaledProduct(
        _ operation: Operation, m: Int, n: Int, words: Int, offset: Span<Int32>,
        a: Span<UInt64>, stride aStride: Int, panels: Span<UInt64>,
        rowScale: Span<Float>, columnScale: Span<Float>, bias: Span<Float>,
        into c: inout MutableSpan<Float>, stride cStride: Int
    ) {
        requireOperands(operation, m, n, words, offset.count, a.count, aStride, panels.count)
        require(rowScale.count == m, "row scale has \(rowScale.count) elements; expected \(m)")
        require(columnScale.count == n, "column scale has \(columnScale.count) elements; expected \(n)")
        require(bias.count == n, "bias has \(bias.count) elements; expected \(n)")
        requireRows("c", m, n, cStride, c.count)
        unsafe withPointers(offset, a, panels, &c) { offset, a, aCount, panels, panelsCount, c, cCount in
            unsafe withPointers(rowScale, columnScale, bias) { rowScale, columnScale, bias in
                switch operation {
                case .xor:
                    unsafe dsc_binary_xor_gemm_f32(
                        m, n, words, 0, offset, aCount, a, aStride, panelsCount, panels, rowScale, columnScale, bias,
                        cCount, c, cStride)
                case .and:
                    unsafe dsc_binary_and_gemm_f32(
                        m, n, words, operation.shift, offset, aCount, a, aStride, panelsCount, panels, rowScale,
                        columnScale, bias, cCount, c, cStride)
                }
            }
        }
    }

    /// Bit (i, j) = 1 where the operation's sum over row i of `a` and row j of the packed operand is at least `thresholds[j]`: a product
    /// whose result is binarised at once. `bits` receives `m` rows of ⌈n / 64⌉ words, `bitsStride` from row to row, pad bits 0.
    public static func thresholdedProduct(
        _ operation: Operation, m: Int, n: Int, words: Int, offset: Span<Int32>,
        a: Span<UInt64>, stride aStride: Int, panels: Span<UInt64>, thresholds: Span<Int32>,
        into bits: inout MutableSpan<UInt64>, stride bitsStride: Int
    ) {
        requireOperands(operation, m, n, words, offset.count, a.count, aStride, panels.count)
        require(thresholds.count == n, "thresholds has \(thresholds.count) elements; expected \(n)")
        requireRows("bits", m, Self.words(forColumns: n), bitsStride, bits.count)
        unsafe withPointers(offset, a, panels, &bits) { offset, a, aCount, panels, panelsCount, bits, bitsCount in
            unsafe withPointers(thresholds) { thresholds in
                switch operation {
                case .xor:
                    unsafe dsc_binary_xor_gemm_bits(
                        m, n, words, 0, offset, aCount, a, aStride, panelsCount, panels, thresholds, bitsCount, bits, bitsStride)
                case .and:
                    unsafe dsc_binary_and_gemm_bits(
                        m, n, words, operation.shift, offset, aCount, a, aStride, panelsCount, panels, thresholds, bitsCount,
                        bits, bitsStride)
                }
            }
        }
    }

    /// y[i] = the operation's sum over row i of `a` and the row `x`: a matrix times a vector, nothing packed in panels.
    public static func vectorProduct(
        _ operation: Operation, m: Int, words: Int, offset: Span<Int32>,
        a: Span<UInt64>, stride: Int, x: Span<UInt64>, into y: inout MutableSpan<Int32>
    ) {
        requireShift(operation)
        requireRows("a", m, words, stride, a.count)
        require(x.count == words, "x has \(x.count) words; expected \(words)")
        require(offset.count == m && y.count == m,
                "offset and y have \(offset.count) and \(y.count) elements; expected \(m), one for each row")
        unsafe withPointers(offset, a, x, &y) { offset, a, aCount, x, _, y, _ in
            switch operation {
            case .xor: unsafe dsc_binary_xor_gemv_i32(m, words, 0, offset, aCount, a, stride, x, y)
            case .and: unsafe dsc_binary_and_gemv_i32(m, words, operation.shift, offset, aCount, a, stride, x, y)
            }
        }
    }

    /// Runs the tier's xor + popcount + add on registers alone, and returns the number of bits gone over: with its time,
    /// the roofline of the products (2 operations a bit).
    public static func popcountRoofline(vectors: Int) -> UInt64 {
        require(vectors >= 0, "vectors is \(vectors); expected no negative number")
        var sink: UInt64 = 1
        return unsafe dsc_binary_popcount_roofline(vectors, &sink)
    }

    private static func requireOperands(
        _ operation: Operation, _ m: Int, _ n: Int, _ words: Int, _ offsets: Int, _ aCount: Int, _ aStride: Int,
        _ panels: Int
    ) {
        requireShift(operation)
        require(words <= Int(Int32.max) / 64,
                "rows of \(words) words; expected at most \(Int(Int32.max) / 64), or an Int32 sum overflows")
        require(offsets == m, "offset has \(offsets) elements; expected \(m), one for each row")
        requireRows("a", m, words, aStride, aCount)
        requirePanels(n, words, panels)
    }

    private static func requireShift(_ operation: Operation) {
        require((0...1).contains(operation.shift), "shift is \(operation.shift); expected 0 or 1")
    }

    private static func requirePanels(_ rows: Int, _ words: Int, _ count: Int) {
        require(count == panelCount(rows: rows, words: words),
                "panels have \(count) words; expected \(panelCount(rows: rows, words: words)) for \(rows) rows of \(words)")
    }
}
