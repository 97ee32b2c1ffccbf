import Foundation
import Kernels
import Randomness
import Testing

/// Six standard deviations: a right generator exceeds that with probability 2 · 10⁻⁹. Seeds are fixed, so a test that
/// passes once always passes.
private let sigmas = 6.0

/// Whether Σ (observed − expected)²/expected over equally likely cells lies within `sigmas` of its mean, by the
/// cube-root approximation of Wilson and Hilferty to its distribution. A value too small is as suspect as one too large.
private func isPlausible(_ counts: [Int]) -> Bool {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    let freedom = Double(counts.count - 1), spread = 2 / (9 * freedom)
    let statistic = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    return abs(cbrt(statistic / freedom) - (1 - spread)) <= sigmas * spread.squareRoot()
}

private func histogram(_ cells: Int, _ values: some Sequence<Int>) -> [Int] {
    values.reduce(into: [Int](repeating: 0, count: cells)) { $0[$1] += 1 }
}

@Suite struct StatisticsTests {
    let count = 1 << 20

    @Test func uniformFillsTheIntervalAndThePlane() {
        func check<Scalar: KernelScalar>(_: Scalar.Type) {
            var stream = RandomStream(seed: 1)
            let u: [Scalar] = stream.uniform(count: count)
            #expect(u.allSatisfy { $0 >= 0 && $0 < 1 })
            #expect(isPlausible(histogram(1024, u.map { Int($0 * 1024) })))
            let pairs: [Int] = stride(from: 0, to: count, by: 2).map { i in
                let row = Int(u[i] * 32), column = Int(u[i + 1] * 32)
                return row * 32 + column
            }
            #expect(isPlausible(histogram(1024, pairs)))
            // The lowest bits, too.
            let steps = Scalar.self == Float.self ? 0x1p24 : 0x1p53
            let low = u.map { Int(Double($0) * steps) & 15 }
            #expect(isPlausible(histogram(16, low)))
        }
        check(Float.self)
        check(Double.self)
    }

    @Test func normalHasItsMomentsAndItsDistribution() {
        func check<Scalar: KernelScalar>(_: Scalar.Type) {
            var stream = RandomStream(seed: 2)
            let drawn: [Scalar] = stream.normal(count: count)
            let z = drawn.map(Double.init), n = Double(count)
            // Means of z, z² − 1, z³ and z⁴ − 3 have variances 1, 2, 15 and 96 over n.
            func mean(_ f: (Double) -> Double) -> Double { z.reduce(0) { $0 + f($1) } / n }
            #expect(abs(mean { $0 }) <= sigmas * (1 / n).squareRoot())
            #expect(abs(mean { $0 * $0 - 1 }) <= sigmas * (2 / n).squareRoot())
            #expect(abs(mean { $0 * $0 * $0 }) <= sigmas * (15 / n).squareRoot())
            #expect(abs(mean { $0 * $0 * $0 * $0 - 3 }) <= sigmas * (96 / n).squareRoot())
            // The two numbers of a pair, and neighbours of different pairs, do not correlate.
            for lag in 1...4 {
                var products = 0.0
                for i in 0..<count - lag { products += z[i] * z[i + lag] }
                #expect(abs(products) <= sigmas * n.squareRoot(), "lag \(lag)")
            }
            let quantiles: [Int] = z.map { min(255, Int(128 * erfc(-$0 / 2.0.squareRoot()))) }
            #expect(isPlausible(histogram(256, quantiles)))
        }
        check(Float.self)
        check(Double.self)
    }

    @Test func signsAreFair() {
        var stream = RandomStream(seed: 3)
        var words = [UInt64](repeating: 0, count: count / 16)
        var span = words.mutableSpan
        stream.fillRademacherBits(&span)
        let bound = sigmas * Double(words.count).squareRoot() / 2
        for bit in 0..<64 {
            let ones = words.reduce(0) { (sum: Int, word: UInt64) in sum + Int(word >> bit & 1) }
            #expect(abs(Double(ones) - Double(words.count) / 2) <= bound, "bit \(bit)")
            let changes = words.reduce(0) { (sum: Int, word: UInt64) in
                let turned = (word << 1) | (word >> 63)
                return sum + Int((word ^ turned) >> bit & 1)
            }
            #expect(abs(Double(changes) - Double(words.count) / 2) <= bound, "bits \(bit) and \(bit - 1)")
        }
    }

    @Test func integersHaveNoBias() {
        var stream = RandomStream(seed: 4)
        let draws = (0..<1 << 16).map { _ in stream.integer(in: -3..<4) }
        #expect(isPlausible(histogram(7, draws.map { $0 + 3 })))
        // With 3 · 2⁶² results, two of four 64-bit numbers would give a multiple of 3 if none were rejected.
        let half = 3 << 61
        let wide = (0..<1 << 16).map { _ in stream.integer(in: -half..<half) }
        let residues: [Int] = wide.map { (($0 % 3) + 3) % 3 }
        #expect(isPlausible(histogram(3, residues)))
        #expect(wide.contains { $0 < -half / 2 } && wide.contains { $0 > half / 2 })
    }

    @Test func permutationsAreEquallyLikely() {
        var stream = RandomStream(seed: 5)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<24 << 10 { counts[stream.permutation(of: 4), default: 0] += 1 }
        #expect(counts.count == 24)
        #expect(isPlausible(Array(counts.values)))
    }

    @Test func samplesIncludeEachNumberEquallyOften() {
        var stream = RandomStream(seed: 6)
        let draws = (0..<1 << 14).flatMap { _ in stream.sample(3, of: 40) }
        // Inclusions within one sample are not independent, which only makes the statistic smaller, by 1 − 3/40.
        #expect(isPlausible(histogram(40, draws)))
    }

    /// Streams that could be taken for neighbours: of one seed, of neighbouring seeds, parent and children.
    @Test func relatedStreamsDoNotCorrelate() {
        let parent = RandomStream(seed: 7)
        var splitting = parent
        let streams = [
            parent, RandomStream(seed: 7, stream: 1), RandomStream(seed: 8), parent.substream(0), parent.substream(1),
            RandomStream(seed: 7, stream: 1).substream(0), parent.substream(0).substream(0), splitting.split(),
            splitting.split(), splitting,
        ]
        let n = 1 << 14
        let draws = streams.map { stream in
            var stream = stream
            return stream.normal(count: n) as [Double]
        }
        for i in draws.indices {
            for j in draws.indices where j > i {
                var product = 0.0
                for k in 0..<n { product += draws[i][k] * draws[j][k] }
                #expect(abs(product) <= sigmas * Double(n).squareRoot(), "streams \(i) and \(j)")
            }
        }
    }
}
