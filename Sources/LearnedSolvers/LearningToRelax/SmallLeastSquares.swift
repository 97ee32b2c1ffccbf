/// x ← G⁻¹ x for a positive definite G, row-major; `false`, and x spoilt, if a pivot falls below 1e-10 of its diagonal element.
///
/// For half a dozen unknowns, where a call of LAPACK costs several times the arithmetic.
func choleskySolve(_ gram: [Double], _ x: inout [Double]) -> Bool {
    let n = x.count
    var l = gram
    for j in 0..<n {
        var pivot = l[j * n + j]
        for k in 0..<j { pivot -= l[j * n + k] * l[j * n + k] }
        guard pivot > 1e-10 * gram[j * n + j], gram[j * n + j] > 0 else { return false }
        let root = pivot.squareRoot()
        l[j * n + j] = root
        for i in j + 1..<max(n, j + 1) {
            var sum = l[i * n + j]
            for k in 0..<j { sum -= l[i * n + k] * l[j * n + k] }
            l[i * n + j] = sum / root
        }
    }
    for i in 0..<n {
        for k in 0..<i { x[i] -= l[i * n + k] * x[k] }
        x[i] /= l[i * n + i]
    }
    for i in stride(from: n - 1, through: 0, by: -1) {
        for k in i + 1..<max(n, i + 1) { x[i] -= l[k * n + i] * x[k] }
        x[i] /= l[i * n + i]
    }
    return true
}

/// argmin ½ xᵀG x − hᵀx over |xᵢ| ≤ boundsᵢ, by active sets from 0.
///
/// A singular G is taken with 1e-10 of its largest diagonal element added.
func boxConstrainedLeastSquares(gram: [Double], moments: [Double], bounds: [Double]) -> [Double] {
    let n = moments.count
    var g = gram
    let shift = 1e-10 * (0..<n).reduce(0) { max($0, gram[$1 * n + $1]) }
    for i in 0..<n { g[i * n + i] += shift }
    var x = [Double](repeating: 0, count: n), isFree = bounds.map { $0 > 0 }
    /// hᵢ − (G x)ᵢ.
    func descent(_ i: Int) -> Double { (0..<n).reduce(moments[i]) { $0 - g[i * n + $1] * x[$1] } }
    // Each free set is met once at most, since each ends at a lower value; the cap only guards against rounding.
    for _ in 0..<50 * n {
        let free = (0..<n).filter { isFree[$0] }
        var step = free.map(descent)
        let reduced = free.flatMap { i in free.map { g[i * n + $0] } }
        guard free.isEmpty || choleskySolve(reduced, &step) else { return x }
        // As far along the step as the box goes.
        var length = 1.0, stop: Int?
        for (k, i) in free.enumerated() where step[k] != 0 {
            let limit = ((step[k] > 0 ? bounds[i] : -bounds[i]) - x[i]) / step[k]
            if limit < length { (length, stop) = (max(limit, 0), i) }
        }
        for (k, i) in free.enumerated() { x[i] = min(max(x[i] + length * step[k], -bounds[i]), bounds[i]) }
        if let stop {
            isFree[stop] = false
            continue
        }
        // At the minimum of this face: free the coordinate that pulls inward the most.
        var best = 1e-12 * (moments.map(abs).max() ?? 0), candidate: Int?
        for i in 0..<n where !isFree[i] && bounds[i] > 0 {
            let pull = descent(i) * (x[i] > 0 ? -1 : 1)
            if pull > best { (best, candidate) = (pull, i) }
        }
        guard let candidate else { return x }
        isFree[candidate] = true
    }
    return x
}
