import Kernels
import Testing
import _TestSupport

@Suite struct ArithmeticTests {
    @Test(arguments: KernelTier.supported) func boundsAtEveryLengthAndOffset(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for count in kernelLengths {
                for offset in kernelOffsets {
                    check(Float.self, count, offset, tier)
                    check(Double.self, count, offset, tier)
                }
            }
        }
    }

    private func check<Scalar: KernelScalar>(_: Scalar.Type, _ count: Int, _ offset: Int, _ tier: KernelTier) {
        var numbers = TestNumbers(seed: UInt64(count))
        func buffer() -> GuardedBuffer<Scalar> {
            GuardedBuffer(count: count, offset: offset) { _ in Scalar(numbers.spread()) }
        }
        let a = buffer(), b = buffer(), c = buffer(), d = buffer()
        let place = "\(tier) \(Scalar.self) count \(count) offset \(offset)"
        /// Runs `body` on a, b and a result, and compares with the exact value or within 2 u of `size`.
        func run(_ name: String, _ body: (Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>) -> Void,
                 isRight: (Int, Scalar) -> Bool) {
            var z = GuardedBuffer<Scalar>(count: count, offset: offset)
            a.withSpan { a in b.withSpan { b in z.withMutableSpan { body(a, b, &$0) } } }
            let wrong = (0..<count).filter { !isRight($0, z[$0]) }
            #expect(wrong.isEmpty && z.guardsAreIntact, "\(name), \(place): wrong at \(wrong.prefix(4))")
        }
        run("multiply", { Scalar.multiply($0, $1, into: &$2) }) { $1 == a[$0] * b[$0] }
        run("divide", { Scalar.divide($0, $1, into: &$2) }) { $1 == a[$0] / b[$0] }
        run("add", { Scalar.add($0, $1, into: &$2) }) { $1 == a[$0] + b[$0] }
        run("subtract", { Scalar.subtract($0, $1, into: &$2) }) { $1 == a[$0] - b[$0] }
        run("maximum", { Scalar.maximum($0, $1, into: &$2) }) { $1 == Swift.max(a[$0], b[$0]) }
        run("minimum", { Scalar.minimum($0, $1, into: &$2) }) { $1 == Swift.min(a[$0], b[$0]) }
        let u = Double(Scalar.ulpOfOne) / 2
        /// Whether `got` is Σ of products within 2 u Σ of their magnitudes.
        func isSum(_ got: Scalar, _ terms: (Scalar, Scalar)...) -> Bool {
            var sum = DoubleDouble(), size = 0.0
            for (x, y) in terms {
                sum.addProduct(Double(x), Double(y))
                size += abs(Double(x) * Double(y))
            }
            return abs(Double(got) - sum.value) <= 2 * u * size
        }
        run("multiplyAdd", { x, y, w in c.withSpan { Scalar.multiplyAdd(x, y, $0, into: &w) } }) {
            isSum($1, (a[$0], b[$0]), (1, c[$0]))
        }
        run("sumOfProducts", { x, y, w in c.withSpan { c in d.withSpan { d in Scalar.sumOfProducts(x, y, c, d, into: &w) } } }) {
            isSum($1, (a[$0], b[$0]), (c[$0], d[$0]))
        }
        run("affine", { x, _, y in Scalar.affine(1.7, x, -2.9, into: &y) }) { isSum($1, (1.7, a[$0]), (1, -2.9)) }
        run("multiplyAccumulate", { x, y, z in
            for i in 0..<count { z[i] = c[i] }
            Scalar.multiplyAccumulate(x, y, into: &z)
        }) { isSum($1, (a[$0], b[$0]), (1, c[$0])) }
    }

    @Test(arguments: KernelTier.supported) func extremaPropagateNaN(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            let x: [Double] = [.nan, 1, .nan, -.infinity, 2], y: [Double] = [1, .nan, .nan, .infinity, 2]
            var z = [Double](repeating: 7, count: 5)
            var span = z.mutableSpan
            Double.maximum(x.span, y.span, into: &span)
            #expect(z[..<3].allSatisfy(\.isNaN) && z[3] == .infinity && z[4] == 2)
            var again = z.mutableSpan
            Double.minimum(x.span, y.span, into: &again)
            #expect(z[..<3].allSatisfy(\.isNaN) && z[3] == -.infinity && z[4] == 2)
        }
    }

    @Test func differentCountsAreRefused() async {
        let operand = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var z: [Float] = [1, 2]
            var span = z.mutableSpan
            Float.sumOfProducts([1, 2].span, [1, 2].span, [1, 2].span, [1].span, into: &span)
        }
        #expect(message(of: operand).contains("counts 2 and 1 differ"))
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var z: [Float] = [1, 2]
            var span = z.mutableSpan
            Float.multiply([1, 2, 3].span, [1, 2, 3].span, into: &span)
        }
        #expect(message(of: result).contains("counts 3 and 2 differ"))
    }
}
