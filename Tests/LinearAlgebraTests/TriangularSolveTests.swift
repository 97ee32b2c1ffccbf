import Kernels
import LinearAlgebra
import Testing

@Suite struct TriangularSolveTests {
    @Test(arguments: [0, 1, 2, 9, 64, 90], Precision.allCases) func solves(_ n: Int, _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            var random = TestRandom(71)
            let full: Matrix<S> = (1 / S(max(1, n))) * random.matrix(n, n) + Matrix<S>.identity(n)
            let x: Matrix<S> = random.matrix(n, 3)
            for triangle in [Triangle.lower, .upper] {
                for unit in [false, true] {
                    func inside(_ i: Int, _ j: Int) -> Bool { triangle == .lower ? j < i : j > i }
                    let t = Matrix<S>(rows: n, columns: n) { i, j in inside(i, j) ? full[i, j] : i == j ? (unit ? 1 : full[i, i]) : 0 }
                    // What must not be read is NaN.
                    let given = Matrix<S>(rows: n, columns: n) { i, j in
                        inside(i, j) || (i == j && !unit) ? full[i, j] : .nan
                    }
                    for transpose in [false, true] {
                        let b = naive(transpose ? t.transposed() : t, x).map { S($0) }
                        let bound = Double(n + 1) * eps(S.self) * 20
                        #expect(distance(try solveTriangular(given, b, triangle: triangle, transpose: transpose, unitDiagonal: unit),
                                         x) <= bound)
                        #expect(distance(try solveTriangular(given, b.column(0), triangle: triangle, transpose: transpose,
                                                             unitDiagonal: unit), x.column(0)) <= bound)
                    }
                    let inverse = try LU(t).inverse()
                    if n > 0 {
                        let exact = 1 / (t.oneNorm() * inverse.oneNorm())
                        let estimate = try reciprocalCondition(ofTriangular: given, triangle: triangle, unitDiagonal: unit)
                        #expect(estimate >= exact * 0.99 && estimate <= 4 * exact)
                    }
                }
            }
        }
        try body(precision.type)
    }

    @Test func errors() {
        let t: Matrix<Double> = [[1, 0], [5, 0]]
        #expect(throws: LinearAlgebraError.singular(pivot: 1)) { try solveTriangular(t, [1, 2], triangle: .lower) }
        #expect(throws: Never.self) { try solveTriangular(t, [1, 2], triangle: .lower, unitDiagonal: true) }
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) {
            try solveTriangular([[1, 0], [.nan, 1]] as Matrix<Double>, [1, 2], triangle: .lower)
        }
        #expect(throws: LinearAlgebraError.nonFinite(row: 0, column: 0)) { try solveTriangular(t, [.nan, 2], triangle: .lower) }
        #expect(throws: LinearAlgebraError.overflow(operation: "triangular solve")) {
            try solveTriangular(Matrix<Double>.diagonal([1e-300]), [1e300], triangle: .upper)
        }
    }
}
