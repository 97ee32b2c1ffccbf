import Autodiff
import Kernels
import NeuralNetworks

/// Class scores of token sequences: an encoder, BERT's pooler tanh(layer(h[CLS])), and a dense layer on it.
///
/// With one class it is a regression. Teacher and student have the same parameters, the encoder's first.
public struct SequenceClassifier<Encoder: SequenceEncoder>: Module {
    public typealias Scalar = Encoder.Scalar

    public let encoder: Encoder
    public let classes: Int
    private let pooler: any Layer<Scalar>
    private let dropout: Dropout<Scalar>
    private let classifier: Dense<Scalar>

    /// The full-precision teacher.
    public init<Number>(_ encoder: Encoder, classes: Int) where Encoder == TransformerEncoder<Number> {
        self.init(encoder, Dense<Number>(encoder.configuration.size, encoder.configuration.size, initializer: .normal(standardDeviation: 0.02)), classes)
    }

    /// The student, with a binary pooler. The last layer stays in full precision.
    public init<Number>(_ encoder: Encoder, classes: Int) where Encoder == BinaryEncoder<Number> {
        let size = encoder.configuration.size
        self.init(encoder, BinaryDense<Number>(size, size, ties: encoder.ties, initializer: .normal(standardDeviation: 0.02)), classes)
    }

    private init(_ encoder: Encoder, _ pooler: any Layer<Scalar>, _ classes: Int) {
        require(classes > 0, "\(classes) classes; expected a positive number")
        self.encoder = encoder
        self.classes = classes
        self.pooler = pooler
        dropout = Dropout(encoder.configuration.dropout)
        classifier = Dense(encoder.configuration.size, classes, initializer: .normal(standardDeviation: 0.02))
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("encoder", encoder)
        declaration.add("pooler", pooler)
        declaration.add("classifier", classifier)
    }

    /// Scores of shape [n, classes].
    public func callAsFunction(_ batch: TokenBatch, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        scores(encoder(batch, pass.part("encoder")), pass)
    }

    /// The scores and what the encoder computed for them.
    public func scoresAndStates(
        _ batch: TokenBatch, _ pass: ForwardPass<Scalar>
    ) -> (scores: Tensor<Scalar>, states: EncoderStates<Scalar>) {
        let states = encoder.states(batch, pass.part("encoder"))
        return (scores(states.output, pass), states)
    }

    private func scores(_ hidden: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        let first = hidden.slice(1, 0..<1).reshaped([hidden.shape[0], hidden.shape[2]])
        let pooled = pooler(first, pass.part("pooler")).tanh()
        return classifier(dropout(pooled, pass.part("classifierDropout")), pass.part("classifier"))
    }
}
