import Kernels
import LinearAlgebra
import Testing

@Suite struct SVDTests {
    @Test(arguments: shapes, Precision.allCases) func reconstructs(_ shape: (Int, Int), _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            let (m, n) = shape, k = min(m, n)
            var random = TestRandom(41)
            let a: Matrix<S> = random.matrix(m, n)
            let bound = Double(m + n + 1) * eps(S.self) * 10
            for vectors in [SVD<S>.Vectors.thin, .full] {
                let svd = try SVD(a, vectors: vectors)
                let (left, right) = vectors == .full ? (m, n) : (k, k)
                #expect(svd.u.rows == m && svd.u.columns == left)
                #expect(svd.vTransposed.rows == right && svd.vTransposed.columns == n)
                #expect(orthogonalityDefect(svd.u) <= bound && orthogonalityDefect(svd.vTransposed.transposed()) <= bound)
                let scaled = Matrix<Double>(rows: m, columns: k) { Double(svd.u[$0, $1]) * Double(svd.singularValues[$1]) }
                #expect(distance(naive(scaled, svd.vTransposed.double.submatrix(rows: 0..<k, columns: 0..<n)), a) <= bound)
                let s = svd.singularValues
                #expect(s.count == k && zip(s, s.dropFirst()).allSatisfy { $0 >= $1 } && s.allSatisfy { $0 >= 0 })
                #expect(svd.rank() == k)
            }
            #expect(distance(try SVD.singularValues(of: a), try SVD(a).singularValues) <= bound)
        }
        try body(precision.type)
    }

    /// The squares of the singular values are the eigenvalues of AᵀA.
    @Test func agreesWithTheGramMatrix() throws {
        var random = TestRandom(42)
        let a: Matrix<Double> = random.matrix(30, 12)
        let s = try SVD.singularValues(of: a)
        let eigen = try SymmetricEigen.values(of: a.gram())
        #expect(distance(s.map { $0 * $0 }, Array(eigen.reversed())) < 1e-12)
        #expect(abs(try SVD(a).conditionNumber - (eigen.last! / eigen.first!).squareRoot()) < 1e-9)
    }

    @Test(arguments: shapes, Precision.allCases) func pseudoInverse(_ shape: (Int, Int), _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            let (m, n) = shape
            var random = TestRandom(43)
            // Rank at most 5.
            let left: Matrix<S> = random.matrix(m, min(5, m, n)), right: Matrix<S> = random.matrix(min(5, m, n), n)
            let a = left * right
            let p = try SVD(a).pseudoInverse(relativeTolerance: 100 * S.ulpOfOne)
            #expect(p.rows == n && p.columns == m)
            // The four Penrose conditions.
            let bound = 4000 * eps(S.self) * (1 + a.double.frobeniusNorm) * (1 + p.double.frobeniusNorm)
            let ap = naive(a, p), pa = naive(p, a)
            #expect(distance(naive(ap, a.double), a) <= bound * (1 + a.double.frobeniusNorm))
            #expect(distance(naive(pa, p.double), p) <= bound * (1 + p.double.frobeniusNorm))
            #expect(distance(ap, ap.transposed()) <= bound && distance(pa, pa.transposed()) <= bound)
        }
        try body(precision.type)
    }

    @Test func rankAndCondition() throws {
        let a = Matrix<Double>.diagonal([4, 2, 0])
        #expect(try SVD(a).rank() == 2 && SVD(a).rank(relativeTolerance: 0.6) == 1)
        #expect(try SVD(a).conditionNumber == .infinity)
        #expect(try SVD(Matrix<Double>.diagonal([4, -2])).conditionNumber == 2)
        #expect(try distance(SVD(a).pseudoInverse(), Matrix<Double>.diagonal([0.25, 0.5, 0])) < 1e-16)
    }

    @Test(arguments: [1e-150, 1e150, 1e300]) func scaleDoesNotMatter(_ scale: Double) throws {
        var random = TestRandom(44)
        let a: Matrix<Double> = random.matrix(12, 8)
        let s = try SVD.singularValues(of: scale * a).map { $0 / scale }
        #expect(distance(s, try SVD.singularValues(of: a)) < 1e-13)
    }

    @Test func nonFiniteInput() {
        #expect(throws: LinearAlgebraError.nonFinite(row: 0, column: 1)) { try SVD([[1, .nan], [0, 1]] as Matrix<Float>) }
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 1)) {
            try SVD.singularValues(of: [[1, 2], [0, .infinity]] as Matrix<Float>)
        }
    }
}
