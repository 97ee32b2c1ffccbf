import Descent

/// The same encoder on bits and in floats, in turns: the time of each, and how far apart packed and trained outputs are.
func encoderInference(quick: Bool, seed: UInt64) throws -> (table: Table, check: Check) {
    var configuration = TransformerEncoder<Float>.Configuration()
    (configuration.vocabularySize, configuration.dropout) = (1000, 0)
    if quick { (configuration.layers, configuration.size, configuration.hidden, configuration.heads) = (2, 256, 1024, 4) }
    let length = 128
    let float = Network(TransformerEncoder<Float>(configuration)), binary = Network(BinaryEncoder<Float>(configuration))
    let parameters = binary.initialParameters(seed: seed), tensor = Tensor(parameters)
    let packed = try BinarizedEncoder(parameters, of: binary)
    var random = RandomStream(seed: seed, stream: 1)
    let batch = TokenBatch([(0..<length).map { _ in Int(random.nextUInt64() % 1000) }])
    let own = try packed(batch), trained = binary(batch, tensor)
    let differing = zip(own.elements, trained.elements).count { $0 != $1 }
    let times = medianSeconds(rounds: quick ? 3 : 7, [{ _ = try? packed(batch) }, { _ = float(batch, tensor) }])
    var table = Table(
        "Encoder of \(configuration.layers) layers of \(configuration.size), \(length) tokens, \(Threads.count) threads",
        columns: ["inference", "time, ms", "ratio", "parameters, MiB"])
    table.append("float32", short(1e3 * times[1]), "1", short(Double(4 * parameters.count) / 1_048_576))
    table.append("packed bits", short(1e3 * times[0]), short(times[1] / times[0]), short(Double(packed.residentBytes) / 1_048_576))
    let check = Check("outputs of the packed encoder that differ from the trained one's", Double(differing), .equal, 0,
                      source: "whole sums are exact, and floats round alike")
    return (table, check)
}
