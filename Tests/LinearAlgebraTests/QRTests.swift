import Kernels
import LinearAlgebra
import Testing

@Suite struct QRTests {
    @Test(arguments: shapes, Precision.allCases) func reconstructs(_ shape: (Int, Int), _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            let (m, n) = shape, k = min(m, n)
            var random = TestRandom(31)
            let a: Matrix<S> = random.matrix(m, n)
            let bound = Double(m + n + 1) * eps(S.self) * 4
            let qr = try QR(a), q = try qr.q()
            #expect(q.rows == m && q.columns == k && qr.r.rows == k && qr.r.columns == n)
            #expect(distance(naive(q, qr.r), a) <= bound)
            #expect(orthogonalityDefect(q) <= bound)
            #expect((0..<k).allSatisfy { i in (0..<i).allSatisfy { qr.r[i, $0] == 0 } })

            let pivoted = try PivotedQR(a), pq = try pivoted.q()
            let permuted = Matrix<S>(rows: m, columns: n) { a[$0, pivoted.permutation[$1]] }
            #expect(distance(naive(pq, pivoted.r), permuted) <= bound)
            #expect(orthogonalityDefect(pq) <= bound)
            #expect(pivoted.permutation.sorted() == Array(0..<n))
            let diagonal = pivoted.r.diagonal.map { abs(Double($0)) }
            #expect(zip(diagonal, diagonal.dropFirst()).allSatisfy { $0 * (1 + bound) >= $1 })
            #expect(pivoted.rank() == k)

            // Q applied without being formed: the thin Q's columns are Q·[I; 0], and Qᵀ undoes Q.
            let selector = Matrix<S>(rows: m, columns: k) { $0 == $1 ? 1 : 0 }
            #expect(distance(try qr.multiplyQ(selector), q) <= bound)
            let b: Matrix<S> = random.matrix(m, 3)
            #expect(distance(try qr.multiplyQ(qr.multiplyQ(b), transpose: true), b) <= bound)
            #expect(distance(try qr.multiplyQ(b, transpose: true).submatrix(rows: 0..<k, columns: 0..<3),
                             naive(q.transposed(), b)) <= bound)
            #expect(distance(try pivoted.multiplyQ(b, transpose: true).submatrix(rows: 0..<k, columns: 0..<3),
                             naive(pq.transposed(), b)) <= bound)
        }
        try body(precision.type)
    }

    @Test(arguments: Precision.allCases) func leastSquaresByQR(_ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            var random = TestRandom(32)
            let a: Matrix<S> = random.matrix(40, 7), b: Matrix<S> = random.matrix(40, 2)
            let x = try QR(a).solve(b)
            // The residual is orthogonal to the columns of A.
            let residual = b.double - naive(a, x)
            #expect(naive(a.double.transposed(), residual).maxNorm <= 400 * eps(S.self))
            #expect(distance(try QR(a).solve(b.column(1)), x.column(1)) <= 400 * eps(S.self))
            #expect(throws: LinearAlgebraError.singular(pivot: 0)) {
                try QR(Matrix<S>.zeros(rows: 3, columns: 1)).solve([1, 2, 3])
            }
        }
        try body(precision.type)
    }

    @Test func rankOfDeficientMatrix() throws {
        var random = TestRandom(33)
        let left: Matrix<Double> = random.matrix(30, 4), right: Matrix<Double> = random.matrix(4, 20)
        let pivoted = try PivotedQR(left * right)
        #expect(pivoted.rank() == 4)
        #expect(pivoted.rank(relativeTolerance: 2) == 0)
        #expect(try PivotedQR(Matrix<Double>.zeros(rows: 3, columns: 2)).rank() == 0)
    }

    @Test func nonFiniteInput() {
        let a: Matrix<Double> = [[1, 2], [.nan, 1]]
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) { try QR(a) }
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) { try PivotedQR(a) }
    }

    @Test(arguments: [1e-150, 1e150]) func scaleDoesNotMatter(_ scale: Double) throws {
        var random = TestRandom(34)
        let a: Matrix<Double> = random.matrix(12, 8)
        let qr = try QR(scale * a)
        #expect(orthogonalityDefect(try qr.q()) < 1e-14)
        #expect(distance((1 / scale) * qr.r, try QR(a).r) < 1e-13)
    }
}
