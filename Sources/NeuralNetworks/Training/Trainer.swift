import Autodiff
import Kernels
import Objectives
import Optimizers
import Randomness

/// Minibatch training of a network.
///
/// ```swift
/// let trainer = Trainer(network, loss: .crossEntropy(), optimizer: Adam(learningRate: 1e-3), batchSize: 64, seed: 1)
/// var state = trainer.makeState()
/// try trainer.train(&state, on: data, validation: held, epochs: 20) { print($0) ; return .goOn }
/// ```
///
/// The state holds all that the next step depends on. One that was saved (``TrainingState/write(to:of:)``) and read
/// again goes on to the same bits as an uninterrupted run.
public struct Trainer<Body: Module, Method: Optimizer, Target>: Sendable where Method.Scalar == Body.Scalar {
    public typealias Scalar = Body.Scalar
    public typealias State = TrainingState<Scalar, Method.OptimizerState>

    public let network: Network<Body>
    public let loss: Loss<Scalar, Target>
    public let optimizer: Method
    public let batchSize: Int
    public let seed: UInt64

    /// - Parameters:
    ///   - batchSize: examples in a step; the last of an epoch may have fewer.
    ///   - seed: of the initial parameters, the order of examples and drop-out.
    public init(_ network: Network<Body>, loss: Loss<Scalar, Target>, optimizer: Method, batchSize: Int, seed: UInt64) {
        require(batchSize > 0, "batch size is \(batchSize); expected a positive number")
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.batchSize = batchSize
        self.seed = seed
    }

    /// The state before the first step.
    ///
    /// - Parameter parameters: those of another training to go on from; new ones if `nil`.
    /// - Precondition: as many as the network has.
    public func makeState(parameters: [Scalar]? = nil) -> State {
        let parameters = parameters ?? network.initialParameters(seed: seed)
        require(parameters.count == network.parameterCount, "\(parameters.count) parameters; the network has \(network.parameterCount)")
        return State(parameters: parameters, statistics: network.initialStatistics(), optimizer: optimizer.initialState(like: parameters))
    }

    /// One step on a batch.
    ///
    /// - Returns: the loss of the batch before the step.
    /// - Throws: ``TrainingError/nonFinite(_:)``; the state is then as it was, the last good one.
    @discardableResult
    public func step(_ state: inout State, input: Body.Input, target: Target) throws(TrainingError) -> Scalar {
        let random = RandomStream(seed: seed, stream: 2).substream(UInt64(state.step))
        let before = state.statistics
        var after = before
        let (value, gradient) = valueAndGradient(of: { (parameters: Tensor<Scalar>) in
            let pass = network.trainingPass(input, parameters, statistics: before, random: random)
            after = pass.statistics
            return loss.value(pass.output, target)
        })(Tensor(state.parameters))
        guard value.scalar.isFinite, Scalar.maxAbs(gradient.span).isFinite, Scalar.maxAbs(after.span).isFinite else {
            throw .nonFinite(NonFiniteStep(
                step: state.step, epoch: state.epoch, loss: Double(value.scalar),
                block: network.layout.blocks.first { block in
                    !Scalar.maxAbs(gradient.span.extracting(block.range)).isFinite
                }?.name))
        }
        optimizer.step(&state.parameters, gradient: gradient.elements, state: &state.optimizer)
        state.statistics = after
        state.step += 1
        return value.scalar
    }

    /// Trains until `epochs` epochs are done, counted from the very first, or early stopping or the observer ends it.
    ///
    /// A state in mid-epoch goes on there. Whatever ends the training, the state holds the last good parameters.
    ///
    /// - Parameters:
    ///   - validation: examples to judge each epoch by; without them early stopping has nothing to go by.
    ///   - earlyStopping: `nil` goes through all epochs.
    ///   - observer: called at the end of each epoch, and in between at most ten times a second; `.stop` ends the training after the
    ///     step at hand.
    /// - Throws: ``TrainingError/nonFinite(_:)`` with the step and the parameter block.
    public func train<Data: TrainingData>(
        _ state: inout State, on data: Data, validation: Data? = nil, epochs: Int, earlyStopping: EarlyStopping? = nil,
        observer: (TrainingProgress) -> TrainingProgress.Reaction = { _ in .goOn }
    ) throws(TrainingError) where Data.Input == Body.Input, Data.Target == Target {
        let order = BatchOrder(count: data.count, batchSize: batchSize, seed: seed)
        let clock = ContinuousClock(), start = clock.now
        var lastCall = start
        while state.epoch < epochs {
            let examples = order.order(epoch: state.epoch)
            while state.batch < order.batchesPerEpoch {
                let indices = order.batch(state.batch, of: examples)
                let (input, target) = data.batch(indices)
                let value = try step(&state, input: input, target: target)
                state.batch += 1
                state.lossSum += Double(value) * Double(indices.count)
                if state.batch < order.batchesPerEpoch, clock.now - lastCall >= .milliseconds(100) {
                    lastCall = clock.now
                    let done = Double(min(data.count, state.batch * batchSize))
                    let progress = TrainingProgress(
                        epoch: state.epoch, epochs: epochs, step: state.step, fraction: done / Double(data.count), loss: state.lossSum / done,
                        validation: nil, seconds: (clock.now - start).inSeconds)
                    if observer(progress) == .stop { return }
                }
            }
            let judged = validation.map { evaluate(state, on: $0) }
            let record = EpochRecord(epoch: state.epoch, loss: state.lossSum / Double(data.count), validation: judged)
            state.finishEpoch(record)
            lastCall = clock.now
            let progress = TrainingProgress(
                epoch: record.epoch, epochs: epochs, step: state.step, fraction: 1, loss: record.loss, validation: judged,
                seconds: (clock.now - start).inSeconds)
            if observer(progress) == .stop { return }
            if let earlyStopping, earlyStopping.isDue(state.history) { return }
        }
    }

