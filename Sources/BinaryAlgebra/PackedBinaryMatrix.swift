import Kernels

/// The right operand of a bit product, packed once into panels and kept by the caller.
///
/// Its rows become the columns of the result: with B of n×K bits, a product with A of m×K bits gives A·Bᵀ, m×n.
/// That is the layout of a linear layer's weights (outputs × inputs) and of a set of reference points (points × bits).
/// Size: n rounded up to 16, times ⌈K/64⌉ words.
public struct PackedBinaryMatrix: Sendable, Hashable {
    /// n: columns of the products.
    public let rows: Int
    /// K: the length of each row.
    public let columns: Int
    let panels: AlignedArray<UInt64>
    /// Ones in each row, for products whose other side counts zeros as −1.
    public let rowCounts: [Int32]

    public init(_ matrix: BinaryMatrix) {
        rows = matrix.rows
        columns = matrix.columns
        rowCounts = matrix.rowCounts()
        let words = matrix.wordsPerRow
        panels = AlignedArray(repeating: 0, count: BinaryKernels.panelCount(rows: matrix.rows, words: words)) { panels in
            BinaryKernels.packPanels(rows: matrix.rows, words: words, from: matrix.words.span, stride: words, into: &panels)
        }
    }

    var wordsPerRow: Int { BinaryKernels.words(forColumns: columns) }
}
