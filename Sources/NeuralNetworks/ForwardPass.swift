import Autodiff
import Kernels
import Optimizers
import Randomness
import Synchronization

/// What a module computes with: its parameters, whether it is trained, and where random choices come from.
public struct ForwardPass<Scalar: KernelScalar>: Sendable {
    /// Whether this is a step of training: drop-out drops, and batch statistics are used and gathered.
    public let isTraining: Bool
    private let parameters: Tensor<Scalar>, statistics: Tensor<Scalar>
    private let places: Places
    private let recorder: StatisticsRecorder<Scalar>
    private let random: RandomStream
    private let path: String

    init(
        parameters: Tensor<Scalar>, statistics: Tensor<Scalar>, places: Places, recorder: StatisticsRecorder<Scalar>, isTraining: Bool,
        random: RandomStream, path: String = ""
    ) {
        self.parameters = parameters
        self.statistics = statistics
        self.places = places
        self.recorder = recorder
        self.isTraining = isTraining
        self.random = random
        self.path = path
    }

    /// The module's own parameter or statistic of this name, seen in the flat vector without a copy.
    ///
    /// - Precondition: the module has declared it.
    public subscript(_ name: String) -> Tensor<Scalar> {
        let full = path + name
        if let block = places.parameters[full] { return parameters.part(from: block.offset, shape: block.shape) }
        guard let block = places.statistics[full] else { fatalError("no parameter '\(full)' was declared") }
        return statistics.part(from: block.offset, shape: block.shape)
    }

    /// The pass as a part of this name sees it.
    public func part(_ name: String) -> ForwardPass {
        ForwardPass(parameters: parameters, statistics: statistics, places: places, recorder: recorder, isTraining: isTraining,
                    random: random, path: path + name + ".")
    }

    /// Random numbers of the module's own in this pass: the same for the same seed, step and place in the network.
    public func randomStream() -> RandomStream {
        // FNV-1a of the path.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return random.substream(hash)
    }

    /// Keeps the new value of a statistic that the module has declared.
    public func record(_ name: String, _ value: Tensor<Scalar>) {
        let full = path + name
        guard let block = places.statistics[full] else { fatalError("no statistic '\(full)' was declared") }
        require(value.shape == block.shape, "statistic '\(full)' of shape \(value.shape); expected \(block.shape)")
        recorder.values.withLock { $0.append((block.offset, value.elements)) }
    }
}

/// Where each name lies in the flat vectors.
final class Places: Sendable {
    let parameters: [String: ParameterBlock], statistics: [String: ParameterBlock]

    init(_ parameters: ParameterLayout, _ statistics: ParameterLayout) {
        func index(_ layout: ParameterLayout) -> [String: ParameterBlock] {
            Dictionary(uniqueKeysWithValues: layout.blocks.map { ($0.name, $0) })
        }
        self.parameters = index(parameters)
        self.statistics = index(statistics)
    }
}

final class StatisticsRecorder<Scalar: KernelScalar>: Sendable {
    let values = Mutex<[(offset: Int, elements: [Scalar])]>([])
}
