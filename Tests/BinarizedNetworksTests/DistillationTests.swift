import Autodiff
import BinarizedNetworks
import Kernels
import NeuralNetworks
import Objectives
import Optimizers
import Randomness
import RealModule
import Testing

@Suite struct DistillationTests {
    private let queries: Tensor<Double> = normal([2, 2, 5, 4], seed: 1), other: Tensor<Double> = normal([2, 2, 5, 4], seed: 2)

    private func distance(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
        directionDistance(similarityMatrix(a), similarityMatrix(b)).scalar
    }

    /// Neither a factor nor a rotation of the queries changes the distance, which lies in [0, √2].
    @Test func invariances() {
        let plain = distance(queries, other)
        #expect(plain > 0 && plain <= 2.0.squareRoot())
        #expect(abs(distance(-3.5 * queries, other) - plain) < 1e-14)
        // A rotation by Gram–Schmidt of random columns.
        var columns: [[Double]] = []
        for seed in 0..<4 {
            var v = (normal([4], seed: 50 + UInt64(seed)) as Tensor<Double>).elements
            for u in columns {
                let overlap = zip(u, v).map { $0 * $1 }.reduce(0, +)
                v = zip(v, u).map { $0 - overlap * $1 }
            }
            let norm = v.map { $0 * $0 }.reduce(0, +).squareRoot()
            columns.append(v.map { $0 / norm })
        }
        let rotation = Tensor(shape: [4, 4], elements: columns.flatMap { $0 })
        #expect(abs(distance(matmul(queries, rotation), other) - plain) < 1e-13)
        #expect(distance(queries, queries) == 0 && distance(queries, .zeros(queries.shape)) == 1)
        // Orthogonal directions are √2 apart.
        let left = Tensor<Double>(shape: [1, 1, 2, 2], elements: [1, 0, 0, 0]), right = Tensor<Double>(shape: [1, 1, 2, 2], elements: [0, 0, 0, 1])
        #expect(abs(distance(left, right) - 2.0.squareRoot()) < 1e-15)
    }

    /// The gradient against the closed form and central differences; it is orthogonal to the matrix.
    @Test func gradientOfTheDistance() {
        let p = similarityMatrix(queries), r = similarityMatrix(other)
        let g = gradient(of: { directionDistance($0, r) })(p)
        let norm = p.norm().scalar, u = p / norm, e = u - r / r.norm().scalar, n = e.norm().scalar
        let closed = (e - (u * e).sum() * u) / (n * norm)
        #expect(difference(g, closed) < 1e-13)
        #expect(abs((g * p).sum().scalar) < 1e-14)
        let objective = TensorObjective<Double>(dimension: queries.count) { [other] in
            directionDistance(similarityMatrix($0.reshaped([2, 2, 5, 4])), similarityMatrix(other))
        }
        let check = checkGradient(of: objective, at: queries.elements)
        #expect(check.passed, "\(check.message)")
        #expect(gradient(of: { directionDistance($0, r) })(r).elements.allSatisfy { $0 == 0 })
    }

    @Test func paddingHasNoSimilarity() {
        let isPresent = [true, true, false, true, true, true, true, true, true, false]
        let similarity = similarityMatrix(queries, isPresent: isPresent), full = similarityMatrix(queries)
        for n in 0..<2 {
            for i in 0..<5 {
                for j in 0..<5 {
                    let kept = isPresent[n * 5 + i] && isPresent[n * 5 + j]
                    #expect(similarity[n, 1, i, j] == (kept ? full[n, 1, i, j] : 0))
                }
            }
        }
    }

    /// −mean(softmax(t) ∘ log softmax(s)) + ½ cross entropy, and the squared error of a regression.
    @Test func predictionLoss() {
        let s: Tensor<Double> = normal([4, 3], seed: 1), t: Tensor<Double> = normal([4, 3], seed: 2), labels = [0, 2, 1, 1]
        var expected = 0.0
        for i in 0..<4 {
            let ps = (0..<3).map { Double.exp(s[i, $0]) }, pt = (0..<3).map { Double.exp(t[i, $0]) }
            let (zs, zt) = (ps.reduce(0, +), pt.reduce(0, +))
            for c in 0..<3 { expected -= pt[c] / zt * Double.log(ps[c] / zs) / 12 }
            expected -= 0.5 * Double.log(ps[labels[i]] / zs) / 4
        }
        let loss = DirectionMatchingDistillation<Double>.predictionLoss(s, teacher: t, labels: labels).scalar
        #expect(abs(loss - expected) < 1e-14)
        let regression = DirectionMatchingDistillation<Double>.predictionLoss(s.slice(1, 0..<1), teacher: t.slice(1, 0..<1), labels: []).scalar
        var squares = 0.0
        for i in 0..<4 { squares += (s[i, 0] - t[i, 0]) * (s[i, 0] - t[i, 0]) }
        #expect(abs(regression - squares / 4) < 1e-15)
    }

