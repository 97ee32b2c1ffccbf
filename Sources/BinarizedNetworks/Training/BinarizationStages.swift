import Kernels
import NeuralNetworks
import Optimizers

/// BiBERT's training in two stages: a full-precision teacher is trained on the labels, then a binary student of the same shape begins with
/// its parameters and learns from it (``DirectionMatchingDistillation``).
///
/// ```swift
/// let stages = BinarizationStages(configuration, classes: 2, batchSize: 16, seed: 42)
/// let teacher = try stages.trainTeacher(on: examples, epochs: 3, learningRate: 2e-5)
/// let student = try stages.trainStudent(on: examples, teacher: teacher, epochs: 10, learningRate: 1e-4)
/// let packed = try BinarizedEncoder(student, of: stages.student)
/// ```
public struct BinarizationStages: Sendable {
    public typealias Teacher = SequenceClassifier<TransformerEncoder<Float>>
    public typealias Student = SequenceClassifier<BinaryEncoder<Float>>

    public let teacher: Network<Teacher>
    public let student: Network<Student>
    public let batchSize: Int
    public let seed: UInt64

    /// - Parameters:
    ///   - batchSize: Default: 16, as the released scripts have it for every task of GLUE.
    ///   - seed: of initial parameters, order and drop-out. Default: 42, the scripts'.
    public init(
        _ configuration: TransformerEncoder<Float>.Configuration, classes: Int, attention: BinaryAttention = .biAttention,
        ties: TieRule = .paper, batchSize: Int = 16, seed: UInt64 = 42
    ) {
        teacher = Network(SequenceClassifier(TransformerEncoder(configuration), classes: classes))
        student = Network(SequenceClassifier(BinaryEncoder(configuration, attention: attention, ties: ties), classes: classes))
        self.batchSize = batchSize
        self.seed = seed
    }

    /// Warm-up over a tenth of the steps and linear decay to 0, with weight decay 0.01 except on biases and norms: the released scripts'.
    /// Their BertAdam has no bias correction; this is AdamW.
    ///
    /// Their learning rates: 1e-4 for CoLA, QNLI, QQP, SST-2 and STS-B, 2e-4 for MRPC, 5e-5 for MNLI, 1e-5 for RTE.
    public static func optimizer(learningRate: Double, steps: Int, layout: ParameterLayout) -> AdamW<Float> {
        let warmup = max(1, steps / 10)
        let schedule = Schedule.warmup(to: learningRate, steps: warmup)
            .then(.linear(from: learningRate, to: 0, steps: max(1, steps - warmup)), after: warmup)
        return AdamW(learningRate: schedule, weightDecay: 0.01, decayMask: layout.mask { $0.shape.count > 1 })
    }

    /// Stage 1: the teacher on the labels.
    ///
    /// - Parameters:
    ///   - parameters: where it begins, e.g. a pre-trained checkpoint; new ones if `nil`.
    ///   - observer: as of `Trainer.train`.
    /// - Returns: the teacher's parameters.
    /// - Throws: `TrainingError` for a loss that is not finite.
    public func trainTeacher(
        on examples: TokenExamples, from parameters: [Float]? = nil, epochs: Int, learningRate: Double,
        observer: (TrainingProgress) -> TrainingProgress.Reaction = { _ in .goOn }
    ) throws(TrainingError) -> [Float] {
        let trainer = Trainer(
            teacher, loss: .crossEntropy(),
            optimizer: Self.optimizer(learningRate: learningRate, steps: steps(examples, epochs), layout: teacher.layout),
            batchSize: batchSize, seed: seed)
        var state = trainer.makeState(parameters: parameters)
        try trainer.train(&state, on: examples, epochs: epochs, observer: observer)
        return state.parameters
    }

    /// Stage 2: the student from the teacher.
    ///
    /// - Returns: the student's parameters.
    /// - Throws: `TrainingError` for a loss that is not finite.
    public func trainStudent(
        on examples: TokenExamples, teacher parameters: [Float], weights: DirectionMatchingDistillation<Float>.Weights = .init(),
        epochs: Int, learningRate: Double, observer: (TrainingProgress) -> TrainingProgress.Reaction = { _ in .goOn }
    ) throws(TrainingError) -> [Float] {
        let distillation = DirectionMatchingDistillation(student.body, teacher: teacher, parameters: parameters, weights: weights)
        let trainer = Trainer(
            Network(distillation), loss: .output,
            optimizer: Self.optimizer(learningRate: learningRate, steps: steps(examples, epochs), layout: student.layout),
            batchSize: batchSize, seed: seed)
        var state = trainer.makeState(parameters: parameters)
        try trainer.train(&state, on: examples.forDistillation, epochs: epochs, observer: observer)
        return state.parameters
    }

    private func steps(_ examples: TokenExamples, _ epochs: Int) -> Int {
        epochs * ((examples.count + batchSize - 1) / batchSize)
    }
}
