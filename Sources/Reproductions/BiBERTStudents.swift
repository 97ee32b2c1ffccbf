import Descent
import Synchronization

/// Students of one teacher on a small task that needs attention: does the first token occur again?
///
/// A stand-in for GLUE, whose data and pre-trained models do not come with the package: it shows which binary attention can look for a token
/// at all. The gain of the distillation, which the paper finds on pre-trained BERT, is not expected here (predictions alone teach this task);
/// what is checked of it is that it does what its loss says.
struct StudentStudy {
    private struct Student: Hashable {
        let name: String
        let attention: BinaryAttention
        /// `nil` learns from the labels alone.
        let weights: DirectionMatchingDistillation<Float>.Weights?
    }

    private struct Result {
        var teacher = 0.0
        var accuracy: [Student: Double] = [:], densities: [Student: [Double]] = [:], distance: [Student: Double] = [:]
        var packedDifferences = 0
    }

    private let sign = Student(name: "straightforward: sign(softmax)", attention: .signSoftmax, weights: nil)
    private let shift = Student(name: "straightforward: sign(softmax − τ)", attention: .signSoftmaxShift, weights: nil)
    private let bool = Student(name: "+ Bi-Attention", attention: .biAttention, weights: nil)
    private let prediction = Student(name: "+ Bi-Attention + predictions", attention: .biAttention, weights: .init(direction: 0, hidden: 0))
    private let bibert = Student(name: "BiBERT: + direction matching", attention: .biAttention, weights: .init(direction: 0.1, hidden: 0.1))

    /// `teacherSteps` at most, in each attempt.
    private let seeds: Int, teacherSteps: Int, steps: Int
    private let students: [Student]
    private let length = 6, symbols = 6, batchSize = 32, examples = 4000, tests = 1000

    init(quick: Bool) {
        (seeds, teacherSteps, steps) = quick ? (2, 2500, 300) : (6, 2500, 1500)
        students = quick ? [sign, shift, bool, bibert] : [sign, shift, bool, prediction, bibert]
    }

    func run(seed: UInt64) throws -> (checks: [Check], table: Table, figure: Figure) {
        let results = Mutex([Swift.Result<Result, TrainingError>?](repeating: nil, count: seeds))
        // One seed a thread: the networks are too small for threads of their own.
        concurrentPerform(iterations: seeds) { i in
            let result = Swift.Result { () throws(TrainingError) in try measure(seed: seed &+ UInt64(i)) }
            results.withLock { $0[i] = result }
        }
        let all = try results.withLock { try $0.map { try $0!.get() } }
        return report(all)
    }

    private func measure(seed: UInt64) throws(TrainingError) -> Result {
        var configuration = TransformerEncoder<Float>.Configuration()
        (configuration.vocabularySize, configuration.size, configuration.layers, configuration.heads) = (symbols, 32, 2, 4)
        (configuration.hidden, configuration.maximumLength, configuration.segments, configuration.dropout) = (64, length, 1, 0)
        let data = recurrences(examples, seed: seed, stream: 10), test = recurrences(tests, seed: seed, stream: 11)
        let all = test.batch(Array(0..<tests)).input
        func accuracy(_ scores: Tensor<Float>) -> Double { Double(zip(scores.argmax(), test.labels).count { $0 == $1 }) / Double(tests) }
        func epochs(_ steps: Int) -> Int { (steps * batchSize + examples - 1) / examples }
        func adam(_ rate: Double, _ steps: Int) -> Adam<Float> {
            let warmup = steps / 10
            return Adam(learningRate: .warmup(to: rate, steps: warmup).then(.cosine(from: rate, to: 0, steps: steps - warmup), after: warmup))
        }

        var result = Result()
        let teacher = Network(SequenceClassifier(TransformerEncoder<Float>(configuration), classes: 2))
        // Post-norm encoders differ in when they leave the plateau of chance, and some never do: the teacher learns until it knows the
        // task, and begins anew from other parameters if it does not. The study is about its students.
        var taught: [Float] = []
        for attempt in 0..<4 where result.teacher < 0.99 {
            let trainer = Trainer(
                teacher, loss: .crossEntropy(), optimizer: Adam(learningRate: .warmup(to: 1.5e-3, steps: 100)), batchSize: batchSize,
                seed: seed &+ UInt64(1000 * attempt))
            var state = trainer.makeState()
            while state.step < teacherSteps, result.teacher < 0.99 {
                try trainer.train(&state, on: data, epochs: state.epoch + 1)
                result.teacher = accuracy(teacher(all, Tensor(state.parameters)))
            }
            taught = state.parameters
        }
        let teacherStates = teacher.body.scoresAndStates(all, teacher.inferencePass(Tensor(taught))).states

        for student in students {
            let network = Network(SequenceClassifier(BinaryEncoder<Float>(configuration, attention: student.attention), classes: 2))
            let parameters: [Float]
            if let weights = student.weights {
                let distillation = DirectionMatchingDistillation(
                    network.body, teacher: teacher, parameters: taught, weights: weights)
                let trainer = Trainer(Network(distillation), loss: .output, optimizer: adam(5e-3, steps), batchSize: batchSize, seed: seed)
                var state = trainer.makeState(parameters: taught)
                try trainer.train(&state, on: data.forDistillation, epochs: epochs(steps))
                parameters = state.parameters
            } else {
                let trainer = Trainer(network, loss: .crossEntropy(), optimizer: adam(5e-3, steps), batchSize: batchSize, seed: seed)
                var state = trainer.makeState(parameters: taught)
                try trainer.train(&state, on: data, epochs: epochs(steps))
                parameters = state.parameters
            }
            let (scores, states) = network.body.scoresAndStates(all, network.inferencePass(Tensor(parameters)))
            result.accuracy[student] = accuracy(scores)
            result.densities[student] = network.body.encoder.attentionDensities(states, all)
            var distance = 0.0
            for i in states.queries.indices {
                for (own, other) in [(states.queries[i], teacherStates.queries[i]), (states.keys[i], teacherStates.keys[i]),
                                     (states.values[i], teacherStates.values[i])] {
                    distance += Double(directionDistance(similarityMatrix(own), similarityMatrix(other)).scalar)
                }
            }
            result.distance[student] = distance
            if student == bibert, let packed = try? BinarizedClassifier(parameters, of: network), let own = try? packed(all) {
                result.packedDifferences = zip(own.elements, scores.elements).count { $0 != $1 }
            } else if student == bibert {
                result.packedDifferences = scores.count
            }
        }
        return result
    }

