import BinaryAlgebra
import Kernels

/// Signs of weights in panels, as products read them.
struct PackedSigns: Sendable, Hashable {
    /// Rows: outputs of the product, those that fill up a head included.
    let rows: Int
    let words: Int
    let panels: AlignedArray<UInt64>

    init(_ signs: BinaryMatrix) {
        let (rows, words) = (signs.rows, signs.wordsPerRow)
        self.rows = rows
        self.words = words
        panels = AlignedArray(repeating: 0, count: BinaryKernels.panelCount(rows: rows, words: words)) { panels in
            BinaryKernels.packPanels(rows: rows, words: words, from: signs.words.span, stride: words, into: &panels)
        }
    }

    /// The signs in plain order: row i, bit k from row `row(i)`, bit `column(k)`.
    func plain(rows: Int, columns: Int, row: (Int) -> Int = { $0 }, column: (Int) -> Int = { $0 }) -> BinaryMatrix {
        let panel = BinaryKernels.panelRows
        return panels.withSpan { panels in
            BinaryMatrix(rows: rows, columns: columns) { i, k in
                let (i, k) = (row(i), column(k))
                return panels[(i / panel * words + k / 64) * panel + i % panel] >> UInt64(k % 64) & 1 != 0
            }
        }
    }

    var bytes: Int { 8 * panels.count }
}
