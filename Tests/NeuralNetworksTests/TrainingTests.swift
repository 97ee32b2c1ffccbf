import Autodiff
import Datasets
import Foundation
import Kernels
import NeuralNetworks
import Optimizers
import Randomness
import Testing

private func digits() throws -> (train: LabeledTensors<Float>, held: LabeledTensors<Float>) {
    let parts = try Dataset<Float>.digits().trainTestSplit(testFraction: 0.25, seed: 1, stratified: true)
    func scaled(_ set: Dataset<Float>) -> LabeledTensors<Float> {
        LabeledTensors(Tensor(set.features) / 16, labels: set.labels!)
    }
    return (scaled(parts.train), scaled(parts.test))
}

private func makeTrainer(
    _ sizes: [Int] = [64, 32, 10], seed: UInt64 = 3, batchSize: Int = 64, dropout: Double = 0
) -> Trainer<Sequential<Float>, Adam<Float>, [Int]> {
    let body = Sequential<Float>([MLP(sizes, activation: .relu), Dropout(dropout)])
    return Trainer(Network(body), loss: .crossEntropy(), optimizer: Adam(learningRate: 1e-2), batchSize: batchSize, seed: seed)
}

private func temporaryPath(_ name: String) -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString).safetensors").path
}

/// The same data, with a pause at one batch of each epoch, so that the observer is called in mid-epoch.
private struct Dawdling: TrainingData {
    let base: LabeledTensors<Float>

    var count: Int { base.count }

    func batch(_ indices: [Int]) -> (input: Tensor<Float>, target: [Int]) {
        if indices.contains(0) { Thread.sleep(forTimeInterval: 0.12) }
        return base.batch(indices)
    }
}

@Suite struct TrainingTests {
    @Test func learnsTheDigits() throws {
        let (train, held) = try digits()
        let trainer = makeTrainer()
        var state = trainer.makeState()
        #expect(abs(trainer.evaluate(state, on: held).loss - 2.303) < 0.5)
        try trainer.train(&state, on: train, validation: held, epochs: 8)
        let judged = trainer.evaluate(state, on: held)
        #expect(judged.accuracy! >= 0.94, "accuracy \(judged.accuracy!)")
        #expect(state.history.count == 8)
        #expect(state.history.last!.loss < state.history.first!.loss / 4)
        #expect(state.history.last!.validation == judged)
        #expect(state.step == 8 * ((train.count + 63) / 64))
    }

    /// An interrupted run that is saved and read again ends with the same bits, drop-out included.
    @Test func resumesToTheBit() throws {
        let (train, held) = try digits()
        let trainer = makeTrainer(dropout: 0.1)
        var whole = trainer.makeState()
        try trainer.train(&whole, on: train, validation: held, epochs: 3)

        var part = trainer.makeState()
        let path = temporaryPath("resume")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try trainer.train(&part, on: Dawdling(base: train), validation: Dawdling(base: held), epochs: 3) {
            $0.epoch == 1 && $0.fraction < 1 ? .stop : .goOn
        }
        #expect(part.epoch == 1 && part.batch > 0, "not in mid-epoch: epoch \(part.epoch), batch \(part.batch)")
        try part.write(to: path, of: trainer.network)
        var resumed = try TrainingState<Float, MomentState<Float>>(path: path, of: trainer.network)
        try trainer.train(&resumed, on: train, validation: held, epochs: 3)
        #expect(resumed.parameters == whole.parameters)
        #expect(resumed.optimizer == whole.optimizer)
        #expect(resumed.history == whole.history)
    }

    @Test func stopsEarly() throws {
        let (train, held) = try digits()
        let trainer = Trainer(
            Network(MLP<Float>([64, 10])), loss: .crossEntropy(), optimizer: SGD<Float>(learningRate: 0), batchSize: 256, seed: 1)
        var state = trainer.makeState()
        try trainer.train(&state, on: train, validation: held, epochs: 50, earlyStopping: EarlyStopping(patience: 3))
        #expect(state.history.count == 4)
        #expect(state.best?.record.epoch == 0)
    }

