import BinaryAlgebra
import Kernels
import LinearAlgebra
import NeuralNetworks

/// A trained ``BinaryDense`` on bits: y = α ∘ (sign(x) · B) + b with packed signs B, float in and float out.
///
/// The same bits as the layer it is made of. Size: one bit a weight, and α and b as floats.
public struct PackedDense: Sendable, Hashable {
    public let inputs: Int, outputs: Int
    let weights: PackedSigns
    let scales: [Float], bias: [Float]

    /// - Parameters:
    ///   - layer: gives shape and rule for ties.
    ///   - parameters: `weight`, inputs × outputs row after row, and then `bias`, as the layer declares them.
    /// - Throws: ``BinarizedNetworkError/notBinary(_:)`` for a layer with ``TieRule/torchSign``,
    ///   ``BinarizedNetworkError/notFinite(parameter:)`` for a NaN or an infinity.
    /// - Precondition: as many parameters as the layer has.
    public init(_ layer: BinaryDense<Float>, parameters: [Float]) throws(BinarizedNetworkError) {
        let count = layer.inputs * layer.outputs
        require(parameters.count == count + layer.outputs,
                "\(parameters.count) parameters; the layer has \(count + layer.outputs)")
        try layer.ties.requireBinary()
        let signs = try LatentWeights(
            Array(parameters[..<count]), bias: Array(parameters[count...]), outputs: layer.outputs, name: "weight")
        self.init(signs: signs.bits, scales: signs.scales, bias: signs.bias)
    }

    init(signs: BinaryMatrix, scales: [Float], bias: [Float]) {
        (inputs, outputs) = (signs.columns, signs.rows)
        weights = PackedSigns(signs)
        (self.scales, self.bias) = (scales, bias)
    }

    /// y of shape rows × outputs for x of rows × inputs.
    ///
    /// - Precondition: x has as many columns as the layer has inputs.
    public func callAsFunction(_ x: Matrix<Float>) -> Matrix<Float> {
        require(x.columns == inputs, "x has \(x.columns) columns; the layer has \(inputs) inputs")
        let (weights, scales, bias, words) = (weights, scales, bias, weights.words)
        // Short blocks, so that their bits stay in the first-level cache between packing and product.
        let blockRows = min(96, max(12, (x.rows + Threads.count - 1) / Threads.count))
        let y: [Float] = uninitializedArray(count: x.rows * outputs) { y in
            concurrentBlocks(of: &y, blockLength: blockRows * outputs) { block, part in
                let rows = part.count / bias.count, first = block * blockRows * x.columns
                var bits = [UInt64](repeating: 0, count: rows * words)
                var bitSpan = bits.mutableSpan
                _ = BinaryKernels.packSigns(
                    rows: rows, columns: x.columns, of: x.elements.span.extracting(first..<first + rows * x.columns), stride: x.columns,
                    into: &bitSpan, stride: words)
                let offset = [Int32](repeating: Int32(x.columns), count: rows), ones = [Float](repeating: 1, count: rows)
                weights.panels.withSpan { panels in
                    BinaryKernels.scaledProduct(
                        .xor, m: rows, n: bias.count, words: words, offset: offset.span, a: bits.span, stride: words, panels: panels,
                        rowScale: ones.span, columnScale: scales.span, bias: bias.span, into: &part, stride: bias.count)
                }
            }
        }
        return Matrix(rows: x.rows, columns: outputs, elements: y)
    }

    /// Bytes that the layer keeps.
    public var residentBytes: Int { weights.bytes + 4 * (scales.count + bias.count) }
}
