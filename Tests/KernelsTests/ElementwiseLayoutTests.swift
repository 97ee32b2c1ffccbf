import Kernels
import Testing
import _TestSupport

/// The result of an element depends neither on its place, nor on the length, nor on whether it is written in place.
@Suite struct ElementwiseLayoutTests {
    @Test(arguments: KernelTier.supported) func everyLengthAndOffset(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for function in ElementwiseFunction.allCases {
                check(function, Float.self, tier)
                check(function, Double.self, tier)
            }
        }
    }

    private func check<Scalar: KernelScalar>(_ function: ElementwiseFunction, _: Scalar.Type, _ tier: KernelTier) {
        var numbers = TestNumbers(seed: 3)
        let values = (0..<kernelLengths.max()!).map { _ in Scalar(numbers.spread()) }
        let alone = values.map { function([$0])[0] }
        for count in kernelLengths {
            for offset in kernelOffsets {
                var x = GuardedBuffer<Scalar>(count: count, offset: offset) { values[$0] }
                var y = GuardedBuffer<Scalar>(count: count, offset: offset)
                x.withSpan { x in y.withMutableSpan { function.apply(x, into: &$0) } }
                let wrong = (0..<count).count { !isSame(y[$0], alone[$0]) }
                #expect(wrong == 0 && y.guardsAreIntact, "\(tier) \(function) \(Scalar.self) count \(count) offset \(offset)")
                x.withMutableSpan { function.apply(&$0) }
                let different = (0..<count).count { !isSame(x[$0], y[$0]) }
                #expect(different == 0 && x.guardsAreIntact, "\(tier) \(function) \(Scalar.self) in place, count \(count)")
            }
        }
    }

    private func isSame<Scalar: KernelScalar>(_ a: Scalar, _ b: Scalar) -> Bool {
        a == b && a.sign == b.sign || a.isNaN && b.isNaN
    }
}
