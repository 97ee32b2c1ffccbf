import Kernels
import Testing
import _TestSupport

/// Every tier against plain loops over the definition. The C tests go through layouts, orders and guard zones.
@Suite struct StencilKernelTests {
    @Test(arguments: KernelTier.supported) func operators(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for columns in [1, 2, 9, 33, 130] {
                check(Double.self, 3, 4, columns, 1e-13)
                check(Float.self, 1, 5, columns, 1e-5)
            }
        }
    }

    @Test(arguments: KernelTier.supported) func conjugateUpdates(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for n in kernelLengths {
                var numbers = TestNumbers(seed: UInt64(n))
                let p = (0..<n).map { _ in numbers.unit() }, q = (0..<n).map { _ in numbers.unit() }
                var x = (0..<n).map { _ in numbers.unit() }, r = (0..<n).map { _ in numbers.unit() }
                let moved = (0..<n).map { x[$0] + 0.5 * p[$0] }, rest = (0..<n).map { r[$0] - 0.25 * q[$0] }
                var xs = x.mutableSpan, rs = r.mutableSpan
                let square = Double.conjugateUpdate(0.5, p.span, into: &xs, -0.25, q.span, into: &rs)
                let exact = rest.reduce(0) { $0 + $1 * $1 }
                let close = zip(x, moved).allSatisfy { abs($0 - $1) < 1e-15 } && zip(r, rest).allSatisfy { abs($0 - $1) < 1e-15 }
                #expect(close && abs(square - exact) <= 1e-13 * exact, "\(n)")
            }
        }
    }

    private func check<Scalar: KernelScalar>(_: Scalar.Type, _ planes: Int, _ rows: Int, _ columns: Int, _ tolerance: Double) {
        let n = planes * rows * columns
        var numbers = TestNumbers(seed: UInt64(n))
        // Couplings 1, diagonal 2 (none along one plane), masses 1.
        var coefficients: [Scalar] = []
        for size in [planes, rows, columns] {
            let flat = size == 1 && planes == 1 && coefficients.isEmpty
            coefficients += [0] + [Scalar](repeating: 1, count: size - 1)
            coefficients += [Scalar](repeating: 1, count: size - 1) + [0]
            coefficients += [Scalar](repeating: flat ? 0 : 2, count: size) + [Scalar](repeating: 1, count: size)
        }
        let grid = StencilGrid<Scalar>(planes: planes, rows: rows, columns: columns, coefficients: coefficients, shift: 0.5)
        let x = (0..<n).map { _ in Scalar(numbers.unit()) }, b = (0..<n).map { _ in Scalar(numbers.unit()) }
        let diagonal: Double = planes == 1 ? 4.5 : 6.5
        let image = (0..<n).map { i in
            let k = i / (rows * columns), j = i / columns % rows, c = i % columns
            var sum = diagonal * Double(x[i])
            if k > 0 { sum -= Double(x[i - rows * columns]) }
            if k + 1 < planes { sum -= Double(x[i + rows * columns]) }
            if j > 0 { sum -= Double(x[i - columns]) }
            if j + 1 < rows { sum -= Double(x[i + columns]) }
            if c > 0 { sum -= Double(x[i - 1]) }
            if c + 1 < columns { sum -= Double(x[i + 1]) }
            return sum
        }
        var y = GuardedBuffer<Scalar>(count: n, offset: 1), r = GuardedBuffer<Scalar>(count: n, offset: 3)
        let energy = y.withMutableSpan { Scalar.stencilApply(grid, x.span, into: &$0) }
        let square = r.withMutableSpan { Scalar.stencilResidual(grid, x.span, b.span, into: &$0) }
        let isRight = (0..<n).allSatisfy { abs(Double(y[$0]) - image[$0]) < 20 * tolerance && abs(Double(r[$0]) - (Double(b[$0]) - image[$0])) < 20 * tolerance }
        #expect(isRight && y.guardsAreIntact && r.guardsAreIntact, "\(Scalar.self) \(planes)×\(rows)×\(columns)")
        let exactEnergy = (0..<n).reduce(0) { $0 + Double(x[$1]) * image[$1] }
        let exactSquare = (0..<n).reduce(0.0) { $0 + (Double(b[$1]) - image[$1]) * (Double(b[$1]) - image[$1]) }
        #expect(abs(Double(energy) - exactEnergy) < Double(n) * 50 * tolerance && abs(Double(square) - exactSquare) < Double(n) * 50 * tolerance)
        // The solution stays: a sweep from it changes nothing but rounding.
        var fixed = x, work = [Scalar](repeating: 0, count: 3 * columns)
        let right = y.elements
        var fixedSpan = fixed.mutableSpan, workSpan = work.mutableSpan
        for order in [StencilOrder.forward, .backward, .redBlack, .blackRed] {
            _ = Scalar.stencilRelax(grid, 1.5, order, measuring: true, work: &workSpan, right.span, &fixedSpan)
        }
        let stays = (0..<n).allSatisfy { abs(Double(fixed[$0] - x[$0])) < 100 * tolerance }
        #expect(stays)
    }

    @Test func misuseNamesItsNumbers() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = StencilGrid<Double>(planes: 1, rows: 2, columns: 3, coefficients: [1], shift: 0)
        }
        #expect(message(of: result).contains("1 coefficients for 1×2×3 points; expected 24"))
    }
}
