import Autodiff
import Datasets
import Foundation
import Kernels
import Optimizers
import NeuralNetworks

extension Network where Body == SequenceClassifier<TransformerEncoder<Float>> {
    /// A full-precision teacher from a checkpoint in the Hugging Face layout: the encoder as by `Network.bert(path:heads:epsilon:)`, and
    /// `pooler.dense` and `classifier` where the file has them. A classifier of another number of classes than `classes` is an error; a
    /// file without pooler or classifier gives new ones.
    ///
    /// - Throws: `CheckpointError` that names the array that is missing or has another shape.
    public static func bertClassifier(
        path: String, heads: Int, classes: Int, epsilon: Double = 1e-12, seed: UInt64 = 0
    ) throws(CheckpointError) -> (network: Network, parameters: [Float]) {
        let encoder = try Network<TransformerEncoder<Float>>.bert(path: path, heads: heads, epsilon: epsilon)
        let network = Network(SequenceClassifier(encoder.network.body, classes: classes))
        let arrays: [String: NumericArray]
        do { arrays = try Safetensors.read(path: path).arrays } catch { throw CheckpointError("cannot read the checkpoint \(path): \(error)") }
        var parameters = encoder.parameters + network.initialParameters(seed: seed)[encoder.parameters.count...]
        for block in network.layout.blocks[encoder.network.layout.blocks.count...] {
            let suffix = block.name.replacingOccurrences(of: "pooler.", with: "pooler.dense.")
            guard let array = arrays["bert." + suffix] ?? arrays[suffix] else { continue }
            let shape = Array(block.shape.reversed())
            guard array.shape == shape else {
                throw CheckpointError("'\(suffix)' in \(path) has shape \(array.shape); expected \(shape)")
            }
            // Dense weights stand there as [outputs, inputs].
            let values = Tensor<Float>(shape: shape, elements: array.values())
            parameters.replaceSubrange(block.range, with: shape.count == 2 ? values.transposed().elements : values.elements)
        }
        return (network, parameters)
    }
}
