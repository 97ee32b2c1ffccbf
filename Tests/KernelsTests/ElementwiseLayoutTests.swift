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
                x.withSpan { x in y.withMutableSpan { function.run(x, into: &$0) } }
                let wrong = (0..<count).count { !isSame(y[$0], alone[$0]) }
                #expect(wrong == 0 && y.guardsAreIntact, "\(tier) \(function) \(Scalar.self) count \(count) offset \(offset)")
                x.withMutableSpan { function.run(&$0) }
                if count == 17 { checkApply(function, values, y.elements, tier) }
                let different = (0..<count).count { !isSame(x[$0], y[$0]) }
                #expect(different == 0 && x.guardsAreIntact, "\(tier) \(function) \(Scalar.self) in place, count \(count)")
            }
        }
    }

    /// The enumeration's dispatch is that of the functions.
    private func checkApply<Scalar: KernelScalar>(
        _ function: ElementwiseFunction, _ values: [Scalar], _ expected: [Scalar], _ tier: KernelTier
    ) {
        var inPlace = Array(values[..<expected.count]), y = [Scalar](repeating: 7, count: expected.count)
        var ySpan = y.mutableSpan
        Scalar.apply(function, inPlace.span, into: &ySpan)
        var span = inPlace.mutableSpan
        Scalar.apply(function, &span)
        #expect(zip(y, expected).allSatisfy { isSame($0, $1) } && zip(inPlace, expected).allSatisfy { isSame($0, $1) },
                "\(tier) apply \(function) \(Scalar.self)")
    }

    private func isSame<Scalar: KernelScalar>(_ a: Scalar, _ b: Scalar) -> Bool {
        a == b && a.sign == b.sign || a.isNaN && b.isNaN
    }
}
