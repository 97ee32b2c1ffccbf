import Kernels
import Testing
import _TestSupport

@Suite struct ReductionTests {
    @Test(arguments: KernelTier.supported) func boundsAtEveryLengthAndOffset(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for count in kernelLengths {
                for offset in kernelOffsets {
                    checkBounds(Float.self, count, offset, tier)
                    checkBounds(Double.self, count, offset, tier)
                }
            }
        }
    }

    private func checkBounds<Scalar: KernelScalar>(_: Scalar.Type, _ count: Int, _ offset: Int, _ tier: KernelTier) {
        var numbers = TestNumbers(seed: UInt64(count))
        let x = GuardedBuffer<Scalar>(count: count, offset: offset) { _ in Scalar(numbers.spread()) }
        let y = GuardedBuffer<Scalar>(count: count, offset: offset) { _ in Scalar(numbers.spread()) }
        var dot = DoubleDouble(), dotSize = 0.0, sum = DoubleDouble(), size = 0.0, squares = DoubleDouble(), largest = 0.0
        for i in 0..<count {
            let a = Double(x[i]), b = Double(y[i])
            dot.addProduct(a, b)
            dotSize += abs(a * b)
            sum.add(a)
            size += abs(a)
            squares.addProduct(a, a)
            largest = max(largest, abs(a))
        }
        let u = Double(Scalar.ulpOfOne) / 2
        let place = "\(tier) \(Scalar.self) count \(count) offset \(offset)"
        let gotDot = Double(x.withSpan { x in y.withSpan { Scalar.dot(x, $0) } })
        #expect(abs(gotDot - dot.value) <= 20 * u * dotSize + u * abs(dot.value), "dot, \(place)")
        let gotSum = Double(x.withSpan { Scalar.sum($0) })
        #expect(abs(gotSum - sum.value) <= 20 * u * size + u * abs(sum.value), "sum, \(place)")
        let norm = squares.value.squareRoot()
        #expect(abs(Double(x.withSpan { Scalar.nrm2($0) }) - norm) <= 21 * u * norm, "nrm2, \(place)")
        #expect(Double(x.withSpan { Scalar.maxAbs($0) }) == largest, "maxAbs, \(place)")
    }

    /// The bound does not grow with the length: small terms beside a large one, in blocks so many that a plain sum of the
    /// blocks would lose most of them.
    @Test(arguments: KernelTier.supported) func longSumsStayExact(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            checkLongSum(Float.self)
            checkLongSum(Double.self)
        }
    }

    private func checkLongSum<Scalar: KernelScalar>(_: Scalar.Type) {
        let u = Double(Scalar.ulpOfOne) / 2
        var x = [Scalar](repeating: 0.3, count: 300_003)
        x[0] = Scalar(1 / u)
        let ones = [Scalar](repeating: 1, count: x.count)
        var exact = DoubleDouble()
        for value in x { exact.add(Double(value)) }
        #expect(abs(Double(Scalar.sum(x.span)) - exact.value) <= 21 * u * exact.value, "\(Scalar.self)")
        #expect(abs(Double(Scalar.dot(x.span, ones.span)) - exact.value) <= 21 * u * exact.value, "\(Scalar.self)")
    }

    @Test(arguments: KernelTier.supported) func normsBeyondTheRangeOfSquares(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            #expect(Double.nrm2([3e300, 4e300].span) == 5e300)
            #expect(Double.nrm2([3 * 0x1p-1070, 4 * 0x1p-1070].span) == 5 * 0x1p-1070)
            #expect(Float.nrm2([3e37, 4e37].span) == 5e37)
            #expect(Float.nrm2([3 * 0x1p-147, 4 * 0x1p-147].span) == 5 * 0x1p-147)
            #expect(Double.nrm2([Double](repeating: .greatestFiniteMagnitude, count: 100).span) == .infinity)
            #expect(Float.nrm2([0, 0, 0].span) == 0 && Double.nrm2([-0.0].span) == 0)
        }
    }

    @Test(arguments: KernelTier.supported) func nonFiniteElementsAreSeenAtEveryPlace(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for count in kernelLengths where count <= 300 {
                for place in 0..<count {
                    checkNonFinite(Float.self, count, place)
                    checkNonFinite(Double.self, count, place)
                }
            }
        }
    }

    private func checkNonFinite<Scalar: KernelScalar>(_: Scalar.Type, _ count: Int, _ place: Int) {
        var x = [Scalar](repeating: 1, count: count)
        x[place] = -.infinity
        #expect(Scalar.maxAbs(x.span) == .infinity && Scalar.nrm2(x.span) == .infinity && Scalar.sum(x.span) == -.infinity,
                "\(Scalar.self) count \(count) place \(place)")
        x[place] = .nan
        #expect(Scalar.maxAbs(x.span).isNaN && Scalar.nrm2(x.span).isNaN && Scalar.sum(x.span).isNaN
                && Scalar.dot(x.span, x.span).isNaN, "\(Scalar.self) count \(count) place \(place)")
    }

    @Test func differentCountsAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Float.dot([1, 2, 3].span, [1, 2, 3, 4].span)
        }
        #expect(message(of: result).contains("counts 3 and 4 differ"))
    }
}
