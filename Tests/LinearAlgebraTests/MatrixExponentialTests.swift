import Kernels
import LinearAlgebra
import RealModule
import Testing

@Suite struct MatrixExponentialTests {
    @Test(arguments: Precision.allCases) func closedForms(_ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            let bound = 8 * eps(S.self)
            // Nilpotent: the series ends.
            let nilpotent: Matrix<S> = [[0, 1, 2], [0, 0, 3], [0, 0, 0]]
            #expect(distance(try nilpotent.exponential(), [[1, 1, 3.5], [0, 1, 3], [0, 0, 1]] as Matrix<Double>) <= bound)
            for angle in [1e-8, 0.5, 3, 20, 100] {
                let t = Double(S(angle))
                let rotation = try ([[0, -S(angle)], [S(angle), 0]] as Matrix<S>).exponential()
                let exact: Matrix<Double> = [[.cos(t), -.sin(t)], [.sin(t), .cos(t)]]
                #expect(distance(rotation, exact) <= bound + 1e-15 * t)
            }
            #expect(distance(try Matrix<S>.zeros(rows: 3, columns: 3).exponential(), Matrix<Double>.identity(3)) <= bound)
            #expect(try Matrix<S>.zeros(rows: 0, columns: 0).exponential().isEmpty)
            let diagonal = try Matrix<S>.diagonal([-30, 0, 1, 12]).exponential()
            let exact = [-30.0, 0, 1, 12].map { Double.exp($0) }
            #expect(zip(diagonal.diagonal, exact).allSatisfy { abs(Double($0) / $1 - 1) <= 60 * eps(S.self) })
        }
        try body(precision.type)
    }

    @Test(arguments: [1e-3, 0.3, 2, 5.3, 5.5, 40]) func agreesWithTheEigendecomposition(_ norm: Double) throws {
        var random = TestRandom(81)
        let r: Matrix<Double> = random.matrix(12, 12)
        var a = r + r.transposed()
        a = (norm / a.oneNorm()) * a
        let eigen = try SymmetricEigen(a)
        let scaled = Matrix<Double>(rows: 12, columns: 12) { eigen.vectors[$0, $1] * .exp(eigen.values[$1]) }
        let expected = naive(scaled, eigen.vectors.transposed())
        #expect(distance(try a.exponential(), expected) <= 1e-14 * (1 + norm) * expected.maxNorm)
    }

    @Test func agreesWithTheSeriesForANonSymmetricMatrix() throws {
        var random = TestRandom(82)
        let a: Matrix<Double> = random.matrix(8, 8)
        var term = Matrix<Double>.identity(8), sum = term
        for k in 1...80 {
            term = (1 / Double(k)) * naive(term, a)
            sum = sum + term
        }
        #expect(distance(try a.exponential(), sum) <= 1e-13 * sum.maxNorm)
    }

    /// det exp(A) = exp(tr A), and exp(A)·exp(−A) = I.
    @Test func determinantAndInverse() throws {
        var random = TestRandom(83)
        let a: Matrix<Double> = 2 * random.matrix(6, 6)
        let e = try a.exponential()
        #expect(abs(try LU(e).logAbsoluteDeterminant.value - a.trace) < 1e-11)
        #expect(distance(naive(e, try (-a).exponential()), Matrix<Double>.identity(6)) < 1e-11)
    }

    @Test func errors() {
        #expect(throws: LinearAlgebraError.nonFinite(row: 0, column: 0)) { try ([[.nan]] as Matrix<Double>).exponential() }
        #expect(throws: LinearAlgebraError.overflow(operation: "exponential")) { try ([[1000]] as Matrix<Double>).exponential() }
        #expect(throws: LinearAlgebraError.overflow(operation: "exponential")) { try ([[100]] as Matrix<Float>).exponential() }
        #expect(throws: LinearAlgebraError.overflow(operation: "exponential")) {
            try (Matrix<Double>(rows: 2, columns: 2, repeating: 1e308)).exponential()
        }
    }
}
