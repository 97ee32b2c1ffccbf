import Autodiff
import Kernels

/// A multilayer perceptron: dense layers with an activation between them, none after the last.
public struct MLP<Scalar: KernelScalar>: Module {
    public let sizes: [Int]
    public let activation: ElementwiseFunction
    private let layers: Sequential<Scalar>

    /// - Parameter sizes: inputs, hidden layers, outputs; at least two.
    public init(_ sizes: [Int], activation: ElementwiseFunction = .tanh) {
        require(sizes.count >= 2, "sizes of an MLP are \(sizes); expected inputs and outputs at least")
        self.sizes = sizes
        self.activation = activation
        var layers: [any Layer<Scalar>] = []
        for (i, (inputs, outputs)) in zip(sizes, sizes.dropFirst()).enumerated() {
            let isLast = i == sizes.count - 2
            layers.append(Dense<Scalar>(inputs, outputs, initializer: isLast ? .glorotUniform : .before(activation)))
            if !isLast { layers.append(Activation<Scalar>(activation)) }
        }
        self.layers = Sequential(layers)
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) { layers.declareParameters(&declaration) }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> { layers(x, pass) }
}
