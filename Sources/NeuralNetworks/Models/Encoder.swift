import Autodiff
import Kernels

/// A batch of token sequences of one length.
public struct TokenBatch: Sendable, Hashable {
    /// Token numbers, sequence after sequence.
    public let tokens: [Int]
    /// The segment of each token (0 or 1 in BERT); all 0 if not given.
    public let segments: [Int]
    /// Whether each token counts; padding does not.
    public let isPresent: [Bool]
    public let count: Int, length: Int

    /// - Precondition: sequences of equal length, at least one token, segments and presence likewise, and in each sequence a token that
    ///   is present: attention over nothing has no meaning.
    public init(_ sequences: [[Int]], segments: [[Int]]? = nil, isPresent: [[Bool]]? = nil) {
        let length = sequences.first?.count ?? 0
        require(length > 0, "a batch of no tokens; expected at least one sequence with at least one token")
        for (i, sequence) in sequences.enumerated() {
            require(sequence.count == length, "sequence \(i) has \(sequence.count) tokens and sequence 0 has \(length); expected equal lengths")
        }
        if let segments {
            require(segments.map(\.count) == sequences.map(\.count), "segments of lengths \(segments.map(\.count)); expected \(length) for each sequence")
        }
        if let isPresent {
            require(isPresent.map(\.count) == sequences.map(\.count), "presence of lengths \(isPresent.map(\.count)); expected \(length) for each sequence")
            for (i, row) in isPresent.enumerated() { require(row.contains(true), "sequence \(i) has no token that is present") }
        }
        tokens = sequences.flatMap { $0 }
        self.segments = segments?.flatMap { $0 } ?? [Int](repeating: 0, count: tokens.count)
        self.isPresent = isPresent?.flatMap { $0 } ?? [Bool](repeating: true, count: tokens.count)
        count = sequences.count
        self.length = length
    }
}

/// A Transformer encoder of text: embeddings of token, place and segment, a layer norm, and blocks. The output has shape
/// [n, length, size].
///
/// With the defaults it is BERT (Devlin et al. 2019): learned places, post-norm blocks, ε = 1e-12.
public struct TransformerEncoder<Scalar: KernelScalar>: SequenceEncoder {
    /// The sizes of an encoder, named as in Hugging Face's configuration where that has the same.
    public struct Configuration: Sendable, Hashable, Codable {
        public var vocabularySize = 30522
        public var size = 768, layers = 12, heads = 12, hidden = 3072
        public var maximumLength = 512
        public var segments = 2
        public var epsilon = 1e-12
        public var dropout = 0.1
        public var normalizesFirst = false

        /// BERT-base's.
        public init() {}
    }

    public let configuration: Configuration
    private let tokens: Embedding<Scalar>, positions: Embedding<Scalar>, segments: Embedding<Scalar>
    private let norm: LayerNorm<Scalar>
    private let dropout: Dropout<Scalar>
    private let blocks: [TransformerBlock<Scalar>]

    public init(_ configuration: Configuration) {
        let c = configuration
        self.configuration = c
        tokens = Embedding(c.vocabularySize, c.size)
        positions = Embedding(c.maximumLength, c.size)
        segments = Embedding(c.segments, c.size)
        norm = LayerNorm(c.size, epsilon: Scalar(c.epsilon))
        dropout = Dropout(c.dropout)
        blocks = (0..<c.layers).map { _ in
            TransformerBlock(c.size, heads: c.heads, hidden: c.hidden, normalizesFirst: c.normalizesFirst, dropout: c.dropout,
                             epsilon: Scalar(c.epsilon), initializer: .normal(standardDeviation: 0.02))
        }
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("tokens", tokens)
        declaration.add("positions", positions)
        declaration.add("segments", segments)
        declaration.add("norm", norm)
        for (i, block) in blocks.enumerated() { declaration.add("block\(i)", block) }
    }

    public func callAsFunction(_ batch: TokenBatch, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        var unrecorded: EncoderStates<Scalar>?
        return self(batch, pass, recording: &unrecorded)
    }

    public func states(_ batch: TokenBatch, _ pass: ForwardPass<Scalar>) -> EncoderStates<Scalar> {
        var states: EncoderStates<Scalar>? = EncoderStates()
        _ = self(batch, pass, recording: &states)
        return states!
    }

    private func callAsFunction(
        _ batch: TokenBatch, _ pass: ForwardPass<Scalar>, recording states: inout EncoderStates<Scalar>?
    ) -> Tensor<Scalar> {
        let (n, length) = (batch.count, batch.length)
        require(length <= configuration.maximumLength,
                "sequences of \(length) tokens; the encoder has places for \(configuration.maximumLength)")
        let places = positions(Array(0..<length), pass.part("positions"))
        let summed = (tokens(batch.tokens, pass.part("tokens")) + segments(batch.segments, pass.part("segments")))
            .reshaped([n, length, configuration.size]) + places
        var x = dropout(norm(summed, pass.part("norm")), pass.part("embeddingDropout"))
        let mask = batch.isPresent.contains(false)
            ? AttentionMask.additive(Tensor<Scalar>(
                shape: [n, 1, 1, length], elements: batch.isPresent.map { $0 ? 0 : -Scalar.greatestFiniteMagnitude / 2 }))
            : nil
        states?.record(hidden: x)
        for (i, block) in blocks.enumerated() {
            x = block(x, mask: mask, pass.part("block\(i)"), recording: &states)
            states?.record(hidden: x)
        }
        return x
    }
}
