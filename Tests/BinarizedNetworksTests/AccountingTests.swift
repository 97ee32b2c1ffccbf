import BinarizedNetworks
import NeuralNetworks
import Testing

@Suite struct AccountingTests {
    /// The paper's rows for BERT-base at 128 tokens: 418 MB and 22.5 G against 13.4 MB and 0.4 G, 31.2 and 56.3 times.
    @Test func paperRows() {
        let base = EncoderAccounting(.init(), length: 128)
        #expect(base.parameters == 109_482_240)
        #expect(base.multiplyAdds == 11_174_215_680)
        #expect(abs(base.bytes / 1_048_576 - 417.6) < 0.05 && abs(base.paperBytes / 1_048_576 - 13.4) < 0.05)
        #expect(abs(base.bytes / base.paperBytes - 31.2) < 0.05)
        let table = base.table
        #expect(table.contains("22.5 G") && table.contains("0.4 G (56.3×)") && table.contains("13.4 MiB (31.2×)"))
        #expect(Double(base.residentBytes) / 1_048_576 < 15.5)
    }

    /// The count of what is kept is what a model keeps, for heads that fill a word and others.
    @Test func residentBytesAreThoseOfAModel() throws {
        for shape in [(32, 2, 72), (128, 2, 192), (20, 4, 33)] {
            let c = configuration(Float.self, size: shape.0, heads: shape.1, hidden: shape.2)
            let network = Network(SequenceClassifier(BinaryEncoder<Float>(c), classes: 2))
            let classifier = try BinarizedClassifier(network.initialParameters(seed: 1), of: network)
            let head = 4 * (2 * c.size + 2)
            #expect(classifier.residentBytes == EncoderAccounting(c, length: 8).residentBytes + head)
        }
    }

    /// Parameters are counted as a network declares them.
    @Test func parametersAreThoseOfANetwork() {
        let c = configuration(Float.self, size: 20, heads: 4, hidden: 33)
        let network = Network(SequenceClassifier(TransformerEncoder<Float>(c), classes: 2))
        let accounting = EncoderAccounting(c, length: 8)
        #expect(network.parameterCount == accounting.parameters + 2 * 20 + 2)
        let biases = network.layout.blocks.filter { $0.name.hasSuffix("bias") && !$0.name.hasPrefix("classifier") }
        #expect(biases.map(\.count).reduce(0, +) == accounting.biases)
    }
}
