import Kernels

extension RandomStream {
    /// A whole number in `range`, each exactly equally likely.
    ///
    /// Method: the high word of a 128-bit product, with rejection (Lemire: Fast random integer generation in an interval.
    /// ACM Trans. Model. Comput. Simul. 29, 2019).
    ///
    /// - Precondition: `range` is not empty.
    public mutating func integer(in range: Range<Int>) -> Int {
        require(!range.isEmpty, "range \(range) is empty; expected at least one number")
        let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
        var product = width.multipliedFullWidth(by: next())
        if product.low < width {
            let rejected = (0 &- width) % width // 2⁶⁴ mod width
            while product.low < rejected { product = width.multipliedFullWidth(by: next()) }
        }
        return range.lowerBound &+ Int(truncatingIfNeeded: product.high)
    }

    /// The numbers 0 ..< `count` in random order, each order equally likely as far as the seed allows.
    ///
    /// - Precondition: `count` is not negative.
    /// - Complexity: O(count).
    public mutating func permutation(of count: Int) -> [Int] {
        require(count >= 0, "count is \(count); expected no negative number")
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }

    /// Puts `elements` in random order (Fisher and Yates, from the front).
    ///
    /// - Complexity: O(n).
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for i in elements.indices.dropLast() { elements.swapAt(i, integer(in: i..<elements.count)) }
    }

    /// `count` different numbers of 0 ..< `population` in random order: the beginning of a random permutation, without
    /// the rest of it.
    ///
    /// - Precondition: 0 ≤ `count` ≤ `population`.
    /// - Complexity: O(count) time and memory.
    public mutating func sample(_ count: Int, of population: Int) -> [Int] {
        require(count >= 0 && count <= population,
                "cannot sample \(count) of \(population) without replacement; expected 0 to \(population)")
        // The permutation's array is never made: only the places that an exchange has changed are kept.
        var moved: [Int: Int] = [:]
        moved.reserveCapacity(count)
        return (0..<count).map { i in
            let j = integer(in: i..<population)
            let chosen = moved[j] ?? j
            moved[j] = moved[i] ?? i
            return chosen
        }
    }

    /// A new stream that is independent of what this one still gives, and uses up one block of it.
    ///
    /// The child's seed and stream number are the 128 bits of that block. Two children are the same with probability 2⁻¹²⁸.
    public mutating func split() -> RandomStream {
        child(of: take(1, perBlock: 1))
    }

    /// The child numbered `index`, which depends on seed, stream and index alone: not on the position, and this stream
    /// is left as it is. Use it to give each worker, layer or repetition a stream of its own.
    ///
    /// The child's seed and stream number are the 128 bits of block `index` of the generator with the key
    /// seed + 0x9E3779B97F4A7C15 (mod 2⁶⁴) and this stream number. Two children are the same with probability 2⁻¹²⁸.
    public func substream(_ index: UInt64) -> RandomStream {
        child(of: PhiloxSource(key: seed &+ 0x9E37_79B9_7F4A_7C15, stream: stream, counter: index))
    }

    private func child(of source: PhiloxSource) -> RandomStream {
        let (seed, stream) = source.block
        return RandomStream(seed: seed, stream: stream)
    }
}
