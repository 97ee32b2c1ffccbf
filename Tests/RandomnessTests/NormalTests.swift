import Foundation
import Kernels
import Randomness
import Testing

#if arch(x86_64)
private typealias Wide = Float80
#else
private typealias Wide = Double
#endif

@Suite struct NormalTests {
    private let source = PhiloxSource(key: 9, stream: 1, counter: 100)
    private let count = 1 << 16

    private func bits<Word>(_ zero: Word, _ fill: (inout MutableSpan<Word>) -> Void) -> [Word] {
        var words = [Word](repeating: zero, count: count)
        var span = words.mutableSpan
        fill(&span)
        return words
    }

    /// The documented transform of the documented bits, in wider arithmetic: within 2⁻²² r.
    @Test func floatTransform() {
        let words = bits(0 as UInt32) { fillBits(&$0, from: source) }
        let drawn = bits(0 as Float) { Float.fillNormal(&$0, mean: 0, standardDeviation: 1, from: source) }
        var worst = 0.0
        for i in stride(from: 0, to: count, by: 2) {
            let u = Float(words[i]) * 0x1p-32 + 0x1p-33
            let t = Double(Float(Int32(bitPattern: words[i + 1] << 2))) * 0x1p-32
            let r = (-2 * log(Double(u))).squareRoot(), angle = (Double(words[i + 1] >> 30) + t) * .pi / 2
            worst = max(worst, abs(Double(drawn[i]) - r * cos(angle)) / r, abs(Double(drawn[i + 1]) - r * sin(angle)) / r)
        }
        #expect(worst <= 0x1p-22)
    }

    /// As for `Float`: within 2⁻⁵⁰ r, and 2⁻⁴⁹ r where the reference is no wider than the result.
    @Test func doubleTransform() {
        let words = bits(0 as UInt64) { fillBits(&$0, from: source) }
        let drawn = bits(0 as Double) { Double.fillNormal(&$0, mean: 0, standardDeviation: 1, from: source) }
        var worst: Wide = 0
        for i in stride(from: 0, to: count, by: 2) {
            let u = 1 - Double(words[i] >> 12) * 0x1p-52, t = Double((words[i + 1] << 2) >> 12) * 0x1p-52 - 0.5
            let r = (-2 * log(Wide(u))).squareRoot(), angle = (Wide(words[i + 1] >> 62) + Wide(t)) * .pi / 2
            worst = max(worst, abs(Wide(drawn[i]) - r * cos(angle)) / r, abs(Wide(drawn[i + 1]) - r * sin(angle)) / r)
        }
        #expect(worst <= (Wide.significandBitCount > 52 ? 0x1p-50 : 0x1p-49))
    }

    @Test func meanAndDeviationAreOneMultiplicationAndOneAddition() {
        let standard = bits(0 as Double) { Double.fillNormal(&$0, mean: 0, standardDeviation: 1, from: source) }
        let other = bits(0 as Double) { Double.fillNormal(&$0, mean: -3, standardDeviation: 0.5, from: source) }
        #expect(other == standard.map { -3 + 0.5 * $0 })
        let constant = bits(0 as Float) { Float.fillNormal(&$0, mean: 7, standardDeviation: 0, from: source) }
        #expect(constant.allSatisfy { $0 == 7 })
    }
}
