import Autodiff
import Kernels
import NeuralNetworks

/// BiBERT's encoder in training: a Transformer encoder whose embeddings of words, weights and inputs of matrix products are binarised in the
/// forward pass (Qin et al. 2022, arXiv:2203.06390).
///
///     h₀ = norm(binarised word + position + segment)
///     a  = norm(bilinear(B sign(V)) + h)          Q, K, V = bilinear(h), B by `attention`
///     h  = norm(bilinear(gelu(bilinear(a))) + a)
///
/// In full precision stay the embeddings of position and segment, norms, biases and residual sums. Parameters have the names, shapes and
/// order of `TransformerEncoder`: a teacher's are a student's start. `BinarizedEncoder` runs a trained one on bits.
public struct BinaryEncoder<Scalar: KernelScalar>: SequenceEncoder {
    public let configuration: TransformerEncoder<Scalar>.Configuration
    public let attention: BinaryAttention
    public let ties: TieRule
    private let tokens: Embedding<Scalar>, positions: Embedding<Scalar>, segments: Embedding<Scalar>
    private let norm: LayerNorm<Scalar>
    private let dropout: Dropout<Scalar>
    private let blocks: [BinaryTransformerBlock<Scalar>]

    /// - Precondition: post-norm blocks, as BERT has them, and a number of heads that divides the size.
    public init(
        _ configuration: TransformerEncoder<Scalar>.Configuration, attention: BinaryAttention = .biAttention, ties: TieRule = .paper
    ) {
        let c = configuration
        require(!c.normalizesFirst, "a binary encoder with pre-norm blocks; expected post-norm ones, whose norms repair the magnitudes")
        require(c.heads > 0 && c.size % c.heads == 0, "\(c.heads) heads of size \(c.size); expected a number of heads that divides it")
        self.configuration = c
        self.attention = attention
        self.ties = ties
        tokens = Embedding(c.vocabularySize, c.size)
        positions = Embedding(c.maximumLength, c.size)
        segments = Embedding(c.segments, c.size)
        norm = LayerNorm(c.size, epsilon: Scalar(c.epsilon))
        dropout = Dropout(c.dropout)
        blocks = (0..<c.layers).map { _ in BinaryTransformerBlock(c, attention: attention, ties: ties) }
    }

    public func declareParameters(_ declaration: inout ParameterDeclaration) {
        declaration.add("tokens", tokens)
        declaration.add("positions", positions)
        declaration.add("segments", segments)
        declaration.add("norm", norm)
        for (i, block) in blocks.enumerated() { declaration.add("block\(i)", block) }
    }

    public func callAsFunction(_ batch: TokenBatch, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> { states(batch, pass).output }

    public func states(_ batch: TokenBatch, _ pass: ForwardPass<Scalar>) -> EncoderStates<Scalar> {
        let (n, length) = (batch.count, batch.length)
        require(length <= configuration.maximumLength,
                "sequences of \(length) tokens; the encoder has places for \(configuration.maximumLength)")
        var states = EncoderStates<Scalar>()
        // Rows are binarised one by one, so those that occur suffice.
        let words = tokens(batch.tokens, pass.part("tokens")).binarizedRows(ties: ties)
        let summed = (words + segments(batch.segments, pass.part("segments"))).reshaped([n, length, configuration.size])
            + positions(Array(0..<length), pass.part("positions"))
        var x = dropout(norm(summed, pass.part("norm")), pass.part("embeddingDropout"))
        states.record(hidden: x)
        let mask: Tensor<Scalar>? = BinaryAttention.paddingMask(batch.isPresent, count: n)
        for (i, block) in blocks.enumerated() {
            x = block(x, mask: mask, pass.part("block\(i)"), recording: &states)
            states.record(hidden: x)
        }
        return states
    }

    /// The share of ones (+1 for the baselines) among the attention weights of each block, over tokens that are present.
    ///
    /// An entropy of each follows by ``binaryEntropy(_:)``: how much of the scores the weights can carry (§3.2).
    public func attentionDensities(_ states: EncoderStates<Scalar>, _ batch: TokenBatch) -> [Double] {
        let mask: Tensor<Scalar>? = BinaryAttention.paddingMask(batch.isPresent, count: batch.count)
        let (length, heads) = (batch.length, configuration.heads)
        return zip(states.queries, states.keys).map { queries, keys in
            let weights = attention.weights(queries: queries, keys: keys, mask: mask, ties: ties).elements
            var ones = 0, all = 0
            for (i, weight) in weights.enumerated() {
                let key = i % length, query = i / length % length, sequence = i / (length * length * heads)
                guard batch.isPresent[sequence * length + key], batch.isPresent[sequence * length + query] else { continue }
                all += 1
                if weight > 0 { ones += 1 }
            }
            return Double(ones) / Double(max(1, all))
        }
    }
}

/// Binary attention and a binary two-layer perceptron, each with a residual connection and a layer norm.
struct BinaryTransformerBlock<Scalar: KernelScalar>: Module {
    private let heads: Int
    private let attention: BinaryAttention
    private let ties: TieRule
    private let projection: BinaryDense<Scalar>
    private let intermediate: BinaryDense<Scalar>, output: BinaryDense<Scalar>
    private let norm: LayerNorm<Scalar>
    private let dropout: Dropout<Scalar>

