import Kernels

/// Elements that one thread fills at a time: a multiple of what any block gives.
private let partLength = 1 << 16

extension RandomStream {
    /// Fills `span` with uniform numbers in [0, 1): multiples of 2⁻²⁴ (`Float`) or 2⁻⁵³ (`Double`), all equally likely.
    ///
    /// Large spans are filled on up to `Threads.count` threads, with the same numbers as on one.
    public mutating func fillUniform<Scalar: KernelScalar>(_ span: inout MutableSpan<Scalar>) {
        let perBlock = Scalar.numbersPerRandomBlock
        let source = take(span.count, perBlock: perBlock)
        concurrentBlocks(of: &span, blockLength: partLength) { part, span in
            Scalar.fillUniform(&span, from: source.advanced(by: UInt64(part * (partLength / perBlock))))
        }
    }

    /// Fills `span` with independent normal numbers.
    ///
    /// The transform is that of Box and Muller, in arithmetic that gives the same bits everywhere. The tails end at 6.8
    /// (`Float`) and 8.5 (`Double`) standard deviations, where the exact distribution has 10⁻¹¹ and 10⁻¹⁷ left.
    ///
    /// - Precondition: `standardDeviation` is finite and not negative, and `mean` is finite.
    public mutating func fillNormal<Scalar: KernelScalar>(
        _ span: inout MutableSpan<Scalar>, mean: Scalar = 0, standardDeviation: Scalar = 1
    ) {
        require(standardDeviation.isFinite && standardDeviation >= 0,
                "standard deviation is \(standardDeviation); expected a finite number, at least 0")
        require(mean.isFinite, "mean is \(mean); expected a finite number")
        let perBlock = Scalar.numbersPerRandomBlock
        let source = take(span.count, perBlock: perBlock)
        concurrentBlocks(of: &span, blockLength: partLength) { part, span in
            Scalar.fillNormal(&span, mean: mean, standardDeviation: standardDeviation,
                              from: source.advanced(by: UInt64(part * (partLength / perBlock))))
        }
    }

    /// Fills `span` with independent signs: +1 or −1 with probability ½ each.
    ///
    /// From the same position, element i is +1 where bit i % 64 of word i / 64 of ``fillRademacherBits(_:)`` is 1.
    public mutating func fillRademacher<Scalar: KernelScalar>(_ span: inout MutableSpan<Scalar>) {
        let source = take(span.count, perBlock: 128)
        concurrentBlocks(of: &span, blockLength: partLength) { part, span in
            Scalar.fillRademacher(&span, from: source.advanced(by: UInt64(part * (partLength / 128))))
        }
    }

    /// Fills `words` with independent signs, 64 a word, lowest bit first: 1 stands for +1. All bits of all words are used.
    public mutating func fillRademacherBits(_ words: inout MutableSpan<UInt64>) {
        let source = take(words.count, perBlock: 2)
        concurrentBlocks(of: &words, blockLength: partLength) { part, words in
            fillBits(&words, from: source.advanced(by: UInt64(part * (partLength / 2))))
        }
    }

    /// `count` uniform numbers in [0, 1) (``fillUniform(_:)``).
    ///
    /// - Precondition: `count` is not negative.
    public mutating func uniform<Scalar: KernelScalar>(count: Int) -> [Scalar] {
        array(count) { stream, span in stream.fillUniform(&span) }
    }

    /// `count` normal numbers (``fillNormal(_:mean:standardDeviation:)``).
    ///
    /// - Precondition: `count` is not negative.
    public mutating func normal<Scalar: KernelScalar>(
        count: Int, mean: Scalar = 0, standardDeviation: Scalar = 1
    ) -> [Scalar] {
        array(count) { stream, span in
            stream.fillNormal(&span, mean: mean, standardDeviation: standardDeviation)
        }
    }

    /// `count` signs ±1 (``fillRademacher(_:)``).
    ///
    /// - Precondition: `count` is not negative.
    public mutating func rademacher<Scalar: KernelScalar>(count: Int) -> [Scalar] {
        array(count) { stream, span in stream.fillRademacher(&span) }
    }

    private mutating func array<Scalar: KernelScalar>(
        _ count: Int, _ fill: (inout RandomStream, inout MutableSpan<Scalar>) -> Void
    ) -> [Scalar] {
        require(count >= 0, "count is \(count); expected no negative number")
        var elements = [Scalar](repeating: 0, count: count)
        var span = elements.mutableSpan
        fill(&self, &span)
        return elements
    }
}
