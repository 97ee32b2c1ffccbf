import Autodiff
import Kernels
import LinearAlgebra
import NeuralNetworks

/// A trained student that runs on bits: ``BinarizedEncoder``, a packed pooler and the float layer of class scores.
public struct BinarizedClassifier: Sendable, Hashable {
    public let encoder: BinarizedEncoder
    public let classes: Int
    let pooler: PackedDense
    /// [size, classes] row after row, and one bias a class.
    let weights: [Float], bias: [Float]

    /// Packs trained parameters; errors as in ``BinarizedEncoder/init(_:of:)``.
    public init(
        _ parameters: [Float], of network: Network<SequenceClassifier<BinaryEncoder<Float>>>
    ) throws(BinarizedNetworkError) {
        let named = NamedParameters(parameters, network.layout), body = network.body
        encoder = try BinarizedEncoder(named, body.encoder, prefix: "encoder.")
        classes = body.classes
        let latent = try LatentWeights(
            named["pooler.weight"], bias: named["pooler.bias"], outputs: body.encoder.configuration.size, name: "pooler")
        pooler = PackedDense(signs: latent.bits, scales: latent.scales, bias: latent.bias)
        (weights, bias) = (named["classifier.weight"], named["classifier.bias"])
        guard (weights + bias).allSatisfy(\.isFinite) else { throw .notFinite(parameter: "classifier") }
    }

    init(encoder: BinarizedEncoder, pooler: PackedDense, weights: [Float], bias: [Float]) {
        (self.encoder, self.pooler, self.weights, self.bias) = (encoder, pooler, weights, bias)
        classes = bias.count
    }

    /// Scores of shape [n, classes].
    ///
    /// - Throws: as the encoder, and ``BinarizedNetworkError/firstTokenMasked(sequence:)``.
    public func callAsFunction(_ batch: TokenBatch) throws(BinarizedNetworkError) -> Tensor<Float> {
        for sequence in 0..<batch.count where !batch.isPresent[sequence * batch.length] { throw .firstTokenMasked(sequence: sequence) }
        let rows = try PresentRows(batch, encoder.configuration)
        let hidden = encoder.run(rows), size = encoder.configuration.size
        let first = rows.sequences.flatMap { hidden[$0.lowerBound * size..<($0.lowerBound + 1) * size] }
        let pooled = Tensor(pooler(Matrix(rows: batch.count, columns: size, elements: first))).tanh()
        return affine(pooled, Tensor(shape: [size, classes], elements: weights), Tensor(bias))
    }

    /// Bytes that the model keeps.
    public var residentBytes: Int { encoder.residentBytes + pooler.residentBytes + 4 * (weights.count + bias.count) }
}
