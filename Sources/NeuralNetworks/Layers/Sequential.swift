import Autodiff
import Kernels

/// Layers one after the other; their parameters are named "0.…", "1.…", ….
public struct Sequential<Scalar: KernelScalar>: Module {
    public let layers: [any Layer<Scalar>]

    public init(_ layers: [any Layer<Scalar>]) { self.layers = layers }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        for (i, layer) in layers.enumerated() { declaration.add("\(i)", layer) }
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        var y = x
        for (i, layer) in layers.enumerated() { y = layer(y, pass.part("\(i)")) }
        return y
    }
}
