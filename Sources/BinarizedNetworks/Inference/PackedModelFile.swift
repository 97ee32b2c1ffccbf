import Datasets
import BinaryAlgebra
import Foundation
import Kernels
import NeuralNetworks

// The format: a safetensors file, so that other programs read it. Bits are U64 of shape [rows, words], bit k % 64 of word k / 64, pad bits
// 0; thresholds are I32, scales, biases, norms and embeddings of place and segment F32. Names are those of the training side. In the
// metadata: "descent.binarized" the version, "kind" encoder or classifier, "configuration" the sizes and "classes" their names as JSON,
// "checksum" the CRC-32 of these and of the arrays' names, types, shapes and CRC-32s in the order of names. A trained student that is not
// packed yet is kept in the same way, of kind "student", with its latent parameters as F32.

private let version = "1"

extension BinarizedEncoder {
    /// Writes the packed model, at once or not at all.
    ///
    /// - Throws: ``BinarizedNetworkError/file(path:_:)`` if the file cannot be written.
    public func write(to path: String) throws(BinarizedNetworkError) {
        try writeModel(arrays(), configuration, classNames: [], kind: "encoder", to: path)
    }

    /// Reads what ``write(to:)`` wrote.
    ///
    /// - Throws: ``BinarizedNetworkError/file(path:_:)`` that says what is wrong: a file that is missing, truncated or damaged, of another
    ///   version or another kind, and arrays that are missing or do not fit the sizes.
    public init(path: String) throws(BinarizedNetworkError) {
        var model = try ModelArrays(path: path, kind: "encoder")
        try self.init(&model)
        try model.requireNothingLeft()
    }

    fileprivate func arrays() -> [String: NumericArray] {
        let logical = logical
        var arrays: [String: NumericArray] = [
            "tokens.bits": array(logical.words), "tokens.scale": NumericArray(wordScales), "positions": NumericArray(positions),
            "segments": NumericArray(segments), "norm.scale": NumericArray(norm.scale), "norm.shift": NumericArray(norm.shift),
        ]
        for (i, layer) in logical.layers.enumerated() {
            let block = "block\(i)."
            for (name, part) in zip(projectionNames, layer.projections) + [("intermediate", layer.intermediate)] {
                arrays[block + name + ".bits"] = array(part.signs)
                arrays[block + name + ".threshold"] = array(part.thresholds)
            }
            for (name, part) in [("attention.output", layer.output), ("output", layer.perceptronOutput)] {
                arrays[block + name + ".bits"] = array(part.signs)
                arrays[block + name + ".scale"] = NumericArray(part.scales)
                arrays[block + name + ".bias"] = NumericArray(part.bias)
            }
            for (name, part) in [("attentionNorm", layer.attentionNorm), ("outputNorm", layer.outputNorm)] {
                arrays[block + name + ".scale"] = NumericArray(part.scale)
                arrays[block + name + ".shift"] = NumericArray(part.shift)
            }
        }
        return arrays
    }

    fileprivate init(_ model: inout ModelArrays) throws(BinarizedNetworkError) {
        let c = model.configuration
        var logical = Logical(
            configuration: c, words: try model.bits("tokens.bits", c.vocabularySize, c.size),
            wordScales: try model.floats("tokens.scale", c.vocabularySize), positions: try model.floats("positions", c.maximumLength * c.size),
            segments: try model.floats("segments", c.segments * c.size), norm: try model.norm("norm", c.size), layers: [])
        for i in 0..<c.layers {
            let block = "block\(i)."
            var projections: [(signs: BinaryMatrix, thresholds: [Int32])] = []
            for name in projectionNames {
                projections.append((try model.bits(block + name + ".bits", c.size, c.size), try model.thresholds(block + name + ".threshold", c.size)))
            }
            let output = try model.scaled(block + "attention.output", c.size, c.size)
            let attentionNorm = try model.norm(block + "attentionNorm", c.size)
            let intermediate = (try model.bits(block + "intermediate.bits", c.hidden, c.size),
                                try model.thresholds(block + "intermediate.threshold", c.hidden))
            let perceptronOutput = try model.scaled(block + "output", c.size, c.hidden)
            logical.layers.append(Logical.Layer(
                projections: projections, output: output, attentionNorm: attentionNorm, intermediate: intermediate,
                perceptronOutput: perceptronOutput, outputNorm: try model.norm(block + "outputNorm", c.size)))
        }
        self.init(logical)
    }
}

