import Autodiff
import BinarizedNetworks
import Foundation
import Kernels
import NeuralNetworks
import Randomness
import Testing

@Suite struct PackedEncoderTests {
    /// Bit for bit the training side's output: heads below, at and beyond a word, sizes off the word boundary, biases of 0 (whose sums of 0
    /// are ties) and random ones, every tier, one thread and two.
    @Test(arguments: [(32, 2, 72, 2), (128, 2, 192, 2), (192, 2, 100, 1), (20, 4, 33, 3), (64, 64, 64, 1)], [Float(0), 0.3])
    func packedEncoderIsTheTrainedOne(_ shape: (size: Int, heads: Int, hidden: Int, layers: Int), _ noise: Float) throws {
        let network = Network(BinaryEncoder<Float>(configuration(size: shape.size, heads: shape.heads, hidden: shape.hidden, layers: shape.layers)))
        let p = parameters(network, seed: 5, noise: noise)
        let encoder = try BinarizedEncoder(p, of: network)
        for (count, length) in [(1, 1), (1, 12), (3, 7), (20, 11)] {
            let batch = tokens(count, length, seed: UInt64(count))
            for tier in KernelTier.supported {
                try withKernelTier(tier) {
                    let trained = network(batch, Tensor(p)), packed = try encoder(batch)
                    #expect(packed == trained, "\(tier), \(count)×\(length)")
                }
            }
            let before = Threads.count, one = try encoder(batch)
            Threads.count = 2
            #expect(try encoder(batch) == one)
            Threads.count = before
        }
    }

    /// More rows than one block of 128 and more keys than one word.
    @Test func longSequencesAndBatches() throws {
        let network = Network(BinaryEncoder<Float>(configuration(length: 150)))
        let p = parameters(network, seed: 2, noise: 0.2), encoder = try BinarizedEncoder(p, of: network)
        let batch = tokens(3, 150, seed: 4)
        #expect(try encoder(batch) == network(batch, Tensor(p)))
    }

