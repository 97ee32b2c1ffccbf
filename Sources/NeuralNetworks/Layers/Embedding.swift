import Autodiff
import Kernels

/// A vector for each of `count` numbers, looked up.
public struct Embedding<Scalar: KernelScalar>: Module {
    public let count: Int, size: Int
    public let initializer: Initializer

    public init(_ count: Int, _ size: Int, initializer: Initializer = .normal(standardDeviation: 0.02)) {
        require(count > 0 && size > 0, "embedding of \(count) numbers in \(size) dimensions; expected positive numbers")
        self.count = count
        self.size = size
        self.initializer = initializer
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("weight", shape: [count, size], initializer)
    }

    /// One row for each number.
    ///
    /// - Precondition: each is in 0 ..< `count`.
    public func callAsFunction(_ indices: [Int], _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> { pass["weight"].gathered(indices) }
}
