import Autodiff
import Kernels

/// Each example as one row: shape [n, …] to [n, product of the rest].
public struct Flatten<Scalar: KernelScalar>: Module {
    public init() {}

    public func declareParameters(_ declaration: inout ParameterDeclaration) {}

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        require(x.rank > 0, "flatten of shape []; expected an axis of examples")
        return x.reshaped([x.shape[0], x.shape.dropFirst().reduce(1, *)])
    }
}
