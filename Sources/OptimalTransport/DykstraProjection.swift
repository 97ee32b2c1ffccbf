import Kernels
import LinearAlgebra
import RealModule

/// One factor of a low-rank plan, Q = diag(u) ξ diag(v), as −ln ξ of which each row's least element is 0: factors of rows are set by the
/// marginal anyway.
struct LowRankFactor<Scalar: KernelScalar>: Sendable, Codable {
    private var exponents: Matrix<Scalar>
    /// u = scale · 2^shift.
    private var rowShifts: [Scalar], rowScales: [Scalar], rowSums: [Scalar]

    /// From ln ξ.
    init(_ logarithms: Matrix<Scalar>) {
        self.init(exponents: -logarithms)
    }

    private init(exponents: Matrix<Scalar>) {
        self.exponents = exponents
        rowShifts = [Scalar](repeating: 0, count: exponents.rows)
        (rowScales, rowSums) = (rowShifts, rowShifts)
        Self.normalize(&self.exponents)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func normalize(_ exponents: inout Matrix<Scalar>) {
        for i in 0..<exponents.rows {
            var row = exponents.mutableRow(i)
            var least = row[0]
            for k in row.indices { least = min(least, row[k]) }
            for k in row.indices { row[k] -= least }
        }
    }

    /// ln ξ ← (ln ξ − γ G) · damping.
    func moved(along gradient: Matrix<Scalar>, by gamma: Double, damping: Double) -> LowRankFactor {
        var exponents = Scalar(damping) * self.exponents
        exponents.add(gradient, scale: Scalar(damping * gamma))
        return LowRankFactor(exponents: exponents)
    }

    /// ξ ← ξ diag(v).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func absorb(_ logScales: [Double]) {
        let terms = logScales.map { Scalar(-$0) }, (rows, columns) = (exponents.rows, exponents.columns)
        var span = exponents.mutableSpan
        Scalar.addRow(rows: rows, columns: columns, &span, terms.span)
        Self.normalize(&exponents)
    }

    private static func split(_ logScales: [Double]) -> (shifts: [Scalar], scales: [Scalar]) {
        let exponents = logScales.map { $0 * 1.4426950408889634 }
        return (exponents.map { Scalar($0.rounded()) }, exponents.map { Scalar(Double.exp2($0 - $0.rounded())) })
    }

    /// u ← a/(ξ v).
    ///
    /// - Returns: ln ξᵀu, and ‖u ξ v − a‖₁ before the update.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func update(_ weights: [Scalar], _ logScales: [Double]) -> (logTotals: [Double], error: Double) {
        let (shifts, scales) = Self.split(logScales), before = (rowShifts, rowScales)
        var totals = [Double](repeating: 0, count: shifts.count)
        Self.pass(exponents, shifts, scales, weights, &rowShifts, &rowSums, &rowScales, &totals)
        var error = 0.0
        for i in weights.indices where weights[i] > 0 {
            let change = Double.exp2(Double(before.0[i] - rowShifts[i])) * Double(before.1[i] / rowScales[i])
            error += Double(weights[i]) * abs(change - 1)
        }
        let reach = Scalar.ulpOfOne > 1e-10 ? 1e-30 : 1e-250
        return (totals.indices.map { k in
            totals[k] > reach && totals[k] < 1 / reach ? Double.log(totals[k]) - 0.6931471805599453 * Double(shifts[k]) : logTotal(k)
        }, error)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func pass(
        _ cost: Matrix<Scalar>, _ shifts: [Scalar], _ scales: [Scalar], _ weights: [Scalar], _ rowShifts: inout [Scalar],
        _ rowSums: inout [Scalar], _ rowScales: inout [Scalar], _ totals: inout [Double]
    ) {
        let none: [Scalar] = []
        var f = rowShifts.mutableSpan, s = rowSums.mutableSpan, u = rowScales.mutableSpan, t = totals.mutableSpan
        Scalar.gibbsPass(
            rows: cost.rows, columns: cost.columns, cost: cost.span, scale: Scalar(1.4426950408889634), rowShifts: &f, columnShifts: shifts.span,
            columnScales: scales.span, rule: .divide, weights: weights.span, offsets: none.span, rowSums: &s, rowScales: &u, columnTotals: &t)
    }

