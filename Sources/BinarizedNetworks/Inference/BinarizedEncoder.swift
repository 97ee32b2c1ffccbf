import Autodiff
import BinaryAlgebra
import Kernels
import LinearAlgebra
import NeuralNetworks
import Optimizers

/// A trained ``BinaryEncoder`` that runs on bits.
///
/// Every linear layer and both products of the attention are XOR or AND with population counts. Where the next step reads nothing but
/// signs, scale, bias and activation are one whole threshold for each output and the product writes bits: queries, keys, values, attention
/// weights, contexts and the inner activations of the perceptron never exist as numbers. Left in floats are layer norms, residual sums, the
/// scale and bias of the two layers before them, and the sum of embeddings.
///
///     bit of q, k, v, inner:  Σ ≥ t,   t = min { s : α s + b ≥ 0 }      gelu keeps signs
///     bit of a weight:        q·k ≥ 0                                    the division by √d keeps signs
///     bit of a context:       2 popcount(w and v) − popcount(w) ≥ 0
///
/// Outputs have the same bits as the training side's for the same kernel tier. Masked tokens are left out of all work, so that padding costs
/// nothing. Work is spread over `Threads.count` threads by rows; the result does not depend on it.
///
/// ```swift
/// let encoder = try BinarizedEncoder(parameters, of: network)    // network: Network<BinaryEncoder<Float>>
/// let hidden = try encoder(batch)                                // [n, length, size]
/// ```
public struct BinarizedEncoder: Sendable, Hashable {
    public let configuration: TransformerEncoder<Float>.Configuration
    let words: BinaryMatrix
    let wordScales: [Float]
    let positions: [Float], segments: [Float]
    let norm: Norm
    let layers: [Layer]

    struct Norm: Sendable, Hashable {
        let scale: [Float], shift: [Float]
    }

    /// A layer whose output is binarised at once.
    struct ThresholdLayer: Sendable, Hashable {
        let weights: PackedSigns
        let thresholds: [Int32]
    }

    /// A layer whose output is added to the residual.
    struct ScaledLayer: Sendable, Hashable {
        let weights: PackedSigns
        let scales: [Float], bias: [Float]
    }

    struct Layer: Sendable, Hashable {
        /// Queries, keys and values of all heads, each head from a word on.
        let projections: ThresholdLayer
        let output: ScaledLayer
        let attentionNorm: Norm
        let intermediate: ThresholdLayer
        let perceptronOutput: ScaledLayer
        let outputNorm: Norm
    }

    /// Packs trained parameters.
    ///
    /// - Throws: ``BinarizedNetworkError/notBinary(_:)`` for another attention than ``BinaryAttention/biAttention`` or a tie rule with three
    ///   values; ``BinarizedNetworkError/notFinite(parameter:)``.
    /// - Precondition: as many parameters as the network has.
    public init(_ parameters: [Float], of network: Network<BinaryEncoder<Float>>) throws(BinarizedNetworkError) {
        try self.init(NamedParameters(parameters, network.layout), network.body, prefix: "")
    }

    init(_ parameters: NamedParameters, _ encoder: BinaryEncoder<Float>, prefix: String) throws(BinarizedNetworkError) {
        guard encoder.attention == .biAttention else {
            throw .notBinary("its attention is \(encoder.attention.rawValue); only biAttention has weights of 0 and 1 without a soft-max")
        }
        try encoder.ties.requireBinary()
        let c = encoder.configuration
        func latent(_ name: String, _ outputs: Int) throws(BinarizedNetworkError) -> LatentWeights {
            try LatentWeights(parameters[prefix + name + ".weight"], bias: parameters[prefix + name + ".bias"], outputs: outputs,
                              name: prefix + name)
        }
        func floats(_ name: String) throws(BinarizedNetworkError) -> [Float] {
            let values = parameters[prefix + name]
            guard values.allSatisfy(\.isFinite) else { throw .notFinite(parameter: prefix + name) }
            return values
        }
        let table = Tensor(shape: [c.vocabularySize, c.size], elements: try floats("tokens.weight"))
        let statistics = GroupStatistics(table, .rows)
        var logical = Logical(
            configuration: c, words: BinaryMatrix(signsOf: statistics.signs(of: table, .rows, ties: .paper, isScaled: false).matrix),
            wordScales: statistics.scales, positions: try floats("positions.weight"), segments: try floats("segments.weight"),
            norm: Norm(scale: try floats("norm.scale"), shift: try floats("norm.shift")), layers: [])
        for i in 0..<c.layers {
            let block = "block\(i)."
            let projections = [try latent(block + "attention.query", c.size), try latent(block + "attention.key", c.size),
                               try latent(block + "attention.value", c.size)]
            let output = try latent(block + "attention.output", c.size)
            let intermediate = try latent(block + "intermediate", c.hidden), perceptronOutput = try latent(block + "output", c.size)
            logical.layers.append(Logical.Layer(
                projections: projections.map { ($0.bits, $0.thresholds) }, output: (output.bits, output.scales, output.bias),
                attentionNorm: Norm(scale: try floats(block + "attentionNorm.scale"), shift: try floats(block + "attentionNorm.shift")),
                intermediate: (intermediate.bits, intermediate.thresholds),
                perceptronOutput: (perceptronOutput.bits, perceptronOutput.scales, perceptronOutput.bias),
                outputNorm: Norm(scale: try floats(block + "outputNorm.scale"), shift: try floats(block + "outputNorm.shift"))))
        }
        self.init(logical)
    }

