/// Which rows of a matrix are added, with signs, to give each row of another: a sparse random projection, sorted so that
/// ``KernelScalar/sumRows(_:columns:of:scale:into:)`` can keep the sums in registers.
///
/// Rows of X come in blocks that lie in the second-level cache for a few columns at a time. Within a block the targets stand in classes of equally
/// many members, so that the number of additions can be foreseen. With one target a row all rows are one block: each is read once anyway.
///
/// Making it sorts rows · each numbers, twice by counting; it holds about as many 32-bit numbers again.
public struct SignedRowSums: Sendable {
    struct Block: Sendable {
        let firstRow: Int, rows: Int
        let classes: Range<Int>, targets: Range<Int>, members: Range<Int>
    }

    /// Rows of X, and of Y.
    public let rows: Int, targetRows: Int
    let each: Int
    let blocks: [Block]
    /// Of each class: how many targets it has.
    private(set) var classes: [UInt32] = []
    /// Rows of Y.
    private(set) var targets: [UInt32] = []
    /// Twice the row within its block, and 1 for a minus sign.
    private(set) var members: [UInt32]

    /// - Parameters:
    ///   - targets: for each row of X the `each` rows of Y that it is added to, ~t where it is taken from row t.
    /// - Precondition: rows · each targets, which name rows of Y.
    public init(targets given: [Int32], each: Int, rows: Int, targetRows: Int) {
        requireTargets(given.span, rows, each, targetRows)
        (self.rows, self.targetRows, self.each) = (rows, targetRows, each)
        // A block's rows and the sketch's, a few lines each, share the second-level cache.
        let height = each > 1 ? (targetRows > 4096 ? 4096 : 2048) : max(1, rows)
        var sizes = [Int](repeating: 0, count: targetRows), next = sizes, blocks: [Block] = []
        members = [UInt32](repeating: 0, count: given.count)
        for firstRow in stride(from: 0, to: each > 0 ? rows : 0, by: height) {
            let blockRows = min(height, rows - firstRow), entries = firstRow * each..<(firstRow + blockRows) * each
            for t in 0..<targetRows { sizes[t] = 0 }
            for e in entries { sizes[Int(given[e] ^ (given[e] >> 31))] += 1 }
            let largest = sizes.max() ?? 0, firstClass = classes.count, firstTarget = targets.count
            var counts = [Int](repeating: 0, count: largest)
            for size in sizes where size > 0 { counts[size - 1] += 1 }
            // Where the next target of a class goes, and its members.
            var places: [(target: Int, member: Int)] = [], target = firstTarget, member = entries.lowerBound
            for c in counts.indices {
                places.append((target, member))
                target += counts[c]
                member += counts[c] * (c + 1)
                classes.append(UInt32(counts[c]))
            }
            targets.append(contentsOf: repeatElement(0, count: target - firstTarget))
            for t in 0..<targetRows where sizes[t] > 0 {
                let c = sizes[t] - 1
                targets[places[c].target] = UInt32(t)
                next[t] = places[c].member
                places[c].target += 1
                places[c].member += c + 1
            }
            for e in entries {
                let t = Int(given[e] ^ (given[e] >> 31))
                members[next[t]] = UInt32(2 * (e / each - firstRow)) + (given[e] < 0 ? 1 : 0)
                next[t] += 1
            }
            blocks.append(Block(
                firstRow: firstRow, rows: blockRows, classes: firstClass..<classes.count, targets: firstTarget..<target, members: entries))
        }
        self.blocks = blocks
    }

    /// Whether rows of X are read where they stand, and not copied into the cache first.
    var readsInPlace: Bool { each <= 1 }

    /// Elements of a strip of columns: whole lines of 64 bytes, up to four of them, so few that Y's strip fits the second-level cache.
    func stripWidth(columns: Int, size: Int) -> Int {
        let lines = (columns * size + 63) / 64, most = max(2, min(4, 20_480 / max(1, targetRows)))
        let strips = (lines + most - 1) / most
        return (lines + strips - 1) / strips * 64 / size
    }
}
