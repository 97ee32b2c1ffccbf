import Autodiff
import Kernels
import Testing

private let cases: [DifferentiableCase] = [
    DifferentiableCase("layer norm", [[3, 5], [5], [5]], { layerNorm($0[0], $0[1], $0[2]).tanh() }, { layerNorm($0[0], $0[1], $0[2]).tanh() }),
    DifferentiableCase(
        "layer norm of batches, epsilon 0.1", [[2, 3, 4], [4], [4]], { layerNorm($0[0], $0[1], $0[2], epsilon: 0.1).squared() },
        { layerNorm($0[0], $0[1], $0[2], epsilon: 0.1).squared() }),
    DifferentiableCase(
        "layer norm, a scale for each row", [[3, 4], [3, 1], [1, 4]], { layerNorm($0[0], $0[1], $0[2]).squared() },
        { layerNorm($0[0], $0[1], $0[2]).squared() }),
    DifferentiableCase(
        "batch norm", [[5, 3], [3], [3]], { batchNorm($0[0], $0[1], $0[2]).output.tanh() },
        { batchNorm($0[0], $0[1], $0[2]).output.tanh() }),
    DifferentiableCase(
        "batch norm of images, epsilon 0.1", [[2, 2, 2, 3], [3], [3]], { batchNorm($0[0], $0[1], $0[2], epsilon: 0.1).output.squared() },
        { batchNorm($0[0], $0[1], $0[2], epsilon: 0.1).output.squared() }),
    DifferentiableCase(
        "batch norm, given statistics", [[4, 3], [3], [3], [3], [3]],
        { batchNorm($0[0], $0[1], $0[2], mean: $0[3], variance: $0[4].squared() + 1).tanh() },
        { batchNorm($0[0], $0[1], $0[2], mean: $0[3], variance: $0[4].squared() + 1).tanh() }),
]

@Suite struct NormalizationTests {
    @Test(arguments: cases) func derivativesInDouble(_ test: DifferentiableCase) { checkDerivatives(test, Double.self) }

    @Test(arguments: cases) func derivativesInFloat(_ test: DifferentiableCase) { checkDerivatives(test, Float.self) }

    @Test(arguments: cases) func forwardIsAdjointToReverse(_ test: DifferentiableCase) { checkAdjoint(test) }

    @Test(arguments: cases) func thirdOrder(_ test: DifferentiableCase) { checkThirdOrder(test) }

    /// (x − μ)/√(σ² + ε) in `Double`, and μ and σ², for one row or column.
    private func normalized(_ x: [Double], _ epsilon: Double) -> (y: [Double], mean: Double, variance: Double) {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return (x.map { ($0 - mean) / (variance + epsilon).squareRoot() }, mean, variance)
    }

    @Test func layerNormAgreesWithItsFormula() {
        let x: Tensor<Double> = randomTensor([2, 3, 7], seed: 1), scale: Tensor<Double> = randomTensor([7], seed: 2)
        let shift: Tensor<Double> = randomTensor([7], seed: 3)
        let y = layerNorm(x, scale, shift, epsilon: 0.01)
        var expected: [Double] = []
        for row in 0..<6 {
            let values = normalized(Array(x.elements[row * 7..<row * 7 + 7]), 0.01).y
            for k in 0..<7 { expected.append(values[k] * scale[k] + shift[k]) }
        }
        expectClose(y, Tensor(shape: x.shape, elements: expected))
        // The default of ε.
        #expect(layerNorm(x, scale, shift) == layerNorm(x, scale, shift, epsilon: 1e-5))
    }

