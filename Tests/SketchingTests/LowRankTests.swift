import LinearAlgebra
import Randomness
import Sketching
import Testing

@Suite struct LowRankTests {
    /// Singular values 2⁻ʲ: the leading ones to rounding of what is left out, and U diag(s) Vᵀ near the best approximation.
    @Test func randomizedSVDFindsTheLeadingTriplets() throws {
        let u = try QR(normal(300, 40, seed: 1)).q(), v = try QR(normal(120, 40, seed: 2)).q()
        let scaled = Matrix<Double>(rows: 300, columns: 40) { i, j in u[i, j] / Double(1 << j) }
        let a = multiply(scaled, v, transposeB: true), rank = 10
        let (left, values, right) = try RandomizedSVD(rank: rank).decompose(a)
        for j in 0..<rank { #expect(abs(values[j] * Double(1 << j) - 1) < 1e-6) }
        var image = left
        for i in 0..<300 { for j in 0..<rank { image[i, j] *= values[j] } }
        let error = (a - image * right).frobeniusNorm
        #expect(error < 1.2 * 2.0 / Double(1 << rank), "\(error)")
        let sparse = try RandomizedSVD(rank: rank).decompose(SparseMatrix(a)).singularValues
        let operated = try RandomizedSVD(rank: rank).decompose(OperatorMatrix(a)).singularValues
        for j in 0..<rank { #expect(abs(sparse[j] - values[j]) < 1e-12 && abs(operated[j] - values[j]) < 1e-12) }
    }

    /// What is added to the core for the factorisation is taken off again: a matrix of rank 3 has no other eigenvalues than rounding's, which is
    /// far below the shift in their sum.
    @Test func nystromTakesItsShiftOffAgain() throws {
        let q = try QR(normal(100, 3, seed: 8)).q(), scaled = Matrix<Double>(rows: 100, columns: 3) { q[$0, $1] * Double($1 + 1) }
        let approximation = try NystromApproximation(multiply(scaled, q, transposeB: true), rank: 10)
        for j in 0..<3 { #expect(abs(approximation.values[j] - Double(3 - j)) < 1e-12) }
        let rest = approximation.values[3...].reduce(0, +)
        #expect(approximation.values.count == 10 && rest < 3 * approximation.shift, "\(rest), shift \(approximation.shift)")
    }

    /// Eigenvalues 1/(j + 1)⁴: exact where the rank suffices, and a preconditioner whose product with A + μ I has a small condition.
    @Test func nystromPreconditions() throws {
        let q = try QR(normal(100, 100, seed: 3)).q(), mu = 1e-6
        let scaled = Matrix<Double>(rows: 100, columns: 100) { i, j in q[i, j] / Double((j + 1) * (j + 1) * (j + 1) * (j + 1)) }
        let a = multiply(scaled, q, transposeB: true), approximation = try NystromApproximation(a, rank: 40)
        #expect(abs(approximation.values[0] - 1) < 1e-6 && approximation.values.allSatisfy { $0 >= 0 })
        let p = approximation.preconditioner(ridge: mu)
        #expect(p.adjointDefect() < 1e-14)
        let product = p.dense() * (a + mu * Matrix.identity(100))
        // Similar to a symmetric matrix; its singular values bound the eigenvalues from outside.
        let values = try SVD.singularValues(of: product)
        #expect(values[0] / values[99] < 28, "\(values[0] / values[99])")
        #expect(throws: LinearAlgebraError.self) { _ = try NystromApproximation(-1.0 * a, rank: 10) }
        var bad = a
        bad[3, 4] = .nan
        #expect(throws: LinearAlgebraError.nonFinite(row: 3, column: 4)) { _ = try NystromApproximation(bad, rank: 5) }
        #expect(throws: LinearAlgebraError.nonFinite(row: 3, column: 4)) { _ = try RandomizedSVD(rank: 5).decompose(bad) }
    }

    /// Scores against the rows of Q, and sampling by them where uniform sampling fails.
    @Test func leverageScoresAreNearTheExactOnes() throws {
        let n = 20
        let coherent = Matrix<Double>(rows: 3000, columns: n) { i, j in i < n && i == j ? 1 : 0 }
        let a = coherent + 1e-3 * normal(3000, n, seed: 5), q = try QR(a).q()
        let scores = try leverageScores(of: a, probes: 200)
        let sum = scores.reduce(0, +)
        #expect(abs(sum / Double(n) - 1) < 0.2, "\(sum)")
        for i in [0, 7, 19, 500] {
            let exact = (0..<n).reduce(0.0) { $0 + q[i, $1] * q[i, $1] }
            #expect(scores[i] / exact > 0.4 && scores[i] / exact < 2.2, "\(scores[i]) \(exact)")
        }
        let s = RowSampling(weights: scores).sample(Double.self, rows: 20 * n, columns: 3000, random: RandomStream(seed: 6))
        let range = try embeddingRange(of: s, onOrthonormal: q)
        #expect(range.lowerBound > 0.2, "\(range)")
        let uniform = RowSampling.uniform.sample(Double.self, rows: 20 * n, columns: 3000, random: RandomStream(seed: 6))
        let missed = try embeddingRange(of: uniform, onOrthonormal: q)
        #expect(missed.lowerBound < 0.05, "\(missed)")
    }

    /// From inside, and exact with as many products as columns.
    @Test func estimatedRangesLieInside() throws {
        let a = normal(2000, 30, seed: 7), q = try QR(a).q()
        let s = SparseSignEmbedding().sample(Double.self, rows: 240, columns: 2000, random: RandomStream(seed: 8))
        let exact = try embeddingRange(of: s, onOrthonormal: q)
        let few = try estimatedEmbeddingRange(of: s, onRangeOf: a, products: 8), all = try estimatedEmbeddingRange(of: s, onRangeOf: a, products: 30)
        #expect(few.lowerBound > exact.lowerBound - 1e-12 && few.upperBound < exact.upperBound + 1e-12)
        #expect(abs(all.lowerBound - exact.lowerBound) < 1e-10 && abs(all.upperBound - exact.upperBound) < 1e-10)
    }

    /// Cosine and row-sampling sketches as operators, on dense and sparse matrices and on operators: one and the same S.
    @Test func otherSketchesApplyAlike() throws {
        let distributions: [any SketchDistribution] = [
            SubsampledCosine(), RowSampling.uniform, GaussianSketch(), SparseSignEmbedding(), SubsampledHadamard(),
        ]
        for distribution in distributions {
            let s = distribution.sample(Double.self, rows: 12, columns: 50, random: RandomStream(seed: 9)), a = normal(50, 7, seed: 10)
            let expected = s.dense() * a
            let dense = (s.apply(to: a) - expected).maxNorm, sparse = (s.apply(to: SparseMatrix(a)) - expected).maxNorm
            let operated = (s.apply(to: a as any LinearOperator<Double>) - expected).maxNorm
            #expect(dense < 1e-12 && sparse < 1e-12 && operated < 1e-12 && s.adjointDefect() < 1e-14, "\(distribution)")
        }
        // All rows taken: an orthogonal matrix.
        let whole = SubsampledCosine().sample(Double.self, rows: 64, columns: 64, random: RandomStream(seed: 11)).dense()
        #expect((multiply(whole, whole, transposeA: true) - Matrix.identity(64)).maxNorm < 1e-13)
    }
}
