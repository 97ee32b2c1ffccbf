import Autodiff
import Kernels
import NeuralNetworks

/// ‖ P/‖P‖ − R/‖R‖ ‖ with Frobenius norms over whole tensors; a P of zeros counts as direction 0. In [0, √2] for P, R of Gram matrices, whose
/// inner product is not negative.
///
/// The derivative at P is (I − u uᵀ) e / (‖e‖ ‖P‖), u = P/‖P‖, e = u − R/‖R‖: orthogonal to P. At e = 0 it is 0.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func directionDistance<Scalar: KernelScalar>(_ p: Tensor<Scalar>, _ r: Tensor<Scalar>) -> Tensor<Scalar> {
    require(p.shape == r.shape, "distance of directions of shapes \(p.shape) and \(r.shape); expected equal shapes")
    return (direction(p) - direction(r)).norm()
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func direction<Scalar: KernelScalar>(_ p: Tensor<Scalar>) -> Tensor<Scalar> {
    let norm = p.norm()
    return norm.scalar == 0 ? p : p / norm
}

/// F Fᵀ/√d of queries, keys or values F, shape [n, heads, length, d]: which tokens are alike. Rows and columns of padding are 0.
///
/// It does not change when F is rotated, and scales with F², so that its direction is the same for c F.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func similarityMatrix<Scalar: KernelScalar>(_ f: Tensor<Scalar>, isPresent: [Bool]? = nil) -> Tensor<Scalar> {
    let width = Scalar(f.shape[f.rank - 1])
    guard let isPresent, isPresent.contains(false) else { return matmul(f, f, transposeB: true) / width.squareRoot() }
    let (n, length) = (f.shape[0], f.shape[2])
    let present = Tensor<Scalar>(shape: [n, 1, length, 1], elements: isPresent.map { $0 ? 1 : 0 })
    let kept = f * present
    return matmul(kept, kept, transposeB: true) / width.squareRoot()
}

/// A batch with what a student should learn from it.
public struct LabelledTokenBatch: Sendable, Hashable {
    public let tokens: TokenBatch
    /// The class of each sequence; not read by a regression, which learns from the teacher alone.
    public let labels: [Int]

    /// - Precondition: one label a sequence.
    public init(_ tokens: TokenBatch, labels: [Int]) {
        require(labels.count == tokens.count, "\(labels.count) labels for \(tokens.count) sequences; expected one each")
        self.tokens = tokens
        self.labels = labels
    }
}

/// BiBERT's distillation (§3.3) as a module with the student's parameters, whose output is the loss:
///
///     L = wᵈ Σ over layers, F ∈ {Q, K, V} of ‖P_F − P_F(teacher)‖  +  wʰ Σ ‖H − H(teacher)‖  +  wᵖ L_pred
///
/// with P_F = F Fᵀ/‖F Fᵀ‖ and the hidden states H likewise divided by their norms (``directionDistance(_:_:)``). L_pred is the mean over batch
/// and classes of −softmax(t) ∘ log softmax(s), plus half the cross entropy with the labels; for one class the mean of (s − t)². Student
/// layer i of L learns from teacher layer (i + 1) q − 1, hidden state i from i q, q the ratio of depths.
///
/// Train it with `Trainer(Network(distillation), loss: .output, …)` from ``BinarizationStages``, and use the parameters in
/// `Network(distillation.student)`, which has the same layout. The teacher is in inference. Differs from the released code in padded
/// queries, whose similarities are left out here as those of padded keys are.
public struct DirectionMatchingDistillation<Scalar: KernelScalar>: Module {
    /// The parts of the loss; the paper's are 1. A part of weight 0 is not computed.
    public struct Weights: Sendable, Hashable, Codable {
        public var direction: Double, hidden: Double, prediction: Double

