import Autodiff
import Datasets
import Foundation
import Kernels
import NeuralNetworks
import Objectives
import Optimizers
import Randomness
import Testing

private func normal(_ shape: [Int], seed: UInt64) -> Tensor<Double> {
    var random = RandomStream(seed: seed)
    return Tensor(shape: shape, elements: random.normal(count: shape.reduce(1, *)))
}

/// The gradient with respect to the parameters, by Taylor slopes.
private func checkParameters<Body: Module>(_ body: Body, _ input: Body.Input, seed: UInt64 = 1) -> String?
where Body.Scalar == Double, Body.Input: Sendable {
    let network = Network(body)
    let start = network.initialParameters(seed: seed)
    let output = network(input, Tensor(start))
    let weights = normal(output.shape, seed: 9)
    let objective = TensorObjective<Double>(dimension: start.count) { (weights * network(input, $0)).sum() }
    let gradient = checkGradient(of: objective, at: start), hessian = checkHessian(of: objective, at: start)
    return gradient.passed && hessian.passed ? nil : gradient.message + "; " + hessian.message
}

@Suite struct LayerTests {
    @Test func derivativesWithRespectToParameters() {
        let messages = [
            checkParameters(Dense<Double>(4, 3), normal([5, 4], seed: 1)),
            checkParameters(Sequential<Double>([Conv2D<Double>(2, 3, window: (3, 3)), Activation<Double>(.tanh)]), normal([2, 5, 4, 2], seed: 2)),
            checkParameters(Sequential<Double>([Dense<Double>(4, 6), LayerNorm<Double>(6), Activation<Double>(.gelu)]), normal([5, 4], seed: 3)),
            checkParameters(MultiHeadAttention<Double>(6, heads: 2), normal([2, 4, 6], seed: 4)),
            checkParameters(TransformerBlock<Double>(6, heads: 3, hidden: 8), normal([2, 4, 6], seed: 5)),
            checkParameters(TransformerBlock<Double>(6, heads: 3, hidden: 8, normalizesFirst: false), normal([2, 4, 6], seed: 6)),
        ]
        for message in messages { #expect(message == nil) }
    }

    @Test func convolutionNetworkHasTheShapesOfItsFormula() {
        let network = Network(CNN<Double>(image: (8, 8, 1), filters: [4, 6], hidden: 10, classes: 3))
        #expect(network.layout.blocks.map(\.shape) == [[3, 3, 1, 4], [4], [3, 3, 4, 6], [6], [4 * 4 * 6, 10], [10], [10, 3], [3]])
        #expect(network(normal([2, 8, 8, 1], seed: 1), Tensor(network.initialParameters(seed: 1))).shape == [2, 3])
    }

    /// Training uses the batch's statistics and moves the averages; inference uses the averages.
    @Test func batchNormGathersStatistics() {
        let network = Network(BatchNorm<Double>(3, momentum: 0.25))
        let x = 3 + 2 * normal([40, 3], seed: 1), parameters = Tensor(network.initialParameters(seed: 1))
        let before = network.initialStatistics()
        #expect(before == [0, 0, 0, 1, 1, 1])
        let (y, after) = network.trainingPass(x, parameters, statistics: before, random: RandomStream(seed: 0))
        let mean = x.mean(alongAxes: [0]), variance = x.variance(alongAxes: [0], correction: 1)
        #expect((y.mean(alongAxes: [0])).magnitude().max(alongAxis: 0).scalar < 1e-14)
        #expect((y.variance(alongAxes: [0]) - 1).magnitude().max(alongAxis: 0).scalar < 1e-4)
        for k in 0..<3 {
            #expect(abs(after[k] - 0.25 * mean[k]) < 1e-14)
            #expect(abs(after[3 + k] - (0.75 + 0.25 * variance[k])) < 1e-13)
        }
        let inferred = network(x, parameters, statistics: after)
        let expected = (x - Tensor(Array(after[..<3]))) / (Tensor(Array(after[3...])) + 1e-5).squareRoot()
        #expect((inferred - expected).magnitude().sum().scalar < 1e-11)
        #expect(inferred != y)
    }

    @Test func paddingDoesNotReachTheOthers() {
        var configuration = TransformerEncoder<Double>.Configuration()
        (configuration.vocabularySize, configuration.size, configuration.layers, configuration.heads) = (20, 8, 2, 2)
        (configuration.hidden, configuration.maximumLength) = (16, 6)
        let network = Network(TransformerEncoder<Double>(configuration))
        let parameters = Tensor(network.initialParameters(seed: 1).map { 10 * $0 })
        let short = network(TokenBatch([[3, 7, 1]]), parameters)
        let padded = network(TokenBatch([[3, 7, 1, 0, 5]], isPresent: [[true, true, true, false, false]]), parameters)
        #expect((short - padded.slice(1, 0..<3)).magnitude().sum().scalar < 1e-12)
        let other = network(TokenBatch([[3, 7, 1, 9, 2]], isPresent: [[true, true, true, false, false]]), parameters)
        #expect((other.slice(1, 0..<3) - padded.slice(1, 0..<3)).magnitude().sum().scalar < 1e-12)
        // Without the mask they do reach them.
        let unmasked = network(TokenBatch([[3, 7, 1, 9, 2]]), parameters)
        #expect((unmasked.slice(1, 0..<3) - short).magnitude().sum().scalar > 1e-3)
    }

    @Test func misuseNamesWhatWasGiven() async {
        func message(_ result: ExitTest.Result?) -> String {
            String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        }
        let dense = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let network = Network(Dense<Float>(4, 3))
            _ = network(Tensor<Float>.zeros([2, 5]), Tensor(network.initialParameters(seed: 1)))
        }
        #expect(message(dense).contains("dense layer from 4 to 3 on shape [2, 5]"))
        let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Network(Dense<Float>(4, 3))(Tensor<Float>.zeros([2, 4]), Tensor<Float>.zeros([5]))
        }
        #expect(message(count).contains("parameters of shape [5]; the network has 15"))
        let hidden = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = TokenBatch([[1, 2]], isPresent: [[false, false]])
        }
        #expect(message(hidden).contains("sequence 0 has no token that is present"))
    }
}

