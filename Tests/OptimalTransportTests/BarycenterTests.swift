import Datasets
import Kernels
import LinearAlgebra
import OptimalTransport
import Randomness
import Testing

private func gaussian(_ n: Int, _ mean: Double, _ deviation: Double) -> Matrix<Double> {
    let values = (0..<n).map { k in Double.exp(-(Double(k) / Double(n) - mean) * (Double(k) / Double(n) - mean) / (2 * deviation * deviation)) }
    let sum = values.reduce(0, +)
    return Matrix(rows: 1, columns: n, elements: values.map { $0 / sum })
}

private func moments(_ p: Matrix<Double>) -> (mean: Double, variance: Double) {
    let n = p.columns, mean = (0..<n).reduce(0) { $0 + p[0, $1] * Double($1) / Double(n) }
    return (mean, (0..<n).reduce(0) { $0 + p[0, $1] * (Double($1) / Double(n) - mean) * (Double($1) / Double(n) - mean) })
}

@Suite struct BarycenterTests {
    // Check 14: of equal histograms the debiased barycentre is that histogram, the other a blur of it of variance about ε/2.
    @Test func equalInputs() throws {
        let a = gaussian(100, 0.5, 0.06), epsilon = 0.002
        let debiased = try GridBarycenter(epsilon: epsilon, tolerance: 1e-9, iterationLimit: 20_000).solve([a, a, a])
        #expect(debiased.status == .converged, "\(debiased.reason)")
        let worst = zip(debiased.histogram.elements, a.elements).map { abs($0 - $1) }.max()!
        #expect(worst <= 1e-5, "\(worst)")
        let blurred = try GridBarycenter(epsilon: epsilon, isDebiased: false, tolerance: 1e-9).solve([a, a])
        let added = moments(blurred.histogram).variance - moments(a).variance
        #expect(blurred.status == .converged && added > 0.25 * epsilon && added < 0.75 * epsilon, "\(added)")
    }

    // Of normal distributions on a line: the mean of means, and the square of the mean deviation.
    @Test func normalDistributions() throws {
        let a = gaussian(200, 0.3, 0.05), b = gaussian(200, 0.7, 0.09)
        let found = try GridBarycenter(epsilon: 0.001, tolerance: 1e-6, iterationLimit: 5000).solve([a, b], shares: [0.75, 0.25])
        let (mean, variance) = moments(found.histogram), deviation = 0.75 * 0.05 + 0.25 * 0.09
        #expect(found.status == .converged && abs(mean - 0.4) <= 1e-4, "\(found.reason), \(mean)")
        #expect(abs(variance.squareRoot() - deviation) <= 0.002, "\(variance.squareRoot()), \(deviation)")
        let mass = found.histogram.elements.reduce(0, +)
        #expect(abs(mass - 1) <= 1e-6)
    }

    // The kernel by axes is that of all pairs of pixels, seen through one iteration of both on a small image.
    @Test func separableKernelIsTheWholeOne() throws {
        var random = RandomStream(seed: 1)
        let (h, w, epsilon) = (5, 7, 0.05)
        let images = (0..<2).map { _ in Matrix<Double>(rows: h, columns: w, elements: (random.uniform(count: h * w) as [Double]).map { $0 + 0.1 }) }
        let normalized = images.map { image in (1 / image.elements.reduce(0, +)) * image }
        let found = try GridBarycenter(epsilon: epsilon, isDebiased: false, tolerance: 1e-12, iterationLimit: 3).solve(normalized)
        let unit = 1 / Double(max(h, w))
        func applied(_ x: [Double]) -> [Double] {
            (0..<h * w).map { i in
                (0..<h * w).reduce(0) { sum, j in
                    let y = Double(i / w - j / w) * unit, x0 = Double(i % w - j % w) * unit
                    return sum + Double.exp(-(x0 * x0 + y * y) / epsilon) * x[j]
                }
            }
        }
        var v = [[Double]](repeating: [Double](repeating: 1, count: h * w), count: 2), p: [Double] = []
        for _ in 0..<3 {
            let s = (0..<2).map { k in applied(zip(normalized[k].elements, applied(v[k])).map { $0 / $1 }) }
            p = zip(s[0], s[1]).map { ($0 * $1).squareRoot() }
            v = s.map { zip(p, $0).map { $0 / $1 } }
        }
        let worst = zip(found.histogram.elements, p).map { abs($0 - $1) }.max()!
        #expect(found.status == .iterationLimit && worst <= 1e-14, "\(worst)")
    }

