import Kernels
import LinearAlgebra
import Testing

@Suite struct NormTests {
    @Test func smallMatrixByHand() {
        let a: Matrix<Double> = [[1, -2, 3], [-4, 5, -6]]
        #expect(a.oneNorm() == 9 && a.infinityNorm() == 15 && a.maxNorm == 6)
        #expect(abs(a.frobeniusNorm - 91.0.squareRoot()) < 1e-15)
        #expect(([[1, 7], [7, 2]] as Matrix<Float>).trace == 3)
    }

    @Test(arguments: shapes, Precision.allCases) func againstTheDefinition(_ shape: (Int, Int), _ precision: Precision) {
        func body<S: KernelScalar>(_: S.Type) {
            var random = TestRandom(2)
            let a: Matrix<S> = random.matrix(shape.0, shape.1)
            let d = a.double
            let columns = (0..<d.columns).map { d.column($0).reduce(0) { $0 + abs($1) } }
            let rows = (0..<d.rows).map { i in (0..<d.columns).reduce(0) { $0 + abs(d[i, $1]) } }
            let bound = Double(shape.0 + shape.1 + 1) * eps(S.self)
            #expect(abs(Double(a.oneNorm()) - (columns.max() ?? 0)) <= bound * (1 + (columns.max() ?? 0)))
            #expect(abs(Double(a.infinityNorm()) - (rows.max() ?? 0)) <= bound * (1 + (rows.max() ?? 0)))
            #expect(Double(a.maxNorm) == d.elements.map { abs($0) }.max() ?? 0)
            #expect(abs(Double(a.frobeniusNorm) - norm(d.elements)) <= (2 * eps(S.self) + Double(d.elements.count) * 0x1p-53) * norm(d.elements))
        }
        body(precision.type)
    }

    @Test(arguments: 0..<9) func aSingleNaNIsFoundAnywhere(_ place: Int) {
        var a = Matrix<Double>(rows: 1, columns: 9, repeating: 1)
        a[0, place] = .nan
        #expect(a.oneNorm().isNaN && a.infinityNorm().isNaN && a.maxNorm.isNaN && a.frobeniusNorm.isNaN)
    }

    @Test func emptyMatrixHasNormZero() {
        let a = Matrix<Double>.zeros(rows: 0, columns: 3)
        #expect(a.oneNorm() == 0 && a.infinityNorm() == 0 && a.maxNorm == 0 && a.frobeniusNorm == 0)
    }

    @Test(arguments: [5000 * Double.leastNonzeroMagnitude, 1e-300, 1e-150, 1, 1e150, 1e300, 1.7e308 / 5]) func scalesDoNotOverflow(_ scale: Double) {
        let a: Matrix<Double> = [[3 * scale, 0], [4 * scale, 0]]
        // A subnormal has few digits of its own.
        #expect(abs(a.frobeniusNorm / (5 * scale) - 1) < (scale < 1e-307 ? 1e-3 : 1e-15))
        let b = a.map { Float($0 / scale * 1e-40) }
        #expect(abs(Double(b.frobeniusNorm) / 5e-40 - 1) < 1e-4)
    }

    @Test func longSumStaysAccurate() {
        let a = Matrix<Float>(rows: 1000, columns: 1000, repeating: 0.1)
        #expect(abs(a.frobeniusNorm / 100 - 1) < 1e-4)
    }

    @Test func notANumberAndInfinityShow() {
        var a: Matrix<Double> = [[1, 2], [3, 4]]
        a[0, 1] = .nan
        #expect(a.oneNorm().isNaN && a.infinityNorm().isNaN && a.maxNorm.isNaN && a.frobeniusNorm.isNaN)
        a[0, 1] = .infinity
        #expect(a.oneNorm() == .infinity && a.frobeniusNorm == .infinity)
    }

    @Test func approximateEquality() {
        let a: Matrix<Double> = [[1, 1e-3], [0, 1e9]]
        #expect(a.isApproximatelyEqual(to: a))
        #expect(a.isApproximatelyEqual(to: [[2, 0], [0, 1e9]]))
        #expect(!a.isApproximatelyEqual(to: [[1, 1e-3], [0, 1.001e9]]))
        #expect(!a.isApproximatelyEqual(to: [[1, 1e-3], [0, .nan]]))
        #expect(!a.isApproximatelyEqual(to: [[1, 1e-3], [0, .infinity]]))
        #expect(a.isApproximatelyEqual(to: [[1, 1e-3], [2, 1e9]], relativeTolerance: 0, absoluteTolerance: 2))
        #expect(!a.isApproximatelyEqual(to: [[1, 1e-3], [2, 1e9]], relativeTolerance: 0, absoluteTolerance: 1.9))
    }
}
