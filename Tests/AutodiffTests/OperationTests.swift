import Autodiff
import Kernels
import Testing

private let cases: [DifferentiableCase] = {
    var cases: [DifferentiableCase] = []
    /// The same generic closure for both scalar types.
    func add(
        _ name: String, _ shapes: [[Int]], center: Double = 0, spread: Double = 1,
        _ double: @escaping @Sendable ([Tensor<Double>]) -> Tensor<Double>,
        _ single: @escaping @Sendable ([Tensor<Float>]) -> Tensor<Float>
    ) {
        cases.append(DifferentiableCase(name, shapes, center: center, spread: spread, double, single))
    }
    add("sum", [[3, 4], [3, 4]], { ($0[0] + $0[1]).squared() }, { ($0[0] + $0[1]).squared() })
    add("sum, broadcast", [[3, 1, 4], [2, 1]], { ($0[0] + $0[1]).squared() }, { ($0[0] + $0[1]).squared() })
    add("difference, broadcast", [[4], [3, 4]], { ($0[0] - $0[1]).exp() }, { ($0[0] - $0[1]).exp() })
    add("product", [[3, 4], [3, 4]], { $0[0] * $0[1] }, { $0[0] * $0[1] })
    add("product, broadcast", [[2, 3, 1], [4]], { ($0[0] * $0[1]).tanh() }, { ($0[0] * $0[1]).tanh() })
    add("product with itself", [[5]], { $0[0] * $0[0] * $0[0] }, { $0[0] * $0[0] * $0[0] })
    add("quotient", [[3, 4], [3, 4]], center: 3, spread: 0.3, { $0[0] / $0[1] }, { $0[0] / $0[1] })
    add("quotient, broadcast", [[3, 4], [3, 1]], center: 3, spread: 0.3, { $0[0] / $0[1] }, { $0[0] / $0[1] })
    add("numbers", [[6]], center: 3, spread: 0.3, { 2 / (3 * $0[0] - 1) + (4 - $0[0] / 7) * (-$0[0]) },
        { 2 / (3 * $0[0] - 1) + (4 - $0[0] / 7) * (-$0[0]) })
    add("maximum", [[3, 4], [4]], { maximum($0[0], $0[1]).exp() }, { maximum($0[0], $0[1]).exp() })
    add("minimum", [[3, 4], [3, 4]], { minimum($0[0], $0[1]).exp() }, { minimum($0[0], $0[1]).exp() })
    add("exp", [[7]], { $0[0].exp() }, { $0[0].exp() })
    add("log", [[7]], center: 3, spread: 0.3, { $0[0].log() }, { $0[0].log() })
    add("tanh", [[7]], { $0[0].tanh() }, { $0[0].tanh() })
    add("logistic", [[7]], { $0[0].logistic() }, { $0[0].logistic() })
    add("erf", [[7]], { $0[0].erf() }, { $0[0].erf() })
    add("square root", [[7]], center: 3, spread: 0.3, { $0[0].squareRoot() }, { $0[0].squareRoot() })
    add("reciprocal", [[7]], center: 3, spread: 0.3, { $0[0].reciprocal() }, { $0[0].reciprocal() })
    add("relu", [[7]], { $0[0].relu().exp() }, { $0[0].relu().exp() })
    add("gelu", [[7]], { $0[0].gelu() }, { $0[0].gelu() })
    add("silu", [[7]], { $0[0].silu() }, { $0[0].silu() })
    add("softplus", [[7]], { $0[0].softplus() }, { $0[0].softplus() })
    add("sin", [[7]], { $0[0].sin() }, { $0[0].sin() })
    add("cos", [[7]], { $0[0].cos() }, { $0[0].cos() })
    add("magnitude", [[7]], { $0[0].magnitude().exp() }, { $0[0].magnitude().exp() })
    add("square", [[7]], { $0[0].squared() }, { $0[0].squared() })
    for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
        let shapes = [a ? [4, 3] : [3, 4], b ? [5, 4] : [4, 5]]
        add("matmul \(a) \(b)", shapes, { matmul($0[0], $0[1], transposeA: a, transposeB: b) },
            { matmul($0[0], $0[1], transposeA: a, transposeB: b) })
        add("batched matmul \(a) \(b)", shapes.map { [2] + $0 },
            { matmul($0[0], $0[1], transposeA: a, transposeB: b).squared() },
            { matmul($0[0], $0[1], transposeA: a, transposeB: b).squared() })
        add("matmul of batches and a matrix \(a) \(b)", [[3, 2] + shapes[0], shapes[1]],
            { matmul($0[0], $0[1], transposeA: a, transposeB: b).squared() },
            { matmul($0[0], $0[1], transposeA: a, transposeB: b).squared() })
        add("matmul of a matrix and batches \(a) \(b)", [shapes[0], [2, 1] + shapes[1]],
            { matmul($0[0], $0[1], transposeA: a, transposeB: b).squared() },
            { matmul($0[0], $0[1], transposeA: a, transposeB: b).squared() })
    }
    add("affine", [[4, 3], [3, 2], [2]], { affine($0[0], $0[1], $0[2]).tanh() }, { affine($0[0], $0[1], $0[2]).tanh() })
    add("affine on batches", [[2, 4, 3], [3, 2], [2]], { affine($0[0], $0[1], $0[2]).tanh() },
        { affine($0[0], $0[1], $0[2]).tanh() })
    for axes in [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]] {
        add("sum along \(axes)", [[2, 3, 4]], { $0[0].squared().sum(alongAxes: axes) }, { $0[0].squared().sum(alongAxes: axes) })
    }
    add("mean and variance", [[3, 4]], { $0[0].mean(alongAxes: [0]) * $0[0].variance(alongAxes: [0], correction: 1) },
        { $0[0].mean(alongAxes: [0]) * $0[0].variance(alongAxes: [0], correction: 1) })
    add("max and min", [[3, 4, 2]], { ($0[0].max(alongAxis: 1) + $0[0].min(alongAxis: 1)).exp() },
        { ($0[0].max(alongAxis: 1) + $0[0].min(alongAxis: 1)).exp() })
    add("broadcast", [[3, 1]], { $0[0].exp().broadcast(to: [2, 3, 4]) }, { $0[0].exp().broadcast(to: [2, 3, 4]) })
    add("reshape", [[3, 4]], { $0[0].squared().reshaped([2, -1]) }, { $0[0].squared().reshaped([2, -1]) })
    add("transposition", [[2, 3, 4]], { $0[0].squared().transposed([2, 0, 1]) }, { $0[0].squared().transposed([2, 0, 1]) })
    add("transposition of runs", [[2, 2, 3, 2, 2]], { $0[0].squared().transposed([2, 0, 3, 1, 4]) },
        { $0[0].squared().transposed([2, 0, 3, 1, 4]) })
    add("concatenation", [[2, 3], [2, 1]], { concatenated([$0[0].exp(), $0[1].squared()], alongAxis: 1) },
        { concatenated([$0[0].exp(), $0[1].squared()], alongAxis: 1) })
    add("stack", [[2, 3], [2, 3]], { stacked([$0[0].exp(), $0[1] * $0[0]], alongAxis: -1) },
        { stacked([$0[0].exp(), $0[1] * $0[0]], alongAxis: -1) })
    add("slice", [[3, 4, 2]], { $0[0].squared().slice(1, 1..<3) }, { $0[0].squared().slice(1, 1..<3) })
    add("overlapping parts", [[10]], { $0[0].part(from: 0, shape: [3, 2]) * $0[0].part(from: 4, shape: [3, 2]) * $0[0].at(7) },
        { $0[0].part(from: 0, shape: [3, 2]) * $0[0].part(from: 4, shape: [3, 2]) * $0[0].at(7) })
    add("padding", [[3, 2]], { $0[0].squared().padded(1, before: 1, after: 2) }, { $0[0].squared().padded(1, before: 1, after: 2) })
    add("gather", [[3, 2]], { $0[0].gathered([2, 0, 2]).squared() }, { $0[0].gathered([2, 0, 2]).squared() })
    add("scatter", [[3, 2]], { $0[0].scatterAdded(at: [1, 3, 1], count: 4).squared() },
        { $0[0].scatterAdded(at: [1, 3, 1], count: 4).squared() })
    add("choice", [[4], [4]], { .choose([true, false, true, false], $0[0].exp(), $0[1].squared()) },
        { .choose([true, false, true, false], $0[0].exp(), $0[1].squared()) })
    add("softmax", [[3, 4]], { $0[0].softmax() }, { $0[0].softmax() })
    add("softmax along axis 0", [[3, 4]], { $0[0].softmax(alongAxis: 0) }, { $0[0].softmax(alongAxis: 0) })
    add("log-softmax", [[3, 4]], { $0[0].logSoftmax(alongAxis: 0) }, { $0[0].logSoftmax(alongAxis: 0) })
    add("log-sum-exp", [[3, 4]], { $0[0].logSumExp() }, { $0[0].logSumExp() })
    add("cross entropies", [[3, 4]], { crossEntropies($0[0], labels: [1, 0, 3]).squared() },
        { crossEntropies($0[0], labels: [1, 0, 3]).squared() })
    add("checkpoint", [[3, 4], [4, 3]], { checkpoint($0) { matmul($0[0].tanh(), $0[1]).exp() } },
        { checkpoint($0) { matmul($0[0].tanh(), $0[1]).exp() } })
    return cases
}()

@Suite struct OperationTests {
    @Test(arguments: cases) func derivativesInDouble(_ test: DifferentiableCase) { checkDerivatives(test, Double.self) }

    @Test(arguments: cases) func derivativesInFloat(_ test: DifferentiableCase) { checkDerivatives(test, Float.self) }

    @Test(arguments: cases) func forwardIsAdjointToReverse(_ test: DifferentiableCase) { checkAdjoint(test) }

    @Test(arguments: cases) func thirdOrder(_ test: DifferentiableCase) { checkThirdOrder(test) }
}
