import Autodiff
import Kernels

/// y = x·W + b on the last axis.
///
/// `weight` has shape [inputs, outputs]: PyTorch's and Hugging Face's is the transpose.
public struct Dense<Scalar: KernelScalar>: Module {
    public let inputs: Int, outputs: Int
    public let hasBias: Bool
    public let initializer: Initializer

    /// - Parameter initializer: of the weights; the bias begins at 0.
    public init(_ inputs: Int, _ outputs: Int, hasBias: Bool = true, initializer: Initializer = .glorotUniform) {
        require(inputs > 0 && outputs > 0, "dense layer from \(inputs) to \(outputs); expected positive sizes")
        self.inputs = inputs
        self.outputs = outputs
        self.hasBias = hasBias
        self.initializer = initializer
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("weight", shape: [inputs, outputs], initializer)
        if hasBias { declaration.add("bias", shape: [outputs], .zeros) }
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        require(x.shape.last == inputs, "dense layer from \(inputs) to \(outputs) on shape \(x.shape); expected a last axis of \(inputs)")
        return hasBias ? affine(x, pass["weight"], pass["bias"]) : matmul(x, pass["weight"])
    }
}
