import Kernels
import LinearAlgebra
import RealModule
import Testing

@Suite struct LUTests {
    @Test(arguments: [0, 1, 2, 5, 33, 100], Precision.allCases)
    func reconstructsAndSolves(_ n: Int, _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            var random = TestRandom(21)
            var a: Matrix<S> = random.matrix(n, n)
            for i in 0..<n { a[i, (i + 1) % n] += 4 }
            let lu = try LU(a)
            let bound = Double(n + 1) * eps(S.self) * 20
            let permuted = Matrix<S>(rows: n, columns: n) { a[lu.permutation[$0], $1] }
            #expect(distance(naive(lu.lower, lu.upper), permuted) <= bound)
            #expect(lu.lower.elements.allSatisfy { abs($0) <= 1 })
            #expect(lu.lower.diagonal.allSatisfy { $0 == 1 } && lu.singularPivot == nil)

            let x: Matrix<S> = random.matrix(n, 4)
            let b = naive(a, x).map { S($0) }, c = naive(a.transposed(), x).map { S($0) }
            #expect(distance(try lu.solve(b), x) <= 20 * bound)
            #expect(distance(try lu.solve(c, transpose: true), x) <= 20 * bound)
            #expect(distance(try lu.solve(b.column(2)), x.column(2)) <= 20 * bound)
            #expect(distance(try lu.solve(c.column(2), transpose: true), x.column(2)) <= 20 * bound)
            let inverse = try lu.inverse()
            #expect(distance(naive(a, inverse), Matrix<Double>.identity(n)) <= 20 * bound)
            if n > 0 {
                let exact = 1 / (a.oneNorm() * inverse.oneNorm())
                let estimate = try lu.reciprocalCondition()
                #expect(estimate >= exact * 0.99 && estimate <= 4 * exact)
            }
        }
        try body(precision.type)
    }

    /// det H = c⁴ₙ / c₂ₙ with cₙ = ∏_{i<n} i!.
    @Test func hilbertDeterminant() throws {
        func c(_ n: Int) -> Double {
            (1..<max(n, 1)).reduce(1) { product, i in product * (1...i).reduce(1.0) { $0 * Double($1) } }
        }
        for n in 1...6 {
            let hilbert = Matrix<Double>(rows: n, columns: n) { 1 / Double($0 + $1 + 1) }
            let exact = c(n) * c(n) * c(n) * c(n) / c(2 * n)
            let lu = try LU(hilbert)
            // The relative error of the determinant is up to the condition number times eps.
            #expect(abs(lu.determinant / exact - 1) < 1e-8)
            #expect(abs(lu.logAbsoluteDeterminant.value - Double.log(exact)) < 1e-8)
            #expect(lu.logAbsoluteDeterminant.sign == 1)
        }
    }

    @Test(arguments: Precision.allCases) func determinantSignsAndExtremes(_ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            #expect(try LU([[0, 1], [1, 0]] as Matrix<S>).determinant == -1)
            #expect(try LU([[0, 1, 0], [0, 0, 1], [1, 0, 0]] as Matrix<S>).determinant == 1)
            #expect(try LU([[2, 0], [0, -3]] as Matrix<S>).determinant == -6)
            #expect(try LU([[-2, 0], [0, -3]] as Matrix<S>).logAbsoluteDeterminant.sign == 1)
            #expect(try LU(Matrix<S>.zeros(rows: 0, columns: 0)).determinant == 1)
            // Partial products would overflow.
            let big = S(sign: .plus, exponent: S.greatestFiniteMagnitude.exponent, significand: 1)
            #expect(try LU(Matrix<S>.diagonal([big, big, 1 / big, 1 / big, 3])).determinant == 3)
            #expect(try LU(Matrix<S>.diagonal([big, big])).determinant == .infinity)
            #expect(try LU(Matrix<S>.diagonal([big, -big])).determinant == -.infinity)
            #expect(try LU(Matrix<S>.diagonal([1 / big, 1 / big])).determinant == 0)
        }
        try body(precision.type)
    }

    @Test(arguments: Precision.allCases) func singularMatrix(_ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            let lu = try LU([[1, 2, 3], [2, 4, 6], [1, 1, 1]] as Matrix<S>)
            #expect(lu.singularPivot == 2 && lu.determinant == 0)
            #expect(lu.logAbsoluteDeterminant.value == -.infinity && lu.logAbsoluteDeterminant.sign == 0)
            #expect(try lu.reciprocalCondition() == 0)
            #expect(throws: LinearAlgebraError.singular(pivot: 2)) { try lu.solve([1, 2, 3]) }
            #expect(throws: LinearAlgebraError.singular(pivot: 2)) { try lu.inverse() }
            #expect(throws: LinearAlgebraError.singular(pivot: 0)) {
                try LU(Matrix<S>.zeros(rows: 2, columns: 2)).solve([1, 2])
            }
        }
        try body(precision.type)
    }

    @Test func nonFiniteAndOverflow() throws {
        var a = Matrix<Double>.identity(3)
        a[1, 2] = -.infinity
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 2)) { try LU(a) }
        let tiny = try LU(Matrix<Double>.diagonal([1e-300, 1]))
        #expect(throws: LinearAlgebraError.overflow(operation: "LU solve")) { try tiny.solve([1e300, 0]) }
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 2)) {
            try tiny.solve([[1, 1, 1], [1, 1, .nan]] as Matrix<Double>)
        }
        let m = Double.greatestFiniteMagnitude
        #expect(throws: LinearAlgebraError.overflow(operation: "LU factorisation")) {
            try LU([[m, m], [-m, m]] as Matrix<Double>)
        }
    }

    @Test(arguments: [1e-150, 1e150]) func scaleDoesNotMatter(_ scale: Double) throws {
        var random = TestRandom(22)
        let a: Matrix<Double> = random.matrix(30, 30)
        let x: [Double] = random.vector(30)
        #expect(distance(try LU(scale * a).solve((scale * a) * x), x) < 1e-10)
    }
}
