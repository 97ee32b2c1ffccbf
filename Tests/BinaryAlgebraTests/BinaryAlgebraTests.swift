import BinaryAlgebra
import Kernels
import LinearAlgebra
import Testing
import _TestSupport

/// Bits and floats from a small generator of the tests' own, so that a fault in `Randomness` does not hide one here.
struct Bits {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func matrix(_ rows: Int, _ columns: Int) -> BinaryMatrix {
        BinaryMatrix(rows: rows, columns: columns) { _, _ in next() >> 33 & 1 != 0 }
    }

    mutating func floats(_ rows: Int, _ columns: Int) -> Matrix<Float> {
        Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in
            Float(Int64(next() >> 40) - (1 << 23)) / 4096
        })
    }
}

/// Σₖ f(aᵢₖ, bⱼₖ) bit by bit.
func reference(_ a: BinaryMatrix, _ b: BinaryMatrix, _ f: (Bool, Bool) -> Int32) -> [Int32] {
    (0..<a.rows * b.rows).map { index in
        (0..<a.columns).reduce(0) { $0 + f(a[index / b.rows, $1], b[index % b.rows, $1]) }
    }
}

func signsProduct(_ a: Bool, _ b: Bool) -> Int32 { a == b ? 1 : -1 }
func zeroOneProduct(_ a: Bool, _ b: Bool) -> Int32 { a && b ? 1 : 0 }
func mixedProduct(_ a: Bool, _ b: Bool) -> Int32 { a ? (b ? 1 : -1) : 0 }

@Suite struct ProductTests {
    /// Every K of the brief and around word edges and the 31-word fold, with m and n around tile and panel sizes.
    static let shapes: [(m: Int, n: Int, k: Int)] = {
        var shapes: [(m: Int, n: Int, k: Int)] = [
            (2, 15, 31 * 64), (25, 16, 32 * 64), (7, 5, 31 * 64 + 1), (1, 40, 4097), (26, 2, 127), (0, 4, 9), (4, 0, 9),
            (3, 3, 0), (0, 0, 0),
        ]
        for k in [1, 5, 63, 64, 65, 100, 768] {
            for (m, n) in [(1, 1), (3, 17), (12, 16), (13, 33)] { shapes.append((m, n, k)) }
        }
        return shapes
    }()

    @Test(arguments: KernelTier.supported) func equalsTheSumOverBits(_ tier: KernelTier) throws {
        var bits = Bits(state: 0x9e3779b97f4a7c15)
        for (m, n, k) in Self.shapes {
            let a = bits.matrix(m, k), b = bits.matrix(n, k)
            let packed = PackedBinaryMatrix(b)
            try withKernelTier(tier) {
                #expect(xnorProduct(a, packed).elements == reference(a, b, signsProduct), "\(m)×\(n)×\(k)")
                #expect(andProduct(a, packed, as: .zeroOne).elements == reference(a, b, zeroOneProduct), "\(m)×\(n)×\(k)")
                #expect(andProduct(a, packed, as: .signs).elements == reference(a, b, mixedProduct), "\(m)×\(n)×\(k)")
            }
        }
    }

    @Test(arguments: KernelTier.supported) func vectorProductsEqualTheSumOverBits(_ tier: KernelTier) throws {
        var bits = Bits(state: 7)
        for (m, k) in [(1, 1), (3, 64), (5, 65), (33, 768), (9, 31 * 256 + 77), (0, 5), (4, 0), (2, 1025)] {
            let a = bits.matrix(m, k), x = bits.matrix(1, k)
            try withKernelTier(tier) {
                #expect(xnorProduct(a, vector: x) == reference(a, x, signsProduct))
                #expect(andProduct(a, vector: x, as: .zeroOne) == reference(a, x, zeroOneProduct))
                #expect(andProduct(a, vector: x, as: .signs) == reference(a, x, mixedProduct))
            }
        }
    }

    @Test(arguments: KernelTier.supported) func scaledProductRoundsOnceForEachOperation(_ tier: KernelTier) throws {
        var bits = Bits(state: 11)
        for (m, n, k) in Self.shapes {
            let a = bits.matrix(m, k), b = bits.matrix(n, k)
            let row = bits.floats(1, m).elements, column = bits.floats(1, n).elements, bias = bits.floats(1, n).elements
            let sums = reference(a, b, signsProduct), mixed = reference(a, b, mixedProduct)
            func expected(_ sums: [Int32]) -> [Float] {
                sums.indices.map { (column[$0 % n] * row[$0 / n]) * Float(sums[$0]) + bias[$0 % n] }
            }
            try withKernelTier(tier) {
                let packed = PackedBinaryMatrix(b)
                #expect(scaledXnorProduct(a, packed, rowScale: row, columnScale: column, bias: bias).elements == expected(sums))
                #expect(scaledAndProduct(a, packed, as: .signs, rowScale: row, columnScale: column, bias: bias).elements == expected(mixed))
                #expect(scaledXnorProduct(a, packed).elements == sums.map { Float($0) })
            }
        }
    }

