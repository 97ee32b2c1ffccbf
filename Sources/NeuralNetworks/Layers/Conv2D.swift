import Autodiff
import Kernels

/// A convolution of images [n, rows, columns, channels] with `outputs` filters, and a bias for each.
///
/// `weight` has shape [rows, columns, inputs, outputs]. Differs from PyTorch, where images are [n, channels, rows, columns] and filters
/// [outputs, inputs, rows, columns].
public struct Conv2D<Scalar: KernelScalar>: Module {
    public let inputs: Int, outputs: Int
    public let window: (Int, Int), stride: (Int, Int)
    public let padding: WindowPadding
    public let initializer: Initializer

    public init(
        _ inputs: Int, _ outputs: Int, window: (Int, Int), stride: (Int, Int) = (1, 1), padding: WindowPadding = .same,
        initializer: Initializer = .heNormal
    ) {
        require(inputs > 0 && outputs > 0, "convolution from \(inputs) to \(outputs) channels; expected positive numbers")
        self.inputs = inputs
        self.outputs = outputs
        self.window = window
        self.stride = stride
        self.padding = padding
        self.initializer = initializer
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("weight", shape: [window.0, window.1, inputs, outputs], initializer)
        declaration.add("bias", shape: [outputs], .zeros)
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        conv2D(x, pass["weight"], stride: stride, padding: padding) + pass["bias"]
    }
}

/// The greatest element of each channel in each window of images [n, rows, columns, channels].
public struct MaxPool2D<Scalar: KernelScalar>: Module {
    public let window: (Int, Int), stride: (Int, Int)

    /// - Parameter stride: the window's extents if `nil`.
    public init(window: (Int, Int), stride: (Int, Int)? = nil) {
        self.window = window
        self.stride = stride ?? window
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {}

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        maxPool2D(x, window: window, stride: stride)
    }
}
