import Kernels
import LinearAlgebra
import RealModule
import Testing

@Suite struct SymmetricEigenTests {
    @Test(arguments: [0, 1, 2, 3, 20, 65, 120], Precision.allCases)
    func reconstructs(_ n: Int, _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            var random = TestRandom(51)
            let r: Matrix<S> = random.matrix(n, n)
            let a = r + r.transposed()
            let half = Matrix<S>(rows: n, columns: n) { $1 <= $0 ? a[$0, $1] : .nan }
            let eigen = try SymmetricEigen(half)
            let bound = Double(n + 1) * eps(S.self) * 10
            #expect(orthogonalityDefect(eigen.vectors) <= bound)
            #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 <= $1 })
            let av = naive(a, eigen.vectors)
            let vl = Matrix<Double>(rows: n, columns: n) { Double(eigen.vectors[$0, $1]) * Double(eigen.values[$1]) }
            #expect(distance(av, vl) <= bound * 4)
            #expect(distance(try SymmetricEigen.values(of: half), eigen.values) <= bound * 4)
        }
        try body(precision.type)
    }

    /// λₖ = 4·sin²(πk / 2(n + 1)), k = 1 … n.
    @Test(arguments: Precision.allCases) func laplacian(_ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            let n = 50
            let a = Matrix<S>(rows: n, columns: n) { $0 == $1 ? 2 : abs($0 - $1) == 1 ? -1 : 0 }
            let exact = (1...n).map { k in
                let s = Double.sin(Double.pi * Double(k) / Double(2 * (n + 1)))
                return 4 * s * s
            }
            #expect(distance(try SymmetricEigen.values(of: a), exact) <= 40 * eps(S.self))
            #expect(distance(try SymmetricEigen(a).values, exact) <= 40 * eps(S.self))
        }
        try body(precision.type)
    }

    @Test func nonFiniteInputInTheLowerTriangleOnly() {
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) {
            try SymmetricEigen([[1, 2], [.nan, 3]] as Matrix<Double>)
        }
        #expect(throws: Never.self) { try SymmetricEigen([[1, .nan], [2, 3]] as Matrix<Double>) }
    }

    @Test(arguments: [1e-150, 1e150, 1e300]) func scaleDoesNotMatter(_ scale: Double) throws {
        let values = try SymmetricEigen.values(of: ([[2, 1], [1, 2]] as Matrix<Double>).map { $0 * scale })
        #expect(distance(values.map { $0 / scale }, [1, 3]) < 1e-14)
    }

    /// The work space, 2n² + 6n + 1 elements, is here beyond 2²⁴, and the nearest `Float` is below it.
    @Test func workSpaceBeyondTheExactIntegersOfFloat() throws {
        let n = 2896
        let eigen = try SymmetricEigen(Matrix<Float>.diagonal((0..<n).map { Float(n - $0) }))
        #expect(eigen.values == (1...n).map { Float($0) })
        #expect(abs(eigen.vectors[n - 1, 0]) == 1)
    }
}
