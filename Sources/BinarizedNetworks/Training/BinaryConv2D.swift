import Autodiff
import Kernels
import NeuralNetworks

/// A convolution whose images and filters are binarised in the forward pass: y = α ∘ (sign(x) ⋆ sign(W − μ)) + b.
///
/// As ``BinaryDense`` with the layouts of `Conv2D`: images [n, rows, columns, channels], `weight` [rows, columns, inputs, outputs]. What
/// lies beyond the image counts as 0, so that padding has no sign; ``PackedConv2D`` corrects its bits for that.
public struct BinaryConv2D<Scalar: KernelScalar>: Module {
    public let inputs: Int, outputs: Int
    public let window: (Int, Int), stride: (Int, Int)
    public let padding: WindowPadding
    public let ties: TieRule
    public let initializer: Initializer

    public init(
        _ inputs: Int, _ outputs: Int, window: (Int, Int), stride: (Int, Int) = (1, 1), padding: WindowPadding = .same,
        ties: TieRule = .paper, initializer: Initializer = .glorotUniform
    ) {
        require(inputs > 0 && outputs > 0, "binary convolution from \(inputs) to \(outputs) channels; expected positive numbers")
        self.inputs = inputs
        self.outputs = outputs
        self.window = window
        self.stride = stride
        self.padding = padding
        self.ties = ties
        self.initializer = initializer
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("weight", shape: [window.0, window.1, inputs, outputs], initializer)
        declaration.add("bias", shape: [outputs], .zeros)
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        apply(BinaryProduct(form: .convolution(stride: stride, padding: padding), ties: ties), to: [x, pass["weight"], pass["bias"]])
    }
}