    // Shapes between shapes on real digits: zeros stay, mass stays, and the debiased one is the sharper.
    @Test func digits() throws {
        let digits = try Dataset<Double>.digits(), labels = try #require(digits.labels)
        let threes = labels.indices.filter { labels[$0] == 3 }.prefix(5).map { i in
            let image = Matrix<Double>(rows: 8, columns: 8, elements: (0..<64).map { digits.features[i, $0] })
            return (1 / image.elements.reduce(0, +)) * image
        }
        func sharpness(_ p: Matrix<Double>) -> Double { p.elements.reduce(0) { $0 + $1 * $1 } }
        let debiased = try GridBarycenter(epsilon: 0.02, tolerance: 1e-5).solve(threes), plain = try GridBarycenter(epsilon: 0.02, isDebiased: false, tolerance: 1e-5).solve(threes)
        #expect(debiased.status == .converged && plain.status == .converged, "\(debiased.reason)")
        #expect(sharpness(debiased.histogram) > 1.2 * sharpness(plain.histogram))
        #expect(abs(plain.histogram.elements.reduce(0, +) - 1) < 1e-4)
    }

    @Test func whatCannotBe() throws {
        let a = gaussian(64, 0.1, 0.02), far = gaussian(64, 0.9, 0.02)
        let small = try GridBarycenter(epsilon: 1e-5).solve([a, far])
        #expect(small.status == .brokeDown && small.reason.contains("too small"))
        #expect(try GridBarycenter(epsilon: 0.01, iterationLimit: 1).solve([a, far]).status == .iterationLimit)
        #expect(throws: TransportError.self) { try GridBarycenter(epsilon: 0.01).solve([a, 2 * far]) }
        #expect(throws: TransportError.negativeWeight(.target, index: 1, value: -1)) {
            try GridBarycenter(epsilon: 0.01).solve([a, Matrix(rows: 1, columns: 64, elements: [2, -1] + [Double](repeating: 0, count: 62))])
        }
    }

    // Two sets that a shift carries into each other: the barycentre is the one moved half way, whatever the start.
    @Test func freeSupport() throws {
        var random = RandomStream(seed: 2)
        let x = Matrix<Double>(rows: 30, columns: 2, elements: random.normal(count: 60))
        let y = Matrix<Double>(rows: 30, columns: 2) { x[$0, $1] + ($1 == 0 ? 4 : -2) }
        let found = try FreeSupportBarycenter<Double>().solve([(x, nil), (y, nil)], from: x)
        #expect(found.status == .converged, "\(found.reason)")
        let half = Matrix<Double>(rows: 30, columns: 2) { x[$0, $1] + ($1 == 0 ? 2 : -1) }
        let distance = ExactTransport().solve(try TransportProblem(Geometry(from: found.points, to: half))).transportCost
        #expect(distance <= 1e-20)
        let start = Matrix<Double>(rows: 20, columns: 2, elements: random.normal(count: 40))
        for solver in [nil, Sinkhorn<Double>(epsilon: 0.05)] {
            let search = try FreeSupportBarycenter(solver: solver, tolerance: 1e-4).solve([(x, nil), (y, nil)], shares: [0.3, 0.7], from: start)
            let falls = zip(search.costs, search.costs.dropFirst()).allSatisfy { $1 <= $0 * (1 + 1e-6) }
            #expect(search.costs.count > 1 && (falls || solver != nil), "\(search.costs)")
            // The first cost is that of the start, by shares.
            if solver == nil {
                let parts = try [x, y].map { Double(ExactTransport().solve(try TransportProblem(Geometry(from: start, to: $0))).transportCost) }
                #expect(abs(search.costs[0] - (0.3 * parts[0] + 0.7 * parts[1])) <= 1e-12)
            }
            // The mean of means, as each plan keeps it.
            let center = (0..<20).reduce(0) { $0 + search.points[$1, 0] } / 20, expected = (0..<30).reduce(0) { $0 + x[$1, 0] } / 30 + 0.7 * 4
            #expect(abs(center - expected) <= 1e-5)
        }
        let limited = try FreeSupportBarycenter<Double>(iterationLimit: 1).solve([(x, nil), (y, nil)], from: start)
        #expect(limited.status == .iterationLimit && limited.costs.count == 1)
    }
}
