import Kernels
import LinearAlgebra
import Testing

@Suite struct BunchKaufmanTests {
    /// Indefinite matrices with zero diagonals, of which only the lower triangle is read.
    @Test(arguments: [0, 1, 2, 5, 33, 100, 300], Precision.allCases) func solves(_ n: Int, _ precision: Precision) throws {
        func body<S: KernelScalar>(_: S.Type) throws {
            var random = TestRandom(7)
            let g: Matrix<S> = random.matrix(n, n), x: Matrix<S> = random.matrix(n, 3)
            var a = g + g.transposed()
            for i in 0..<n { a[i, i] = i % 3 == 0 && n > 1 ? 0 : a[i, i] + 3 }
            let b = naive(a, x).map { S($0) }
            var lower = a
            for i in 0..<n { for j in i + 1..<max(n, i + 1) { lower[i, j] = .nan } }
            let factor = try BunchKaufman(lower), reference = try LU(a)
            let bound = 100 * Double(n + 1) * eps(S.self) / max(Double(try reference.reciprocalCondition()), eps(S.self))
            #expect(factor.size == n && factor.singularPivot == nil)
            let all = try factor.solve(b), one = try factor.solve(b.column(1))
            #expect(distance(all, x) <= bound && distance(one, x.column(1)) <= bound)
        }
        try body(precision.type)
    }

    @Test func singularAndBadInput() throws {
        let singular = try BunchKaufman([[1, 2], [2, 4]] as Matrix<Double>)
        #expect(singular.singularPivot != nil)
        #expect(throws: LinearAlgebraError.self) { try singular.solve([1, 2]) }
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) { try BunchKaufman([[1, 0], [.nan, 1]] as Matrix<Double>) }
        let swap = try BunchKaufman([[0, 1], [1, 0]] as Matrix<Double>)
        let swapped = try swap.solve([2, 3])
        #expect(swapped == [3, 2])
        #expect(throws: LinearAlgebraError.nonFinite(row: 0, column: 0)) { try swap.solve([.infinity, 0]) }
    }
}
