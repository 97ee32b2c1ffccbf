import Kernels
import LinearAlgebra
import Testing

@Suite struct CholeskyTests {
    @Test(arguments: [0, 1, 2, 3, 17, 64, 130], Precision.allCases)
    func reconstructsAndSolves(_ n: Int, _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            var random = TestRandom(11)
            let a = random.positiveDefinite(n, S.self)
            // The upper triangle must not be read.
            let half = Matrix<S>(rows: n, columns: n) { $1 <= $0 ? a[$0, $1] : .nan }
            let factor = try Cholesky(half)
            let bound = Double(n + 1) * eps(S.self) * 4
            #expect(distance(naive(factor.lower, factor.lower.transposed()), a) <= bound * (a.double.maxNorm + 1))
            #expect((0..<n).allSatisfy { i in factor.lower[i, i] > 0 && (i + 1..<n).allSatisfy { factor.lower[i, $0] == 0 } })

            let x: Matrix<S> = random.matrix(n, 3)
            let b = naive(a, x).map { S($0) }
            #expect(distance(try factor.solve(b), x) <= 100 * bound)
            #expect(distance(try factor.solve(b.column(1)), x.column(1)) <= 100 * bound)
            #expect(try factor.solve(Matrix<S>.zeros(rows: n, columns: 0)).columns == 0)
            let inverse = try factor.inverse()
            #expect(inverse == inverse.transposed())
            #expect(distance(naive(a, inverse), Matrix<Double>.identity(n)) <= 100 * bound)

            let lu = try LU(a)
            #expect(abs(Double(factor.logDeterminant) - Double(lu.logAbsoluteDeterminant.value)) <= 100 * bound * Double(n + 1))
            if n > 0 {
                let exact = 1 / (a.oneNorm() * inverse.oneNorm())
                let estimate = try factor.reciprocalCondition()
                #expect(estimate >= exact * 0.99 && estimate <= 4 * exact)
            }
        }
        try body(precision.type)
    }

    @Test(arguments: Precision.allCases) func failsAtTheRightPivot(_ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            for pivot in [0, 1, 7, 99] {
                var a = Matrix<S>.identity(100)
                a[pivot, pivot] = -1
                #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: pivot)) { try Cholesky(a) }
            }
            // Semidefinite: the second pivot is exactly zero.
            #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: 1)) { try Cholesky([[1, 1], [1, 1]] as Matrix<S>) }
        }
        body(precision.type)
    }

    @Test func messageNamesThePivot() {
        let error = LinearAlgebraError.notPositiveDefinite(pivot: 7)
        #expect(error.description == "not positive definite at pivot 7: the leading 8×8 block has no Cholesky factor")
    }

    @Test func nonFiniteInput() throws {
        var a = Matrix<Double>.identity(5)
        a[3, 1] = .nan
        #expect(throws: LinearAlgebraError.nonFinite(row: 3, column: 1)) { try Cholesky(a) }
        let factor = try Cholesky(Matrix<Double>.identity(3))
        #expect(throws: LinearAlgebraError.nonFinite(row: 2, column: 0)) { try factor.solve([1, 2, .infinity]) }
    }

    @Test(arguments: [1e-150, 1e150]) func scaleDoesNotMatter(_ scale: Double) throws {
        var random = TestRandom(12)
        let a = random.positiveDefinite(20, Double.self)
        let x: [Double] = random.vector(20)
        #expect(distance(try Cholesky(scale * a).solve((scale * a) * x), x) < 1e-12)
        #expect(abs(try Cholesky(scale * a).reciprocalCondition() - Cholesky(a).reciprocalCondition()) < 1e-10)
    }

    @Test func overflowingSolutionIsAnError() throws {
        let factor = try Cholesky(Matrix<Double>.diagonal([1e-200, 1]))
        #expect(throws: LinearAlgebraError.overflow(operation: "Cholesky solve")) { try factor.solve([1e200, 1]) }
    }
}
