import Autodiff
import Kernels
import LinearAlgebra
import NeuralNetworks

/// A trained student that runs on bits: ``BinarizedEncoder``, a packed pooler and the float layer of class scores.
public struct BinarizedClassifier: Sendable, Hashable {
    public let encoder: BinarizedEncoder
    /// What the classes are called; kept in files.
    public let classNames: [String]
    let pooler: PackedDense
    /// [size, classes] row after row, and one bias a class.
    let weights: [Float], bias: [Float]

    public var classes: Int { bias.count }

    /// Packs trained parameters; errors as in ``BinarizedEncoder/init(_:of:)``.
    ///
    /// - Parameter classNames: one a class; "0", "1" … if `nil`.
    public init(
        _ parameters: [Float], of network: Network<SequenceClassifier<BinaryEncoder<Float>>>, classNames: [String]? = nil
    ) throws(BinarizedNetworkError) {
        let named = NamedParameters(parameters, network.layout), body = network.body
        encoder = try BinarizedEncoder(named, body.encoder, prefix: "encoder.")
        self.classNames = classNames ?? (0..<body.classes).map(String.init)
        require(self.classNames.count == body.classes, "\(self.classNames.count) names for \(body.classes) classes; expected one each")
        let latent = try LatentWeights(
            named["pooler.weight"], bias: named["pooler.bias"], outputs: body.encoder.configuration.size, name: "pooler")
        pooler = PackedDense(signs: latent.bits, scales: latent.scales, bias: latent.bias)
        (weights, bias) = (named["classifier.weight"], named["classifier.bias"])
        guard (weights + bias).allSatisfy(\.isFinite) else { throw .notFinite(parameter: "classifier") }
    }

    init(encoder: BinarizedEncoder, pooler: PackedDense, weights: [Float], bias: [Float], classNames: [String]) {
        (self.encoder, self.pooler, self.weights, self.bias, self.classNames) = (encoder, pooler, weights, bias, classNames)
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
