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
    @Test(arguments: distributions.indices) func allWaysToApplyAgree(_ index: Int) {
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

    /// E ‖S x‖² = 1, with the variance that theory gives for normal and for sparse elements.
    @Test func secondMoments() {
        let m = 40, d = 32, draws = 4000
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
            // Five standard errors of the mean; the variance's own error is some 4 %.
            #expect(abs(mean - 1) < 5 * (variance / Double(draws)).squareRoot(), "\(distribution.name): \(mean)")
            #expect(abs(measured / variance - 1) < 0.2, "\(distribution.name): variance \(measured), expected \(variance)")
        }
        // Sampling without replacement has no such formula; its mean is 1 all the same.
        let squares = (0..<draws).map { draw in
            squaredNorm(SubsampledHadamard().sample(Double.self, rows: d, columns: m, random: RandomStream(seed: 2, stream: UInt64(draw))).apply(x))
        }
        #expect(abs(squares.reduce(0, +) / Double(draws) - 1) < 0.01)
    }

    /// The singular values of S Q over 20 draws, for a generic Q of 4096×50: near [1 − √(n/d), 1 + √(n/d)] for every sketch.
    @Test(arguments: distributions.indices) func embedsOrdinarySpaces(_ index: Int) throws {
        let n = 50, q = try QR(normal(4096, n, seed: 9)).q()
        for (ratio, least, greatest) in [(4, 0.52, 1.46), (12, 0.73, 1.265)] {
            var low = 0.0, high = 0.0
            for draw in 0..<20 {
                let s = distributions[index].value.sample(Double.self, rows: ratio * n, columns: 4096, random: RandomStream(seed: 10, stream: UInt64(draw)))
                let range = try embeddingRange(of: s, onOrthonormal: q)
                low += range.lowerBound / 20
                high += range.upperBound / 20
            }
            #expect(abs(low - least) < 0.03 && abs(high - greatest) < 0.03, "\(distributions[index].name) \(ratio)n: \(low) … \(high)")
        }
    }

    /// Q = qr([I; 10⁻³ G]) has n rows that matter alone: eight non-zeros a column cope at 12n, one does not.
    @Test func coherentSpacesTellTheSparseOnesApart() throws {
        let n = 50
        let coherent = Matrix<Double>(rows: 4096, columns: n) { i, j in i < n ? (i == j ? 1 : 0) : 0 }
        let q = try QR(coherent + 1e-3 * normal(4096, n, seed: 11)).q()
        func least(_ distribution: any SketchDistribution) throws -> Double {
            try (0..<20).map { draw in
                try embeddingRange(
                    of: distribution.sample(Double.self, rows: 12 * n, columns: 4096, random: RandomStream(seed: 12, stream: draw)),
                    onOrthonormal: q).lowerBound
            }.min()!
        }
        let gaussian = try least(GaussianSketch()), eight = try least(SparseSignEmbedding()), one = try least(SparseSignEmbedding.countSketch)
        #expect(gaussian > 0.65 && eight > 0.6 && one < 0.3, "\(gaussian) \(eight) \(one)")
    }

    /// The same bits for any number of threads, in a process of its own since the count is the process's.
    @Test func threadsGiveTheSameBits() async {
        await #expect(processExitsWith: .success) {
            var random = RandomStream(seed: 1)
            let a = Matrix(rows: 3000, columns: 170, elements: random.normal(count: 3000 * 170) as [Double])
            for distribution in [SparseSignEmbedding() as any SketchDistribution, SubsampledHadamard()] {
                let s = distribution.sample(Double.self, rows: 600, columns: 3000, random: RandomStream(seed: 2))
                Threads.count = 1
                let one = s.apply(to: a)
                Threads.count = 3
                precondition(s.apply(to: a) == one)
            }
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
