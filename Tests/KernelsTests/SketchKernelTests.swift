import Kernels
import Testing
import _TestSupport

/// Walsh–Hadamard transforms and signed sums of rows, to the bit against plain loops in the same order on every tier.
@Suite struct SketchKernelTests {
    @Test(arguments: KernelTier.supported) func transforms(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for bits in 0...13 {
                for offset in kernelOffsets {
                    checkTransform(Float.self, 1 << bits, offset)
                    checkTransform(Double.self, 1 << bits, offset)
                }
            }
            for rows in [1, 2, 4, 8, 16, 64, 128] {
                for columns in [0, 1, 3, 8, 17, 33, 65] {
                    checkRows(Float.self, rows, columns)
                    checkRows(Double.self, rows, columns)
                }
            }
            for columns in kernelLengths where columns <= 255 {
                checkScatter(Float.self, columns)
                checkScatter(Double.self, columns)
            }
        }
    }

    /// H H = n I, exactly for whole numbers.
    @Test func twiceIsScaling() {
        var x = (0..<256).map { Float($0 % 17) }
        let start = x
        var span = x.mutableSpan
        Float.hadamard(&span)
        Float.hadamard(&span)
        #expect(x == start.map { 256 * $0 })
        var none: [Double] = []
        var empty = none.mutableSpan
        Double.hadamard(&empty)
        Double.hadamardRows(rows: 0, columns: 5, &empty)
    }

    private func stages<Scalar: KernelScalar>(_ x: inout [Scalar], _ rows: Int, _ columns: Int) {
        var distance = rows / 2
        while distance > 0 {
            for i in 0..<rows where i & distance == 0 {
                for k in 0..<columns {
                    let a = i * columns + k, b = (i + distance) * columns + k
                    (x[a], x[b]) = (x[a] + x[b], x[a] - x[b])
                }
            }
            distance /= 2
        }
    }

    private func checkTransform<Scalar: KernelScalar>(_: Scalar.Type, _ n: Int, _ offset: Int) {
        var numbers = TestNumbers(seed: UInt64(n))
        var x = GuardedBuffer<Scalar>(count: n, offset: offset)
        for i in 0..<n { x[i] = Scalar(numbers.spread()) }
        var expected = x.elements
        stages(&expected, n, 1)
        x.withMutableSpan { Scalar.hadamard(&$0) }
        let equal = x.elements == expected
        #expect(equal, "\(Scalar.self) \(n) at \(offset)")
    }

    private func checkRows<Scalar: KernelScalar>(_: Scalar.Type, _ rows: Int, _ columns: Int) {
        var numbers = TestNumbers(seed: UInt64(rows + columns))
        var x = GuardedBuffer<Scalar>(count: rows * columns, offset: 1)
        for i in 0..<rows * columns { x[i] = Scalar(numbers.spread()) }
        var expected = x.elements
        stages(&expected, rows, columns)
        x.withMutableSpan { Scalar.hadamardRows(rows: rows, columns: columns, &$0) }
        let equal = x.elements == expected
        #expect(equal, "\(Scalar.self) \(rows)×\(columns)")
    }

    private func checkScatter<Scalar: KernelScalar>(_: Scalar.Type, _ columns: Int) {
        let rows = 11, each = 3, targetRows = 5
        var numbers = TestNumbers(seed: UInt64(columns))
        var x = GuardedBuffer<Scalar>(count: rows * columns, offset: 1), y = GuardedBuffer<Scalar>(count: targetRows * columns, offset: 3)
        for i in 0..<rows * columns { x[i] = Scalar(numbers.spread()) }
        for i in 0..<targetRows * columns { y[i] = Scalar(numbers.spread()) }
        let targets = (0..<rows * each).map { i in i % 2 == 0 ? Int32(i * 7 % targetRows) : ~Int32(i * 3 % targetRows) }
        var expected = y.elements
        for (i, t) in targets.enumerated() {
            for k in 0..<columns {
                let value = x[i / each * columns + k]
                if t >= 0 { expected[Int(t) * columns + k] += value } else { expected[Int(~t) * columns + k] -= value }
            }
        }
        x.withSpan { x in
            y.withMutableSpan {
                Scalar.scatterRows(rows: rows, columns: columns, of: x, targets: targets.span, each: each, into: &$0, rows: targetRows)
            }
        }
        let equal = y.elements == expected
        #expect(equal, "\(Scalar.self) \(columns) columns")
    }

    /// Gathered sums against scattered ones, to the bit: one block and several, targets without members, one target a row and many.
    @Test(arguments: KernelTier.supported) func gatheredSumsAreTheScatteredOnes(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for (rows, targetRows, each) in [(0, 3, 2), (1, 1, 1), (5, 40, 3), (300, 7, 1), (2048, 60, 8), (4500, 100, 2), (4097, 5000, 8)] {
                for columns in rows > 2000 ? [1, 9, 67] : [0, 1, 7, 8, 31, 32, 33, 64, 65, 140] {
                    checkSums(Float.self, rows, targetRows, each, columns)
                    checkSums(Double.self, rows, targetRows, each, columns)
                }
            }
        }
    }

    private func checkSums<Scalar: KernelScalar>(_: Scalar.Type, _ rows: Int, _ targetRows: Int, _ each: Int, _ columns: Int) {
        var numbers = TestNumbers(seed: UInt64(rows + columns))
        var x = GuardedBuffer<Scalar>(count: rows * columns, offset: 1), y = GuardedBuffer<Scalar>(count: targetRows * columns, offset: 3)
        for i in 0..<rows * columns { x[i] = Scalar(numbers.spread()) }
        for i in 0..<targetRows * columns { y[i] = .nan }
        let targets = (0..<rows * each).map { e in
            let t = Int32((e * 7919 + e / 3) % targetRows)
            return e % 3 == 0 ? ~t : t
        }
        var expected = [Scalar](repeating: 0, count: targetRows * columns)
        x.withSpan { x in
            var span = expected.mutableSpan
            Scalar.scatterRows(rows: rows, columns: columns, of: x, targets: targets.span, each: each, into: &span, rows: targetRows)
        }
        let sums = SignedRowSums(targets: targets, each: each, rows: rows, targetRows: targetRows)
        x.withSpan { x in y.withMutableSpan { Scalar.sumRows(sums, columns: columns, of: x, scale: 0.7, into: &$0) } }
        let equal = y.elements == expected.map { $0 * 0.7 }
        #expect(equal, "\(Scalar.self) \(rows) rows to \(targetRows), \(columns) columns")
    }

    /// r = b − A x and Aᵀ r against sums in order, with whole numbers, for which both are exact.
    @Test(arguments: KernelTier.supported) func residualAndPullback(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for (rows, columns) in [(0, 3), (3, 0), (1, 1), (5, 17), (513, 9), (2100, 33)] {
                let a = (0..<rows * columns).map { Double($0 * 7 % 11 - 5) }, x = (0..<columns).map { Double($0 % 5 - 2) }
                let b = (0..<rows).map { Double($0 % 13) }
                var r = [Double](repeating: .nan, count: rows), g = [Double](repeating: .nan, count: columns)
                var residual = r.mutableSpan, pulled = g.mutableSpan
                Double.residualPullback(rows: rows, columns: columns, of: a.span, x.span, b.span, into: &residual, pulled: &pulled)
                let expected = (0..<rows).map { i in b[i] - (0..<columns).reduce(0.0) { $0 + a[i * columns + $1] * x[$1] } }
                let back = (0..<columns).map { k in (0..<rows).reduce(0.0) { $0 + a[$1 * columns + k] * expected[$1] } }
                let equal = r == expected && g == back
                #expect(equal, "\(rows)×\(columns)")
            }
        }
    }

    /// The same residual, and Aᵀ sign(r), zero and NaN included.
    @Test(arguments: KernelTier.supported) func signsOfAResidual(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for (rows, columns) in [(0, 3), (3, 0), (1, 1), (5, 17), (513, 9), (2100, 33)] {
                let a = (0..<rows * columns).map { Float($0 * 7 % 11 - 5) }, x = (0..<columns).map { Float($0 % 3 - 1) }
                let b = (0..<rows).map { Float($0 % 13) }
                var r = [Float](repeating: .nan, count: rows), g = [Float](repeating: .nan, count: columns)
                var residual = r.mutableSpan, pulled = g.mutableSpan
                Float.signPullback(rows: rows, columns: columns, of: a.span, x.span, b.span, into: &residual, pulled: &pulled)
                let expected = (0..<rows).map { i in b[i] - (0..<columns).reduce(Float(0)) { $0 + a[i * columns + $1] * x[$1] } }
                let back = (0..<columns).map { k in
                    (0..<rows).reduce(Float(0)) { $0 + a[$1 * columns + k] * (expected[$1] > 0 ? 1 : expected[$1] < 0 ? -1 : 0) }
                }
                let equal = r == expected && g == back
                #expect(equal, "\(rows)×\(columns)")
            }
            var r: [Double] = [9, 9, 9, 9, 9], g: [Double] = [9]
            var residual = r.mutableSpan, pulled = g.mutableSpan
            Double.signPullback(rows: 5, columns: 1, of: [1, 2, 4, 8, 16].span, [1].span, [1, 2, 4, 8, .nan].span, into: &residual, pulled: &pulled)
            #expect(r[..<4] == [0, 0, 0, 0] && r[4].isNaN && g[0].isNaN)
        }
    }

    @Test(arguments: KernelTier.supported) func gatheredRows(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for columns in kernelLengths where columns > 0 && columns < 200 { checkGather(Float.self, columns); checkGather(Double.self, columns) }
        }
    }

    private func checkGather<Scalar: KernelScalar>(_: Scalar.Type, _ columns: Int) {
        let targets: [Int32] = [3, 0, 0, 6, 2, 5, 6, 1]
        var x = GuardedBuffer<Scalar>(count: 7 * columns, offset: 1), y = GuardedBuffer<Scalar>(count: 8 * columns, offset: 3)
        for i in 0..<7 * columns { x[i] = Scalar(i) }
        x.withSpan { x in y.withMutableSpan { Scalar.gatherRows(columns: columns, of: x, targets: targets.span, into: &$0) } }
        let equal = (0..<8 * columns).allSatisfy { y[$0] == Scalar(Int(targets[$0 / columns]) * columns + $0 % columns) }
        #expect(equal, "\(Scalar.self) \(columns) columns")
    }

    @Test(arguments: KernelTier.supported) func gatheredNormalEquations(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for columns in [1, 2, 7, 10, 16, 33] { checkGram(Float.self, columns); checkGram(Double.self, columns) }
        }
    }

    /// Small whole numbers: every product and sum is exact.
    private func checkGram<Scalar: KernelScalar>(_: Scalar.Type, _ columns: Int) {
        let targets = (0..<300).map { Int32($0 * $0 % 7) }, b = targets.indices.map { Scalar($0 % 5 - 2) }
        let x = (0..<7 * columns).map { Scalar($0 * 5 % 11 - 4) }
        var gram = GuardedBuffer<Scalar>(count: columns * columns, offset: 1), g = GuardedBuffer<Scalar>(count: columns, offset: 3)
        for i in 0..<columns * columns { gram[i] = 1 }
        for k in 0..<columns { g[k] = 2 }
        gram.withMutableSpan { gram in
            g.withMutableSpan { Scalar.gatherGram(columns: columns, of: x.span, targets: targets.span, b.span, into: &gram, pulled: &$0) }
        }
        var wrong = 0
        for k in 0..<columns {
            func column(_ k: Int) -> [Scalar] { targets.map { x[Int($0) * columns + k] } }
            let own = column(k)
            if g[k] != 2 + zip(own, b).reduce(0, { $0 + $1.0 * $1.1 }) { wrong += 1 }
            for j in k..<columns where gram[j * columns + k] != 1 + zip(own, column(j)).reduce(0, { $0 + $1.0 * $1.1 }) { wrong += 1 }
        }
        #expect(wrong == 0, "\(Scalar.self) \(columns) columns: \(wrong) wrong")
    }

    @Test func misuseNamesItsNumbers() async {
        let size = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var x: [Float] = [1, 2, 3]
            var span = x.mutableSpan
            Float.hadamard(&span)
        }
        #expect(message(of: size).contains("a Walsh–Hadamard transform of 3 elements; expected a power of two"))
        let target = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var y: [Float] = [1, 2]
            var span = y.mutableSpan
            Float.scatterRows(rows: 1, columns: 1, of: [1].span, targets: [-3].span, each: 1, into: &span, rows: 2)
        }
        #expect(message(of: target).contains("target 2 of 2 rows; expected one of 0 ..< 2"))
        let row = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var y: [Float] = [1]
            var span = y.mutableSpan
            Float.gatherRows(columns: 1, of: [1, 2].span, targets: [-1].span, into: &span)
        }
        #expect(message(of: row).contains("target -1 of 2 rows; expected one of 0 ..< 2"))
        let gram = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var gram: [Float] = [1], pulled: [Float] = [1]
            var span = gram.mutableSpan, g = pulled.mutableSpan
            Float.gatherGram(columns: 1, of: [1, 2].span, targets: [1].span, [1, 2].span, into: &span, pulled: &g)
        }
        #expect(message(of: gram).contains("b has 2 elements, the Gram matrix 1, Aᵀb 1; expected 1, 1 and 1"))
    }
}