    /// One operation against normalisation, product and sum: a scale of shape [1, columns] takes the latter way.
    private func checkFusedLayerNorm<Scalar: KernelScalar>(_ rows: Int, _ columns: Int, _ type: Scalar.Type) {
        let x: [Tensor<Scalar>] = [randomTensor([rows, columns], seed: 8), randomTensor([columns], seed: 9), randomTensor([columns], seed: 10)]
        let v: [Tensor<Scalar>] = [randomTensor([rows, columns], seed: 11), randomTensor([columns], seed: 12), randomTensor([columns], seed: 13)]
        func fused(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { layerNorm(x[0], x[1], x[2]) }
        func composed(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { layerNorm(x[0], x[1].reshaped([1, columns]), x[2]) }
        let name = "\(rows) rows of \(columns), \(Scalar.self)"
        expectClose(fused(x), composed(x), name)
        let own = gradient(of: { fused($0).tanh().sum() })(x), others = gradient(of: { composed($0).tanh().sum() })(x)
        for (a, b) in zip(own, others) { expectClose(a, b, roundings: 256, "gradient, \(name)") }
        let products = hessianVectorProduct(of: { fused($0).tanh().sum() })(x, v)
        for (a, b) in zip(products, hessianVectorProduct(of: { composed($0).tanh().sum() })(x, v)) {
            expectClose(a, b, roundings: 512, "second derivative, \(name)")
        }
    }

    @Test func fusedLayerNormAgreesWithItsParts() {
        for (rows, columns) in [(1, 1), (3, 5), (8, 16), (19, 37), (17, 530)] {
            checkFusedLayerNorm(rows, columns, Float.self)
            checkFusedLayerNorm(rows, columns, Double.self)
        }
        let none = gradient(of: { layerNorm($0[0], $0[1], $0[2]).sum() })([Tensor<Float>.zeros([0, 3]), .ones([3]), .zeros([3])])
        #expect(none == [.zeros([0, 3]), .zeros([3]), .zeros([3])])
    }

    @Test func batchNormAgreesWithItsFormula() {
        let x: Tensor<Double> = randomTensor([2, 3, 2, 5], seed: 4), scale: Tensor<Double> = randomTensor([5], seed: 5)
        let shift: Tensor<Double> = randomTensor([5], seed: 6)
        let (y, mean, variance) = batchNorm(x, scale, shift, epsilon: 0.01)
        var expected = [Double](repeating: 0, count: x.count)
        for c in 0..<5 {
            let places = Array(stride(from: c, to: x.count, by: 5))
            let column = normalized(places.map { x.elements[$0] }, 0.01)
            for (place, value) in zip(places, column.y) { expected[place] = value * scale[c] + shift[c] }
            #expect(abs(mean[c] - column.mean) <= 1e-14 && abs(variance[c] - column.variance) <= 1e-14)
        }
        expectClose(y, Tensor(shape: x.shape, elements: expected))
        expectClose(batchNorm(x, scale, shift, mean: mean, variance: variance, epsilon: 0.01), y, "with the same statistics")
    }

    /// A mean 10⁴ times the deviation costs none of the digits of what is left after it is taken off.
    @Test func largeMeans() {
        let noise: Tensor<Float> = randomTensor([64, 3], seed: 7)
        let x = noise + 10_000
        let exact = x.elements.map { Double($0) }
        let (y, _, variance) = batchNorm(x, .ones([3]), .zeros([3]), epsilon: 0)
        for c in 0..<3 {
            let column = normalized((0..<64).map { exact[$0 * 3 + c] }, 0)
            for i in 0..<64 { #expect(abs(Double(y[i, c]) - column.y[i]) <= 1e-5) }
            #expect(abs(Double(variance[c]) - column.variance) <= 1e-5 * column.variance)
        }
        // The same in rows, with the gradient: the mean is kept in two parts.
        let rows = x.transposed(), scale: Tensor<Float> = randomTensor([64], seed: 14)
        let wide = Tensor<Double>(shape: rows.shape, elements: rows.elements.map { Double($0) })
        let wideScale = Tensor<Double>(shape: [64], elements: scale.elements.map { Double($0) })
        let own = gradient(of: { layerNorm($0[0], $0[1], .zeros([64])).squared().sum() })([rows, scale])
        let reference = gradient(of: { layerNorm($0[0], $0[1], .zeros([64])).squared().sum() })([wide, wideScale])
        for (a, b) in zip(own, reference) {
            expectClose(a, Tensor(shape: b.shape, elements: b.elements.map { Float($0) }), roundings: 64, "gradient of large means")
        }
    }

    @Test func statisticsAreConstants() {
        let g = gradient(of: { (x: Tensor<Double>) in
            let (_, mean, variance) = batchNorm(x, .ones([2]), .zeros([2]))
            return (mean + variance).sum()
        })(Tensor(shape: [3, 2], elements: [1, 2, 3, 5, 8, 13]))
        #expect(g == .zeros([3, 2]))
    }

    @Test func constantRowsGiveTheShift() {
        let x = Tensor<Float>(shape: [2, 3], elements: [5, 5, 5, -1, -1, -1])
        let (value, gradient) = valueAndGradient(of: { layerNorm($0, .ones([3]), Tensor([1, 2, 3])).sum() })(x)
        #expect(value.scalar == 12 && gradient.elements.allSatisfy { $0 == 0 })
        // One row: each column is its own mean.
        #expect(batchNorm(Tensor<Float>([4, 7]), .ones([2]), Tensor([1, 2])).output.elements == [1, 2])
        #expect(Autodiff.gradient(of: { batchNorm($0, .ones([2]), .zeros([2])).output.sum() })(Tensor<Float>([4, 7])).elements == [0, 0])
    }

    @Test func misuseIsNamed() async {
        let scale = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = layerNorm(Tensor<Float>.zeros([2, 3]), .ones([2, 2, 3]), .zeros([3]))
        }
        #expect(message(of: scale).contains("layerNorm: scale of shape [2, 2, 3] for x of shape [2, 3]"))
        let empty = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = batchNorm(Tensor<Float>.zeros([0, 3]), .ones([3]), .zeros([3]))
        }
        #expect(message(of: empty).contains("batchNorm of shape [0, 3]; expected at least one row"))
        let epsilon = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = layerNorm(Tensor<Float>.zeros([2, 3]), .ones([3]), .zeros([3]), epsilon: -1)
        }
        #expect(message(of: epsilon).contains("epsilon is -1.0; expected no negative number"))
    }
}
