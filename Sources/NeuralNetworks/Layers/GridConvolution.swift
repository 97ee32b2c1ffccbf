import Autodiff
import Kernels

/// A convolution of 2-D or 3-D grids with three taps an axis and zeros around, a bias for each filter, and a rectifier if asked for:
/// `gridConvolution(_:_:bias:rectified:residual:)` of `Autodiff` as a layer.
///
/// `weight` has shape [3, 3, inputs, outputs] or [3, 3, 3, inputs, outputs].
public struct GridConvolution<Scalar: KernelScalar>: Module {
    public let inputs: Int, outputs: Int
    public let dimensions: Int
    public let isRectified: Bool
    public let initializer: Initializer

    /// - Parameter dimensions: 2 or 3.
    public init(_ inputs: Int, _ outputs: Int, dimensions: Int, isRectified: Bool, initializer: Initializer = .glorotUniform) {
        require(inputs > 0 && outputs > 0, "convolution from \(inputs) to \(outputs) channels; expected positive numbers")
        require(dimensions == 2 || dimensions == 3, "convolution of grids with \(dimensions) dimensions; expected 2 or 3")
        self.inputs = inputs
        self.outputs = outputs
        self.dimensions = dimensions
        self.isRectified = isRectified
        self.initializer = initializer
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("weight", shape: [Int](repeating: 3, count: dimensions) + [inputs, outputs], initializer)
        declaration.add("bias", shape: [outputs], .zeros)
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        gridConvolution(x, pass["weight"], bias: pass["bias"], rectified: isRectified)
    }

    /// The output, and `residual` added to it.
    public func callAsFunction(_ x: Tensor<Scalar>, adding residual: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        gridConvolution(x, pass["weight"], bias: pass["bias"], rectified: isRectified, residual: residual)
    }
}
