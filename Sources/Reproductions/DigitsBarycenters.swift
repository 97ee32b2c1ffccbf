import Descent

/// Shapes between two digits: barycentres of a digit of one class and one of the next, along the way from the one to the other.
func digitsBarycenters(_ digits: Dataset<Float>, quick: Bool, seed: UInt64) throws -> (table: Table, figure: Figure, checks: [Check]) {
    // Finer squares keep their sharp edges, and to restore those is what a debiased barycentre is slow at.
    let pairs = quick ? 2 : 5, factor = 2, size = 8 * factor
    var random = RandomStream(seed: seed, stream: 4)
    let order = random.permutation(of: digits.count), labels = digits.labels!
    /// The first digit of a class, a pixel as a square of `factor` pixels, with the mass 1.
    func image(_ label: Int) -> Matrix<Double> {
        let row = order.first { labels[$0] == label }!
        let pixels = Matrix<Double>(rows: size, columns: size) { i, j in Double(digits.features[row, i / factor * 8 + j / factor]) }
        let mass = pixels.elements.reduce(0, +)
        return pixels.map { $0 / mass }
    }
    let ways = [0, 0.25, 0.5, 0.75, 1], solver = GridBarycenter<Double>(epsilon: 0.004, tolerance: 1e-5, iterationLimit: 3000)
    var table = Table("Barycentres of digits, \(size)×\(size) pixels, means of \(pairs) pairs; lengths in sides of the image",
                      columns: ["way", "centre off the line", "spread", "spread of the faded image", "1-norm to the faded image", "iterations"])
    var ends = 0.0, off = 0.0, spreads = 0.0, unconverged = 0, strip = Matrix<Double>.zeros(rows: size, columns: size * ways.count)
    for (k, way) in ways.enumerated() {
        var sums = [Double](repeating: 0, count: 5)
        for pair in 0..<pairs {
            let a = image(2 * pair % 10), b = image((2 * pair + 1) % 10)
            let solution = try solver.solve([a, b], shares: [1 - way, way]), p = solution.histogram
            if solution.status != .converged { unconverged += 1 }
            let faded = Matrix<Double>(rows: size, columns: size) { i, j in (1 - way) * a[i, j] + way * b[i, j] }
            let own = moments(p), first = moments(a), last = moments(b)
            let line = ((1 - way) * first.x + way * last.x, (1 - way) * first.y + way * last.y)
            let (dx, dy) = (own.x - line.0, own.y - line.1), distance = (dx * dx + dy * dy).squareRoot(), between = (1 - way) * first.spread + way * last.spread
            let fading = zip(p.elements, faded.elements).reduce(0.0) { $0 + abs($1.0 - $1.1) }
            if way == 0 || way == 1 { ends = max(ends, fading) }
            (off, spreads) = (max(off, distance), max(spreads, own.spread / between))
            for (slot, value) in [distance, own.spread, moments(faded).spread, fading, Double(solution.iterations)].enumerated() { sums[slot] += value / Double(pairs) }
            if pair == 0 { for i in 0..<size { for j in 0..<size { strip[i, k * size + j] = p[i, j] } } }
        }
        table.append(short(way), short(sums[0]), short(sums[1]), short(sums[2]), short(sums[3]), short(sums[4]))
    }
    return (table, Figure("Shapes between two digits", xLabel: "", yLabel: "", series: [.init("barycentres", image: strip)]), [
        Check("barycentres that did not converge", Double(unconverged), .equal, 0, source: "the solver's own status"),
        Check("the ends of the way against the digits, 1-norm", ends, .atMost, 0.02, source: "debiased, equal inputs are their own barycentre: Janati, Cuturi and Gramfort 2020"),
        Check("centres of mass off the line between the digits', in sides", off, .atMost, 0.01, source: "the mean of a Wasserstein barycentre is the mean of means"),
        Check("spread over the mean spread of the digits, largest", spreads, .atMost, 1.02, source: "W₂ barycentres spread no more than their measures do on the mean; a faded image spreads more"),
    ])
}

/// The centre of mass and the variance, both axes together.
private func moments(_ p: Matrix<Double>) -> (x: Double, y: Double, spread: Double) {
    var x = 0.0, y = 0.0, square = 0.0
    let unit = 1 / Double(p.rows)
    for i in 0..<p.rows {
        for j in 0..<p.columns {
            let (u, v) = ((Double(i) + 0.5) * unit, (Double(j) + 0.5) * unit)
            x += p[i, j] * u
            y += p[i, j] * v
            square += p[i, j] * (u * u + v * v)
        }
    }
    return (x, y, square - x * x - y * y)
}
