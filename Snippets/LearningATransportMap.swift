// A transport map by a small network: the fit leaves it open, the Monge gap picks the one of least cost.
import Descent

var random = RandomStream(seed: 1)
let source = Matrix<Float>(rows: 1024, columns: 2, elements: random.normal(count: 2048))
let target = Matrix<Float>(rows: 1024, columns: 2, elements: random.normal(count: 2048).map { 0.5 * $0 + 2 })

let training = try MongeGapTraining(source: source, target: target, gapWeight: 1)
let network = Network(MLP<Float>([2, 32, 32, 2], activation: .gelu))
let trainer = Trainer(network, loss: training.loss, optimizer: Adam<Float>(learningRate: 3e-3), batchSize: 128, seed: 1)
var state = trainer.makeState()
try trainer.train(&state, on: training.samples, epochs: 10)

let images = network(Tensor(source), Tensor(state.parameters)).matrix
print("exact gap", try MongeGap<Float>(epsilon: 1).exact(source, images))
print("first point", source[0, 0], source[0, 1], "to", images[0, 0], images[0, 1])