    /// A product binarised at once: every tier, against the sums compared one by one; pad bits are 0 and what follows a row is untouched.
    @Test(arguments: KernelTier.supported) func thresholdedProductComparesEachSum(_ tier: KernelTier) throws {
        var bits = Bits(state: 13)
        for (m, n, k) in Self.shapes + [(5, 16, 70), (3, 48, 64), (2, 64, 64), (13, 80, 129)] {
            let a = bits.matrix(m, k), b = bits.matrix(n, k)
            let thresholds = (0..<n).map { Int32($0 % 7) - 3 }
            let wordsPerRow = (n + 63) / 64, stride = wordsPerRow + 1
            let panelWords = BinaryKernels.panelCount(rows: n, words: a.wordsPerRow)
            for (operation, offset, sums) in [
                (BinaryKernels.Operation.xor, [Int32](repeating: Int32(k), count: m), reference(a, b, signsProduct)),
                (.and(shift: 1), a.rowCounts().map { -$0 }, reference(a, b, mixedProduct)),
            ] {
                var panels = [UInt64](repeating: 0, count: panelWords), out = [UInt64](repeating: ~0, count: m * stride)
                try withKernelTier(tier) {
                    var panelSpan = panels.mutableSpan, outSpan = out.mutableSpan
                    BinaryKernels.packPanels(rows: n, words: a.wordsPerRow, from: b.words.span, stride: b.wordsPerRow, into: &panelSpan)
                    BinaryKernels.thresholdedProduct(
                        operation, m: m, n: n, words: a.wordsPerRow, offset: offset.span, a: a.words.span, stride: a.wordsPerRow,
                        panels: panels.span, thresholds: thresholds.span, into: &outSpan, stride: stride)
                }
                for i in 0..<m {
                    let row = BinaryMatrix(rows: 1, columns: n) { _, j in sums[i * n + j] >= thresholds[j] }
                    let equal = Array(out[i * stride..<i * stride + wordsPerRow]) == row.words, untouched = n == 0 || out[i * stride + wordsPerRow] == ~0
                    #expect(equal && untouched, "\(m)×\(n)×\(k) row \(i)")
                }
            }
        }
    }

    @Test func signsOfFloatsGoThroughTheSameProduct() {
        var bits = Bits(state: 3)
        for (m, n, k) in [(100, 31, 130), (1, 5, 64), (0, 3, 10), (5, 0, 10), (3, 2, 0)] {
            let x = bits.floats(m, k), b = PackedBinaryMatrix(bits.matrix(n, k))
            #expect(xnorProduct(signsOf: x, b) == xnorProduct(BinaryMatrix(signsOf: x), b))
        }
    }

    @Test func threadsDoNotChangeTheResult() {
        var bits = Bits(state: 5)
        let before = Threads.count
        defer { Threads.count = before }
        let a = bits.matrix(301, 700), b = PackedBinaryMatrix(bits.matrix(210, 700))
        let row = bits.matrix(1, 4096), wide = bits.matrix(4099, 4096)
        let packedWide = PackedBinaryMatrix(wide)
        var results: [[IntegerMatrix]] = [], vectors: [[Int32]] = []
        for count in [1, 2, 3] {
            Threads.count = count
            results.append([xnorProduct(a, b), xnorProduct(row, packedWide)])
            vectors.append(xnorProduct(wide, vector: row))
        }
        #expect(results[0] == results[1] && results[0] == results[2])
        #expect(vectors[0] == vectors[1] && vectors[0] == vectors[2])
        #expect(results[0][1].elements == vectors[0])
    }

    /// The accumulators of the byte-counting tiers pass 255 after 31 words: all bits different is the worst case.
    @Test(arguments: KernelTier.supported) func longRowsOfDifferingBitsDoNotOverflow(_ tier: KernelTier) throws {
        let k = 64 * 100
        let ones = BinaryMatrix(rows: 3, columns: k) { _, _ in true }, zeros = BinaryMatrix(rows: 17, columns: k)
        try withKernelTier(tier) {
            #expect(xnorProduct(ones, PackedBinaryMatrix(zeros)).elements.allSatisfy { $0 == -Int32(k) })
            #expect(andProduct(ones, PackedBinaryMatrix(ones), as: .zeroOne).elements.allSatisfy { $0 == Int32(k) })
            #expect(xnorProduct(ones, vector: BinaryMatrix(rows: 1, columns: k)).allSatisfy { $0 == -Int32(k) })
        }
    }

