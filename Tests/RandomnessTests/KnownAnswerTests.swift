import Kernels
import Randomness
import Testing
import _TestSupport

/// Philox4x32-10 as the paper writes it, one block at a time, on plain integers.
func philoxBlock(counter: [UInt32], key: [UInt32]) -> [UInt32] {
    var c = counter, k = key
    for _ in 0..<10 {
        let p0 = UInt64(c[0]) * 0xD251_1F53, p1 = UInt64(c[2]) * 0xCD9E_8D57
        c = [UInt32(p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
             UInt32(p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0)]
        k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
    }
    return c
}

/// The words of `blocks` blocks from `source` on, by ``philoxBlock(counter:key:)``.
func referenceWords(_ source: PhiloxSource, blocks: Int) -> [UInt32] {
    func halves(_ x: UInt64) -> [UInt32] { [UInt32(truncatingIfNeeded: x), UInt32(x >> 32)] }
    return (0..<UInt64(blocks)).flatMap {
        philoxBlock(counter: halves(source.counter &+ $0) + halves(source.stream), key: halves(source.key))
    }
}

/// Words `index` and `index + 1` as one number.
private func pair(_ words: [UInt32], _ index: Int) -> UInt64 { UInt64(words[index]) | UInt64(words[index + 1]) << 32 }

@Suite struct KnownAnswerTests {
    /// The published vectors of Random123 for philox4x32 with 10 rounds.
    static let vectors: [(source: PhiloxSource, words: [UInt32])] = [
        (PhiloxSource(key: 0, stream: 0, counter: 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        (PhiloxSource(key: .max, stream: .max, counter: .max), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (PhiloxSource(key: 0x299f_31d0_a409_3822, stream: 0x0370_7344_1319_8a2e, counter: 0x85a3_08d3_243f_6a88),
         [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]),
    ]

    @Test(arguments: KernelTier.supported) func publishedVectors(_ tier: KernelTier) throws {
        for (source, words) in Self.vectors {
            var drawn = [UInt32](repeating: 0, count: 4)
            var span = drawn.mutableSpan
            try withKernelTier(tier) { fillBits(&span, from: source) }
            #expect(drawn == words)
        }
    }

    /// Also where the counter passes 2³² and 2⁶⁴.
    @Test(arguments: KernelTier.supported) func wordsEqualTheDefinition(_ tier: KernelTier) throws {
        for counter in [0, 7, UInt64(UInt32.max) - 5, UInt64.max - 5] {
            let source = PhiloxSource(key: 0x0123_4567_89ab_cdef, stream: 0xfedc_ba98_7654_3210, counter: counter)
            let expected = referenceWords(source, blocks: 40)
            var words = [UInt32](repeating: 0, count: 160)
            var pairs = [UInt64](repeating: 0, count: 80)
            var wordSpan = words.mutableSpan, pairSpan = pairs.mutableSpan
            try withKernelTier(tier) {
                fillBits(&wordSpan, from: source)
                fillBits(&pairSpan, from: source)
            }
            #expect(words.elementsEqual(expected))
            #expect(pairs.elementsEqual((0..<80).map { pair(expected, 2 * $0) }))
        }
    }

    /// What a stream gives first, so that no change of layout goes unnoticed: seeds in published results must keep their
    /// meaning.
    @Test func streamLayout() {
        let words = referenceWords(PhiloxSource(key: 42, stream: 3, counter: 0), blocks: 5)
        var stream = RandomStream(seed: 42, stream: 3)
        #expect(stream.next() == pair(words, 0))
        #expect(stream.position == 1)
        let uniform: [Float] = stream.uniform(count: 5)
        #expect(uniform == (4..<9).map { Float(words[$0] >> 8) * 0x1p-24 })
        #expect(stream.position == 3)
        let doubles: [Double] = stream.uniform(count: 3)
        #expect(doubles == (0..<3).map { Double(pair(words, 12 + 2 * $0) >> 11) * 0x1p-53 })
        #expect(stream.position == 5)
    }
}