    /// The mean loss and accuracy on examples, in inference.
    public func evaluate<Data: TrainingData>(_ state: State, on data: Data) -> Evaluation
    where Data.Input == Body.Input, Data.Target == Target {
        var lossSum = 0.0, right = 0.0
        let parameters = Tensor(state.parameters)
        for start in stride(from: 0, to: data.count, by: batchSize) {
            let indices = Array(start..<min(data.count, start + batchSize))
            let (input, target) = data.batch(indices)
            let output = network(input, parameters, statistics: state.statistics)
            lossSum += Double(loss.value(output, target).scalar) * Double(indices.count)
            if let accuracy = loss.accuracy { right += accuracy(output, target) * Double(indices.count) }
        }
        let count = Double(max(1, data.count))
        return Evaluation(loss: lossSum / count, accuracy: loss.accuracy == nil ? nil : right / count)
    }
}

/// What a trained network reaches on examples.
public struct Evaluation: Sendable, Hashable, Codable {
    /// The mean over examples.
    public let loss: Double
    /// The share that is right, for classes.
    public let accuracy: Double?
}

/// Ends training when the validation loss has not fallen by more than `minimumChange` for `patience` epochs.
public struct EarlyStopping: Sendable, Hashable {
    public let patience: Int
    public let minimumChange: Double

    /// - Precondition: `patience` is positive, `minimumChange` is not negative.
    public init(patience: Int, minimumChange: Double = 0) {
        require(patience > 0, "patience is \(patience); expected a positive number of epochs")
        require(minimumChange >= 0, "minimum change is \(minimumChange); expected no negative number")
        self.patience = patience
        self.minimumChange = minimumChange
    }

    /// Whether the epochs so far call for the end.
    public func isDue(_ history: [EpochRecord]) -> Bool {
        var best = Double.infinity, since = 0
        for loss in history.compactMap({ $0.validation?.loss }) {
            if loss < best - minimumChange { (best, since) = (loss, 0) } else { since += 1 }
        }
        return since >= patience
    }
}

/// Where training stands.
public struct TrainingProgress: Sendable {
    public enum Reaction: Sendable { case goOn, stop }

    /// The epoch at hand, from 0, and how many there will be.
    public let epoch: Int, epochs: Int
    /// Steps done.
    public let step: Int
    /// The part of the epoch that is done, from 0 to 1; 1 comes once an epoch, with the validation.
    public let fraction: Double
    /// The mean loss of the epoch so far.
    public let loss: Double
    public let validation: Evaluation?
    /// Since this call of `train`.
    public let seconds: Double
}

/// Why training ended too soon.
public enum TrainingError: Error, Sendable, CustomStringConvertible {
    /// A loss, gradient or statistic is NaN or infinite. Nothing of that step was kept.
    case nonFinite(NonFiniteStep)

    public var description: String {
        switch self {
        case .nonFinite(let step):
            "step \(step.step) of epoch \(step.epoch): the loss is \(step.loss)"
                + (step.block.map { " and the gradient of '\($0)' is not finite" } ?? "") + "; the parameters before it are kept"
        }
    }
}

/// The step whose numbers are not finite.
public struct NonFiniteStep: Sendable, Hashable {
    public let step: Int, epoch: Int
    public let loss: Double
    /// The first block of parameters whose gradient is not finite.
    public let block: String?
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + 1e-18 * Double(components.attoseconds) }
}
