import Kernels
import Testing
import _TestSupport

@Suite struct UpdateTests {
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
        let x = buffer(), y = buffer(), z = buffer()
        var axpy = y, axpby = y, scaled = x, w = GuardedBuffer<Scalar>(count: count, offset: offset)
        let a: Scalar = 1.7, b: Scalar = -0.6, c: Scalar = 3.1
        x.withSpan { x in
            axpy.withMutableSpan { Scalar.axpy(a, x, &$0) }
            axpby.withMutableSpan { Scalar.axpby(a, x, b, &$0) }
            y.withSpan { y in z.withSpan { z in w.withMutableSpan { Scalar.linearCombination(a, x, b, y, c, z, into: &$0) } } }
        }
        scaled.withMutableSpan { Scalar.scale(a, &$0) }
        let u = Double(Scalar.ulpOfOne) / 2
        /// Σ of coefficient · value, exactly, and Σ of the magnitudes.
        func exact(_ terms: (Scalar, Scalar)...) -> (value: Double, size: Double) {
            var sum = DoubleDouble(), size = 0.0
            for (coefficient, value) in terms {
                sum.addProduct(Double(coefficient), Double(value))
                size += abs(Double(coefficient) * Double(value))
            }
            return (sum.value, size)
        }
        func isWithin(_ ulps: Double, _ got: Scalar, _ exact: (value: Double, size: Double)) -> Bool {
            abs(Double(got) - exact.value) <= ulps * u * exact.size
        }
        let wrong = (0..<count).filter { i in
            !(isWithin(2, axpy[i], exact((a, x[i]), (1, y[i]))) && isWithin(3, axpby[i], exact((a, x[i]), (b, y[i])))
              && scaled[i] == a * x[i] && isWithin(4, w[i], exact((a, x[i]), (b, y[i]), (c, z[i]))))
        }
        #expect(wrong.isEmpty, "\(tier) \(Scalar.self) count \(count) offset \(offset): wrong at \(wrong.prefix(4))")
        #expect(axpy.guardsAreIntact && axpby.guardsAreIntact && scaled.guardsAreIntact && w.guardsAreIntact)
    }

    @Test(arguments: KernelTier.supported) func zeroCoefficientsMultiply(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            var y: [Float] = [1, .nan]
            var span = y.mutableSpan
            Float.axpby(1, [2, 3].span, 0, &span)
            #expect(y[0] == 2 && y[1].isNaN)
        }
    }

    @Test func differentCountsAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var y: [Double] = [1, 2]
            var span = y.mutableSpan
            Double.axpy(1, [1, 2, 3].span, &span)
        }
        #expect(message(of: result).contains("counts 3 and 2 differ"))
    }
}
