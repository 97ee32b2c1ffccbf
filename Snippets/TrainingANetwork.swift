// A network on the digits: a module, a trainer, and a state that can be saved.
import Descent

let digits = try Dataset<Float>.digits()
let parts = digits.replacingFeatures(digits.features.map { $0 / 16 })
    .trainTestSplit(testFraction: 0.25, seed: 1, stratified: true)
let (data, held) = (LabeledTensors(parts.train), LabeledTensors(parts.test))

let network = Network(MLP<Float>([64, 64, 10], activation: .relu))
let trainer = Trainer(network, loss: .crossEntropy(), optimizer: Adam(learningRate: 5e-3), batchSize: 64, seed: 1)
var state = trainer.makeState()
try trainer.train(&state, on: data, validation: held, epochs: 5) { progress in
    if progress.fraction == 1 { print("epoch \(progress.epoch + 1): loss \(progress.loss)") }
    return .goOn
}
print("\(network.parameterCount) parameters, accuracy \(trainer.evaluate(state, on: held).accuracy!)")
