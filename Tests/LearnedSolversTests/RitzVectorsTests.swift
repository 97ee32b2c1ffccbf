import Kernels
import LearnedSolvers
import LinearAlgebra
import LinearSolvers
import Randomness
import RealModule
import Testing

@Suite struct RitzVectorsTests {
    /// Check 9: the ends of the spectrum of a 64 × 64 grid, from its closed form.
    @Test func extremeRitzValues() throws {
        let a = laplacian(64, 64), ritz = try RitzVectors(a, start: a.apply(normal(4096, seed: 1)), count: 400)
        let s = Double.sin(.pi / 130), c = Double.cos(.pi / 130)
        #expect(abs(ritz.values.last! - 8 * c * c) < 1e-6)
        #expect(abs(ritz.values.first! - 8 * s * s) < 1e-6 && abs(8 * s * s - 0.0046711) < 1e-7)
        // Orthonormal, with small residuals at the ends.
        let gram = multiply(ritz.vectors, ritz.vectors.transposed())
        let worst = gram.elements.indices.map { abs(gram.elements[$0] - ($0 / 400 == $0 % 400 ? 1 : 0)) }.max()!
        #expect(worst < 1e-12)
        for i in [0, 399] {
            let v = (0..<4096).map { ritz.vectors[i, $0] }
            #expect(norm(difference(a.apply(v), v.map { $0 * ritz.values[i] })) < 1e-3 * ritz.values[i])
        }
    }

    /// The whole space of a small operator: its eigenvalues, and no more vectors than there are.
    @Test func smallSpaces() throws {
        let matrix = Matrix<Double>(rows: 5, columns: 5) { $0 == $1 ? Double($0 + 1) : 0.25 }
        let ritz = try RitzVectors(matrix, start: normal(5, seed: 2), count: 9)
        let exact = try SymmetricEigen(matrix).values
        let worst = zip(ritz.values, exact).map { abs($0 - $1) }.max()!
        #expect(ritz.values.count == 5 && worst < 1e-12)
        // An eigenvector spans a space of its own.
        #expect(try RitzVectors(SparseMatrix<Double>.diagonal([2, 3, 4]), start: [0, 5, 0], count: 3).values == [3])
    }

    /// The slow half has 81 times the energy of the fast one.
    @Test func mixturesAreSlow() throws {
        let n = 200, a = SparseMatrix<Double>.diagonal((0..<n).map { Double($0 + 1) })
        let ritz = try RitzVectors(a, start: [Double](repeating: 1, count: n), count: n)
        var random = RandomStream(seed: 3)
        let mixtures = ritz.mixtures(count: 300, shift: 10, using: &random)
        var slow = 0.0, fast = 0.0
        for i in 0..<300 {
            let row = (0..<n).map { mixtures[i, $0] }
            #expect(abs(norm(row) - 1) < 1e-12)
            for j in 0..<n { if j < 110 { slow += row[j] * row[j] } else { fast += row[j] * row[j] } }
        }
        // 110 · 81 : 90; the ratio of 33 000 to 27 000 squares, to five deviations of about 1.2 % each.
        #expect(abs(slow / fast / (110.0 * 81 / 90) - 1) < 0.07)
    }

    /// Null vectors count among the first half, and get no weight.
    @Test func nullVectorsAreDropped() throws {
        let a = SparseMatrix<Double>.diagonal([0, 1, 2, 3])
        let ritz = try RitzVectors(a, start: [1, 1, 1, 1], count: 4)
        var random = RandomStream(seed: 4)
        let mixtures = ritz.mixtures(count: 20, shift: 0, using: &random)
        let clean = (0..<20).allSatisfy { abs(mixtures[$0, 0]) < 1e-7 }
        #expect(ritz.values.count == 4 && clean)
    }
}