    init(_ c: TransformerEncoder<Scalar>.Configuration, attention: BinaryAttention, ties: TieRule) {
        heads = c.heads
        self.attention = attention
        self.ties = ties
        let initializer = Initializer.normal(standardDeviation: 0.02)
        projection = BinaryDense(c.size, c.size, ties: ties, initializer: initializer)
        intermediate = BinaryDense(c.size, c.hidden, ties: ties, initializer: initializer)
        output = BinaryDense(c.hidden, c.size, ties: ties, initializer: initializer)
        norm = LayerNorm(c.size, epsilon: Scalar(c.epsilon))
        dropout = Dropout(c.dropout)
    }

    func declareParameters(_ declaration: inout ParameterDeclaration) {
        for name in ["query", "key", "value", "output"] { declaration.add("attention." + name, projection) }
        declaration.add("attentionNorm", norm)
        declaration.add("intermediate", intermediate)
        declaration.add("output", output)
        declaration.add("outputNorm", norm)
    }

    /// Without a mask.
    func callAsFunction(_ h: Tensor<Scalar>, _ pass: ForwardPass<Scalar>) -> Tensor<Scalar> {
        var states = EncoderStates<Scalar>()
        return self(h, mask: nil, pass, recording: &states)
    }

    func callAsFunction(
        _ h: Tensor<Scalar>, mask: Tensor<Scalar>?, _ pass: ForwardPass<Scalar>, recording states: inout EncoderStates<Scalar>
    ) -> Tensor<Scalar> {
        let (n, length, size) = (h.shape[0], h.shape[1], h.shape[2])
        let inner = pass.part("attention")
        func split(_ name: String) -> Tensor<Scalar> {
            projection(h, inner.part(name)).reshaped([n, length, heads, size / heads]).transposed([0, 2, 1, 3])
        }
        let (queries, keys, values) = (split("query"), split("key"), split("value"))
        states.record(queries: queries, keys: keys, values: values)
        let weights = attention.weights(queries: queries, keys: keys, mask: mask, ties: ties) { dropout($0, pass.part("scoreDropout")) }
        let mixed = matmul(weights, values.signBinarized(ties: ties)).transposed([0, 2, 1, 3]).reshaped([n, length, size])
        let attended = dropout(projection(mixed, inner.part("output")), pass.part("attentionDropout"))
        let a = norm(h + attended, pass.part("attentionNorm"))
        // Below −8 GELU may round to −0, whose sign is +; its derivative there is below 1e-13.
        let z = intermediate(a, pass.part("intermediate")).clamped(to: -8 ... .greatestFiniteMagnitude)
        let transformed = dropout(output(z.gelu(), pass.part("output")), pass.part("outputDropout"))
        return norm(a + transformed, pass.part("outputNorm"))
    }
}
