import Autodiff
import BinarizedNetworks
import Foundation
import Kernels
import NeuralNetworks
import Testing

/// What `Benchmarks/peers/bert_fixture.py` wrote.
private struct Expected: Decodable {
    let texts: [[String]], tokens: [[Int]], segments: [[Int]]
    let hidden: [[Float]], scores: [[Float]]
}

private func fixture(_ name: String) -> String { Bundle.module.bundleURL.appendingPathComponent("Fixtures/" + name).path }

private func expected() throws -> Expected {
    try JSONDecoder().decode(Expected.self, from: Data(contentsOf: URL(fileURLWithPath: fixture("expected.json"))))
}

private func temporary(_ text: String, _ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("descent-\(UUID().uuidString).tsv")
    try Data(text.utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url.path)
}

@Suite struct TextTests {
    @Test func tokensAreThoseOfTheReference() throws {
        let tokenizer = try WordPieceTokenizer(path: fixture("vocab.txt")), expected = try expected()
        for (i, text) in expected.texts.enumerated() {
            let encoded = tokenizer.encode(text[0], pair: text.count > 1 ? text[1] : nil, length: 20)
            #expect(encoded.tokens == expected.tokens[i], "\(text)")
            #expect(encoded.segments == expected.segments[i], "\(text)")
        }
        #expect(tokenizer.pieces(String(repeating: "a", count: 101)) == [1])
        #expect(tokenizer.pieces("") == [] && tokenizer.encode("the cat", length: 2).tokens == [2, 3])
        let cased = try WordPieceTokenizer(vocabulary: ["[UNK]", "[CLS]", "[SEP]", "A", "a"], isLowercased: false)
        #expect(cased.pieces("A a") == [3, 4])
    }

    /// Encoder and class scores of a checkpoint in the Hugging Face layout, against transformers' own.
    @Test func teacherEqualsTheReference() throws {
        let expected = try expected()
        let (network, parameters) = try Network.bertClassifier(path: fixture("bert.safetensors"), heads: 3, classes: 3)
        let longest = expected.tokens.map(\.count).max()!
        func padded(_ rows: [[Int]]) -> [[Int]] { rows.map { $0 + [Int](repeating: 0, count: longest - $0.count) } }
        let batch = TokenBatch(padded(expected.tokens), segments: padded(expected.segments),
                               isPresent: expected.tokens.map { row in (0..<longest).map { $0 < row.count } })
        let (scores, states) = network.body.scoresAndStates(batch, network.inferencePass(Tensor(parameters)))
        for (i, row) in expected.tokens.enumerated() {
            let own = states.output.slice(0, i..<i + 1).elements
            let worst = (0..<row.count * 24).map { abs(own[$0] - expected.hidden[i][$0]) }.max()!
            #expect(worst < 1e-5)
            let score = scores.slice(0, i..<i + 1).elements
            #expect(zip(score, expected.scores[i]).allSatisfy { abs($0 - $1) < 1e-5 })
        }
        let error = #expect(throws: CheckpointError.self) { try Network.bertClassifier(path: fixture("bert.safetensors"), heads: 3, classes: 2) }
        #expect("\(error!)".contains("classifier.weight"))
    }

    @Test func tablesOfSentences() throws {
        try temporary("sentence\tlabel\r\na \"good\" film\t1\r\n\r\nbad\t0\n") { path in
            let table = try SentenceTable(path: path, columns: SentenceTable.Columns.glue["sst-2"]!)
            #expect(table.texts == ["a \"good\" film", "bad"] && table.labels == ["1", "0"] && table.pairs == nil)
            #expect(table.classNames == ["0", "1"])
            let tokenizer = try WordPieceTokenizer(path: fixture("vocab.txt"))
            let examples = try table.examples(tokenizer, length: 16, classNames: table.classNames)
            #expect(examples.labels == [1, 0] && examples.sequences[1] == tokenizer.encode("bad", length: 16).tokens)
            #expect(throws: TextError.self) { try table.examples(tokenizer, length: 16, classNames: ["0"]) }
            let wrong = #expect(throws: TextError.self) { try SentenceTable(path: path, columns: .init(text: .name("text"), label: nil)) }
            #expect("\(wrong!)".contains("'text'") && "\(wrong!)".contains("'sentence'"))
        }
        try temporary("x\t10\t\tone two\ny\t9\t*\tthree\nz\t9\n") { path in
            let error = #expect(throws: TextError.self) { try SentenceTable(path: path, columns: SentenceTable.Columns.glue["cola"]!) }
            #expect("\(error!)".contains("line 3"))
            let table = try SentenceTable(path: path, columns: .init(text: .number(0), pair: .number(1), label: .number(1), hasHeader: false))
            #expect(table.classNames == ["9", "10"] && table.pairs == ["10", "9", "9"])
        }
        #expect(throws: TextError.self) { try SentenceTable(path: "/nonexistent", columns: .init(text: .number(0), label: nil)) }
        try temporary("") { path in
            #expect(throws: TextError.self) { try SentenceTable(path: path, columns: .init(text: .name("a"), label: nil)) }
        }
    }

    @Test func studentCheckpointsKeepTheModel() throws {
        let stages = BinarizationStages(configuration(size: 8, heads: 2, hidden: 12, layers: 1), classes: 2)
        let parameters = stages.student.initialParameters(seed: 1)
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("descent-\(UUID().uuidString).student")
        defer { try? FileManager.default.removeItem(at: url) }
        try StudentCheckpoint(parameters, of: stages.student, classNames: ["no", "yes"]).write(to: url.path)
        let read = try StudentCheckpoint(path: url.path)
        #expect(read.parameters == parameters && read.classNames == ["no", "yes"] && read.network.layout == stages.student.layout)
        let packed = try BinarizedClassifier(read.parameters, of: read.network, classNames: read.classNames)
        #expect(packed.classNames == ["no", "yes"])
    }
}
