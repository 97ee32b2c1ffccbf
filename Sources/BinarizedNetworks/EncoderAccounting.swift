import Kernels
import NeuralNetworks

/// Parameters, size and operations of an encoder of any shape, in full precision and binarised, as the BiBERT paper counts them, and the
/// bytes that a packed model really keeps.
///
/// ```swift
/// print(EncoderAccounting(.init(), length: 128).table)     // BERT-base
/// ```
///
/// The paper's convention, and where it differs from what a processor does:
///
/// - An operation is a multiplication or an addition: 2 for each multiply-add. A binary one counts as 1/64, as if 64 bits took as long as a
///   floating-point number. A vector unit does 16 or 32 multiply-adds an instruction, and bits take an exclusive or, a count and an
///   addition: measured speed-ups are a fraction of the ratio (`Benchmarks/compare binary-encoder`).
/// - Size counts every parameter as one bit and the biases as floats beside them. Left out are what stays in floats (embeddings of place,
///   norms) and the scale of each row; ``residentBytes`` counts all.
/// - The paper's ratio 56.3 is that of its rounded numbers, 22.5/0.4; the released code's notes say 59.2, 22.5/0.38.
public struct EncoderAccounting: Sendable, Hashable {
    public let configuration: TransformerEncoder<Float>.Configuration
    /// Tokens a sequence.
    public let length: Int

    /// - Precondition: a positive length.
    public init(_ configuration: TransformerEncoder<Float>.Configuration, length: Int) {
        require(length > 0, "sequences of \(length) tokens; expected a positive number")
        self.configuration = configuration
        self.length = length
    }

    private var size: Int { configuration.size }
    private var layers: Int { configuration.layers }
    private var hidden: Int { configuration.hidden }

    /// Embeddings and their norm, all layers, and the pooler.
    public var parameters: Int {
        let embeddings = (configuration.vocabularySize + configuration.maximumLength + configuration.segments) * size + 2 * size
        let layer = 4 * (size * size + size) + 2 * size * hidden + hidden + size + 4 * size
        return embeddings + layers * layer + size * size + size
    }

    /// Biases of all linear layers.
    public var biases: Int { layers * (5 * size + hidden) + size }

    /// Multiply-adds of one sequence: linear layers, both products of the attention, and the pooler.
    public var multiplyAdds: Int {
        layers * length * (4 * size * size + 2 * size * hidden) + layers * 2 * length * length * size + size * size
    }

    /// What comes on top of the products in full precision: biases, residual sums, norms (5 an element), GELU and soft-max. An elementary
    /// function counts as 20 operations, so that GELU takes 24 and soft-max 23 an element.
    public var elementwiseOperations: Int {
        let perToken = 5 * size + hidden + 2 * size + 2 * 5 * size + 24 * hidden + 23 * configuration.heads * length
        return layers * length * perToken
    }

    /// What is left of them in the packed model: scale, bias, residual sum and norm of the two layers before a residual.
    public var packedElementwiseOperations: Int { layers * length * (2 * 2 * size + 2 * size + 2 * 5 * size) }

    /// Operations in full precision.
    public var operations: Double { 2 * Double(multiplyAdds) + Double(elementwiseOperations) }

    /// Operations binarised: products at 1/64, and what is left.
    public var packedOperations: Double { 2 * Double(multiplyAdds) / 64 + Double(packedElementwiseOperations) }

    /// Bytes in `Float`.
    public var bytes: Double { 4 * Double(parameters) }

    /// Bytes as the paper counts them: one bit a parameter, and the biases.
    public var paperBytes: Double { Double(parameters) / 8 + 4 * Double(biases) }

    /// Bytes that ``BinarizedEncoder`` with a pooler keeps, everything counted.
    public var residentBytes: Int {
        let c = configuration, heads = HeadLayout(heads: c.heads, width: size / c.heads)
        func panels(_ rows: Int, _ columns: Int) -> Int {
            8 * BinaryKernels.panelCount(rows: rows, words: BinaryKernels.words(forColumns: columns))
        }
        let embeddings = 8 * c.vocabularySize * BinaryKernels.words(forColumns: size)
            + 4 * (c.vocabularySize + (c.maximumLength + c.segments) * size + 2 * size)
        let thresholded = panels(3 * heads.columns, size) + panels(hidden, size) + 4 * (3 * heads.columns + hidden)
        let scaled = panels(size, heads.columns) + panels(size, hidden) + 4 * 4 * size
        return embeddings + layers * (thresholded + scaled + 4 * 4 * size) + panels(size, size) + 4 * 2 * size
    }

    /// The paper's rows as text: size in MiB and operations in G, rounded as there, with ratios of the rounded operations.
    public var table: String {
        func rounded(_ x: Double) -> Double { (10 * x).rounded() / 10 }
        let (full, binary) = (rounded(1e-9 * operations), rounded(1e-9 * packedOperations))
        let ratio = binary > 0 ? rounded(full / binary) : .infinity
        return """
            BERT-type encoder, \(layers) layers of \(size), \(length) tokens
            full precision   \(rounded(bytes / 1_048_576)) MiB   \(full) G
            binarised        \(rounded(paperBytes / 1_048_576)) MiB (\(rounded(bytes / paperBytes))×)   \(binary) G (\(ratio)×)
            kept in memory   \(rounded(Double(residentBytes) / 1_048_576)) MiB (\(rounded(bytes / Double(residentBytes)))×)
            """
    }
}
