import Autodiff
import Kernels
import NeuralNetworks

/// A dense layer whose inputs and weights are binarised in the forward pass: y = α ∘ (sign(x) · sign(W − μ)) + b on the last axis, BiBERT's
/// bi-linear layer (§3.1).
///
/// `weight` [inputs, outputs] and `bias` are ordinary trained numbers, named and shaped as those of `Dense`, so that a network with binary
/// layers begins with the parameters of one without. μ and α are mean and mean magnitude of each output's weights. Differs from XNOR-Net:
/// inputs have no scale, and α is that of the uncentred weights, as in the paper.
public struct BinaryDense<Scalar: KernelScalar>: Module {
    public let inputs: Int, outputs: Int
    public let ties: TieRule
    public let initializer: Initializer

    /// - Parameter initializer: of the weights; the bias begins at 0.
    public init(_ inputs: Int, _ outputs: Int, ties: TieRule = .paper, initializer: Initializer = .glorotUniform) {
        require(inputs > 0 && outputs > 0, "binary dense layer from \(inputs) to \(outputs); expected positive sizes")
        self.inputs = inputs
        self.outputs = outputs
        self.ties = ties
        self.initializer = initializer
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("weight", shape: [inputs, outputs], initializer)
        declaration.add("bias", shape: [outputs], .zeros)
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        require(x.shape.last == inputs, "binary dense layer from \(inputs) to \(outputs) on shape \(x.shape); expected a last axis of \(inputs)")
        let rows = x.reshaped([x.count / inputs, inputs])
        let y = apply(BinaryProduct(form: .linear, ties: ties), to: [rows, pass["weight"], pass["bias"]])
        return y.reshaped(x.shape.dropLast() + [outputs])
    }
}