    /// What an encoder consists of, with the weights in plain order: one output a row. The file has it so.
    struct Logical {
        struct Layer {
            var projections: [(signs: BinaryMatrix, thresholds: [Int32])]
            var output: (signs: BinaryMatrix, scales: [Float], bias: [Float])
            var attentionNorm: Norm
            var intermediate: (signs: BinaryMatrix, thresholds: [Int32])
            var perceptronOutput: (signs: BinaryMatrix, scales: [Float], bias: [Float])
            var outputNorm: Norm
        }

        var configuration: TransformerEncoder<Float>.Configuration
        var words: BinaryMatrix
        var wordScales: [Float], positions: [Float], segments: [Float]
        var norm: Norm
        var layers: [Layer]
    }

    init(_ logical: Logical) {
        let c = logical.configuration, heads = HeadLayout(heads: c.heads, width: c.size / c.heads)
        configuration = c
        (words, wordScales, positions, segments) = (logical.words, logical.wordScales, logical.positions, logical.segments)
        norm = logical.norm
        layers = logical.layers.map { layer in
            var signs = BinaryMatrix(rows: 3 * heads.columns, columns: c.size)
            // No sum reaches the threshold of a row between heads: its bit is 0.
            var thresholds = [Int32](repeating: .max, count: 3 * heads.columns)
            for (which, projection) in layer.projections.enumerated() {
                for i in 0..<c.size {
                    let place = which * heads.columns + heads.place(i)
                    thresholds[place] = projection.thresholds[i]
                    for k in 0..<c.size where projection.signs[i, k] { signs[place, k] = true }
                }
            }
            var output = BinaryMatrix(rows: c.size, columns: heads.columns)
            for i in 0..<c.size {
                for k in 0..<c.size where layer.output.signs[i, k] { output[i, heads.place(k)] = true }
            }
            return Layer(
                projections: ThresholdLayer(weights: PackedSigns(signs), thresholds: thresholds),
                output: ScaledLayer(weights: PackedSigns(output), scales: layer.output.scales, bias: layer.output.bias),
                attentionNorm: layer.attentionNorm,
                intermediate: ThresholdLayer(weights: PackedSigns(layer.intermediate.signs), thresholds: layer.intermediate.thresholds),
                perceptronOutput: ScaledLayer(
                    weights: PackedSigns(layer.perceptronOutput.signs), scales: layer.perceptronOutput.scales,
                    bias: layer.perceptronOutput.bias),
                outputNorm: layer.outputNorm)
        }
    }

    /// The weights in plain order again.
    var logical: Logical {
        let c = configuration, heads = headLayout
        return Logical(
            configuration: c, words: words, wordScales: wordScales, positions: positions, segments: segments, norm: norm,
            layers: layers.map { layer in
                Logical.Layer(
                    projections: (0..<3).map { which in
                        let place = { which * heads.columns + heads.place($0) }
                        return (layer.projections.weights.plain(rows: c.size, columns: c.size, row: place),
                                (0..<c.size).map { layer.projections.thresholds[place($0)] })
                    },
                    output: (layer.output.weights.plain(rows: c.size, columns: c.size, column: heads.place), layer.output.scales, layer.output.bias),
                    attentionNorm: layer.attentionNorm,
                    intermediate: (layer.intermediate.weights.plain(rows: c.hidden, columns: c.size), layer.intermediate.thresholds),
                    perceptronOutput: (layer.perceptronOutput.weights.plain(rows: c.size, columns: c.hidden), layer.perceptronOutput.scales,
                                       layer.perceptronOutput.bias),
                    outputNorm: layer.outputNorm)
            })
    }

    var headLayout: HeadLayout { HeadLayout(heads: configuration.heads, width: configuration.size / configuration.heads) }

    /// Bytes that the model keeps: bits, thresholds, scales, biases, norms and the float embeddings of place and segment.
    public var residentBytes: Int {
        var bytes = 8 * words.words.count + 4 * (wordScales.count + positions.count + segments.count + norm.scale.count + norm.shift.count)
        for layer in layers {
            for part in [layer.projections, layer.intermediate] { bytes += part.weights.bytes + 4 * part.thresholds.count }
            for part in [layer.output, layer.perceptronOutput] { bytes += part.weights.bytes + 4 * (part.scales.count + part.bias.count) }
            for part in [layer.attentionNorm, layer.outputNorm] { bytes += 4 * (part.scale.count + part.shift.count) }
        }
        return bytes
    }