    /// Half of the sequences have their first token again.
    private func recurrences(_ count: Int, seed: UInt64, stream: UInt64) -> TokenExamples {
        var random = RandomStream(seed: seed, stream: stream)
        func draw(_ bound: Int) -> Int { Int(random.nextUInt64() % UInt64(bound)) }
        var sequences: [[Int]] = []
        for i in 0..<count {
            var sequence = (0..<length).map { _ in draw(symbols) }
            if i % 2 == 1 {
                if !sequence[1...].contains(sequence[0]) { sequence[1 + draw(length - 1)] = sequence[0] }
            } else {
                for j in 1..<length where sequence[j] == sequence[0] { sequence[j] = (sequence[0] + 1 + draw(symbols - 1)) % symbols }
            }
            sequences.append(sequence)
        }
        return TokenExamples(sequences, labels: (0..<count).map { $0 % 2 })
    }

    private func report(_ results: [Result]) -> (checks: [Check], table: Table, figure: Figure) {
        func standardError(_ x: [Double]) -> Double { deviation(x) / Double(x.count).squareRoot() }
        func accuracies(_ student: Student) -> [Double] { results.map { $0.accuracy[student]! } }
        func entropy(_ student: Student) -> Double { mean(results.flatMap { $0.densities[student]!.map(binaryEntropy) }) }
        /// The lower end of the interval of two standard errors of a gain; in the quick form, with two seeds, the mean.
        func gain(_ a: Student, over b: Student) -> Double {
            let gains = zip(accuracies(a), accuracies(b)).map { $0 - $1 }
            return mean(gains) - (seeds >= 5 ? 2 * standardError(gains) : 0)
        }
        var table = Table(
            "Does the first of \(length) tokens occur again? \(seeds) seeds, \(steps) steps, encoders of 2 layers of 32",
            columns: ["model", "accuracy", "± standard error", "entropy of attention, bit", "distance to the teacher's similarities"])
        let teachers = results.map(\.teacher)
        table.append("full precision", short(mean(teachers)), short(standardError(teachers)), "", "")
        for student in students {
            table.append(student.name, short(mean(accuracies(student))), short(standardError(accuracies(student))), short(entropy(student)),
                         short(mean(results.map { $0.distance[student]! })))
        }
        let standIn = "stand-in for the paper's table of GLUE scores (BiBERT 63.2, baseline about 50): "
            + (seeds >= 5 ? "mean of \(seeds) seeds less two standard errors" : "mean of \(seeds) seeds")
        let checks = [
            Check("accuracy of the full-precision teacher", mean(teachers), .atLeast, 0.95, source: "the task can be learned"),
            Check("entropy of sign(softmax) attention, bit", entropy(sign), .equal, 0, source: "§3.2: soft-max is positive, its sign all ones"),
            Check("entropy of Bi-Attention, bit", entropy(bool), .atLeast, 0.9, source: "§3.2: bool attention keeps almost one bit"),
            Check("gain of Bi-Attention over sign(softmax)", gain(bool, over: sign), .atLeast, 0, source: standIn),
            Check("gain of Bi-Attention over sign(softmax − τ)", gain(bool, over: shift), .atLeast, 0, source: standIn),
            Check("gain of BiBERT over sign(softmax − τ)", gain(bibert, over: shift), .atLeast, 0, source: standIn),
            Check("distance of similarities with direction matching, to that without",
                  mean(results.map { $0.distance[bibert]! }) / mean(results.map { $0.distance[bool]! }), .atMost, 1,
                  source: "§3.3: what the distillation minimises"),
            Check("scores of the packed students that differ from the trained ones", Double(results.map(\.packedDifferences).reduce(0, +)),
                  .equal, 0, source: "whole sums are exact, and floats round alike"),
        ]
        let places = Array(students.indices).map { Double($0 + 1) }
        let figure = Figure(
            "Accuracy of the students over \(seeds) seeds", xLabel: "student, in the order of the table", yLabel: "accuracy",
            series: [
                Figure.Series("mean", x: places, y: students.map { mean(accuracies($0)) }),
                Figure.Series("least", x: places, y: students.map { accuracies($0).min()! }),
                Figure.Series("greatest", x: places, y: students.map { accuracies($0).max()! }),
            ])
        return (checks, table, figure)
    }
}