    /// bool(A)·V as ±1 products with an all-ones matrix: (A'B + 1B) is even and half of it is AB (Bi-Attention's BAMM).
    @Test func bitwiseAffineProductIsHalfOfTwoSignProducts() {
        var bits = Bits(state: 13)
        let a = bits.matrix(20, 90), b = bits.matrix(11, 90)
        let packed = PackedBinaryMatrix(b)
        let ones = BinaryMatrix(rows: 20, columns: 90) { _, _ in true }
        let affine = zip(xnorProduct(a, packed).elements, xnorProduct(ones, packed).elements).map { $0 + $1 }
        #expect(affine.allSatisfy { $0 % 2 == 0 })
        #expect(affine.map { $0 / 2 } == andProduct(a, packed, as: .signs).elements)
    }
}

@Suite struct PackingTests {
    @Test(arguments: KernelTier.supported) func signsAtEveryLengthAndOffset(_ tier: KernelTier) throws {
        var bits = Bits(state: 17)
        for columns in kernelLengths {
            for offset in [0, 1, 3] {
                let source = bits.floats(1, 3 * (columns + 5) + offset).elements
                let rows = BinaryMatrix(rows: 3, columns: columns) { i, k in source[offset + i * (columns + 5) + k] >= 0 }
                try withKernelTier(tier) {
                    let view = source.span.extracting(offset..<source.count)
                    #expect(BinaryMatrix(signsOf: view, rows: 3, columns: columns, stride: columns + 5) == rows)
                }
            }
        }
    }

    @Test(arguments: KernelTier.supported) func scaleIsTheMeanMagnitude(_ tier: KernelTier) throws {
        var bits = Bits(state: 19)
        for columns in kernelLengths {
            let x = bits.floats(2, columns)
            let (signs, scales) = try withKernelTier(tier) { try BinaryMatrix.signsAndScales(of: x) }
            #expect(signs == BinaryMatrix(signsOf: x))
            for i in 0..<2 {
                let exact = columns == 0 ? 0 : (0..<columns).reduce(0.0) { $0 + Double(abs(x[i, $1])) } / Double(columns)
                #expect(abs(Double(scales[i]) - exact) <= 70 * Double(Float.ulpOfOne) * exact)
            }
        }
    }

    @Test(arguments: KernelTier.supported) func zeroNaNAndInfinityHaveTheirDocumentedSigns(_ tier: KernelTier) throws {
        let x = Matrix<Float>(rows: 1, columns: 70, elements: [0, -0.0, .nan, -.nan, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude]
            + [Float](repeating: 1, count: 62))
        try withKernelTier(tier) {
            let signs = BinaryMatrix(signsOf: x)
            #expect((0..<8).map { signs[0, $0] } == [true, true, false, false, true, false, true, false])
            #expect(throws: BinaryMatrixError.notANumber(row: 0, column: 2)) { try BinaryMatrix(checkedSignsOf: x) }
            #expect(throws: BinaryMatrixError.notANumber(row: 0, column: 2)) { try BinaryMatrix.signsAndScales(of: x) }
        }
        var clean = x
        clean.elements.replaceSubrange(2...3, with: [1, 1])
        #expect(try BinaryMatrix(checkedSignsOf: clean) == BinaryMatrix(signsOf: clean))
        // A NaN in the tail of a later row is found too.
        let tail = Matrix<Float>(rows: 2, columns: 67, elements: (0..<134).map { $0 == 133 ? .nan : 1 })
        #expect(throws: BinaryMatrixError.notANumber(row: 1, column: 66)) { try BinaryMatrix(checkedSignsOf: tail) }
    }

    @Test(arguments: KernelTier.supported) func transposeMovesEachBit(_ tier: KernelTier) throws {
        var bits = Bits(state: 23)
        for (rows, columns) in [(0, 5), (5, 0), (1, 1), (64, 64), (65, 63), (3, 200), (130, 7), (128, 192)] {
            let a = bits.matrix(rows, columns)
            let expected = BinaryMatrix(rows: columns, columns: rows) { a[$1, $0] }
            try withKernelTier(tier) {
                #expect(a.transposed() == expected)
                #expect(a.transposed().transposed() == a)
                #expect(a.rowCounts() == (0..<rows).map { i in Int32((0..<columns).count { a[i, $0] }) })
            }
        }
    }

