import Kernels

/// Where the bits of `heads` heads of `width` bits lie in a row: each head begins a word, so that a product takes one head's words as they
/// are. Bits between are 0 in both operands, which no product counts.
struct HeadLayout: Sendable, Hashable {
    let heads: Int, width: Int

    /// Words of one head, and of a row.
    var wordsPerHead: Int { BinaryKernels.words(forColumns: width) }
    var words: Int { heads * wordsPerHead }
    /// Bits of a row, those between included.
    var columns: Int { 64 * words }

    /// Where number `index` of the plain order lies.
    func place(_ index: Int) -> Int { index / width * 64 * wordsPerHead + index % width }
}
