/// Why a binarised network cannot be made, read or run.
public enum BinarizedNetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A token of the input is not in the vocabulary.
    case tokenOutOfRange(token: Int, sequence: Int, position: Int, vocabularySize: Int)
    /// A segment of the input has no embedding.
    case segmentOutOfRange(segment: Int, sequence: Int, position: Int, segments: Int)
    /// A sequence is longer than there are embeddings of places.
    case sequenceTooLong(length: Int, maximum: Int)
    /// The first token, which the pooler reads, is masked.
    case firstTokenMasked(sequence: Int)
    /// A parameter is NaN or infinite.
    case notFinite(parameter: String)
    /// The trained model is not of one bit, with the reason.
    case notBinary(String)
    /// A file that is damaged, of another version or no packed model, with what is wrong.
    case file(path: String, String)

    public var description: String {
        switch self {
        case .tokenOutOfRange(let token, let sequence, let position, let size):
            "token \(token) at position \(position) of sequence \(sequence); expected one of 0 ..< \(size), the vocabulary"
        case .segmentOutOfRange(let segment, let sequence, let position, let segments):
            "segment \(segment) at position \(position) of sequence \(sequence); expected one of 0 ..< \(segments)"
        case .sequenceTooLong(let length, let maximum): "a sequence of \(length) tokens; the model has places for \(maximum)"
        case .firstTokenMasked(let sequence): "the first token of sequence \(sequence) is masked; the class is read off it"
        case .notFinite(let parameter): "parameter '\(parameter)' is not finite"
        case .notBinary(let reason): "the model cannot be packed: \(reason)"
        case .file(let path, let reason): "\(path): \(reason)"
        }
    }
}