extension BinarizedClassifier {
    /// Writes the packed model, at once or not at all.
    ///
    /// - Throws: ``BinarizedNetworkError/file(path:_:)`` if the file cannot be written.
    public func write(to path: String) throws(BinarizedNetworkError) {
        var arrays = encoder.arrays()
        let size = encoder.configuration.size
        arrays["pooler.bits"] = array(pooler.weights.plain(rows: size, columns: size))
        arrays["pooler.scale"] = NumericArray(pooler.scales)
        arrays["pooler.bias"] = NumericArray(pooler.bias)
        arrays["classifier.weight"] = NumericArray(weights)
        arrays["classifier.bias"] = NumericArray(bias)
        try writeModel(arrays, encoder.configuration, classNames: classNames, kind: "classifier", to: path)
    }

    /// Reads what ``write(to:)`` wrote; errors as in ``BinarizedEncoder/init(path:)``.
    public init(path: String) throws(BinarizedNetworkError) {
        var model = try ModelArrays(path: path, kind: "classifier")
        let encoder = try BinarizedEncoder(&model), size = encoder.configuration.size
        let pooler = try model.scaled("pooler", size, size)
        let names = model.classNames
        let weights = try model.floats("classifier.weight", size * names.count), bias = try model.floats("classifier.bias", names.count)
        try model.requireNothingLeft()
        self.init(encoder: encoder, pooler: PackedDense(signs: pooler.0, scales: pooler.1, bias: pooler.2), weights: weights, bias: bias,
                  classNames: names)
    }
}

/// A trained student before it is packed: latent parameters, sizes and the names of its classes.
public struct StudentCheckpoint: Sendable {
    public let network: Network<BinarizationStages.Student>
    public let parameters: [Float]
    public let classNames: [String]

    /// - Precondition: as many parameters as the network has, and one name a class.
    public init(_ parameters: [Float], of network: Network<BinarizationStages.Student>, classNames: [String]) {
        require(parameters.count == network.parameterCount, "\(parameters.count) parameters; the network has \(network.parameterCount)")
        require(classNames.count == network.body.classes, "\(classNames.count) names for \(network.body.classes) classes; expected one each")
        (self.network, self.parameters, self.classNames) = (network, parameters, classNames)
    }

    /// Writes it, at once or not at all.
    ///
    /// - Throws: ``BinarizedNetworkError/file(path:_:)`` if the file cannot be written.
    public func write(to path: String) throws(BinarizedNetworkError) {
        var arrays: [String: NumericArray] = [:]
        for block in network.layout.blocks { arrays[block.name] = NumericArray(Array(parameters[block.range]), shape: block.shape) }
        try writeModel(arrays, network.body.encoder.configuration, classNames: classNames, kind: "student", to: path)
    }

    /// Reads what ``write(to:)`` wrote; errors as in ``BinarizedEncoder/init(path:)``.
    public init(path: String) throws(BinarizedNetworkError) {
        var model = try ModelArrays(path: path, kind: "student")
        guard !model.classNames.isEmpty else { throw .file(path: path, "has no classes") }
        let network = Network(SequenceClassifier(BinaryEncoder<Float>(model.configuration), classes: model.classNames.count))
        var parameters: [Float] = []
        for block in network.layout.blocks { parameters += try model.floats(block.name, shape: block.shape) }
        try model.requireNothingLeft()
        self.init(parameters, of: network, classNames: model.classNames)
    }
}

private let projectionNames = ["attention.query", "attention.key", "attention.value"]

private func array(_ signs: BinaryMatrix) -> NumericArray {
    NumericArray(shape: [signs.rows, signs.wordsPerRow], elementType: .uint64, bytes: littleEndian(signs.words))
}

private func array(_ thresholds: [Int32]) -> NumericArray {
    NumericArray(shape: [thresholds.count], elementType: .int32, bytes: littleEndian(thresholds))
}

private func littleEndian<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(numbers.count * Number.bitWidth / 8)
    for number in numbers {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift))) }
    }
    return bytes
}

private func numbers<Number: FixedWidthInteger>(_ bytes: [UInt8], _: Number.Type) -> [Number] {
    let size = Number.bitWidth / 8
    return (0..<bytes.count / size).map { i in
        (0..<size).reduce(Number(0)) { $0 | Number(truncatingIfNeeded: bytes[i * size + $1]) << Number(8 * $1) }
    }
}

private func checksum(_ arrays: [String: NumericArray], _ texts: [String]) -> String {
    var sums: [UInt8] = texts.flatMap { Array($0.utf8) }
    for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
        sums += Array("\(name) \(array.elementType) \(array.shape) \(crc32(array.bytes));".utf8)
    }
    return String(crc32(sums), radix: 16)
}

