import Autodiff
import Kernels

/// An elementwise function as a layer.
public struct Activation<Scalar: KernelScalar>: Module {
    public let function: ElementwiseFunction

    public init(_ function: ElementwiseFunction) { self.function = function }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {}

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> { x.applying(function) }
}

extension Initializer {
    /// What suits a layer before this function: He's for those that are 0 on one side, Glorot's for the others.
    static func before(_ function: ElementwiseFunction) -> Initializer {
        switch function {
        case .relu, .gelu, .silu, .softplus: .heNormal
        default: .glorotUniform
        }
    }
}
