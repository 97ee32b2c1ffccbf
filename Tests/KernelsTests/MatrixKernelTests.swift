import Kernels
import Testing
import _TestSupport

/// Products in tiles against the sums of their definition, on every tier and for any number of threads.
@Suite struct MatrixKernelTests {
    static let shapes = [(0, 3, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1), (1, 40, 7), (14, 32, 20), (15, 33, 21), (30, 17, 257), (37, 70, 530), (300, 9, 3)]

    @Test(arguments: KernelTier.supported) func agreesWithTheSums(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for (index, shape) in Self.shapes.enumerated() {
                for transposes in 0..<4 {
                    check(Float.self, shape, transposes, gap: index % 3)
                    check(Double.self, shape, transposes, gap: index % 3)
                }
            }
        }
    }

    @Test func threadsGiveTheSameBits() async {
        await #expect(processExitsWith: .success) {
            func run(_ threads: Int, _ rows: Int, _ columns: Int) -> [Float] {
                Threads.count = threads
                let form = MatrixProductForm(rows: rows, columns: columns, inner: 300, transposeB: rows > columns)
                let a = (0..<form.countA).map { Float($0 % 101) / 101 - 0.5 }, b = (0..<form.countB).map { Float($0 % 89) / 89 - 0.5 }
                let row = (0..<columns).map { Float($0) }
                var c = [Float](repeating: .nan, count: form.count)
                var span = c.mutableSpan
                Float.multiply(form, alpha: 1, a.span, b.span, beta: 0, row: row.span, into: &span)
                return c
            }
            precondition(run(1, 500, 90) == run(3, 500, 90))
            precondition(run(1, 90, 500) == run(3, 90, 500))
            precondition(run(1, 20, 2000) == run(3, 20, 2000))
        }
    }

    @Test func refusesWhatDoesNotFit() async {
        await #expect(processExitsWith: .failure) { _ = MatrixProductForm(rows: 2, columns: 3, inner: 4, strideA: 3) }
        await #expect(processExitsWith: .failure) { _ = MatrixProductForm(rows: 2, columns: -3, inner: 4) }
        await #expect(processExitsWith: .failure) {
            let a = [Float](repeating: 1, count: 8), none: [Float] = []
            var c = [Float](repeating: 0, count: 5)
            var span = c.mutableSpan
            Float.multiply(MatrixProductForm(rows: 2, columns: 3, inner: 2), alpha: 1, a.span, a.span, beta: 0, row: none.span, into: &span)
        }
        await #expect(processExitsWith: .failure) {
            let a = [Float](repeating: 1, count: 8), row: [Float] = [1, 2]
            var c = [Float](repeating: 0, count: 6)
            var span = c.mutableSpan
            Float.multiply(MatrixProductForm(rows: 2, columns: 3, inner: 2), alpha: 1, a.span, a.span, beta: 0, row: row.span, into: &span)
        }
    }

    private func check<Scalar: KernelScalar>(_: Scalar.Type, _ shape: (Int, Int, Int), _ transposes: Int, gap: Int) {
        let (m, n, k) = shape, transposeA = transposes & 1 != 0, transposeB = transposes & 2 != 0
        let form = MatrixProductForm(
            rows: m, columns: n, inner: k, transposeA: transposeA, transposeB: transposeB, strideA: (transposeA ? m : k) + gap,
            strideB: (transposeB ? k : n) + gap, stride: n + gap)
        var numbers = TestNumbers(seed: 7)
        func draw(_ count: Int) -> [Scalar] { (0..<count).map { _ in Scalar(numbers.unit()) } }
        let a = draw(form.countA), b = draw(form.countB), start = draw(form.count)
        for (alpha, beta, hasRow) in [(1, 0, false), (1, 0, true), (-2, 1, true), (0.5, -3, false)] as [(Scalar, Scalar, Bool)] {
            let row = draw(hasRow ? n : 0)
            var c = start
            if beta == 0 { for i in 0..<m { for j in 0..<n { c[i * form.stride + j] = .nan } } }
            var span = c.mutableSpan
            Scalar.multiply(form, alpha: alpha, a.span, b.span, beta: beta, row: row.span, into: &span)
            var right = true
            for place in c.indices {
                let (i, j) = (place / form.stride, place % form.stride)
                guard j < n else {
                    right = right && c[place] == start[place]
                    continue
                }
                var sum = 0.0, size = 0.0
                for p in 0..<k {
                    let left = a[transposeA ? p * form.strideA + i : i * form.strideA + p]
                    let term = Double(left) * Double(b[transposeB ? j * form.strideB + p : p * form.strideB + j])
                    sum += term
                    size += abs(term)
                }
                let old = Double(beta) * Double(start[place]), added = hasRow ? Double(row[j]) : 0
                let bound = Double(k + k / 256 + 5) * Double(Scalar.ulpOfOne) / 2 * (abs(Double(alpha)) * size + abs(old) + abs(added))
                // The reference is of the same precision for Double: twice the bound.
                right = right && abs(Double(c[place]) - (Double(alpha) * sum + old + added)) <= 2 * bound
            }
            #expect(right, "\(form), \(alpha), \(beta), \(hasRow)")
        }
    }
}
