import Autodiff
import Kernels

/// y = αⱼ (sign(x) · sign(W − μ))ⱼ + bⱼ: BiBERT's bi-linear layer, and the same by convolution, of inputs x, W and b.
///
/// μⱼ is the mean and αⱼ the mean magnitude of output j's weights. The product of signs is a whole number and exact; α and b come after it,
/// rounded once each, so that a packed product gives the same bits.
///
/// Derivatives are straight-through (paper, §3.1 and appendix):
///
///     x̄ = 1[|x| ≤ 1] ∘ ȳ (α sign(C))ᵀ                              C = W − μ
///     W̄ = centre(1[|C| ≤ 1] ∘ sign(x)ᵀ ȳ)                           centre: less the mean of each output's weights
///     b̄ = Σ ȳ
///
/// α counts as a constant, and the derivative of α sign(C) is taken as 1, not α, as in the released code.
struct BinaryProduct<Scalar: KernelScalar>: DifferentiableOperation {
    enum Form: Sendable {
        /// x: [rows, inputs], W: [inputs, outputs].
        case linear
        /// x: images, W: [rows, columns, channels, outputs]. Padding adds nothing to a sum: it is 0, not ±1.
        case convolution(stride: (Int, Int), padding: WindowPadding)
    }

    let form: Form
    let ties: TieRule

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let weights = inputs[1], bias = inputs[2]
        let statistics = GroupStatistics(weights, .columns)
        let product = product(inputs[0].signBinarized(ties: ties), statistics.signs(of: weights, .columns, ties: ties, isScaled: false))
        let outputs = statistics.scales.count, scales = statistics.scales
        let y: [Scalar] = uninitializedArray(count: product.count) { y in
            Scalar.multiplyRow(rows: product.count / outputs, columns: outputs, product.span, scales.span, into: &y)
            Scalar.addRow(rows: product.count / outputs, columns: outputs, &y, bias.span)
        }
        return Tensor(shape: product.shape, elements: y)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ inputs: [Tensor<Scalar>], _ tangents: [Tensor<Scalar>?], output: Tensor<Scalar>) -> Tensor<Scalar>? {
        let (x, weights) = (inputs[0], inputs[1])
        var sum: Tensor<Scalar>?
        func add(_ term: Tensor<Scalar>) { sum = sum.map { $0 + term } ?? term }
        if let dx = tangents[0] { add(product(dx * unitMask(x), weights.binarizedColumns(ties: ties))) }
        if let dw = tangents[1] { add(product(x.signBinarized(ties: ties), centered(dw, .columns) * weightMask(weights))) }
        if let db = tangents[2] { add(db.broadcast(to: output.shape)) }
        return sum
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(
        _ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet
    ) -> [Tensor<Scalar>?] {
        let (x, weights) = (inputs[0], inputs[1])
        let signs = x.signBinarized(ties: ties), binarized = weights.binarizedColumns(ties: ties)
        let ofX: Tensor<Scalar>, ofWeights: Tensor<Scalar>
        switch form {
        case .linear:
            (ofX, ofWeights) = (matmul(g, binarized, transposeB: true), matmul(signs, g, transposeA: true))
        case .convolution:
            let adjoints = Autodiff.vjp(of: { [self] (operands: [Tensor<Scalar>]) in product(operands[0], operands[1]) })([signs, binarized])
                .pullback(g)
            (ofX, ofWeights) = (adjoints[0], adjoints[1])
        }
        return [ofX * unitMask(x), centered(ofWeights * weightMask(weights), .columns), g.sum(to: inputs[2].shape)]
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func product(_ x: Tensor<Scalar>, _ weights: Tensor<Scalar>) -> Tensor<Scalar> {
        switch form {
        case .linear: matmul(x, weights)
        case .convolution(let stride, let padding): conv2D(x, weights, stride: stride, padding: padding)
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func weightMask(_ weights: Tensor<Scalar>) -> Tensor<Scalar> { unitMask(centered(weights, .columns).stoppingGradient()) }
}
