import Foundation
import Kernels
import LinearAlgebra
import Randomness
import Sketching
import Testing

private let distributions: [(name: String, value: any SketchDistribution)] = [
    ("Gaussian", GaussianSketch()), ("sparse sign", SparseSignEmbedding()), ("CountSketch", SparseSignEmbedding.countSketch),
    ("Hadamard", SubsampledHadamard()),
]

private func squaredNorm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 } }

@Suite struct SketchTests {
    /// As an operator, as a matrix, on whole matrices and on rows, in both precisions: one and the same S.
    @Test(arguments: 0...distributions.count) func allWaysToApplyAgree(_ index: Int) {
        let distributions = distributions + [("cosine", SubsampledCosine())]
        for (d, m) in [(1, 1), (3, 5), (7, 64), (20, 100), (64, 40)] where index < 3 || d <= m {
            let s = distributions[index].value.sample(Double.self, rows: d, columns: m, random: RandomStream(seed: 7))
            let dense = s.dense(), a = normal(m, 9, seed: 3)
            #expect((s.apply(to: a) - dense * a).maxNorm < 1e-12 * 10)
            #expect((s.applyToRows(of: a.transposed()) - (dense * a).transposed()).maxNorm < 1e-11)
            let x = normal(m, 1, seed: 4).elements, y = normal(d, 1, seed: 5).elements
            let far = zip(s.apply(x), dense.apply(x)).map { abs($0 - $1) }.max()!
            let back = zip(s.applyAdjoint(y), dense.transposed().apply(y)).map { abs($0 - $1) }.max()!
            #expect(far < 1e-12 * 20 && back < 1e-12 * 20, "\(distributions[index].name) \(d)×\(m)")
            #expect(s.adjointDefect() < 1e-14)
            let again = distributions[index].value.sample(Double.self, rows: d, columns: m, random: RandomStream(seed: 7))
            let other = distributions[index].value.sample(Double.self, rows: d, columns: m, random: RandomStream(seed: 8))
            #expect(again.apply(to: a) == s.apply(to: a))
            #expect(m == 1 || other.apply(to: a) != s.apply(to: a))
            if index != 0 {
                // The same choices, so the same matrix but for rounding.
                let single = distributions[index].value.sample(Float.self, rows: d, columns: m, random: RandomStream(seed: 7)).dense()
                #expect(zip(single.elements, dense.elements).allSatisfy { abs(Double($0) - $1) < 1e-6 })
            }
        }
    }

