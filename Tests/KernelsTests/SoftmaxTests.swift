import Kernels
import Testing
import _TestSupport

@Suite struct SoftmaxTests {
    @Test(arguments: KernelTier.supported) func boundsAtEveryLengthAndOffset(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for columns in kernelLengths {
                for offset in kernelOffsets {
                    check(Float.self, columns, offset, tier)
                    check(Double.self, columns, offset, tier)
                }
            }
        }
    }

    private func check<Scalar: KernelScalar>(_: Scalar.Type, _ columns: Int, _ offset: Int, _ tier: KernelTier) {
        let rows = 3, xStride = columns + 1, yStride = columns + 2
        var numbers = TestNumbers(seed: UInt64(columns))
        var x = GuardedBuffer<Scalar>(count: (rows - 1) * xStride + columns, offset: offset) { _ in Scalar(numbers.unit() * 20) }
        var y = GuardedBuffer<Scalar>(count: (rows - 1) * yStride + columns, offset: offset)
        var z = GuardedBuffer<Scalar>(count: rows, offset: offset)
        x.withSpan { x in
            y.withMutableSpan { Scalar.softmax(rows: rows, columns: columns, of: x, stride: xStride, into: &$0, stride: yStride) }
            z.withMutableSpan { Scalar.logSumExp(rows: rows, columns: columns, of: x, stride: xStride, into: &$0) }
        }
        let u = WiderThanDouble(Scalar.ulpOfOne) / 2
        let place = "\(tier) \(Scalar.self) columns \(columns) offset \(offset)"
        for i in 0..<rows {
            let row = (0..<columns).map { WiderThanDouble(x[i * xStride + $0]) }
            let m = row.max() ?? -.infinity
            let powers = row.map { libraryValue(.exp, $0 - m) }, sum = powers.reduce(0, +)
            let wrong = (0..<columns).count { k in
                let share = powers[k] / sum
                return !(abs(WiderThanDouble(y[i * yStride + k]) - share) <= (6 + 2 * (m - row[k])) * u * share)
            }
            #expect(wrong == 0, "softmax, \(place)")
            let total = (0..<columns).reduce(WiderThanDouble(0)) { $0 + WiderThanDouble(y[i * yStride + $1]) }
            #expect(columns == 0 || abs(total - 1) <= 46 * u, "softmax sums to \(total), \(place)")
            let lse = m + libraryValue(.log, sum)
            #expect(columns == 0 ? z[i] == -.infinity : abs(WiderThanDouble(z[i]) - lse) <= 6 * u + u * abs(lse),
                    "logSumExp, \(place)")
            // What lies between two rows is not touched.
            #expect(i == rows - 1 || (columns..<yStride).allSatisfy { y.isUntouched(i * yStride + $0) }, "\(place)")
        }
        #expect(y.guardsAreIntact && z.guardsAreIntact, "\(place)")
        let before = x
        x.withMutableSpan { Scalar.softmax(rows: rows, columns: columns, of: &$0, stride: xStride) }
        let same = (0..<rows).allSatisfy { i in
            (0..<columns).allSatisfy { x[i * xStride + $0] == y[i * yStride + $0] }
                && (i == rows - 1 || x[i * xStride + columns] == before[i * xStride + columns])
        }
        #expect(same && x.guardsAreIntact, "in place, \(place)")
    }

    private func softmax<Scalar: KernelScalar>(_ x: [Scalar]) -> (shares: [Scalar], logSumExp: Scalar) {
        var y = x, z: [Scalar] = [0]
        var ySpan = y.mutableSpan
        Scalar.softmax(rows: 1, columns: x.count, of: &ySpan, stride: x.count)
        var zSpan = z.mutableSpan
        Scalar.logSumExp(rows: 1, columns: x.count, of: x.span, stride: x.count, into: &zSpan)
        return (y, z[0])
    }

    /// Shifts that are exact in the entries change nothing, to the bit, in the soft-max.
    @Test(arguments: KernelTier.supported) func shiftInvariance(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            let x = (0..<77).map { Float(($0 * 29) % 64) / 8 }
            for shift: Float in [-4096, 1000, 65536] {
                let shifted = softmax(x.map { $0 + shift }), plain = softmax(x)
                #expect(shifted.shares == plain.shares)
                #expect(abs(shifted.logSumExp - (plain.logSumExp + shift)) <= shift.ulp * 2)
            }
        }
    }

    @Test(arguments: KernelTier.supported) func extremeEntries(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            extremes(Float.self)
            extremes(Double.self)
        }
    }

    private func extremes<Scalar: KernelScalar>(_: Scalar.Type) {
        let huge = Scalar.greatestFiniteMagnitude
        for count in [1, 2, 3, 10, 16, 17, 40, 100] {
            // Far apart: all mass at the largest; nothing overflows.
            var x = (0..<count).map { $0 == count / 2 ? huge : -huge }
            #expect(softmax(x).shares == (0..<count).map { $0 == count / 2 ? 1 : 0 })
            #expect(softmax(x).logSumExp == huge)
            // −∞ alone: equal shares, as for any equal entries.
            x = Array(repeating: -.infinity, count: count)
            #expect(softmax(x).shares == softmax(Array(repeating: 5 as Scalar, count: count)).shares)
            #expect(softmax(x).logSumExp == -.infinity)
            // One finite among −∞ takes all.
            x[count - 1] = -3
            #expect(softmax(x).shares == (0..<count).map { $0 == count - 1 ? 1 : 0 })
            #expect(softmax(x).logSumExp == -3)
            // +∞ entries share.
            x[0] = .infinity
            x[count - 1] = .infinity
            let half: Scalar = count == 1 ? 1 : 0.5
            #expect(softmax(x).shares == (0..<count).map { $0 == 0 || $0 == count - 1 ? half : 0 })
            #expect(softmax(x).logSumExp == .infinity)
            for place in 0..<count {
                x = Array(repeating: 1, count: count)
                x[place] = .nan
                #expect(softmax(x).shares.allSatisfy(\.isNaN) && softmax(x).logSumExp.isNaN)
            }
        }
    }

    @Test func shapesThatDoNotFitAreRefused() async {
        let short = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var x = [Float](repeating: 0, count: 11)
            var span = x.mutableSpan
            Float.softmax(rows: 3, columns: 4, of: &span, stride: 4)
        }
        #expect(message(of: short).contains("x has 11 elements; expected at least 12"))
        let results = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var z: [Double] = [0, 0]
            var span = z.mutableSpan
            Double.logSumExp(rows: 3, columns: 1, of: [1, 2, 3].span, stride: 1, into: &span)
        }
        #expect(message(of: results).contains("z has 2 elements; expected 3"))
    }
}
