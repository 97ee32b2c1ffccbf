import Kernels
import LinearAlgebra
import Testing

@Suite struct LinearOperatorTests {
    @Test(arguments: [(0, 0), (0, 4), (4, 0), (1, 1), (7, 5), (30, 41)], Precision.allCases)
    func combinationsAgreeWithMatrices(_ shape: (Int, Int), _ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            let (m, n) = shape
            var random = TestRandom(101)
            let a: Matrix<S> = random.matrix(m, n), b: Matrix<S> = random.matrix(m, n), c: Matrix<S> = random.matrix(n, 6)
            let sparse = SparseMatrix(b)
            let bound = Double(m + n + 2) * eps(S.self) * 8

            func check<A: LinearOperator<S>>(_ op: A, _ exact: Matrix<Double>) {
                #expect(op.rows == exact.rows && op.columns == exact.columns)
                #expect(distance(op.dense(), exact) <= bound)
                #expect(distance(op.adjoint.dense(), exact.transposed()) <= bound)
                let x: [S] = random.vector(op.columns), y: [S] = random.vector(op.rows)
                #expect(distance(op.apply(x), naive(exact, x.map { Double($0) })) <= bound)
                #expect(distance(op.applyAdjoint(y), naive(exact.transposed(), y.map { Double($0) })) <= bound)
                #expect(Double(op.adjointDefect(seed: 5)) <= bound)
            }
            check(a, a.double)
            check(sparse, b.double)
            check(a.adjoint, a.double.transposed())
            check(a.scaled(by: -3), -3 * a.double)
            check(a.adding(sparse), a.double + b.double)
            check(a.composed(with: c), naive(a, c))
            check(a.scaled(by: 2).adding(sparse.scaled(by: -1)).composed(with: c).adjoint,
                  naive(2 * a.double - b.double, c.double).transposed())
        }
        body(precision.type)
    }

    /// The forward difference with its right adjoint, and with three wrong ones.
    @Test func adjointDefectFindsWrongAdjoints() {
        let n = 50
        func difference(_ adjoint: @escaping ClosureOperator<Double>.Map) -> ClosureOperator<Double> {
            ClosureOperator(rows: n - 1, columns: n, apply: { x, y in
                for i in 0..<y.count { y[i] = x[i + 1] - x[i] }
            }, applyAdjoint: adjoint)
        }
        @Sendable func rightAdjoint(_ y: Span<Double>, _ x: inout MutableSpan<Double>) {
            for i in 0..<x.count { x[i] = (i > 0 ? y[i - 1] : 0) - (i < y.count ? y[i] : 0) }
        }
        #expect(difference { rightAdjoint($0, &$1) }.adjointDefect() < 1e-15)
        for seed in 0..<20 as Range<UInt64> {
            #expect(difference { rightAdjoint($0, &$1) }.adjointDefect(seed: seed) < 1e-15)
        }
        #expect(difference { y, x in
            rightAdjoint(y, &x)
            for i in 0..<x.count { x[i] = -x[i] }
        }.adjointDefect() > 1e-3)
        #expect(difference { y, x in
            rightAdjoint(y, &x)
            x[0] = 0
        }.adjointDefect() > 1e-4)
        #expect(difference { y, x in
            rightAdjoint(y, &x)
            for i in 0..<x.count { x[i] *= 1.01 }
        }.adjointDefect() > 1e-6)
    }

    @Test func closureOperatorAsMatrix() {
        let shift = ClosureOperator<Float>(rows: 3, columns: 3, apply: { x, y in
            for i in 0..<3 { y[i] = x[(i + 1) % 3] }
        }, applyAdjoint: { y, x in
            for i in 0..<3 { x[(i + 1) % 3] = y[i] }
        })
        #expect(shift.dense() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
        #expect(shift.adjointDefect() < 1e-6)
    }

    @Test func staleOutputIsIgnored() {
        let a: Matrix<Double> = [[1, 2], [3, 4]]
        for op in [a.adding(SparseMatrix(a)).scaled(by: 1)] {
            var y = [Double](repeating: .nan, count: 2)
            var span = y.mutableSpan
            op.apply(([1, 1] as [Double]).span, into: &span)
            #expect(y == [6, 14])
        }
    }
}
