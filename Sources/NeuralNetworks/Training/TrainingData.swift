import Autodiff
import Datasets
import Kernels
import LinearAlgebra
import Randomness

/// Examples that training draws batches from.
public protocol TrainingData<Input, Target>: Sendable {
    associatedtype Input
    associatedtype Target

    /// The number of examples.
    var count: Int { get }

    /// The examples of these numbers, in that order.
    func batch(_ indices: [Int]) -> (input: Input, target: Target)
}

/// Tensors with a class each.
public struct LabeledTensors<Scalar: KernelScalar>: TrainingData {
    /// One example for each index of the first axis.
    public let inputs: Tensor<Scalar>
    public let labels: [Int]

    /// - Precondition: one label for each example.
    public init(_ inputs: Tensor<Scalar>, labels: [Int]) {
        require(inputs.rank >= 1 && inputs.shape[0] == labels.count,
                "\(labels.count) labels for inputs of shape \(inputs.shape); expected one for each index of the first axis")
        self.inputs = inputs
        self.labels = labels
    }

    /// A data set of classes. The features may be reshaped, e.g. [8, 8, 1] for images.
    ///
    /// - Precondition: the targets are classes, and the shape has as many elements as there are features.
    public init(_ dataset: Dataset<Scalar>, shape: [Int]? = nil) {
        guard let labels = dataset.labels else { fatalError("data set '\(dataset.name)' has numbers as targets; expected classes") }
        let shape = shape ?? [dataset.features.columns]
        self.init(Tensor(dataset.features).reshaped([dataset.count] + shape), labels: labels)
    }

    public var count: Int { labels.count }

    public func batch(_ indices: [Int]) -> (input: Tensor<Scalar>, target: [Int]) {
        (inputs.gathered(indices), indices.map { labels[$0] })
    }
}

/// Tensors with a tensor each, for regression.
public struct PairedTensors<Scalar: KernelScalar>: TrainingData {
    public let inputs: Tensor<Scalar>, targets: Tensor<Scalar>

    /// - Precondition: as many targets as inputs along the first axis.
    public init(_ inputs: Tensor<Scalar>, targets: Tensor<Scalar>) {
        require(inputs.rank >= 1 && targets.rank >= 1 && inputs.shape[0] == targets.shape[0],
                "targets of shape \(targets.shape) for inputs of shape \(inputs.shape); expected equal first extents")
        self.inputs = inputs
        self.targets = targets
    }

    public var count: Int { inputs.shape[0] }

    public func batch(_ indices: [Int]) -> (input: Tensor<Scalar>, target: Tensor<Scalar>) {
        (inputs.gathered(indices), targets.gathered(indices))
    }
}

/// The order in which training goes through its data: each epoch all examples once, in an order of its own, cut into batches.
///
/// Batch b of epoch e depends on seed, e and b alone, so that a run can go on from anywhere.
public struct BatchOrder: Sendable, Hashable {
    public let count: Int, batchSize: Int
    public let seed: UInt64

    /// - Precondition: positive numbers.
    public init(count: Int, batchSize: Int, seed: UInt64) {
        require(count > 0 && batchSize > 0, "batches of \(batchSize) from \(count) examples; expected positive numbers")
        self.count = count
        self.batchSize = batchSize
        self.seed = seed
    }

    /// The last batch of an epoch may be smaller.
    public var batchesPerEpoch: Int { (count + batchSize - 1) / batchSize }

    /// The examples' order in an epoch.
    public func order(epoch: Int) -> [Int] {
        var random = RandomStream(seed: seed, stream: 1).substream(UInt64(epoch))
        return random.permutation(of: count)
    }

    /// The examples of one batch, given ``order(epoch:)``.
    public func batch(_ index: Int, of order: [Int]) -> [Int] {
        require(index >= 0 && index < batchesPerEpoch, "batch \(index) of an epoch of \(batchesPerEpoch)")
        return Array(order[index * batchSize..<min(count, (index + 1) * batchSize)])
    }
}
