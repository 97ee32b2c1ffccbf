import Kernels
import LinearAlgebra
import RealModule

/// One factor of a low-rank plan, Q = diag(u) ξ diag(v), as −ln ξ of which each row's least element is 0: factors of rows are set by the
/// marginal anyway.
struct LowRankFactor<Scalar: KernelScalar>: Sendable, Codable {
    private var exponents: Matrix<Scalar>
    /// ξ with some v absorbed and the largest element of each row 1, transposed; made anew where v has moved far.
    private var kernel = Matrix<Scalar>.zeros(rows: 0, columns: 0)
    /// ln of the v that is in the kernel, and what was taken from each row.
    private var absorbed: [Double] = [], rowMaxima: [Scalar] = []
    /// u of the kernel.
    private var rowScales: [Scalar]

    /// From ln ξ.
    init(_ logarithms: Matrix<Scalar>) {
        self.init(exponents: -logarithms)
    }

    private init(exponents: Matrix<Scalar>) {
        self.exponents = exponents
        rowScales = [Scalar](repeating: 0, count: exponents.rows)
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
    func absorbing(_ logScales: [Double]) -> LowRankFactor { LowRankFactor(exponents: minus(logScales)) }

    /// −ln (ξ diag(v)).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func minus(_ logScales: [Double]) -> Matrix<Scalar> {
        var result = exponents
        let terms = logScales.map { Scalar(-$0) }
        var span = result.mutableSpan
        Scalar.addRow(rows: exponents.rows, columns: exponents.columns, &span, terms.span)
        return result
    }

    /// Makes the kernel for a v.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private mutating func refresh(_ logScales: [Double]) {
        var logarithms = minus(logScales), maxima = [Scalar](repeating: 0, count: exponents.rows)
        for i in maxima.indices {
            var row = logarithms.mutableRow(i)
            var least = row[0]
            for k in row.indices { least = min(least, row[k]) }
            for k in row.indices { row[k] = least - row[k] }
            maxima[i] = -least
        }
        var span = logarithms.mutableSpan
        Scalar.exp(&span)
        (kernel, absorbed, rowMaxima) = (logarithms.transposed(), logScales, maxima)
    }

    /// u ← a/(ξ v).
    ///
    /// - Returns: ln ξᵀu.
    mutating func update(_ weights: [Scalar], _ logScales: [Double]) -> [Double] {
        if absorbed.isEmpty || zip(logScales, absorbed).contains(where: { abs($0 - $1) > 20 }) { refresh(logScales) }
        let scales = relative(logScales)
        return Self.update(kernel, scales, weights, &rowScales).enumerated().map { k, total in
            total > Scalar.leastNormalMagnitude ? Double.log(Double(total)) - absorbed[k] : logTotal(k)
        }
    }

    /// u ← a/(Kᵀv).
    ///
    /// - Returns: K u.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func update(_ kernel: Matrix<Scalar>, _ v: [Scalar], _ a: [Scalar], _ u: inout [Scalar]) -> [Scalar] {
        var sums = [Scalar](repeating: 0, count: a.count), totals = [Scalar](repeating: 0, count: v.count)
        var s = sums.mutableSpan, w = u.mutableSpan, t = totals.mutableSpan
        multiply(kernel, v.span, transpose: true, into: &s)
        Scalar.divide(a.span, s.span, into: &w)
        multiply(kernel, w.span, into: &t)
        return totals
    }

    /// v beside what is in the kernel.
    private func relative(_ logScales: [Double]) -> [Scalar] { zip(logScales, absorbed).map { Scalar(Double.exp($0 - $1)) } }

    /// ln Σ uᵢ ξᵢₖ of a column whose kernel is 0 to the scalar type.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func logTotal(_ k: Int) -> Double {
        var largest = -Double.infinity, sum = 0.0
        for i in rowScales.indices where rowScales[i] > 0 {
            let term = Double.log(Double(rowScales[i])) - Double(exponents[i, k]) - Double(rowMaxima[i])
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
        let plan = plan(roots, logScales), gram = multiply(plan, plan, transposeB: true)
        for k in 0..<r {
            for l in 0..<r { result[k, l] = -Double(gram[k, l]) }
        }
        // The rows of Q sum to a.
        for k in 0..<r { result[k, k] -= (0..<r).reduce(0) { $0 + result[k, $1] } }
        return result
    }

    /// diag(v) ξᵀ diag(u) with other scales u.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func plan(_ rowScales: [Scalar], _ logScales: [Double]) -> Matrix<Scalar> {
        var result = kernel
        let scales = relative(logScales)
        var span = result.mutableSpan
        Scalar.multiplyRow(rows: kernel.rows, columns: kernel.columns, kernel.span, rowScales.span, into: &span)
        for k in scales.indices {
            var row = result.mutableRow(k)
            Scalar.scale(scales[k], &row)
        }
        return result
    }

    /// diag(u) ξ diag(v) with the marginals that it misses rounded to a and h: rows and columns that are too large shrink, and what then is missing is
    /// added as a product of both sides' lack (Altschuler et al. 2017).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func rounded(_ a: [Scalar], _ logScales: [Double], _ h: [Scalar]) -> Matrix<Scalar> {
        let n = exponents.rows, r = exponents.columns
        var q = plan(rowScales, logScales).transposed()
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
            if rounds >= 2, plain == 0,
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
        // (1, −1) is in its kernel, as v c and v'/c give one plan: what rounding puts there of the residual goes.
        for k in 0..<2 * r { hessian[k, k] *= 1 + 1e-10 }
        let excess = (residual[..<r].reduce(0, +) - residual[r...].reduce(0, +)) / Double(2 * r)
        guard let step = try? Cholesky(hessian).solve(residual.enumerated().map { $0 < r ? $1 - excess : $1 + excess }), step.allSatisfy({ $0.isFinite }) else { return nil }
        return step
    }
}