    /// The sum of its parts, for equal depths and for a student of half the depth, whose layers learn from every second one.
    @Test func lossIsTheSumOfItsParts() {
        for layers in [1, 2] {
            let teacher = Network(SequenceClassifier(TransformerEncoder<Double>(configuration(layers: 2)), classes: 2))
            let student = SequenceClassifier(BinaryEncoder<Double>(configuration(layers: layers)), classes: 2)
            let network = Network(student), ratio = 2 / layers
            let (tp, sp) = (parameters(teacher, seed: 1, noise: 0.2), parameters(network, seed: 2, noise: 0.2))
            let batch = LabelledTokenBatch(tokens(2, 6, seed: 3), labels: [1, 0])
            let taught = teacher.body.scoresAndStates(batch.tokens, teacher.inferencePass(Tensor(tp)))
            let own = student.scoresAndStates(batch.tokens, network.inferencePass(Tensor(sp)))
            var direction = 0.0, hidden = 0.0
            for i in 0..<layers {
                let from = i * ratio + ratio - 1
                direction += distance(own.states.queries[i], taught.states.queries[from]) + distance(own.states.keys[i], taught.states.keys[from])
                    + distance(own.states.values[i], taught.states.values[from])
            }
            for i in 0...layers { hidden += directionDistance(own.states.hidden[i], taught.states.hidden[i * ratio]).scalar }
            let prediction = DirectionMatchingDistillation<Double>.predictionLoss(own.scores, teacher: taught.scores, labels: batch.labels).scalar
            let weights = DirectionMatchingDistillation<Double>.Weights(direction: 0.5, hidden: 2, prediction: 3)
            let loss = Network(DirectionMatchingDistillation(student, teacher: teacher, parameters: tp, weights: weights))(batch, Tensor(sp)).scalar
            let expected = 0.5 * direction + 2 * hidden + 3 * prediction
            #expect(abs(loss - expected) < 1e-12)
            for part in [(1.0, 0.0, 0.0, direction), (0, 1, 0, hidden), (0, 0, 1, prediction)] {
                let weights = DirectionMatchingDistillation<Double>.Weights(direction: part.0, hidden: part.1, prediction: part.2)
                let loss = Network(DirectionMatchingDistillation(student, teacher: teacher, parameters: tp, weights: weights))(batch, Tensor(sp)).scalar
                #expect(abs(loss - part.3) < 1e-12)
            }
        }
    }

    /// Sequences of different lengths are padded to the longest, and padding does not count.
    @Test func batchesOfDifferentLengths() {
        let examples = TokenExamples([[1, 2, 3], [4], [5, 6]], segments: [[0, 1, 1], [0], [0, 0]], labels: [0, 1, 0])
        let (batch, labels) = examples.batch([1, 0])
        #expect(batch.tokens == [4, 0, 0, 1, 2, 3] && batch.segments == [0, 0, 0, 0, 1, 1] && labels == [1, 0])
        #expect(batch.isPresent == [true, false, false, true, true, true])
        #expect(examples.forDistillation.batch([2]).input.labels == [0])
    }

    private var examples: TokenExamples {
        // Whether token 1 occurs: what a bag of tokens can tell.
        let all = integers(240 * 6, below: 8, seed: 1)
        let sequences = (0..<240).map { [2] + all[$0 * 6..<($0 + 1) * 6] }
        return TokenExamples(sequences, labels: sequences.map { $0.contains(1) ? 1 : 0 })
    }

    /// Both stages learn, and the same seed gives the same bits.
    @Test func twoStages() throws {
        let stages = BinarizationStages(configuration(size: 32, heads: 2, hidden: 64, layers: 1), classes: 2, batchSize: 16, seed: 3)
        let examples = examples
        let teacher = try stages.trainTeacher(on: examples, epochs: 12, learningRate: 5e-3)
        func accuracy(_ scores: Tensor<Float>) -> Double {
            Double(zip(scores.argmax(), examples.labels).count { $0 == $1 }) / Double(examples.count)
        }
        let all = examples.batch(Array(0..<examples.count)).input
        let taught = accuracy(stages.teacher(all, Tensor(teacher)))
        #expect(taught > 0.95)
        let student = try stages.trainStudent(on: examples, teacher: teacher, epochs: 12, learningRate: 5e-3)
        let learned = accuracy(stages.student(all, Tensor(student)))
        #expect(learned > 0.85)
        let again = try stages.trainStudent(on: examples, teacher: teacher, epochs: 12, learningRate: 5e-3)
        #expect(again == student)
        let packed = try BinarizedClassifier(student, of: stages.student)
        #expect(try packed(all) == stages.student(all, Tensor(student)))
    }

    /// A distillation that is interrupted and goes on equals one that is not, to the bit.
    @Test func resumedEqualsUninterrupted() throws {
        let stages = BinarizationStages(configuration(size: 16, heads: 2, hidden: 24, layers: 1), classes: 2, batchSize: 16, seed: 3)
        let parameters = stages.teacher.initialParameters(seed: 1)
        let distillation = DirectionMatchingDistillation(stages.student.body, teacher: stages.teacher, parameters: parameters)
        let trainer = Trainer(
            Network(distillation), loss: .output,
            optimizer: BinarizationStages.optimizer(learningRate: 1e-3, steps: 30, layout: stages.student.layout), batchSize: 16, seed: 3)
        let data = examples.forDistillation
        var whole = trainer.makeState(parameters: parameters), broken = whole
        try trainer.train(&whole, on: data, epochs: 2)
        try trainer.train(&broken, on: data, epochs: 2) { _ in .stop }
        #expect(broken.step < whole.step)
        try trainer.train(&broken, on: data, epochs: 2)
        #expect(broken.parameters == whole.parameters && broken.step == whole.step)
    }
}
