import Autodiff
import Datasets
import Foundation
import Kernels
import Optimizers

extension Network where Body == TransformerEncoder<Float> {
    /// An encoder with the parameters of a BERT-type checkpoint in safetensors, by the names of the Hugging Face format:
    /// `embeddings.word_embeddings.weight`, `encoder.layer.0.attention.self.query.weight` …, with or without the prefix `bert.`.
    ///
    /// Sizes are read off the arrays; the number of heads is not in them. Weights of dense layers stand there as [outputs, inputs] and are
    /// transposed. Arrays that an encoder has not (pooler, heads of tasks, `position_ids`) are passed over.
    ///
    /// - Parameters:
    ///   - heads: of attention, `num_attention_heads` in the configuration file.
    ///   - epsilon: of the layer norms, `layer_norm_eps`.
    /// - Throws: ``CheckpointError`` that names the array that is missing or has another shape.
    public static func bert(
        path: String, heads: Int, epsilon: Double = 1e-12
    ) throws(CheckpointError) -> (network: Network, parameters: [Float]) {
        let arrays: [String: NumericArray]
        do { arrays = try Safetensors.read(path: path).arrays } catch { throw CheckpointError("cannot read the checkpoint \(path): \(error)") }
        let prefix = arrays.keys.contains { $0.hasPrefix("bert.embeddings.") } ? "bert." : ""
        func matrix(_ name: String) throws(CheckpointError) -> (rows: Int, columns: Int) {
            guard let array = arrays[prefix + name] else { throw CheckpointError("\(path) lacks '\(prefix + name)'") }
            guard array.shape.count == 2 else { throw CheckpointError("'\(prefix + name)' in \(path) has shape \(array.shape); expected two axes") }
            return (array.shape[0], array.shape[1])
        }
        var configuration = TransformerEncoder<Float>.Configuration()
        (configuration.vocabularySize, configuration.size) = try matrix("embeddings.word_embeddings.weight")
        configuration.maximumLength = try matrix("embeddings.position_embeddings.weight").rows
        configuration.segments = try matrix("embeddings.token_type_embeddings.weight").rows
        configuration.layers = 0
        while arrays[prefix + "encoder.layer.\(configuration.layers).attention.self.query.weight"] != nil { configuration.layers += 1 }
        guard configuration.layers > 0 else { throw CheckpointError("\(path) lacks '\(prefix)encoder.layer.0.attention.self.query.weight'") }
        configuration.hidden = try matrix("encoder.layer.0.intermediate.dense.weight").rows
        configuration.heads = heads
        configuration.epsilon = epsilon
        guard heads > 0, configuration.size % heads == 0 else {
            throw CheckpointError("\(heads) heads for size \(configuration.size) in \(path); expected a number that divides it")
        }

        let network = Network(TransformerEncoder<Float>(configuration))
        var parameters: [Float] = []
        parameters.reserveCapacity(network.parameterCount)
        for block in network.layout.blocks {
            let name = prefix + name(of: block.name), isDense = block.name.hasPrefix("block") && block.name.hasSuffix(".weight")
            guard let array = arrays[name] else { throw CheckpointError("\(path) lacks '\(name)'") }
            let values: [Float] = try elements(of: array, named: name, shape: isDense ? block.shape.reversed() : block.shape, in: path)
            parameters += isDense ? Tensor(shape: block.shape.reversed(), elements: values).transposed().elements : values
        }
        return (network, parameters)
    }

    /// The format's name of a parameter of ours.
    private static func name(of own: String) -> String {
        let whole = [
            "tokens.weight": "embeddings.word_embeddings.weight", "positions.weight": "embeddings.position_embeddings.weight",
            "segments.weight": "embeddings.token_type_embeddings.weight",
            "norm.scale": "embeddings.LayerNorm.weight", "norm.shift": "embeddings.LayerNorm.bias",
        ]
        if let name = whole[own] { return name }
        let parts = own.split(separator: ".", maxSplits: 1)
        let (block, rest) = (parts[0].dropFirst("block".count), String(parts[1]))
        let places = [
            "attention.query": "attention.self.query", "attention.key": "attention.self.key", "attention.value": "attention.self.value",
            "attention.output": "attention.output.dense", "intermediate": "intermediate.dense", "output": "output.dense",
        ]
        let norms = [
            "attentionNorm.scale": "attention.output.LayerNorm.weight", "attentionNorm.shift": "attention.output.LayerNorm.bias",
            "outputNorm.scale": "output.LayerNorm.weight", "outputNorm.shift": "output.LayerNorm.bias",
        ]
        if let name = norms[rest] { return "encoder.layer.\(block).\(name)" }
        let dot = rest.lastIndex(of: ".")!
        return "encoder.layer.\(block).\(places[String(rest[..<dot])]!)\(rest[dot...])"
    }
}