private func writeModel(
    _ arrays: [String: NumericArray], _ configuration: TransformerEncoder<Float>.Configuration, classNames: [String], kind: String,
    to path: String
) throws(BinarizedNetworkError) {
    do {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let sizes = String(decoding: try encoder.encode(configuration), as: UTF8.self)
        let names = String(decoding: try encoder.encode(classNames), as: UTF8.self)
        let file = Safetensors.write(arrays, metadata: [
            "descent.binarized": version, "kind": kind, "configuration": sizes, "classes": names,
            "checksum": checksum(arrays, [kind, sizes, names]),
        ])
        try Data(file).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
        throw .file(path: path, "cannot be written: \(error)")
    }
}

/// The arrays of a file, each taken once.
private struct ModelArrays {
    let path: String
    let configuration: TransformerEncoder<Float>.Configuration
    let classNames: [String]
    private var arrays: [String: NumericArray]

    init(path: String, kind: String) throws(BinarizedNetworkError) {
        let file: (arrays: [String: NumericArray], metadata: [String: String])
        do { file = try Safetensors.read(path: path) } catch { throw .file(path: path, "\(error)") }
        guard let found = file.metadata["descent.binarized"] else {
            throw .file(path: path, "is no packed model: its metadata lack 'descent.binarized'")
        }
        guard found == version else { throw .file(path: path, "has version \(found); expected \(version)") }
        guard file.metadata["kind"] == kind else {
            throw .file(path: path, "holds '\(file.metadata["kind"] ?? "nothing")'; expected '\(kind)'")
        }
        guard let sizes = file.metadata["configuration"], let names = file.metadata["classes"], let sum = file.metadata["checksum"] else {
            throw .file(path: path, "lacks its configuration, its classes or its checksum")
        }
        let computed = checksum(file.arrays, [kind, sizes, names])
        guard sum == computed else { throw .file(path: path, "is damaged: its checksum is \(computed); expected \(sum)") }
        do {
            configuration = try JSONDecoder().decode(TransformerEncoder<Float>.Configuration.self, from: Data(sizes.utf8))
            classNames = try JSONDecoder().decode([String].self, from: Data(names.utf8))
        } catch {
            throw .file(path: path, "has a configuration that cannot be read: \(error)")
        }
        let c = configuration
        guard min(c.size, c.heads, c.hidden, c.vocabularySize, c.maximumLength, c.segments) > 0, c.layers >= 0, c.size % c.heads == 0,
              c.epsilon >= 0, !c.normalizesFirst, c.dropout >= 0, c.dropout < 1
        else { throw .file(path: path, "has a configuration whose sizes do not fit each other") }
        self.path = path
        arrays = file.arrays
    }

    private mutating func take(_ name: String, _ type: ElementType, _ shape: [Int]) throws(BinarizedNetworkError) -> NumericArray {
        guard let array = arrays.removeValue(forKey: name) else { throw .file(path: path, "lacks '\(name)'") }
        guard array.elementType == type, array.shape == shape else {
            throw .file(path: path, "'\(name)' is \(array.elementType) of shape \(array.shape); expected \(type) of \(shape)")
        }
        return array
    }

    mutating func floats(_ name: String, _ count: Int) throws(BinarizedNetworkError) -> [Float] { try floats(name, shape: [count]) }

    mutating func floats(_ name: String, shape: [Int]) throws(BinarizedNetworkError) -> [Float] {
        try take(name, .float32, shape).values()
    }

    mutating func thresholds(_ name: String, _ count: Int) throws(BinarizedNetworkError) -> [Int32] {
        numbers(try take(name, .int32, [count]).bytes, Int32.self)
    }

    mutating func bits(_ name: String, _ rows: Int, _ columns: Int) throws(BinarizedNetworkError) -> BinaryMatrix {
        let array = try take(name, .uint64, [rows, BinaryKernels.words(forColumns: columns)])
        do {
            return try BinaryMatrix(rows: rows, columns: columns, words: numbers(array.bytes, UInt64.self))
        } catch {
            throw .file(path: path, "'\(name)': \(error)")
        }
    }

    mutating func scaled(_ name: String, _ rows: Int, _ columns: Int) throws(BinarizedNetworkError) -> (BinaryMatrix, [Float], [Float]) {
        (try bits(name + ".bits", rows, columns), try floats(name + ".scale", rows), try floats(name + ".bias", rows))
    }

    mutating func norm(_ name: String, _ size: Int) throws(BinarizedNetworkError) -> BinarizedEncoder.Norm {
        BinarizedEncoder.Norm(scale: try floats(name + ".scale", size), shift: try floats(name + ".shift", size))
    }

    func requireNothingLeft() throws(BinarizedNetworkError) {
        if let extra = arrays.keys.sorted().first { throw .file(path: path, "has an array '\(extra)' that the model has not") }
    }
}
