import Kernels
import LinearAlgebra

/// A matrix of bits, row-major, 64 to a word.
///
/// A bit means what the product makes of it: in a ±1 product bit 1 stands for +1 and bit 0 for −1, in a 0/1 product it is
/// the number itself. Storage: ``wordsPerRow`` words a row; bits beyond the last column are always 0.
///
/// ```swift
/// let a = BinaryMatrix(signsOf: x)                      // x: Matrix<Float>
/// let b = PackedBinaryMatrix(BinaryMatrix(signsOf: y))
/// let c = xnorProduct(a, b)                             // sign(x) · sign(y)ᵀ, exact integers
/// ```
public struct BinaryMatrix: Sendable, Hashable {
    public let rows: Int
    public let columns: Int
    /// The bits: bit (i, k) is bit `k % 64` of `words[i * wordsPerRow + k / 64]`.
    public private(set) var words: [UInt64]

    /// ⌈columns / 64⌉.
    public var wordsPerRow: Int { BinaryKernels.words(forColumns: columns) }

    /// All bits 0.
    public init(rows: Int, columns: Int) {
        require(rows >= 0 && columns >= 0, "shape is \(rows)×\(columns); expected no negative size")
        require(columns <= Self.maximumColumns,
                "\(columns) columns; expected at most \(Self.maximumColumns), or a sum over a row overflows Int32")
        self.rows = rows
        self.columns = columns
        words = [UInt64](repeating: 0, count: rows * BinaryKernels.words(forColumns: columns))
    }

    /// The longest row whose sums fit an Int32: 2³¹ − 64.
    public static let maximumColumns = Int(Int32.max) / 64 * 64

    /// Words that are already in this layout, for example read from a file.
    ///
    /// - Throws: ``BinaryMatrixError`` if the count is not rows · ⌈columns/64⌉ or a bit beyond the last column is set.
    public init(rows: Int, columns: Int, words: [UInt64]) throws(BinaryMatrixError) {
        self.init(rows: rows, columns: columns)
        guard words.count == self.words.count else {
            throw .wrongWordCount(words.count, expected: self.words.count)
        }
        if columns % 64 != 0 {
            for row in 0..<rows where words[(row + 1) * wordsPerRow - 1] >> UInt64(columns % 64) != 0 {
                throw .bitBeyondLastColumn(row: row)
            }
        }
        self.words = words
    }

    /// Bit (i, k) from a closure over row and column.
    public init(rows: Int, columns: Int, _ bit: (Int, Int) -> Bool) {
        self.init(rows: rows, columns: columns)
        for i in 0..<rows {
            for k in 0..<columns where bit(i, k) { self[i, k] = true }
        }
    }

    /// The signs of `x`: bit 1 (+1) where x ≥ 0, −0 included, bit 0 (−1) elsewhere, NaN included.
    ///
    /// Differs from `torch.sign` and `numpy.sign`, where the sign of 0 is 0: a bit has no third value. To be told of NaN
    /// use ``init(checkedSignsOf:)``.
    public init(signsOf x: Matrix<Float>) {
        self.init(rows: x.rows, columns: x.columns)
        _ = pack(x.elements.span, stride: x.columns)
    }

    /// The signs of rows that do not follow each other directly: row i starts at `elements[i * stride]`.
    public init(signsOf elements: Span<Float>, rows: Int, columns: Int, stride: Int) {
        self.init(rows: rows, columns: columns)
        _ = pack(elements, stride: stride)
    }

    /// As ``init(signsOf:)``, but a NaN is an error that names its place.
    public init(checkedSignsOf x: Matrix<Float>) throws(BinaryMatrixError) {
        self.init(rows: x.rows, columns: x.columns)
        if pack(x.elements.span, stride: x.columns) { throw .firstNaN(in: x) }
    }

    /// The signs of `x` and the scale of each row, mean |xᵢ| = (1/columns) Σₖ |x[i, k]|, in one pass.
    ///
    /// scaleᵢ · signᵢ is the best approximation of row i by a multiple of its signs (XNOR-Net, Rastegari et al. 2016, eq. 6).
    ///
    /// - Throws: ``BinaryMatrixError`` for a NaN, which would spoil the scale of its row.
    public static func signsAndScales(of x: Matrix<Float>) throws(BinaryMatrixError) -> (signs: BinaryMatrix, scales: [Float]) {
        var result = BinaryMatrix(rows: x.rows, columns: x.columns)
        var scales = [Float](repeating: 0, count: x.rows)
        let stride = result.wordsPerRow
        var bits = result.words.mutableSpan
        var scale = scales.mutableSpan
        let hasNaN = BinaryKernels.packSigns(
            rows: x.rows, columns: x.columns, of: x.elements.span, stride: x.columns, into: &bits, stride: stride,
            scale: &scale)
        if hasNaN { throw .firstNaN(in: x) }
        return (result, scales)
    }