    /// E ‖S x‖² = 1, with the variance that theory gives for normal and for sparse elements (Check 2).
    @Test func secondMoments() {
        let m = 40, d = 32, draws = 16_000
        var x = normal(m, 1, seed: 1).elements
        // One element that matters more, so that the sparse variance differs.
        x[0] = 4
        let norm = squaredNorm(x).squareRoot()
        x = x.map { $0 / norm }
        let fourth = x.reduce(0) { $0 + $1 * $1 * $1 * $1 }
        let expected = [2 / Double(d), 2 / Double(d) * (1 - fourth), 2 / Double(d) * (1 - fourth)]
        for (distribution, variance) in zip(distributions, expected) {
            let squares = (0..<draws).map { draw in
                squaredNorm(distribution.value.sample(Double.self, rows: d, columns: m, random: RandomStream(seed: 2, stream: UInt64(draw))).apply(x))
            }
            let mean = squares.reduce(0, +) / Double(draws)
            let measured = squares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws - 1)
            // Five standard errors of the mean, four of the variance (1.2 % for 16 000 draws).
            #expect(abs(mean - 1) < 5 * (variance / Double(draws)).squareRoot(), "\(distribution.name): \(mean)")
            #expect(abs(measured / variance - 1) < 0.05, "\(distribution.name): variance \(measured), expected \(variance)")
        }
        // Sampling without replacement has no such formula; its mean is 1 all the same.
        let squares = (0..<draws).map { draw in
            squaredNorm(SubsampledHadamard().sample(Double.self, rows: d, columns: m, random: RandomStream(seed: 2, stream: UInt64(draw))).apply(x))
        }
        #expect(abs(squares.reduce(0, +) / Double(draws) - 1) < 0.01)
    }

    /// The singular values of S Q over 20 draws, for a generic Q of 4096×50: near [1 − √(n/d), 1 + √(n/d)] for every sketch (Check 3).
    @Test(arguments: 0...distributions.count) func embedsOrdinarySpaces(_ index: Int) throws {
        let distribution = index < distributions.count ? distributions[index] : ("cosine", SubsampledCosine())
        let n = 50, q = try QR(normal(4096, n, seed: 9)).q()
        for (ratio, least, greatest) in [(2, 0.32, 1.66), (4, 0.52, 1.46), (12, 0.73, 1.265)] {
            var low = 0.0, high = 0.0
            for draw in 0..<20 {
                let s = distribution.value.sample(Double.self, rows: ratio * n, columns: 4096, random: RandomStream(seed: 10, stream: UInt64(draw)))
                let range = try embeddingRange(of: s, onOrthonormal: q)
                low += range.lowerBound / 20
                high += range.upperBound / 20
            }
            #expect(abs(low - least) < 0.03 && abs(high - greatest) < 0.03, "\(distribution.name) \(ratio)n: \(low) … \(high)")
        }
    }

    /// Q = qr([I; 10⁻³ G]) has n rows that matter alone. The least singular value of 20 draws at 2n, 4n and 12n: eight non-zeros a column cope,
    /// fewer do not, transforms and leverage scores from 12n on only (Check 4).
    @Test func coherentSpacesTellTheSketchesApart() throws {
        let n = 50
        let coherent = Matrix<Double>(rows: 4096, columns: n) { i, j in i < n ? (i == j ? 1 : 0) : 0 }
        let q = try QR(coherent + 1e-3 * normal(4096, n, seed: 11)).q()
        let scores = (0..<4096).map { i in (0..<n).reduce(0.0) { $0 + q[i, $1] * q[i, $1] } }
        let expected: [(name: String, value: any SketchDistribution, least: [ClosedRange<Double>])] = [
            ("Gaussian", GaussianSketch(), [0.24...0.32, 0.45...0.53, 0.66...0.74]),
            ("eight", SparseSignEmbedding(), [0.24...0.34, 0.43...0.51, 0.63...0.71]),
            ("four", SparseSignEmbedding(nonzerosPerColumn: 4), [0.13...0.30, 0.33...0.48, 0.45...0.62]),
            ("two", SparseSignEmbedding(nonzerosPerColumn: 2), [0...0.15, 0...0.25, 0...0.5]),
            ("one", SparseSignEmbedding.countSketch, [0...0.1, 0...0.1, 0...0.15]),
            ("Hadamard", SubsampledHadamard(), [0...0.12, 0...0.3, 0.5...0.7]),
            ("cosine", SubsampledCosine(), [0...0.12, 0...0.3, 0.5...0.7]),
            ("leverage", RowSampling(weights: scores), [0...0.05, 0...0.05, 0.3...0.6]),
        ]
        for sketch in expected {
            for (ratio, range) in zip([2, 4, 12], sketch.least) {
                let least = try (0..<20).map { draw in
                    try embeddingRange(
                        of: sketch.value.sample(Double.self, rows: ratio * n, columns: 4096, random: RandomStream(seed: 12, stream: draw)),
                        onOrthonormal: q).lowerBound
                }.min()!
                #expect(range.contains(least), "\(sketch.name) at \(ratio)n: \(least)")
            }
        }
    }

    /// As many non-zeros a column as rows: every element is ±1/√d (Check 11).
    @Test func asManyNonzerosAsRowsAreDenseSigns() {
        let s = SparseSignEmbedding(nonzerosPerColumn: 9).sample(Double.self, rows: 9, columns: 200, random: RandomStream(seed: 1)).dense()
        let positive = s.elements.count { $0 == 1.0 / 3 }, negative = s.elements.count { $0 == -1.0 / 3 }
        // Within five standard deviations of half.
        #expect(positive + negative == 1800 && abs(positive - 900) < 106, "\(positive) and \(negative)")
    }

    #if os(Linux)
    /// A Gaussian sketch of 480 MB is applied within 40 MB: it is never stored. In a process of its own, whose peak is asked for.
    @Test func gaussianSketchesAreNotStored() async {
        await #expect(processExitsWith: .success) {
            func peak() throws -> Int {
                let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }!
                return Int(line.filter(\.isNumber))!
            }
            let d = 1000, m = 60_000
            let a = Matrix<Double>(rows: m, columns: 2) { i, j in Double((i + j) % 7) }
            let s = GaussianSketch().sample(Double.self, rows: d, columns: m, random: RandomStream(seed: 1))
            let before = try peak()
            let sketched = s.apply(to: a), pulled = s.applyAdjoint([Double](repeating: 1, count: d))
            require(sketched.rows == d && pulled.count == m, "sizes")
            let growth = try peak() - before
            require(growth < 40_000, "\(growth) kB more; expected fewer than 40 000")
        }
    }
    #endif

    /// The same bits for any number of threads, in a process of its own since the count is the process's.
    @Test func threadsGiveTheSameBits() async {
        await #expect(processExitsWith: .success) {
            var random = RandomStream(seed: 1)
            let a = Matrix(rows: 3000, columns: 170, elements: random.normal(count: 3000 * 170) as [Double])
            for distribution in [SparseSignEmbedding() as any SketchDistribution, SparseSignEmbedding.countSketch, SubsampledHadamard()] {
                let s = distribution.sample(Double.self, rows: 600, columns: 3000, random: RandomStream(seed: 2))
                Threads.count = 1
                let one = s.apply(to: a)
                Threads.count = 3
                require(s.apply(to: a) == one, "the bits depend on the number of threads")
            }
            // And the pass of least squares over a matrix, in parts of rows.
            let x: [Double] = random.normal(count: 170), b: [Double] = random.normal(count: 3000)
            func pass(_ threads: Int) -> ([Double], [Double]) {
                var r = b, g = x
                Threads.count = threads
                var residual = r.mutableSpan, pulled = g.mutableSpan
                a.residualPullback(x.span, b.span, into: &residual, pulled: &pulled)
                return (r, g)
            }
            let one = pass(1), two = pass(2), three = pass(3)
            require(one == two && one == three, "the bits of a pass depend on the number of threads")
        }
    }

    @Test func misuseIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let s = SparseSignEmbedding().sample(Double.self, rows: 4, columns: 10, random: RandomStream(seed: 1))
            _ = s.apply(to: Matrix<Double>.zeros(rows: 9, columns: 2))
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a 4×10 sketch of a 9×2 matrix; expected 10 rows"))
        let many = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = SubsampledHadamard().sample(Double.self, rows: 40, columns: 20, random: RandomStream(seed: 1))
        }
        let words = String(decoding: many?.standardErrorContent ?? [], as: UTF8.self)
        #expect(words.contains("40 rows for 20 columns; expected at most 32"))
    }
}
