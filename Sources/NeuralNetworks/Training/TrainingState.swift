import Kernels

/// Everything that the next step of a training depends on.
public struct TrainingState<Scalar: KernelScalar, OptimizerState: Codable & Sendable>: Codable, Sendable {
    public internal(set) var parameters: [Scalar]
    public internal(set) var statistics: [Scalar]
    public internal(set) var optimizer: OptimizerState
    /// Steps done.
    public internal(set) var step = 0
    /// The epoch at hand, from 0, and its batches done.
    public internal(set) var epoch = 0, batch = 0
    /// The sum of losses over the examples of this epoch so far.
    var lossSum = 0.0
    /// One record for each finished epoch.
    public internal(set) var history: [EpochRecord] = []
    /// The parameters after the epoch with the lowest validation loss; nil before there is one.
    public internal(set) var best: Best?

    public struct Best: Codable, Sendable {
        public let record: EpochRecord
        public let parameters: [Scalar], statistics: [Scalar]
    }

    init(parameters: [Scalar], statistics: [Scalar], optimizer: OptimizerState) {
        self.parameters = parameters
        self.statistics = statistics
        self.optimizer = optimizer
    }

    mutating func finishEpoch(_ record: EpochRecord) {
        history.append(record)
        epoch += 1
        batch = 0
        lossSum = 0
        if let loss = record.validation?.loss, loss < best?.record.validation?.loss ?? .infinity {
            best = Best(record: record, parameters: parameters, statistics: statistics)
        }
    }
}

/// What an epoch reached.
public struct EpochRecord: Sendable, Hashable, Codable {
    /// From 0.
    public let epoch: Int
    /// The mean training loss over the epoch, with the parameters changing.
    public let loss: Double
    public let validation: Evaluation?
}