    private mutating func pack(_ x: Span<Float>, stride: Int) -> Bool {
        let (rows, columns, wordsPerRow) = (rows, columns, wordsPerRow)
        var bits = words.mutableSpan
        return BinaryKernels.packSigns(
            rows: rows, columns: columns, of: x, stride: stride, into: &bits, stride: wordsPerRow)
    }

    /// Bit (i, k).
    public subscript(row: Int, column: Int) -> Bool {
        get { words[wordIndex(row, column)] >> UInt64(column % 64) & 1 != 0 }
        set {
            let index = wordIndex(row, column)
            let mask = UInt64(1) << UInt64(column % 64)
            if newValue { words[index] |= mask } else { words[index] &= ~mask }
        }
    }

    /// Replaces the bits of `row` from `column` on by row `source` of `other`, a word at a time.
    ///
    /// - Precondition: the rows exist, and `column + other.columns <= columns`.
    public mutating func replaceBits(ofRow row: Int, from column: Int, withRow source: Int, of other: BinaryMatrix) {
        require(0..<rows ~= row && 0..<other.rows ~= source && column >= 0 && column + other.columns <= columns,
                "row \(source) of a \(other.rows)×\(other.columns) matrix to bit (\(row), \(column)) of a \(rows)×\(columns) one")
        let shift = UInt64(column % 64)
        for k in 0..<other.wordsPerRow {
            let count = min(64, other.columns - 64 * k)
            let bits = other.words[source * other.wordsPerRow + k], mask = UInt64.max >> UInt64(64 - count)
            let target = row * wordsPerRow + column / 64 + k
            words[target] = words[target] & ~(mask << shift) | bits << shift
            if Int(shift) + count > 64 {
                words[target + 1] = words[target + 1] & ~(mask >> (64 - shift)) | bits >> (64 - shift)
            }
        }
    }

    private func wordIndex(_ row: Int, _ column: Int) -> Int {
        require(0..<rows ~= row && 0..<columns ~= column,
                "bit (\(row), \(column)) of a \(rows)×\(columns) matrix")
        return row * wordsPerRow + column / 64
    }

    /// The transpose, by blocks of 64×64 bits. Complexity: rows · columns / 64 words read and written.
    public func transposed() -> BinaryMatrix {
        var result = BinaryMatrix(rows: columns, columns: rows)
        let stride = result.wordsPerRow
        var span = result.words.mutableSpan
        BinaryKernels.transpose(
            rows: rows, columns: columns, of: words.span, stride: wordsPerRow, into: &span, stride: stride)
        return result
    }

    /// The number of ones in each row.
    public func rowCounts() -> [Int32] {
        var counts = [Int32](repeating: 0, count: rows)
        var span = counts.mutableSpan
        BinaryKernels.rowCounts(rows: rows, words: wordsPerRow, of: words.span, stride: wordsPerRow, into: &span)
        return counts
    }

    /// The bits as ±1.
    public func signs() -> Matrix<Float> {
        var elements = [Float]()
        elements.reserveCapacity(rows * columns)
        for i in 0..<rows {
            for k in 0..<columns { elements.append(self[i, k] ? 1 : -1) }
        }
        return Matrix(rows: rows, columns: columns, elements: elements)
    }
}

/// What is wrong with data that should become a bit matrix.
public enum BinaryMatrixError: Error, Sendable, Equatable, CustomStringConvertible {
    case notANumber(row: Int, column: Int)
    case wrongWordCount(Int, expected: Int)
    case bitBeyondLastColumn(row: Int)

    static func firstNaN(in x: Matrix<Float>) -> BinaryMatrixError {
        let index = x.elements.firstIndex(where: \.isNaN)!
        return .notANumber(row: index / x.columns, column: index % x.columns)
    }

    public var description: String {
        switch self {
        case .notANumber(let row, let column): "element (\(row), \(column)) is NaN; expected a number, whose sign is known"
        case .wrongWordCount(let count, let expected): "\(count) words; expected \(expected)"
        case .bitBeyondLastColumn(let row): "row \(row) has a bit set beyond the last column; expected 0 there"
        }
    }
}
