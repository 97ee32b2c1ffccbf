import Kernels
import Randomness
import Testing
import _TestSupport

/// The fills of one element type, each from a source and without book-keeping.
enum Fill: String, CaseIterable {
    case uniform, normal, rademacher

    func callAsFunction<Scalar: KernelScalar>(_ span: inout MutableSpan<Scalar>, _ source: PhiloxSource) {
        switch self {
        case .uniform: Scalar.fillUniform(&span, from: source)
        case .normal: Scalar.fillNormal(&span, mean: 0.25, standardDeviation: 3, from: source)
        case .rademacher: Scalar.fillRademacher(&span, from: source)
        }
    }

    func perBlock<Scalar: KernelScalar>(_: Scalar.Type) -> Int {
        self == .rademacher ? 128 : Scalar.numbersPerRandomBlock
    }

    func elements<Scalar: KernelScalar>(_ count: Int, offset: Int = 0, _ source: PhiloxSource) -> [Scalar] {
        var buffer = GuardedBuffer<Scalar>(count: count, offset: offset)
        buffer.withMutableSpan { self(&$0, source) }
        #expect(buffer.guardsAreIntact, "\(self) of \(count) at \(offset)")
        return buffer.elements
    }
}

/// Equality as one value: the report of a failed comparison of long arrays would take minutes to write.
private func same<Element: Equatable>(_ a: [Element], _ b: some Sequence<Element>) -> Bool { a.elementsEqual(b) }

private let source = PhiloxSource(key: 17, stream: 5, counter: 1 << 40)

@Suite struct FillTests {
    /// Every length and offset gives the beginning of one sequence, the same bits on each tier, and writes nothing else.
    private func sameBits<Scalar: KernelScalar>(_ tier: KernelTier, _: Scalar.Type) throws {
        for fill in Fill.allCases {
            let whole: [Scalar] = try withKernelTier(.scalar) { fill.elements(5000, source) }
            for count in kernelLengths {
                for offset in [0, 1, 3] {
                    let drawn: [Scalar] = try withKernelTier(tier) { fill.elements(count, offset: offset, source) }
                    #expect(same(drawn, whole[..<count]), "\(fill) of \(count) at \(offset)")
                }
            }
        }
    }

    @Test(arguments: KernelTier.supported) func sameBitsOnEveryTier(_ tier: KernelTier) throws {
        try sameBits(tier, Float.self)
        try sameBits(tier, Double.self)
    }

    /// A part drawn alone is the same part of the whole.
    private func subranges<Scalar: KernelScalar>(_: Scalar.Type) {
        for fill in Fill.allCases {
            let perBlock = fill.perBlock(Scalar.self)
            let whole: [Scalar] = fill.elements(40 * perBlock, source)
            for block in [1, 2, 7, 8, 15, 16, 17, 31] {
                let part: [Scalar] = fill.elements(5 * perBlock + 1, source.advanced(by: UInt64(block)))
                let expected = whole[block * perBlock..<(block + 5) * perBlock + 1]
                #expect(same(part, expected), "\(fill) from block \(block)")
            }
        }
    }

    @Test func partsAreDrawnAlone() {
        subranges(Float.self)
        subranges(Double.self)
    }

    @Test(arguments: KernelTier.supported) func signsAreTheBits(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            var words = GuardedBuffer<UInt64>(count: 9, offset: 1)
            words.withMutableSpan { fillBits(&$0, from: source) }
            #expect(words.guardsAreIntact)
            let bits = words.elements
            let expected: [Double] = (0..<9 * 64).map { i in
                let bit = (bits[i / 64] >> UInt64(i % 64)) & 1
                return bit == 1 ? 1 : -1
            }
            #expect(same(Fill.rademacher.elements(9 * 64, source), expected))
            #expect(same(Fill.rademacher.elements(9 * 64, source), expected.map(Float.init)))
        }
    }

    /// Large fills are cut into parts; the parts must meet.
    @Test func threadsDoNotChangeTheNumbers() {
        let count = 5 << 16 // five parts
        let before = Threads.count
        defer { Threads.count = before }
        func draw() -> (RandomStream, [Float], [Double], [Float], [UInt64]) {
            var stream = RandomStream(seed: 3)
            let a: [Float] = stream.normal(count: count)
            let b: [Double] = stream.uniform(count: count)
            let c: [Float] = stream.rademacher(count: count)
            var d = [UInt64](repeating: 0, count: count)
            var span = d.mutableSpan
            stream.fillRademacherBits(&span)
            return (stream, a, b, c, d)
        }
        Threads.count = 1
        let one = draw()
        Threads.count = 3
        let three = draw()
        #expect(one.0 == three.0)
        #expect(same(one.1, three.1) && same(one.2, three.2) && same(one.3, three.3) && same(one.4, three.4))
        let blocks = count / 4 + count / 2 + count / 128 + count / 2
        #expect(one.0.position == UInt64(blocks))
        // The same without parts.
        #expect(same(one.1, normalAlone(count, PhiloxSource(key: 3, stream: 0, counter: 0))))
    }
}

private func normalAlone(_ count: Int, _ source: PhiloxSource) -> [Float] {
    var elements = [Float](repeating: 0, count: count)
    var span = elements.mutableSpan
    Float.fillNormal(&span, mean: 0, standardDeviation: 1, from: source)
    return elements
}
