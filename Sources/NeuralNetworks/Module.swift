import Autodiff
import Kernels
import Optimizers

/// A differentiable function with named parameters, as a value of its hyper-parameters.
///
/// A module says what parameters it has and computes with the ones it is given; it holds none. They all lie in one flat vector, so that
/// an optimiser, a curvature estimate or an average of two models sees just that (``Network``).
///
/// ```swift
/// struct Gate<Scalar: KernelScalar>: Module {            // y = x ∘ σ(x·W)
///     let size: Int
///     func declareParameters(_ declaration: inout ParameterDeclaration) {
///         declaration.add("weight", shape: [size, size], .glorotUniform)
///     }
///     func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
///         x * matmul(x, pass["weight"]).logistic()
///     }
/// }
/// ```
public protocol Module<Input, Scalar>: Sendable {
    /// What it takes: a tensor for a layer, token numbers for an encoder of text.
    associatedtype Input
    associatedtype Scalar: KernelScalar

    /// Adds the module's parameters and parts.
    func declareParameters(_ declaration: inout ParameterDeclaration)

    /// The output for a batch of inputs.
    func callAsFunction(_ input: Input, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar>
}

/// A module from tensors to tensors.
public typealias Layer<Scalar: KernelScalar> = Module<Tensor<Scalar>, Scalar>

/// Gathers what parameters a module has.
public struct ParameterDeclaration {
    struct Entry {
        let name: String, shape: [Int], initializer: Initializer
    }

    private(set) var parameters: [Entry] = []
    private(set) var statistics: [Entry] = []
    private var path = ""

    init() {}

    /// A parameter that is trained.
    ///
    /// - Precondition: the name is new here.
    public mutating func add(_ name: String, shape: [Int], _ initializer: Initializer) {
        parameters.append(entry(name, shape, initializer))
    }

    /// Numbers that training gathers and inference reads, such as a running mean. They are no parameters.
    ///
    /// - Precondition: the name is new here.
    public mutating func addStatistic(_ name: String, shape: [Int], _ initializer: Initializer) {
        statistics.append(entry(name, shape, initializer))
    }

    /// A part, whose parameters get the names "`name`.…".
    public mutating func add(_ name: String, _ part: some Module) {
        let outer = path
        path += name + "."
        part.declareParameters(&self)
        path = outer
    }

    private func entry(_ name: String, _ shape: [Int], _ initializer: Initializer) -> Entry {
        let full = path + name
        require(!(parameters + statistics).contains { $0.name == full }, "two parameters are named '\(full)'; expected different names")
        return Entry(name: full, shape: shape, initializer: initializer)
    }
}