        public init(direction: Double = 1, hidden: Double = 1, prediction: Double = 1) {
            require(min(direction, hidden, prediction) >= 0,
                    "weights of the distillation are \(direction), \(hidden), \(prediction); expected no negative number")
            (self.direction, self.hidden, self.prediction) = (direction, hidden, prediction)
        }
    }

    public typealias Teacher = SequenceClassifier<TransformerEncoder<Scalar>>
    public typealias Student = SequenceClassifier<BinaryEncoder<Scalar>>

    public let student: Student
    public let weights: Weights
    private let teacher: Network<Teacher>
    private let teacherParameters: Tensor<Scalar>

    /// - Precondition: as many parameters as the teacher has, equal sizes and classes, and a depth of the teacher that is a multiple of the
    ///   student's.
    public init(_ student: Student, teacher: Network<Teacher>, parameters: [Scalar], weights: Weights = Weights()) {
        let (s, t) = (student.encoder.configuration, teacher.body.encoder.configuration)
        require(parameters.count == teacher.parameterCount, "\(parameters.count) parameters; the teacher has \(teacher.parameterCount)")
        require(student.classes == teacher.body.classes,
                "a student of \(student.classes) classes and a teacher of \(teacher.body.classes); expected equal numbers")
        require(s.size == t.size && s.heads == t.heads,
                "a student of size \(s.size), \(s.heads) heads and a teacher of \(t.size), \(t.heads); expected equal numbers")
        require(s.layers > 0 && t.layers % s.layers == 0,
                "a student of \(s.layers) layers and a teacher of \(t.layers); expected a number that divides the teacher's")
        self.student = student
        self.weights = weights
        self.teacher = teacher
        teacherParameters = Tensor(parameters)
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) { student.declareParameters(&declaration) }

    public func callAsFunction(_ input: LabelledTokenBatch, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        let isPresent = input.tokens.isPresent
        let taught = teacher.body.scoresAndStates(input.tokens, teacher.inferencePass(teacherParameters))
        let (scores, states) = student.scoresAndStates(input.tokens, pass)
        let ratio = teacher.body.encoder.configuration.layers / student.encoder.configuration.layers
        var loss = Tensor<Scalar>(0)
        if weights.direction > 0 {
            for i in 0..<states.queries.count {
                let from = (i + 1) * ratio - 1
                for (own, other) in [(states.queries[i], taught.states.queries[from]), (states.keys[i], taught.states.keys[from]),
                                     (states.values[i], taught.states.values[from])] {
                    loss = loss + Scalar(weights.direction) * directionDistance(
                        similarityMatrix(own, isPresent: isPresent), similarityMatrix(other, isPresent: isPresent))
                }
            }
        }
        if weights.hidden > 0 {
            for (i, own) in states.hidden.enumerated() {
                loss = loss + Scalar(weights.hidden) * directionDistance(
                    present(own, isPresent), present(taught.states.hidden[i * ratio], isPresent))
            }
        }
        if weights.prediction > 0 {
            loss = loss + Scalar(weights.prediction) * Self.predictionLoss(scores, teacher: taught.scores, labels: input.labels)
        }
        return loss
    }

    /// L_pred, see above.
    public static func predictionLoss(_ scores: Tensor<Scalar>, teacher: Tensor<Scalar>, labels: [Int]) -> Tensor<Scalar> {
        guard scores.shape[1] > 1 else { return (scores - teacher).squared().mean() }
        let soft = -1 * (teacher.softmax() * scores.logSoftmax()).mean()
        return soft + 0.5 * crossEntropy(scores, labels: labels)
    }

    private func present(_ hidden: Tensor<Scalar>, _ isPresent: [Bool]) -> Tensor<Scalar> {
        guard isPresent.contains(false) else { return hidden }
        return hidden * Tensor(shape: [hidden.shape[0], hidden.shape[1], 1], elements: isPresent.map { $0 ? 1 : 0 })
    }
}

extension Loss where Target == Void {
    /// What a module gives that computes its own loss.
    public static var output: Loss { Loss { output, _ in output } }
}
