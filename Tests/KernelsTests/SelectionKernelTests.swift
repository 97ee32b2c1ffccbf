import Kernels
import Testing
import _TestSupport

/// Every tier against plain loops. The C tests go through layouts, ties and guard zones.
@Suite struct SelectionKernelTests {
    @Test(arguments: KernelTier.supported) func searches(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for n in kernelLengths {
                check(Double.self, n)
                check(Float.self, n)
            }
        }
    }

    private func check<Scalar: KernelScalar>(_: Scalar.Type, _ n: Int) {
        var numbers = TestNumbers(seed: UInt64(n))
        let c = (0..<n).map { _ in Scalar(numbers.unit()) }, v = (0..<n).map { _ in Scalar(numbers.unit()) }
        let differences = (0..<n).map { c[$0] - v[$0] }, order = differences.indices.sorted { differences[$0] < differences[$1] }
        let pair = Scalar.leastPair(of: c.span, minus: v.span)
        #expect(pair.place == order.first ?? 0 && pair.least == (order.first.map { differences[$0] } ?? .infinity))
        #expect(pair.second == (n > 1 ? differences[order[1]] : .infinity))

        var d = [Scalar](repeating: 0.25, count: n), from = [Int32](repeating: -1, count: n)
        var ds = d.mutableSpan, froms = from.mutableSpan
        let place = Scalar.relax(c.span, minus: v.span, plus: 0.125, row: 3, into: &ds, from: &froms)
        let relaxed = differences.map { min(0.25, $0 + 0.125) }
        let isRelaxed = d == relaxed && from == differences.map { $0 + 0.125 < 0.25 ? 3 : -1 }
        #expect(isRelaxed && place == relaxed.indices.min { relaxed[$0] < relaxed[$1] } ?? 0, "\(n)")

        var values = [Scalar](repeating: 0, count: 5), places = [Int32](repeating: 0, count: 5)
        var valueSpan = values.mutableSpan, placeSpan = places.mutableSpan
        let count = Scalar.largest(of: c.span, minus: v.span, values: &valueSpan, places: &placeSpan)
        let top = Array(order.reversed().prefix(5))
        #expect(count == min(5, n) && Array(places.prefix(count)) == top.map { Int32($0) } && Array(values.prefix(count)) == top.map { differences[$0] })

        let sums = Scalar.excess(of: c.span, minus: v.span, over: 0.5)
        let excess = differences.map { max(Double($0 - 0.5), 0) }
        let exact = excess.reduce(0, +), square = excess.reduce(0) { $0 + $1 * $1 }
        #expect(abs(sums.sum - exact) <= 1e-13 * exact && abs(sums.sumOfSquares - square) <= 1e-13 * square)
        #expect(sums.count == excess.count { $0 > 0 })
        var y = [Scalar](repeating: 1, count: n)
        var ys = y.mutableSpan
        Scalar.addExcess(of: c.span, minus: v.span, over: 0.5, times: 2, into: &ys)
        let isAdded = zip(y, excess).allSatisfy { abs(Double($0) - 1 - 2 * $1) <= 8 * Double(Scalar.ulpOfOne) }
        #expect(isAdded, "\(n)")
    }

    @Test func countsThatDiffer() async {
        let rows = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let c = [1.0, 2, 3], v = [1.0, 2]
            _ = Double.leastPair(of: c.span, minus: v.span)
        }
        #expect(message(of: rows).contains("rows of 3, 2 elements; expected equal counts"))
    }
}
