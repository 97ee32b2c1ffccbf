import Foundation
import Kernels
import Testing
import _TestSupport

/// Passes over Gibbs kernels in parts and threads, against sums of exponentials on every tier. (Lengths, offsets and guards stand in the C test.)
@Suite struct TransportKernelTests {
    @Test(arguments: KernelTier.supported) func passes(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for (rows, columns) in [(0, 3), (3, 0), (1, 1), (5, 33), (130, 129), (300, 70)] {
                check(Float.self, rows, columns, 1.2e-5)
                check(Double.self, rows, columns, 3e-14)
            }
        }
    }

    /// Costs that are far too large for the shifts given: the pass sets them anew.
    @Test func shifts() {
        let cost: [Float] = [1000, 1001, 5000, 5003]
        var f: [Float] = [0, 0], s = f, u = f, totals: [Double] = [0, 0]
        run(cost, 2, 2, &f, [0, 0], [1, 1], .divide, [1, 1], &s, &u, &totals)
        #expect(f == [1500, 7500])
        #expect(abs(s[0] - 1.3535534) < 1e-6 && abs(s[1] - 1.0441942) < 1e-6)
        #expect(abs(totals[0] - Double(u[0] + u[1])) < 1e-6)
    }

    @Test func misuse() async {
        await #expect(processExitsWith: .failure) {
            var f: [Float] = [0], s = f, u = f, none: [Double] = []
            var fs = f.mutableSpan, ss = s.mutableSpan, us = u.mutableSpan, totals = none.mutableSpan
            let cost: [Float] = [1, 2], h: [Float] = [0, 0], v: [Float] = [1, 1], w: [Float] = [1], empty: [Float] = []
            Float.gibbsPass(
                rows: 2, columns: 2, cost: cost.span, scale: 1, rowShifts: &fs, columnShifts: h.span, columnScales: v.span, rule: .divide,
                weights: w.span, offsets: empty.span, rowSums: &ss, rowScales: &us, columnTotals: &totals)
        }
    }

    private func run<T: KernelScalar>(
        _ cost: [T], _ rows: Int, _ columns: Int, _ f: inout [T], _ h: [T], _ v: [T], _ rule: ScalingRule<T>, _ w: [T], _ s: inout [T],
        _ u: inout [T], _ totals: inout [Double]
    ) {
        let none: [T] = []
        var fs = f.mutableSpan, ss = s.mutableSpan, us = u.mutableSpan, ts = totals.mutableSpan
        T.gibbsPass(
            rows: rows, columns: columns, cost: cost.span, scale: 1.5, rowShifts: &fs, columnShifts: h.span, columnScales: v.span, rule: rule,
            weights: w.span, offsets: none.span, rowSums: &ss, rowScales: &us, columnTotals: &ts)
    }

    private func check<T: KernelScalar>(_: T.Type, _ rows: Int, _ columns: Int, _ bound: Double) {
        var numbers = TestNumbers(seed: UInt64(rows * 1000 + columns))
        func fill(_ count: Int) -> [T] { (0..<count).map { _ in T(1 + abs(Double(numbers.spread()).remainder(dividingBy: 1))) } }
        let x = fill(3 * rows), y = fill(3 * columns), v = fill(columns), w = fill(rows)
        let f = (0..<rows).map { T($0 % 7) }, h = (0..<columns).map { T(-($0 % 5)) }
        var cost = [T](repeating: 0, count: rows * columns), kernel = cost
        for i in 0..<rows {
            for j in 0..<columns {
                var square = 0.0
                for k in 0..<3 {
                    let difference = Double(x[k * rows + i]) - Double(y[k * columns + j])
                    square += difference * difference
                }
                cost[i * columns + j] = T(square)
                kernel[i * columns + j] = T(exp2(Double(f[i] + h[j]) - 1.5 * Double(cost[i * columns + j])))
            }
        }
        for rule in [ScalingRule<T>.divide, .multiply, .fixed, .power(0.5)] where columns > 0 {
            for kind in 0..<3 {
                var shifts = f, s = w, u = w, totals = [Double](repeating: 1, count: columns)
                let none: [T] = []
                switch kind {
                case 0: run(cost, rows, columns, &shifts, h, v, rule, w, &s, &u, &totals)
                case 1:
                    var fs = shifts.mutableSpan, ss = s.mutableSpan, us = u.mutableSpan, ts = totals.mutableSpan
                    T.gibbsPass(
                        rows: rows, columns: columns, cost: .squared, dimension: 3, x: x.span, y: y.span, scale: 1.5, rowShifts: &fs,
                        columnShifts: h.span, columnScales: v.span, rule: rule, weights: w.span, offsets: none.span, rowSums: &ss,
                        rowScales: &us, columnTotals: &ts)
                default:
                    var ss = s.mutableSpan, us = u.mutableSpan, ts = totals.mutableSpan
                    T.kernelPass(
                        rows: rows, columns: columns, kernel: kernel.span, columnScales: v.span, rule: rule, weights: w.span,
                        offsets: none.span, rowSums: &ss, rowScales: &us, columnTotals: &ts)
                }
                var isRight = true
                for i in 0..<rows {
                    let sum = (0..<columns).reduce(0.0) { $0 + Double(kernel[i * columns + $1]) * Double(v[$1]) }
                    let expected = switch rule {
                    case .divide: Double(w[i]) / sum
                    case .multiply: Double(w[i]) * sum
                    case .fixed: Double(w[i])
                    case .power: Double(w[i]) * (1 / sum).squareRoot()
                    }
                    isRight = isRight && abs(Double(s[i]) - sum) <= bound * sum && abs(Double(u[i]) - expected) <= 2 * bound * expected
                }
                for j in 0..<columns {
                    let sum = (0..<rows).reduce(1.0) { $0 + Double(kernel[$1 * columns + j]) * Double(u[$1]) }
                    isRight = isRight && abs(totals[j] - sum) <= bound * sum
                }
                #expect(isRight, "\(T.self) \(rows)×\(columns) \(rule) \(kind)")
            }
        }
        var plan = cost, maxima = [T](repeating: -.infinity, count: columns)
        var span = plan.mutableSpan, most = maxima.mutableSpan
        T.gibbsPlan(rows: rows, columns: columns, cost: cost.span, scale: 1.5, rowShifts: f.span, columnShifts: h.span, rowScales: w.span,
                    columnScales: v.span, into: &span)
        T.gibbsColumnMaximum(rows: rows, columns: columns, cost: cost.span, scale: 1.5, rowShifts: f.span, rowScales: w.span, into: &most)
        var isRight = true
        for i in 0..<rows {
            for j in 0..<columns {
                let expected = Double(kernel[i * columns + j]) * Double(w[i]) * Double(v[j])
                isRight = isRight && abs(Double(plan[i * columns + j]) - expected) <= bound * expected
                isRight = isRight && Double(maxima[j]) >= Double(f[i]) - 1.5 * Double(cost[i * columns + j]) - 1e-5
            }
        }
        #expect(isRight, "\(T.self) plan \(rows)×\(columns)")
        let expected = f.reduce(0.0) { $0 + exp2(Double($1)) }
        #expect(abs(T.sumOfExponentials(f.span) - expected) <= bound * expected)
    }
}