    /// ln Σ uᵢ ξᵢₖ of a column that is out of the kernel's range.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func logTotal(_ k: Int) -> Double {
        var largest = -Double.infinity, sum = 0.0
        for i in rowScales.indices where rowScales[i] > 0 {
            let term = 0.6931471805599453 * Double(rowShifts[i]) + Double.log(Double(rowScales[i])) - Double(exponents[i, k])
            if term > largest {
                sum = sum * Double.exp(largest - term) + 1
                largest = term
            } else {
                sum += Double.exp(term - largest)
            }
        }
        return largest + Double.log(sum)
    }

    /// diag(u) ξ diag(v) with the marginals that it misses rounded to a and h: rows and columns that are too large shrink, and what then is missing is
    /// added as a product of both sides' lack (Altschuler et al. 2017).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func rounded(_ a: [Scalar], _ logScales: [Double], _ h: [Scalar]) -> Matrix<Scalar> {
        let (shifts, scales) = Self.split(logScales), n = exponents.rows, r = exponents.columns
        var q = Matrix<Scalar>.zeros(rows: n, columns: r)
        var span = q.mutableSpan
        Scalar.gibbsPlan(
            rows: n, columns: r, cost: exponents.span, scale: Scalar(1.4426950408889634), rowShifts: rowShifts.span, columnShifts: shifts.span,
            rowScales: rowScales.span, columnScales: scales.span, into: &span)
        var sums = [Double](repeating: 0, count: r)
        for i in 0..<n {
            var row = q.mutableRow(i)
            var sum = 0.0
            for k in 0..<r { sum += Double(row[k]) }
            let factor = sum > Double(a[i]) ? Scalar(Double(a[i]) / sum) : 1
            for k in 0..<r {
                row[k] *= factor
                sums[k] += Double(row[k])
            }
        }
        let factors = (0..<r).map { sums[$0] > Double(h[$0]) ? Scalar(Double(h[$0]) / sums[$0]) : 1 }
        let lack = (0..<r).map { max(0, Double(h[$0]) - Double(factors[$0]) * sums[$0]) }, total = lack.reduce(0, +)
        guard total > 0 || factors.contains(where: { $0 < 1 }) else { return q }
        for i in 0..<n {
            var row = q.mutableRow(i)
            var sum = 0.0
            for k in 0..<r {
                row[k] *= factors[k]
                sum += Double(row[k])
            }
            let missing = Double(a[i]) - sum
            guard missing > 0, total > 0 else { continue }
            for k in 0..<r { row[k] += Scalar(missing * lack[k] / total) }
        }
        return q
    }
}

/// The projection of (ξ_Q, ξ_R, ξ_h) onto Q1 = a, R1 = b, Qᵀ1 = Rᵀ1 = h ≥ floor in the Kullback-Leibler divergence, by Dykstra's rounds: onto the
/// rows' marginals with the floor, then onto the places'. The corrections p belong to the floor and to each of the three that share h.
struct DykstraProjection {
    /// ln v of both factors, and ln h.
    private(set) var sourceScales: [Double], targetScales: [Double], logPlaces: [Double]
    private(set) var rounds = 0

    /// - Parameters:
    ///   - logPlaces: ln ξ_h.
    ///   - tolerance: for ‖Q1 − a‖₁ + ‖R1 − b‖₁.
    init<Scalar: KernelScalar>(
        _ source: inout LowRankFactor<Scalar>, _ target: inout LowRankFactor<Scalar>, _ a: [Scalar], _ b: [Scalar], logPlaces: [Double],
        logFloor: Double, tolerance: Double
    ) {
        let zero = [Double](repeating: 0, count: logPlaces.count)
        var (v1, v2, h) = (zero, zero, logPlaces)
        var p1 = zero, p2 = zero, p3 = zero, p4 = zero
        while rounds < 500 {
            let (w1, errorQ) = source.update(a, v1), (w2, errorR) = target.update(b, v2)
            if rounds > 0, errorQ + errorR <= tolerance { break }
            rounds += 1
            for k in h.indices {
                let free = h[k] + p1[k], raised = max(logFloor, free)
                p1[k] = free - raised
                let mean = (raised + p2[k] + v1[k] + p3[k] + w1[k] + v2[k] + p4[k] + w2[k]) / 3
                p2[k] += raised - mean
                p3[k] += v1[k] + w1[k] - mean
                p4[k] += v2[k] + w2[k] - mean
                (v1[k], v2[k], h[k]) = (mean - w1[k], mean - w2[k], mean)
            }
        }
        (sourceScales, targetScales, self.logPlaces) = (v1, v2, h)
    }
}
