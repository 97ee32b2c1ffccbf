import ArgumentParser
import Descent
import Foundation

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a network on real data, with progress, checkpoints and resumption.",
        discussion: "Three fifths of the examples are trained on, one judges each epoch, and one is kept for the end.")

    enum DataName: String, ExpressibleByArgument, CaseIterable { case digits }
    enum Model: String, ExpressibleByArgument, CaseIterable { case mlp, cnn }
    enum Method: String, ExpressibleByArgument, CaseIterable { case sgd, adam }

    @Argument(help: "The data set.")
    var data: DataName

    @Option(help: "A perceptron 64-128-10, or a CNN of two convolutions and two dense layers.")
    var model = Model.mlp

    @Option(help: "SGD with momentum 0.9, or Adam.")
    var optimizer = Method.adam

    @Option(help: "How many times to go through the data, counted from the very first.")
    var epochs = 20

    @Option(help: "Examples in a step.")
    var batchSize = 64

    @Option(help: "The step size (default: 0.05 for sgd, 0.002 for adam).")
    var learningRate: Double?

    @Option(help: "Stop when the validation loss has not fallen for so many epochs.")
    var patience: Int?

    @Option(help: "Write the state of the training to this file after each epoch.")
    var checkpoint: String?

    @Flag(help: "Go on from the checkpoint.")
    var resume = false

    @Option(help: "The seed of parameters and order.")
    var seed: UInt64 = 0

    @Option(help: "How many threads to use (default: DESCENT_NUM_THREADS, else all cores).")
    var threads: Int?

    @Flag(help: "Print one JSON object an epoch, and one for the end, instead of text.")
    var json = false

    func validate() throws {
        if epochs < 1 { throw ValidationError("--epochs is \(epochs); expected at least 1.") }
        if batchSize < 1 { throw ValidationError("--batch-size is \(batchSize); expected at least 1.") }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected at least 1.") }
        if let patience, patience < 1 { throw ValidationError("--patience is \(patience); expected at least 1.") }
        if let learningRate, !(learningRate.isFinite && learningRate >= 0) {
            throw ValidationError("--learning-rate is \(learningRate); expected a finite number, at least 0.")
        }
        if resume, checkpoint == nil { throw ValidationError("--resume goes on from a checkpoint: name it with --checkpoint.") }
    }

    func run() throws {
        try DescentTool.checkEnvironment()
        if let threads { Threads.count = threads }
        switch model {
        case .mlp: try train(MLP<Float>([64, 128, 10], activation: .relu), shape: [64])
        case .cnn: try train(CNN<Float>(image: (8, 8, 1), filters: [16, 32], hidden: 128, classes: 10), shape: [8, 8, 1])
        }
    }

    private func train<Body: Layer<Float>>(_ body: Body, shape: [Int]) throws {
        switch optimizer {
        case .sgd: try train(body, SGD<Float>(learningRate: .constant(learningRate ?? 0.05), momentum: 0.9), shape)
        case .adam: try train(body, Adam<Float>(learningRate: .constant(learningRate ?? 0.002)), shape)
        }
    }

    private func train<Body: Layer<Float>, Method: Optimizer<Float>>(_ body: Body, _ optimizer: Method, _ shape: [Int]) throws {
        let digits = try Dataset<Float>.digits()
        let scaled = digits.replacingFeatures(digits.features.map { $0 / 16 })
        let first = scaled.trainTestSplit(testFraction: 0.2, seed: 0, stratified: true)
        let second = first.train.trainTestSplit(testFraction: 0.25, seed: 0, stratified: true)
        let (data, validation, test) = (
            LabeledTensors(second.train, shape: shape), LabeledTensors(second.test, shape: shape), LabeledTensors(first.test, shape: shape))

        let trainer = Trainer(Network(body), loss: .crossEntropy(), optimizer: optimizer, batchSize: batchSize, seed: seed)
        var state = trainer.makeState()
        if resume, let checkpoint { state = try .init(path: checkpoint, of: trainer.network) }
        if !json {
            print("\(data.count) digits, \(model.rawValue) of \(trainer.network.parameterCount) parameters, \(self.optimizer.rawValue)"
                + (state.epoch > 0 ? ", from epoch \(state.epoch + 1) on" : ""))
        }
        let bar = ProgressBar()
        // One epoch at a time, so that what is saved is what the next epoch begins with.
        while state.epoch < epochs {
            try trainer.train(&state, on: data, validation: validation, epochs: state.epoch + 1) {
                bar.show((Double($0.epoch) + $0.fraction) / Double(epochs), "epoch \($0.epoch + 1) of \(epochs), loss \(rounded($0.loss))")
                return .goOn
            }
            bar.clear()
            let record = state.history.last!, judged = record.validation!
            if json {
                try printJSON(record)
            } else {
                print("epoch \(record.epoch + 1): loss \(rounded(record.loss)), validation loss \(rounded(judged.loss)), "
                    + "accuracy \(rounded(100 * judged.accuracy!)) %")
            }
            if let checkpoint { try state.write(to: checkpoint, of: trainer.network) }
            if let patience, EarlyStopping(patience: patience).isDue(state.history) { break }
        }
        let final = trainer.evaluate(state, on: test)
        if json {
            try printJSON(["test": final])
        } else {
            print("test: loss \(rounded(final.loss)), accuracy \(rounded(100 * final.accuracy!)) %"
                + (checkpoint.map { "; checkpoint \($0)" } ?? ""))
        }
    }
}

/// A number to four decimals.
private func rounded(_ x: Double) -> String { String(format: "%.4f", x) }