    @Test func reportsTheStepAndTheBlockOfANonFiniteNumber() throws {
        let network = Network(MLP<Double>([2, 3, 2]))
        let trainer = Trainer(network, loss: .crossEntropy(), optimizer: Adam<Double>(), batchSize: 2, seed: 1)
        var state = trainer.makeState()
        try trainer.step(&state, input: Tensor(shape: [2, 2], elements: [1, 2, 3, 4]), target: [0, 1])
        let good = state.parameters
        do {
            try trainer.step(&state, input: Tensor(shape: [2, 2], elements: [1, .nan, 3, 4]), target: [0, 1])
            Issue.record("a NaN was taken")
        } catch TrainingError.nonFinite(let step) {
            #expect(step.step == 1)
            #expect(step.loss.isNaN)
            #expect(step.block == "0.weight")
        }
        #expect(state.parameters == good)
        #expect(state.step == 1)
    }

    @Test func epochsAreOrdersOfAllExamples() {
        let order = BatchOrder(count: 103, batchSize: 10, seed: 5)
        let first = order.order(epoch: 0)
        #expect(first.sorted() == Array(0..<103))
        #expect(first == order.order(epoch: 0))
        #expect(first != order.order(epoch: 1))
        #expect((0..<order.batchesPerEpoch).flatMap { order.batch($0, of: first) } == first)
        #expect(order.batch(10, of: first).count == 3)
    }
}

@Suite struct CheckpointTests {
    typealias State = TrainingState<Float, MomentState<Float>>

    private func refused(_ path: String, _ network: Network<Sequential<Float>>, _ part: String) {
        do {
            _ = try State(path: path, of: network)
            Issue.record("\(path) was taken; expected an error with '\(part)'")
        } catch {
            #expect(error.description.contains(part), "\(error)")
        }
    }

    @Test func refusesWhatDoesNotFit() throws {
        let trainer = makeTrainer()
        let path = temporaryPath("checkpoint")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try trainer.makeState().write(to: path, of: trainer.network)
        refused(path, makeTrainer([64, 33, 10]).network, "shape [64, 32]; expected [64, 33]")
        refused(path, makeTrainer([64, 32, 10, 10]).network, "lacks the parameter '0.4.weight'")
        refused("/nowhere/at/all", trainer.network, "cannot read")

        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in [0, 5, 200, bytes.count / 2, bytes.count - 1] {
            try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
            refused(path, trainer.network, "cannot read")
        }
        let (arrays, _) = try Safetensors.read([UInt8](bytes))
        func write(_ arrays: [String: NumericArray], _ metadata: [String: String]) throws {
            try Data(Safetensors.write(arrays, metadata: metadata)).write(to: URL(fileURLWithPath: path))
        }
        try write(arrays, [:])
        refused(path, trainer.network, "no checkpoint")
        try write(arrays, ["descent.checkpoint": "2"])
        refused(path, trainer.network, "has version 2; expected 1")
        try write(arrays.merging(["more": NumericArray([1, 2] as [Float])]) { a, _ in a }, ["descent.checkpoint": "1"])
        refused(path, trainer.network, "a parameter 'more' that the network has not")
        var damaged = arrays
        damaged["training.state"] = NumericArray(shape: [3], elementType: .uint8, bytes: [1, 2, 3])
        try write(damaged, ["descent.checkpoint": "1"])
        refused(path, trainer.network, "another optimiser or is damaged")
    }

    @Test func ofAnotherOptimizerIsRefused() throws {
        let trainer = makeTrainer()
        let path = temporaryPath("checkpoint")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try trainer.makeState().write(to: path, of: trainer.network)
        #expect(throws: CheckpointError.self) {
            _ = try TrainingState<Float, String>(path: path, of: trainer.network)
        }
    }
}

/// For a weight of shape [400, 300].
private let variances: [(Initializer, Double)] = {
    let glorot = 2.0 / 700, he = 2.0 / 400
    return [
        (.glorotUniform, glorot), (.glorotNormal, glorot), (.heNormal, he), (.heUniform, he), (.lecunNormal, he / 2),
        (.normal(standardDeviation: 0.3), 0.09), (.uniform(bound: 0.6), 0.12),
    ]
}()