@Suite struct BERTCheckpointTests {
    /// A small checkpoint with the format's names, and the encoder's output by plain loops over its arrays.
    @Test func readsTheFormatAndComputesTheEncoder() throws {
        let (size, heads, hidden, layers, vocabulary, places) = (6, 2, 10, 2, 11, 7)
        var random = RandomStream(seed: 3)
        var arrays: [String: [Float]] = [:], shapes: [String: [Int]] = [:]
        func add(_ name: String, _ shape: [Int], mean: Float = 0) {
            arrays[name] = random.normal(count: shape.reduce(1, *), mean: mean, standardDeviation: 0.4)
            shapes[name] = shape
        }
        func addDense(_ name: String, _ outputs: Int, _ inputs: Int) {
            add(name + ".weight", [outputs, inputs])
            add(name + ".bias", [outputs])
        }
        func addNorm(_ name: String) {
            add(name + ".weight", [size], mean: 1)
            add(name + ".bias", [size])
        }
        add("embeddings.word_embeddings.weight", [vocabulary, size])
        add("embeddings.position_embeddings.weight", [places, size])
        add("embeddings.token_type_embeddings.weight", [2, size])
        addNorm("embeddings.LayerNorm")
        for l in 0..<layers {
            for part in ["query", "key", "value"] { addDense("encoder.layer.\(l).attention.self.\(part)", size, size) }
            addDense("encoder.layer.\(l).attention.output.dense", size, size)
            addNorm("encoder.layer.\(l).attention.output.LayerNorm")
            addDense("encoder.layer.\(l).intermediate.dense", hidden, size)
            addDense("encoder.layer.\(l).output.dense", size, hidden)
            addNorm("encoder.layer.\(l).output.LayerNorm")
        }
        addDense("pooler.dense", size, size)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("bert-\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ prefix: String, without missing: String? = nil) throws {
            var file: [String: NumericArray] = [:]
            for (name, values) in arrays where name != missing { file[prefix + name] = NumericArray(values, shape: shapes[name]) }
            try Data(Safetensors.write(file)).write(to: URL(fileURLWithPath: path))
        }

        // In Double, row by row.
        func dense(_ x: [[Double]], _ name: String) -> [[Double]] {
            let w = arrays[name + ".weight"]!, b = arrays[name + ".bias"]!, inputs = shapes[name + ".weight"]![1]
            return x.map { row in
                (0..<b.count).map { j in (0..<inputs).reduce(Double(b[j])) { $0 + row[$1] * Double(w[j * inputs + $1]) } }
            }
        }
        func norm(_ x: [[Double]], _ name: String) -> [[Double]] {
            let w = arrays[name + ".weight"]!, b = arrays[name + ".bias"]!
            return x.map { row in
                let mean = row.reduce(0, +) / Double(row.count)
                let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
                return row.indices.map { (row[$0] - mean) / (variance + 1e-12).squareRoot() * Double(w[$0]) + Double(b[$0]) }
            }
        }
        func sum(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] { zip(a, b).map { zip($0, $1).map(+) } }
        let tokens = [4, 0, 10, 7], segments = [0, 0, 1, 1]
        func row(_ name: String, _ i: Int) -> [Double] { arrays[name]![i * size..<(i + 1) * size].map { Double($0) } }
        var x = norm((0..<4).map { i in
            (0..<size).map {
                row("embeddings.word_embeddings.weight", tokens[i])[$0] + row("embeddings.position_embeddings.weight", i)[$0]
                    + row("embeddings.token_type_embeddings.weight", segments[i])[$0]
            }
        }, "embeddings.LayerNorm")
        for l in 0..<layers {
            let name = "encoder.layer.\(l)."
            let (q, k, v) = (dense(x, name + "attention.self.query"), dense(x, name + "attention.self.key"), dense(x, name + "attention.self.value"))
            var mixed = [[Double]](repeating: [Double](repeating: 0, count: size), count: 4)
            let width = size / heads
            for h in 0..<heads {
                for i in 0..<4 {
                    let scores = (0..<4).map { j in
                        exp((0..<width).reduce(0) { $0 + q[i][h * width + $1] * k[j][h * width + $1] } / Double(width).squareRoot())
                    }
                    let total = scores.reduce(0, +)
                    for j in 0..<4 { for d in 0..<width { mixed[i][h * width + d] += scores[j] / total * v[j][h * width + d] } }
                }
            }
            x = norm(sum(x, dense(mixed, name + "attention.output.dense")), name + "attention.output.LayerNorm")
            let inner = dense(x, name + "intermediate.dense").map { $0.map { $0 / 2 * (1 + erf($0 / 2.0.squareRoot())) } }
            x = norm(sum(x, dense(inner, name + "output.dense")), name + "output.LayerNorm")
        }

        for prefix in ["", "bert."] {
            try write(prefix)
            let (network, parameters) = try Network<TransformerEncoder<Float>>.bert(path: path, heads: heads)
            #expect(network.body.configuration.layers == layers && network.body.configuration.hidden == hidden)
            let y = network(TokenBatch([tokens], segments: [segments]), Tensor(parameters))
            #expect(y.shape == [1, 4, size])
            for (a, b) in zip(y.elements, x.joined()) { #expect(abs(Double(a) - b) < 2e-5) }
        }
        try write("bert.", without: "encoder.layer.1.attention.self.key.bias")
        #expect {
            _ = try Network<TransformerEncoder<Float>>.bert(path: path, heads: heads)
        } throws: { "\($0)".contains("lacks 'bert.encoder.layer.1.attention.self.key.bias'") }
        shapes["encoder.layer.1.output.dense.weight"] = [hidden, size]
        try write("")
        #expect {
            _ = try Network<TransformerEncoder<Float>>.bert(path: path, heads: heads)
        } throws: { "\($0)".contains("'encoder.layer.1.output.dense.weight'") && "\($0)".contains("expected [6, 10]") }
        #expect(throws: CheckpointError.self) { _ = try Network<TransformerEncoder<Float>>.bert(path: path, heads: 4) }
    }
}
