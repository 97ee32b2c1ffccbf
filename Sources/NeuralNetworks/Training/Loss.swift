import Autodiff
import Kernels

/// What training minimises, and how an output is judged.
public struct Loss<Scalar: KernelScalar, Target>: Sendable {
    /// The mean loss of a batch: one number.
    public let value: @Sendable (_ output: Tensor<Scalar>, _ target: Target) -> Tensor<Scalar>
    /// The share of a batch that is right, for classes; nil where that has no meaning.
    public let accuracy: (@Sendable (_ output: Tensor<Scalar>, _ target: Target) -> Double)?

    public init(
        value: @escaping @Sendable (_ output: Tensor<Scalar>, _ target: Target) -> Tensor<Scalar>,
        accuracy: (@Sendable (_ output: Tensor<Scalar>, _ target: Target) -> Double)? = nil
    ) {
        self.value = value
        self.accuracy = accuracy
    }
}

extension Loss where Target == [Int] {
    /// The cross entropy of class scores (`crossEntropy(_:labels:)` of `Autodiff`).
    ///
    /// - Parameter smoothing: ε of label smoothing: the target is (1 − ε) onehot + ε/classes.
    public static func crossEntropy(smoothing: Scalar = 0) -> Loss {
        require(smoothing >= 0 && smoothing < 1, "label smoothing is \(smoothing); expected at least 0 and less than 1")
        return Loss { output, labels in
            let hard = Autodiff.crossEntropy(output, labels: labels)
            guard smoothing > 0 else { return hard }
            return (1 - smoothing) * hard - smoothing * output.logSoftmax().mean()
        } accuracy: { output, labels in
            Double(zip(output.argmax(), labels).count { $0 == $1 }) / Double(labels.count)
        }
    }
}

extension Loss where Target == Tensor<Scalar> {
    /// The mean of (output − target)² over all elements; PyTorch's `MSELoss`.
    public static var meanSquaredError: Loss {
        Loss { output, target in
            require(output.shape == target.shape, "mean squared error of shape \(output.shape) and target \(target.shape); expected equal shapes")
            return (output - target).squared().mean()
        }
    }

    /// The mean of ln(1 + eˣ) − t x: binary cross entropy of scores x (logits) against targets t from 0 to 1.
    public static var binaryCrossEntropy: Loss {
        Loss { output, target in
            require(output.shape == target.shape, "binary cross entropy of shape \(output.shape) and target \(target.shape); expected equal shapes")
            return (output.softplus() - target * output).mean()
        } accuracy: { output, target in
            Double(zip(output.elements, target.elements).count { ($0 >= 0) == ($1 >= 0.5) }) / Double(max(1, output.count))
        }
    }
}
