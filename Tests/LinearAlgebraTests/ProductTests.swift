import Kernels
import LinearAlgebra
import Testing

@Suite struct ProductTests {
    static let sizes = [(0, 0, 0), (0, 3, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1), (2, 3, 4), (17, 5, 33), (64, 65, 66), (1, 40, 7),
                        // Beyond 10⁶ multiply-adds products go another way.
                        (130, 140, 90), (2000, 9, 60), (3, 700, 600)]

    @Test(arguments: sizes, Precision.allCases)
    func generalProductAgainstTheDefinition(_ size: (m: Int, n: Int, k: Int), _ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            var random = TestRandom(3)
            let a: Matrix<S> = random.matrix(size.m, size.k), b: Matrix<S> = random.matrix(size.k, size.n)
            let start: Matrix<S> = random.matrix(size.m, size.n)
            let exact = naive(a, b)
            let bound = Double(size.k + 2) * eps(S.self) * 4
            #expect(distance(a * b, exact) <= bound)
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let left = ta ? a.transposed() : a, right = tb ? b.transposed() : b
                #expect(distance(multiply(left, right, transposeA: ta, transposeB: tb), exact) <= bound)
                var c = start
                multiply(left, right, transposeA: ta, transposeB: tb, alpha: 2, beta: -3, into: &c)
                let expected = Matrix<Double>(rows: size.m, columns: size.n) { 2 * exact[$0, $1] - 3 * Double(start[$0, $1]) }
                #expect(distance(c, expected) <= 4 * bound)
            }
        }
        body(precision.type)
    }

    @Test func zeroBetaIgnoresOldContent() {
        var c = Matrix<Double>(rows: 2, columns: 2, repeating: .nan)
        multiply(.identity(2), .identity(2), into: &c)
        #expect(c == .identity(2))
        var empty = Matrix<Double>(rows: 2, columns: 2, repeating: .nan)
        multiply(Matrix.zeros(rows: 2, columns: 0), Matrix.zeros(rows: 0, columns: 2), into: &empty)
        #expect(empty == .zeros(rows: 2, columns: 2))
    }

    @Test func stridedOperands() {
        var random = TestRandom(4)
        let a: Matrix<Double> = random.matrix(20, 30), b: Matrix<Double> = random.matrix(25, 40)
        var c = Matrix<Double>.zeros(rows: 7, columns: 11)
        multiply(a.view.submatrix(rows: 3..<10, columns: 4..<13), b.view.submatrix(rows: 1..<10, columns: 20..<31), into: &c)
        let exact = naive(a.submatrix(rows: 3..<10, columns: 4..<13), b.submatrix(rows: 1..<10, columns: 20..<31))
        #expect(distance(c, exact) < 1e-14)
    }

    @Test func largeStridedOperands() {
        var random = TestRandom(14)
        let a: Matrix<Float> = random.matrix(150, 130), b: Matrix<Float> = random.matrix(160, 140)
        var c = Matrix<Float>.zeros(rows: 120, columns: 118)
        multiply(a.view.submatrix(rows: 13..<133, columns: 14..<124), b.view.submatrix(rows: 31..<149, columns: 21..<131), transposeB: true, into: &c)
        let exact = naive(a.submatrix(rows: 13..<133, columns: 14..<124), b.submatrix(rows: 31..<149, columns: 21..<131).transposed())
        #expect(distance(c, exact) < 1e-4)
    }

    @Test(arguments: shapes, Precision.allCases) func matrixTimesVector(_ shape: (Int, Int), _ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            var random = TestRandom(5)
            let a: Matrix<S> = random.matrix(shape.0, shape.1)
            let x: [S] = random.vector(shape.1), z: [S] = random.vector(shape.0)
            let bound = Double(shape.0 + shape.1 + 2) * eps(S.self) * 4
            #expect(distance(a * x, naive(a, x)) <= bound)
            for transpose in [false, true] {
                let input = transpose ? z : x
                let exact = transpose ? naive(a.transposed(), z) : naive(a, x)
                let start: [S] = random.vector(exact.count)
                var y = start
                var span = y.mutableSpan
                multiply(a, input.span, transpose: transpose, alpha: -2, beta: 0.5, into: &span)
                #expect(distance(y, zip(exact, start).map { -2 * $0 + 0.5 * Double($1) }) <= 2 * bound)
            }
        }
        body(precision.type)
    }

    @Test(arguments: [0, 1, 2, 31, 64, 100], Precision.allCases)
    func symmetricProducts(_ n: Int, _ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            var random = TestRandom(6)
            let spd = random.positiveDefinite(n, S.self)
            let x: [S] = random.vector(n)
            for triangle in [Triangle.lower, .upper] {
                // The other half must not be read.
                let half = Matrix<S>(rows: n, columns: n) { i, j in
                    (triangle == .lower ? j <= i : j >= i) ? spd[i, j] : .nan
                }
                var y = [S](repeating: .nan, count: n)
                var span = y.mutableSpan
                multiplySymmetric(half, x.span, triangle: triangle, into: &span)
                #expect(distance(y, naive(spd, x)) <= Double(n + 1) * eps(S.self) * (spd.double.maxNorm + 1) * 4)
            }
            let a: Matrix<S> = random.matrix(n, 13)
            let gram = a.gram(), outer = naive(a, a.transposed())
            #expect(gram == gram.transposed())
            #expect(distance(gram, naive(a.transposed(), a)) <= Double(n + 1) * eps(S.self) * 4)
            let start = spd
            var c = start
            symmetricProduct(a, alpha: 2, beta: -1, into: &c)
            #expect(c == c.transposed())
            #expect(distance(c, Matrix<Double>(rows: n, columns: n) { 2 * outer[$0, $1] - Double(start[$0, $1]) })
                <= 40 * eps(S.self) * (spd.double.maxNorm + 10))
        }
        body(precision.type)
    }

    @Test(arguments: Precision.allCases) func outerProduct(_ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            var a: Matrix<S> = [[1, 2, 3], [4, 5, 6]]
            a.addOuterProduct(([1, -1] as [S]).span, ([2, 0, 1] as [S]).span, scale: 3)
            #expect(a == [[7, 2, 6], [-2, 5, 3]])
        }
        body(precision.type)
    }

    @Test func threadCountsAgreeWithinTheBound() {
        var random = TestRandom(7)
        let a: Matrix<Double> = random.matrix(300, 280), b: Matrix<Double> = random.matrix(280, 310)
        let before = Threads.count
        defer { Threads.count = before }
        Threads.count = 1
        let one = a * b
        Threads.count = 2
        let two = a * b
        #expect(distance(one, two) <= 2 * 280 * 0x1p-52)
        #expect(distance(one, naive(a, b)) <= 280 * 0x1p-52 * 4)
    }
}