    /// The last hidden states, shape [n, length, size]; 0 where a token is masked.
    ///
    /// - Throws: ``BinarizedNetworkError`` for tokens or segments out of range and sequences that are too long.
    public func callAsFunction(_ batch: TokenBatch) throws(BinarizedNetworkError) -> Tensor<Float> {
        let rows = try PresentRows(batch, configuration)
        let hidden = run(rows)
        let size = configuration.size
        guard rows.count < batch.tokens.count else { return Tensor(shape: [batch.count, batch.length, size], elements: hidden) }
        var spread = [Float](repeating: 0, count: batch.tokens.count * size)
        for (row, place) in rows.places.enumerated() {
            spread.replaceSubrange(place * size..<(place + 1) * size, with: hidden[row * size..<(row + 1) * size])
        }
        return Tensor(shape: [batch.count, batch.length, size], elements: spread)
    }

    /// One row of hidden states for each token that is present.
    func run(_ rows: PresentRows) -> [Float] {
        var hidden = embeddings(rows)
        for layer in layers { LayerPass(self, layer, rows).run(&hidden) }
        return hidden
    }

    private func embeddings(_ rows: PresentRows) -> [Float] {
        let size = configuration.size, wordsPerRow = words.wordsPerRow
        var summed = [Float](repeating: 0, count: rows.count * size)
        var span = summed.mutableSpan
        concurrentBlocks(of: &span, blockLength: rows.blockRows * size) { block, part in
            let bits = words.words.span, positions = positions.span, segments = segments.span
            for row in 0..<part.count / size {
                let index = block * rows.blockRows + row, token = rows.tokens[index], scale = wordScales[token]
                let place = rows.positions[index] * size, segment = rows.segments[index] * size
                for first in stride(from: 0, to: size, by: 64) {
                    let word = ~bits[token * wordsPerRow + first / 64]
                    for k in first..<min(size, first + 64) {
                        // ±scale by its sign bit.
                        let sign = UInt32(truncatingIfNeeded: word >> UInt64(k - first)) << 31
                        part[row * size + k] = Float(bitPattern: scale.bitPattern | sign) + segments[segment + k] + positions[place + k]
                    }
                }
            }
            normalize(&part, norm, size: size, epsilon: Float(configuration.epsilon))
        }
        return summed
    }
}

/// (x − μ)/√(σ² + ε) ∘ scale + shift in each row, in place: the layer norm of the training side, to the bit.
func normalize(_ x: inout MutableSpan<Float>, _ norm: BinarizedEncoder.Norm, size: Int, epsilon: Float) {
    let rows = x.count / size
    var means = [Float](repeating: 0, count: rows), rests = means, inverses = means
    let normalized: [Float] = uninitializedArray(count: x.count) { y in
        var meanSpan = means.mutableSpan, restSpan = rests.mutableSpan, inverseSpan = inverses.mutableSpan
        Float.layerNorm(
            rows: rows, columns: size, of: x.span, epsilon: epsilon, scale: norm.scale.span, shift: norm.shift.span, into: &y,
            means: &meanSpan, rests: &restSpan, inverseDeviations: &inverseSpan)
    }
    copy(normalized.span, &x)
}

/// The tokens of a batch that are present, sequence after sequence, as rows of all that follows.
struct PresentRows: Sendable {
    /// Where each row stands in the batch.
    let places: [Int]
    let tokens: [Int], positions: [Int], segments: [Int]
    /// The rows of each sequence.
    let sequences: [Range<Int>]
    /// Rows that one thread takes at a time: the layer's weights are read from the second-level cache once for each block.
    let blockRows: Int

    init(_ batch: TokenBatch, _ configuration: TransformerEncoder<Float>.Configuration) throws(BinarizedNetworkError) {
        guard batch.length <= configuration.maximumLength else {
            throw .sequenceTooLong(length: batch.length, maximum: configuration.maximumLength)
        }
        places = batch.isPresent.indices.filter { batch.isPresent[$0] }
        for place in places {
            let (sequence, position) = (place / batch.length, place % batch.length)
            guard 0..<configuration.vocabularySize ~= batch.tokens[place] else {
                throw .tokenOutOfRange(token: batch.tokens[place], sequence: sequence, position: position,
                                       vocabularySize: configuration.vocabularySize)
            }
            guard 0..<configuration.segments ~= batch.segments[place] else {
                throw .segmentOutOfRange(segment: batch.segments[place], sequence: sequence, position: position,
                                         segments: configuration.segments)
            }
        }
        tokens = places.map { batch.tokens[$0] }
        segments = places.map { batch.segments[$0] }
        positions = places.map { $0 % batch.length }
        var sequences: [Range<Int>] = [], start = 0
        for sequence in 0..<batch.count {
            let count = batch.isPresent[sequence * batch.length..<(sequence + 1) * batch.length].count { $0 }
            sequences.append(start..<start + count)
            start += count
        }
        self.sequences = sequences
        let threads = Threads.count, blocks = (max(1, (places.count + 127) / 128) + threads - 1) / threads * threads
        blockRows = max(1, (places.count + blocks - 1) / blocks)
    }

    var count: Int { places.count }
}
