import Descent
import Workloads

/// Packed layers and encoders, and the float path beside them.
enum BinaryNetworkCases {
    static let names: Set<String> = ["binary-layer", "binary-encoder", "float-encoder"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        if name == "binary-layer" { return try layer(data) }
        let batch = Int(try numbers["batch"].orThrow("batch")), length = Int(try numbers["length"].orThrow("length"))
        var configuration = TransformerEncoder<Float>.Configuration()
        // The embeddings' table does not take part in the time.
        (configuration.vocabularySize, configuration.dropout) = (1000, 0)
        let binary = Network(BinaryEncoder<Float>(configuration)), parameters = binary.initialParameters(seed: 1)
        var random = RandomStream(seed: 2)
        let tokens = TokenBatch((0..<batch).map { _ in (0..<length).map { _ in Int(random.nextUInt64() % 1000) } })
        let work = 2 * Double(batch * EncoderAccounting(configuration, length: length).multiplyAdds)
        if name == "float-encoder" {
            let float = Network(TransformerEncoder<Float>(configuration)), tensor = Tensor(parameters)
            return Case(workload: Workload(name, work: work, .operations) { _ = float(tokens, tensor) }) { _ in
                throw RunnerError(text: "another model than the binary one: nothing to compare")
            }
        }
        let packed = try BinarizedEncoder(parameters, of: binary)
        let output = try packed(tokens)
        guard output == binary(tokens, Tensor(parameters)) else { throw RunnerError(text: "packed and trained encoder differ") }
        return Case(workload: Workload(name, work: work, .operations) { _ = try? packed(tokens) }) {
            try writeNPY(output.elements, rows: batch * length, columns: configuration.size, to: $0)
        }
    }

    private static func layer(_ data: [String: String]) throws -> Case {
        func matrix(_ key: String) throws -> Matrix<Float> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        let x = try matrix("x"), w = try matrix("w")
        let layer = try PackedDense(BinaryDense<Float>(w.rows, w.columns), parameters: w.elements + matrix("bias").elements)
        let work = 2 * Double(x.rows) * Double(w.rows) * Double(w.columns)
        return Case(workload: Workload("binary-layer", work: work, .operations) { _ = layer(x) }) {
            try writeNPY(layer(x).elements, rows: x.rows, columns: w.columns, to: $0)
        }
    }
}