@Suite struct NetworkTests {
    @Test func layoutNamesEveryParameter() {
        let network = Network(MLP<Double>([4, 3, 2]))
        #expect(network.layout.blocks.map(\.name) == ["0.weight", "0.bias", "2.weight", "2.bias"])
        #expect(network.parameterCount == 4 * 3 + 3 + 3 * 2 + 2)
        let parameters = network.initialParameters(seed: 1)
        #expect(parameters == network.initialParameters(seed: 1))
        #expect(parameters != network.initialParameters(seed: 2))
        let tree = network.tree(parameters)
        #expect(tree[1].tensor.elements == [0, 0, 0])
        #expect(tree.flatMap(\.tensor.elements) == parameters)
    }

    @Test func mlpIsItsFormula() {
        let network = Network(MLP<Double>([4, 3, 2], activation: .tanh))
        let tree = network.tree(network.initialParameters(seed: 1)).map(\.tensor)
        var random = RandomStream(seed: 2)
        let x = Tensor<Double>(shape: [5, 4], elements: random.normal(count: 20))
        let hidden = (matmul(x, tree[0]) + tree[1]).tanh()
        #expect(network(x, Tensor(network.initialParameters(seed: 1))) == affine(hidden, tree[2], tree[3]))
    }

    /// Variances as the formulas say, to five standard errors.
    @Test(arguments: variances)
    func initializersHaveTheirVariance(_ initializer: Initializer, _ variance: Double) {
        let network = Network(Dense<Double>(400, 300, hasBias: false, initializer: initializer))
        let x = network.initialParameters(seed: 4)
        let n = Double(x.count), squares = x.reduce(0) { $0 + $1 * $1 } / n
        #expect(abs(squares - variance) < 5 * variance * (2 / n).squareRoot(), "\(squares), expected \(variance)")
        #expect(abs(x.reduce(0, +) / n) < 5 * (variance / n).squareRoot())
    }

    @Test func dropoutKeepsTheMeanAndRepeats() {
        let network = Network(Dropout<Double>(0.25))
        let x = Tensor<Double>.ones([100, 100]), none = Tensor<Double>([])
        func pass(_ step: UInt64) -> Tensor<Double> {
            network.trainingPass(x, none, statistics: [], random: RandomStream(seed: step)).output
        }
        #expect(network(x, none) == x)
        #expect(pass(1) == pass(1) && pass(1) != pass(2))
        #expect(Set(pass(1).elements) == [0, 1 / 0.75])
        // The share that is kept, to five standard errors.
        #expect(abs(pass(1).mean().scalar - 1) < 5 * (0.25 / 0.75 / 1e4).squareRoot())
    }

    @Test func lossesAreTheirFormulas() {
        let scores = Tensor<Double>(shape: [2, 3], elements: [1, 2, 3, 0, -1, 4])
        let smooth = Loss<Double, [Int]>.crossEntropy(smoothing: 0.3)
        let p = scores.logSoftmax()
        let target: [Double] = [0.1, 0.1, 0.8, 0.8, 0.1, 0.1]
        let expected = -zip(target, p.elements).reduce(0) { $0 + $1.0 * $1.1 } / 2
        #expect(abs(smooth.value(scores, [2, 0]).scalar - expected) < 1e-14)
        #expect(smooth.accuracy!(scores, [2, 0]) == 0.5)
        let binary = Loss<Double, Tensor<Double>>.binaryCrossEntropy
        let value = binary.value(Tensor([2.0]), Tensor([0.25])).scalar
        let q = 1 / (1 + exp(-2.0))
        #expect(abs(value + 0.25 * log(q) + 0.75 * log(1 - q)) < 1e-14)
        #expect(Loss<Double, Tensor<Double>>.meanSquaredError.value(Tensor([1.0, 2]), Tensor([0.0, 4])).scalar == 2.5)
    }
}
