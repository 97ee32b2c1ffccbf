import Autodiff
import Kernels
import Randomness

/// In training, each element is 0 with probability `rate` and divided by 1 − `rate` otherwise; in inference nothing happens.
public struct Dropout<Scalar: KernelScalar>: Module {
    public let rate: Double

    public init(_ rate: Double) {
        require(rate >= 0 && rate < 1, "drop-out rate is \(rate); expected at least 0 and less than 1")
        self.rate = rate
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {}

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        guard pass.isTraining, rate > 0 else { return x }
        var random = pass.randomStream()
        let uniform: [Scalar] = random.uniform(count: x.count)
        let kept = Scalar(1 / (1 - rate))
        return x * Tensor(shape: x.shape, elements: uniform.map { $0 < Scalar(rate) ? 0 : kept })
    }
}
