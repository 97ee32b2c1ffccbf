import Kernels
import Testing
import _TestSupport

/// Convolutions of grids against the sum of their definition, on every tier and for any number of threads.
@Suite struct ConvolutionKernelTests {
    static let forms = [
        GridConvolutionForm(images: 2, planes: 1, rows: 5, columns: 19, channels: 3, filters: 16, isThreeDimensional: false),
        GridConvolutionForm(images: 1, planes: 1, rows: 1, columns: 1, channels: 1, filters: 1, isThreeDimensional: false),
        GridConvolutionForm(images: 3, planes: 4, rows: 3, columns: 8, channels: 16, filters: 5, isThreeDimensional: true),
        GridConvolutionForm(images: 1, planes: 1, rows: 2, columns: 33, channels: 16, filters: 33, isThreeDimensional: true),
        GridConvolutionForm(images: 0, planes: 1, rows: 2, columns: 3, channels: 2, filters: 2, isThreeDimensional: false),
        GridConvolutionForm(images: 1, planes: 1, rows: 2, columns: 3, channels: 0, filters: 2, isThreeDimensional: false),
    ]

    @Test(arguments: KernelTier.supported) func agreesWithTheSums(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for form in Self.forms {
                for parts in 0..<8 {
                    check(Float.self, form, bias: parts & 1 != 0, residual: parts & 2 != 0, rectified: parts & 4 != 0)
                    check(Double.self, form, bias: parts & 1 != 0, residual: parts & 2 != 0, rectified: parts & 4 != 0)
                }
            }
        }
    }

    @Test func threadsGiveTheSameBits() async {
        await #expect(processExitsWith: .success) {
            let form = GridConvolutionForm(images: 2, planes: 5, rows: 6, columns: 21, channels: 7, filters: 9, isThreeDimensional: true)
            func run(_ threads: Int) -> [[Float]] {
                Threads.count = threads
                let x = (0..<form.inputCount).map { Float($0 % 101) / 101 - 0.5 }, w = (0..<form.weightCount).map { Float($0 % 89) / 89 - 0.5 }
                let none: [Float] = []
                var y = [Float](repeating: 0, count: form.resultCount), slopes = [Float](repeating: 0, count: form.weightCount)
                var ySpan = y.mutableSpan
                Float.convolve(form, x.span, weights: w.span, bias: none.span, residual: none.span, rectified: true, into: &ySpan)
                var slopesSpan = slopes.mutableSpan
                Float.convolutionWeightGradient(form, x.span, cotangent: y.span, into: &slopesSpan)
                return [y, slopes]
            }
            precondition(run(1) == run(3))
        }
    }

    private func numbers<Scalar: KernelScalar>(_ count: Int, _ seed: UInt64) -> [Scalar] {
        var numbers = TestNumbers(seed: seed)
        return (0..<count).map { _ in Scalar(numbers.unit() / 2) }
    }

    private func check<Scalar: KernelScalar>(_: Scalar.Type, _ form: GridConvolutionForm, bias: Bool, residual: Bool, rectified: Bool) {
        let x: [Scalar] = numbers(form.inputCount, 1), w: [Scalar] = numbers(form.weightCount, 2)
        let b: [Scalar] = numbers(bias ? form.filters : 0, 3), r: [Scalar] = numbers(residual ? form.resultCount : 0, 4)
        var y = [Scalar](repeating: .nan, count: form.resultCount), slopes = [Scalar](repeating: .nan, count: form.weightCount)
        let g: [Scalar] = numbers(form.resultCount, 5)
        var ySpan = y.mutableSpan
        Scalar.convolve(form, x.span, weights: w.span, bias: b.span, residual: r.span, rectified: rectified, into: &ySpan)
        var slopesSpan = slopes.mutableSpan
        Scalar.convolutionWeightGradient(form, x.span, cotangent: g.span, into: &slopesSpan)
        var sums = [Double](repeating: 0, count: form.resultCount), expectedSlopes = [Double](repeating: 0, count: form.weightCount)
        let places = form.planes * form.rows * form.columns, reach = form.isThreeDimensional ? 1 : 0
        for image in 0..<form.images {
            for p in 0..<places {
                let (plane, row, column) = (p / form.columns / form.rows, p / form.columns % form.rows, p % form.columns)
                for s in -reach...reach { for t in -1...1 { for u in -1...1 {
                    guard (0..<form.planes).contains(plane + s), (0..<form.rows).contains(row + t),
                          (0..<form.columns).contains(column + u) else { continue }
                    let from = image * places + ((plane + s) * form.rows + row + t) * form.columns + column + u
                    let tap = ((s + reach) * 3 + t + 1) * 3 + u + 1
                    for c in 0..<form.channels {
                        for f in 0..<form.filters {
                            let to = (image * places + p) * form.filters + f, weight = (tap * form.channels + c) * form.filters + f
                            sums[to] += Double(x[from * form.channels + c]) * Double(w[weight])
                            expectedSlopes[weight] += Double(x[from * form.channels + c]) * Double(g[to])
                        }
                    }
                } } }
            }
        }
        for i in sums.indices {
            if bias { sums[i] += Double(b[i % form.filters]) }
            if rectified { sums[i] = max(0, sums[i]) }
            if residual { sums[i] += Double(r[i]) }
        }
        // Terms are at most 1/4, about 1/16 on average.
        let unit = Double(Scalar.ulpOfOne) / 2
        let bound = Double(27 * form.channels + 4) * unit * (Double(27 * form.channels) / 4 + 1)
        let right = zip(y, sums).allSatisfy { abs(Double($0) - $1) <= bound }
        #expect(right, "\(form) \(bias) \(residual) \(rectified)")
        let slopeBound = Double(form.columns + places * form.images + 1) * unit * Double(places * form.images) / 4
        let slopesRight = zip(slopes, expectedSlopes).allSatisfy { abs(Double($0) - $1) <= slopeBound }
        #expect(slopesRight, "\(form)")
    }
}
