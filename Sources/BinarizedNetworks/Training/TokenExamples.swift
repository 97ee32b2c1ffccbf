import Kernels
import NeuralNetworks

/// Token sequences of any lengths with a class each, as data for training. Batches are padded to their longest sequence with token 0.
public struct TokenExamples: TrainingData {
    public let sequences: [[Int]]
    /// 0 or 1 for each token, or empty for all 0.
    public let segments: [[Int]]
    public let labels: [Int]

    /// - Precondition: sequences are not empty, with one label each, and segments of their lengths if there are any.
    public init(_ sequences: [[Int]], segments: [[Int]] = [], labels: [Int]) {
        require(sequences.count == labels.count, "\(labels.count) labels for \(sequences.count) sequences; expected one each")
        require(sequences.allSatisfy { !$0.isEmpty }, "a sequence is empty; expected at least one token")
        require(segments.isEmpty || segments.map(\.count) == sequences.map(\.count), "segments are not of the sequences' lengths")
        self.sequences = sequences
        self.segments = segments
        self.labels = labels
    }

    public var count: Int { labels.count }

    public func batch(_ indices: [Int]) -> (input: TokenBatch, target: [Int]) {
        let length = indices.map { sequences[$0].count }.max() ?? 0
        func padded(_ row: [Int]) -> [Int] { row + [Int](repeating: 0, count: length - row.count) }
        let tokens = TokenBatch(
            indices.map { padded(sequences[$0]) }, segments: segments.isEmpty ? nil : indices.map { padded(segments[$0]) },
            isPresent: indices.map { i in (0..<length).map { $0 < sequences[i].count } })
        return (tokens, indices.map { labels[$0] })
    }

    /// The same examples as a distillation takes them.
    public var forDistillation: DistillationExamples { DistillationExamples(examples: self) }
}

/// ``TokenExamples`` whose labels stand in the input: the distillation computes its loss itself.
public struct DistillationExamples: TrainingData {
    let examples: TokenExamples

    public var count: Int { examples.count }

    public func batch(_ indices: [Int]) -> (input: LabelledTokenBatch, target: Void) {
        let (tokens, labels) = examples.batch(indices)
        return (LabelledTokenBatch(tokens, labels: labels), ())
    }
}