    @Test func wordsFromOutsideAreChecked() throws {
        var bits = Bits(state: 29)
        let a = bits.matrix(4, 70)
        #expect(try BinaryMatrix(rows: 4, columns: 70, words: a.words) == a)
        #expect(throws: BinaryMatrixError.wrongWordCount(7, expected: 8)) {
            try BinaryMatrix(rows: 4, columns: 70, words: Array(a.words.dropLast()))
        }
        var words = a.words
        words[3] |= 1 << 6
        #expect(throws: BinaryMatrixError.bitBeyondLastColumn(row: 1)) {
            try BinaryMatrix(rows: 4, columns: 70, words: words)
        }
        #expect(BinaryMatrixError.bitBeyondLastColumn(row: 1).description.contains("row 1"))
    }

    /// Against a matrix made bit by bit, at shifts and lengths on both sides of a word; what lies around stays.
    @Test(arguments: [1, 63, 64, 65, 130])
    func rowsReplaceBits(length: Int) {
        var bits = Bits(state: 9)
        let source = bits.matrix(2, length)
        for column in [0, 1, 62, 63, 64, 100] {
            let before = bits.matrix(3, column + length + 5)
            var after = before
            after.replaceBits(ofRow: 1, from: column, withRow: 1, of: source)
            let expected = BinaryMatrix(rows: 3, columns: before.columns) { i, k in
                i == 1 && column..<column + length ~= k ? source[1, k - column] : before[i, k]
            }
            #expect(after == expected, "from \(column)")
        }
        var none = bits.matrix(1, 4)
        let kept = none
        none.replaceBits(ofRow: 0, from: 4, withRow: 0, of: BinaryMatrix(rows: 1, columns: 0))
        #expect(none == kept)
    }

    @Test func signsComeBackAsFloats() {
        let a = BinaryMatrix(rows: 2, columns: 3) { $0 == $1 }
        #expect(a.signs().elements == [1, -1, -1, -1, 1, -1])
    }
}

@Suite struct MisuseTests {
    @Test func unequalLengthsNameBoth() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = xnorProduct(BinaryMatrix(rows: 1, columns: 5), PackedBinaryMatrix(BinaryMatrix(rows: 1, columns: 6)))
        }
        #expect(result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }?.contains("rows of 5 and 6 bits") == true)
    }

    @Test func rowsBeyondTheOverflowLengthAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = BinaryMatrix(rows: 0, columns: BinaryMatrix.maximumColumns + 1)
        }
        #expect(result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }?.contains("overflows Int32") == true)
    }

    @Test func shortBuffersNameBothCounts() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = BinaryMatrix(signsOf: [1, 2, 3].span, rows: 2, columns: 2, stride: 2)
        }
        #expect(result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) }?.contains("has 3 elements; expected at least 4") == true)
    }
}

@Suite struct AlignedArrayTests {
    @Test func elementsAreKeptAndCompared() {
        for count in [0, 1, 7, 8, 9, 1000] {
            func make() -> AlignedArray<UInt64> {
                AlignedArray(repeating: 3, count: count) { span in
                    #expect(span.count == count)
                    for i in 0..<count where i % 2 == 0 { span[i] = UInt64(i) }
                }
            }
            let a = make(), b = make()
            #expect(a.count == count && a == b && a.hashValue == b.hashValue)
            a.withSpan { span in
                #expect((0..<count).allSatisfy { span[$0] == ($0 % 2 == 0 ? UInt64($0) : 3) })
            }
            #expect(count == 0 || a != AlignedArray(repeating: 4, count: count) { _ in })
        }
    }

    @Test func elementsBeginOnACacheLine() {
        for count in [1, 100, 100_000] {
            let array = AlignedArray<UInt64>(repeating: 0, count: count) { _ in }
            let address = array.withSpan { span in
                unsafe span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
            }
            #expect(address % 64 == 0)
        }
    }

    @Test func signsIntoACallersBuffer() {
        var bits = Bits(state: 31)
        let x = bits.floats(7, 100), b = PackedBinaryMatrix(bits.matrix(18, 100))
        var c = [Int32](repeating: 0, count: 7 * 18)
        var span = c.mutableSpan
        xnorProduct(signsOf: x, b, into: &span)
        #expect(c == xnorProduct(signsOf: x, b).elements)
    }
}
