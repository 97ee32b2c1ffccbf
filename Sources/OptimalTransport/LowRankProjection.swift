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
    /// - Returns: ln ξᵀu.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func update(_ weights: [Scalar], _ logScales: [Double]) -> [Double] {
        let (shifts, scales) = Self.split(logScales)
        var totals = [Double](repeating: 0, count: shifts.count)
        Self.pass(exponents, shifts, scales, weights, &rowShifts, &rowSums, &rowScales, &totals)
        let reach = Scalar.ulpOfOne > 1e-10 ? 1e-30 : 1e-250
        return totals.indices.map { k in
            totals[k] > reach && totals[k] < 1 / reach ? Double.log(totals[k]) - 0.6931471805599453 * Double(shifts[k]) : logTotal(k)
        }
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

    /// diag(Qᵀ1) − Qᵀ diag(1/a) Q for Q = diag(u) ξ diag(v).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func hessian(_ a: [Scalar], _ logScales: [Double]) -> Matrix<Double> {
        let r = exponents.columns, roots = a.indices.map { a[$0] > 0 ? rowScales[$0] / a[$0].squareRoot() : 0 }
        var result = Matrix<Double>.zeros(rows: r, columns: r)
        let gram = plan(roots, logScales).gram()
        for k in 0..<r {
            for l in 0..<r { result[k, l] = -Double(gram[k, l]) }
        }
        // The rows of Q sum to a.
        for k in 0..<r { result[k, k] -= (0..<r).reduce(0) { $0 + result[k, $1] } }
        return result
    }

    /// diag(u) ξ diag(v) with other scales of the rows.
    private func plan(_ rowScales: [Scalar], _ logScales: [Double]) -> Matrix<Scalar> {
        let (shifts, scales) = Self.split(logScales)
        var q = Matrix<Scalar>.zeros(rows: exponents.rows, columns: exponents.columns)
        var span = q.mutableSpan
        Scalar.gibbsPlan(
            rows: exponents.rows, columns: exponents.columns, cost: exponents.span, scale: Scalar(1.4426950408889634), rowShifts: rowShifts.span,
            columnShifts: shifts.span, rowScales: rowScales.span, columnScales: scales.span, into: &span)
        return q
    }

    /// diag(u) ξ diag(v) with the marginals that it misses rounded to a and h: rows and columns that are too large shrink, and what then is missing is
    /// added as a product of both sides' lack (Altschuler et al. 2017).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func rounded(_ a: [Scalar], _ logScales: [Double], _ h: [Scalar]) -> Matrix<Scalar> {
        let n = exponents.rows, r = exponents.columns
        var q = plan(rowScales, logScales)
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

/// ln v of both factors of a low-rank plan.
struct ProjectionScales: Sendable, Codable {
    var source: [Double], target: [Double]

    func scaled(by factor: Double) -> ProjectionScales { .init(source: source.map { $0 * factor }, target: target.map { $0 * factor }) }
}

/// The projection of (ξ_Q, ξ_R, ξ_h) onto Q1 = a, R1 = b, Qᵀ1 = Rᵀ1 = h ≥ floor in the Kullback-Leibler divergence.
///
/// With Q = diag(u) ξ_Q diag(v), R alike and h = max(floor, ξ_h/(v v')), its dual in (ln v, ln v') is concave once u and u' are those that make the
/// rows exact; its gradient is (h − Qᵀ1, h − Rᵀ1). The rounds of Dykstra ascend it block by block: h ← max(floor, (ξ_h w w')^⅓), v ← h/w, v' ← h/w'
/// for w = ξ_Qᵀu and w'. They are slow where places exchange little mass, so that Newton's steps follow, with the Hessian of order 2r
///
///     [diag(Qᵀ1) − Qᵀ diag(1/a) Q, 0; 0, the same of R] + [diag(h), diag(h); diag(h), diag(h)]     (h only where it is above the floor)
struct LowRankProjection {
    private(set) var scales: ProjectionScales
    /// ln h.
    private(set) var logPlaces: [Double]
    private(set) var rounds = 0

    /// - Parameters:
    ///   - start: ln v to begin with.
    ///   - logPlaces: ln ξ_h.
    ///   - tolerance: for ‖Qᵀ1 − h‖₁ + ‖Rᵀ1 − h‖₁.
    init<Scalar: KernelScalar>(
        _ source: inout LowRankFactor<Scalar>, _ target: inout LowRankFactor<Scalar>, _ a: [Scalar], _ b: [Scalar], from start: ProjectionScales,
        logPlaces: [Double], logFloor: Double, tolerance: Double
    ) {
        let r = logPlaces.count
        var v = start.source, v1 = start.target, h = v
        var best = (error: Double.infinity, v: v, v1: v1), isNewton = false, plain = 0
        while true {
            let w = source.update(a, v), w1 = target.update(b, v1)
            var residual = [Double](repeating: 0, count: 2 * r), error = 0.0
            for k in 0..<r {
                h[k] = max(logFloor, logPlaces[k] - v[k] - v1[k])
                let place = Double.exp(h[k])
                residual[k] = place - Double.exp(v[k] + w[k])
                residual[r + k] = place - Double.exp(v1[k] + w1[k])
                error += abs(residual[k]) + abs(residual[r + k])
            }
            rounds += 1
            if error <= tolerance || rounds >= 500 { break }
            if isNewton, !(error < 0.7 * best.error) {
                // Too far for Newton's step: back, and ascend by blocks for a while.
                (v, v1, isNewton, plain) = (best.v, best.v1, false, 8)
                best.error = .infinity
                continue
            }
            if rounds >= 3, plain == 0,
               let step = Self.newtonStep(source.hessian(a, v), target.hessian(b, v1), places: (0..<r).map { h[$0] > logFloor ? Double.exp(h[$0]) : 0 }, residual) {
                (best, isNewton) = ((error, v, v1), true)
                for k in 0..<r {
                    v[k] += max(-4, min(4, step[k]))
                    v1[k] += max(-4, min(4, step[r + k]))
                }
            } else {
                isNewton = false
                plain = max(0, plain - 1)
                for k in 0..<r {
                    h[k] = max(logFloor, (logPlaces[k] + w[k] + w1[k]) / 3)
                    (v[k], v1[k]) = (h[k] - w[k], h[k] - w1[k])
                }
            }
        }
        scales = ProjectionScales(source: v, target: v1)
        self.logPlaces = h
    }

    private static func newtonStep(_ source: Matrix<Double>, _ target: Matrix<Double>, places: [Double], _ residual: [Double]) -> [Double]? {
        let r = places.count
        var hessian = Matrix<Double>.zeros(rows: 2 * r, columns: 2 * r)
        for k in 0..<r {
            for l in 0..<r { (hessian[k, l], hessian[r + k, r + l]) = (source[k, l], target[k, l]) }
            for (i, j) in [(k, k), (k, r + k), (r + k, k), (r + k, r + k)] { hessian[i, j] += places[k] }
        }
        // (1, −1) is in its kernel: v c and v'/c give one plan.
        for k in 0..<2 * r { hessian[k, k] *= 1 + 1e-10 }
        guard let step = try? Cholesky(hessian).solve(residual), step.allSatisfy({ $0.isFinite }) else { return nil }
        return step
    }
}