    /// Masked tokens, wherever they stand, are as if not there; their outputs are 0.
    @Test func masksAndVariableLengths() throws {
        let network = Network(BinaryEncoder<Float>(configuration()))
        let p = parameters(network, seed: 1, noise: 0.2), encoder = try BinarizedEncoder(p, of: network)
        let mask = [[true, true, true, false, false], [true, false, true, true, true], [true, false, false, false, false], [true, true, true, true, true]]
        let batch = tokens(4, 5, seed: 2, isPresent: mask)
        let trained = network(batch, Tensor(p)), packed = try encoder(batch)
        for n in 0..<4 {
            for i in 0..<5 {
                let row = packed.slice(0, n..<n + 1).slice(1, i..<i + 1)
                if mask[n][i] { #expect(row == trained.slice(0, n..<n + 1).slice(1, i..<i + 1)) }
                else { #expect(row.elements.allSatisfy { $0 == 0 }) }
            }
        }
        // A sequence alone, unpadded.
        let alone = try encoder(TokenBatch([Array(batch.tokens[..<3])]))
        #expect(alone == packed.slice(0, 0..<1).slice(1, 0..<3))
    }

    /// Bits of gelu(z) are those of z, and the threshold form is the float form, for scales and biases far apart and at ties.
    @Test func thresholdsEqualTheFloatForm() throws {
        let z: Tensor<Float> = normal([200_000], seed: 1, deviation: 3)
        let clamped = z.clamped(to: -8 ... .greatestFiniteMagnitude)
        #expect(clamped.gelu().signBinarized() == z.signBinarized())
        #expect(Tensor<Float>([-8, -7, -1e-30, 0, 1e-30]).gelu().signBinarized().elements == [-1, -1, -1, 1, 1])
        // A network whose biases sweep all thresholds: tested through the encoder's bits.
        let network = Network(BinaryEncoder<Float>(configuration(size: 16, heads: 2, hidden: 40, layers: 1)))
        var p = parameters(network, seed: 9, noise: 0.1)
        for block in network.layout.blocks where block.name.hasSuffix("bias") {
            for (i, place) in block.range.enumerated() { p[place] = [0, -0.0, 1e-30, -1e-30, 100, -100, 0.25, -0.25][i % 8] }
        }
        for block in network.layout.blocks where block.name == "block0.intermediate.weight" {
            // Output 0 has no weights, output 1 tiny ones.
            for row in 0..<16 {
                p[block.offset + row * 40] = 0
                p[block.offset + row * 40 + 1] *= 1e-36
            }
        }
        let batch = tokens(6, 9, seed: 3)
        #expect(try BinarizedEncoder(p, of: network)(batch) == network(batch, Tensor(p)))
    }

    @Test func classifierIsTheTrainedOne() throws {
        let network = Network(SequenceClassifier(BinaryEncoder<Float>(configuration()), classes: 3))
        let p = parameters(network, seed: 1, noise: 0.2), classifier = try BinarizedClassifier(p, of: network)
        let batch = tokens(4, 6, seed: 2, isPresent: [Bool](repeating: true, count: 4).map { _ in [true, true, true, true, true, false] })
        #expect(try classifier(batch) == network(batch, Tensor(p)))
        let masked = TokenBatch([[1, 2]], isPresent: [[false, true]])
        #expect(throws: BinarizedNetworkError.firstTokenMasked(sequence: 0)) { try classifier(masked) }
    }

    @Test func badInputIsAnError() throws {
        let network = Network(BinaryEncoder<Float>(configuration()))
        let p = network.initialParameters(seed: 1), encoder = try BinarizedEncoder(p, of: network)
        #expect(throws: BinarizedNetworkError.tokenOutOfRange(token: 23, sequence: 1, position: 0, vocabularySize: 23)) {
            try encoder(TokenBatch([[1, 2], [23, 0]]))
        }
        #expect(throws: BinarizedNetworkError.tokenOutOfRange(token: -1, sequence: 0, position: 1, vocabularySize: 23)) {
            try encoder(TokenBatch([[1, -1]]))
        }
        #expect(throws: BinarizedNetworkError.segmentOutOfRange(segment: 2, sequence: 0, position: 0, segments: 2)) {
            try encoder(TokenBatch([[1]], segments: [[2]]))
        }
        #expect(throws: BinarizedNetworkError.sequenceTooLong(length: 13, maximum: 12)) { try encoder(tokens(1, 13, seed: 1)) }
        // What padding holds is not read.
        #expect(throws: Never.self) { try encoder(TokenBatch([[1, 99]], isPresent: [[true, false]])) }
        var bad = p
        bad[network.layout.blocks.first { $0.name == "block1.output.bias" }!.offset] = .infinity
        #expect(throws: BinarizedNetworkError.notFinite(parameter: "block1.output")) { try BinarizedEncoder(bad, of: network) }
        for refused in [BinaryEncoder<Float>(configuration(), attention: .signSoftmax), BinaryEncoder(configuration(), ties: .torchSign)] {
            let network = Network(refused)
            #expect(throws: BinarizedNetworkError.self) { try BinarizedEncoder(p, of: network) }
        }
    }

    private func temporary(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("descent-\(UUID().uuidString)-\(name)").path
    }

    @Test func filesKeepTheModel() throws {
        let network = Network(SequenceClassifier(BinaryEncoder<Float>(configuration(size: 20, heads: 4, hidden: 33, layers: 2)), classes: 3))
        let classifier = try BinarizedClassifier(parameters(network, seed: 1, noise: 0.2), of: network)
        let path = temporary("model")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try classifier.write(to: path)
        #expect(try BinarizedClassifier(path: path) == classifier)
        let error = #expect(throws: BinarizedNetworkError.self) { try BinarizedEncoder(path: path) }
        #expect("\(error!)".contains("holds 'classifier'; expected 'encoder'"))
        try classifier.encoder.write(to: path)
        #expect(try BinarizedEncoder(path: path) == classifier.encoder)
    }

    /// Every bit of the file flipped in turn (a sample of them) and every truncation: an error, never a crash or another model.
    @Test func damagedFilesAreRefused() throws {
        let network = Network(BinaryEncoder<Float>(configuration(size: 8, heads: 2, hidden: 8, layers: 1, length: 2)))
        let encoder = try BinarizedEncoder(parameters(network, seed: 1, noise: 0.2), of: network)
        let path = temporary("damaged")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try encoder.write(to: path)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        func read(_ bytes: [UInt8]) throws -> BinarizedEncoder {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            return try BinarizedEncoder(path: path)
        }
        for length in stride(from: 0, to: bytes.count, by: 37) {
            #expect(throws: BinarizedNetworkError.self) { try read(Array(bytes[..<length])) }
        }
        for place in stride(from: 0, to: bytes.count, by: 11) {
            var damaged = bytes
            damaged[place] ^= UInt8(1 << (place % 8))
            // A change of spaces or of a name's case in the header may leave the same model.
            if let model = try? read(damaged) { #expect(model == encoder) }
        }
        var renumbered = bytes
        let needle = Array("\"descent.binarized\":\"1\"".utf8)
        let start = (0..<bytes.count - needle.count).first { Array(bytes[$0..<$0 + needle.count]) == needle }!
        renumbered[start + needle.count - 2] = UInt8(ascii: "7")
        let error = #expect(throws: BinarizedNetworkError.self) { try read(renumbered) }
        #expect("\(error!)".contains("has version 7; expected 1"))
        let missing = #expect(throws: BinarizedNetworkError.self) { try BinarizedEncoder(path: path + "-missing") }
        #expect("\(missing!)".contains("-missing"))
    }
}
