import Kernels
import LinearAlgebra
import Testing

@Suite struct LeastSquaresTests {
    @Test(arguments: shapes, Precision.allCases) func minimumNormSolution(_ shape: (Int, Int), _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            let (m, n) = shape
            var random = TestRandom(61)
            for rank in [min(m, n), min(m, n, 3)] {
                let a: Matrix<S> = random.matrix(m, rank) * random.matrix(rank, n)
                let b: Matrix<S> = random.matrix(m, 2)
                let tolerance = 200 * S.ulpOfOne
                // By the singular value decomposition of another routine.
                let expected = naive(try SVD(a).pseudoInverse(relativeTolerance: tolerance), b)
                let condition = try SVD(a).singularValues.prefix(rank).map { Double($0) }
                let bound = 400 * eps(S.self) * Double(m + n + 1) * (1 + expected.maxNorm)
                    * (rank == 0 ? 1 : condition.first! / condition.last!)
                for method in LeastSquaresMethod.allCases {
                    let result = try leastSquares(a, b, method: method, relativeTolerance: tolerance)
                    #expect(result.rank == rank)
                    #expect(distance(result.solution, expected) <= bound)
                    let single = try leastSquares(a, b.column(1), method: method, relativeTolerance: tolerance)
                    #expect(distance(single.solution.elements, expected.column(1)) <= bound)
                    if method == .singularValues {
                        #expect(distance(result.singularValues, try SVD.singularValues(of: a)) <= 100 * eps(S.self) * Double(m + n + 1))
                    } else {
                        #expect(result.singularValues.isEmpty)
                    }
                }
            }
        }
        try body(precision.type)
    }

    @Test(arguments: LeastSquaresMethod.allCases) func lineThroughPoints(_ method: LeastSquaresMethod) throws {
        // y = 1 + 2t is met exactly; then one point is moved by 6 and the closed form shifts both coefficients.
        let a: Matrix<Double> = [[1, -1], [1, 0], [1, 1]]
        #expect(distance(try leastSquares(a, [-1, 1, 3], method: method).solution.elements, [1, 2]) < 1e-14)
        #expect(distance(try leastSquares(a, [-1, 1, 9], method: method).solution.elements, [3, 5]) < 1e-14)
    }

    @Test(arguments: LeastSquaresMethod.allCases) func edgeCases(_ method: LeastSquaresMethod) throws {
        let zero = try leastSquares(Matrix<Double>.zeros(rows: 3, columns: 2), [1, 2, 3], method: method)
        #expect(zero.rank == 0 && zero.solution.elements == [0, 0])
        let none = try leastSquares(Matrix<Double>.identity(2), Matrix.zeros(rows: 2, columns: 0), method: method)
        #expect(none.rank == 2 && none.solution.rows == 2 && none.solution.columns == 0)
        #expect(throws: LinearAlgebraError.nonFinite(row: 0, column: 1)) {
            try leastSquares([[1, .nan]] as Matrix<Double>, [1], method: method)
        }
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) {
            try leastSquares(Matrix<Double>.identity(2), [1, -.infinity], method: method)
        }
    }

    @Test(arguments: [1e-150, 1e150], LeastSquaresMethod.allCases)
    func scaleDoesNotMatter(_ scale: Double, _ method: LeastSquaresMethod) throws {
        var random = TestRandom(62)
        let a: Matrix<Double> = random.matrix(20, 6)
        let b: [Double] = random.vector(20)
        let plain = try leastSquares(a, b, method: method).solution
        let scaled = try leastSquares(scale * a, b.map { $0 * scale }, method: method).solution
        #expect(distance(plain, scaled) < 1e-12)
    }
}
