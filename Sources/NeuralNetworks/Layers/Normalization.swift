import Autodiff
import Kernels

/// (x − μ) / √(σ² + ε) · scale + shift, with mean and variance of each row of the last axis (`layerNorm(_:_:_:epsilon:)`).
public struct LayerNorm<Scalar: KernelScalar>: Module {
    public let size: Int
    public let epsilon: Scalar

    public init(_ size: Int, epsilon: Scalar = 1e-5) {
        require(size > 0, "layer norm of size \(size); expected a positive number")
        self.size = size
        self.epsilon = epsilon
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("scale", shape: [size], .ones)
        declaration.add("shift", shape: [size], .zeros)
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        layerNorm(x, pass["scale"], pass["shift"], epsilon: epsilon)
    }
}

/// (x − μ) / √(σ² + ε) · scale + shift, with mean and variance of each channel (the last axis) over the batch in training, and their
/// running averages in inference.
///
/// The averages move by running ← (1 − momentum) running + momentum · batch, with the unbiased variance, as in PyTorch.
public struct BatchNorm<Scalar: KernelScalar>: Module {
    public let channels: Int
    public let momentum: Scalar
    public let epsilon: Scalar

    public init(_ channels: Int, momentum: Scalar = 0.1, epsilon: Scalar = 1e-5) {
        require(channels > 0, "batch norm of \(channels) channels; expected a positive number")
        require(momentum >= 0 && momentum <= 1, "momentum is \(momentum); expected at least 0 and at most 1")
        self.channels = channels
        self.momentum = momentum
        self.epsilon = epsilon
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("scale", shape: [channels], .ones)
        declaration.add("shift", shape: [channels], .zeros)
        declaration.addStatistic("mean", shape: [channels], .zeros)
        declaration.addStatistic("variance", shape: [channels], .ones)
    }

    public func callAsFunction(_ x: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        guard pass.isTraining else {
            return batchNorm(x, pass["scale"], pass["shift"], mean: pass["mean"], variance: pass["variance"], epsilon: epsilon)
        }
        let (output, mean, variance) = batchNorm(x, pass["scale"], pass["shift"], epsilon: epsilon)
        let count = Scalar(x.count / channels)
        let unbiased = variance * (count / max(1, count - 1))
        pass.record("mean", (1 - momentum) * pass["mean"] + momentum * mean)
        pass.record("variance", (1 - momentum) * pass["variance"] + momentum * unbiased)
        return output
    }
}
