import Foundation
import Kernels
import NeuralNetworks

/// BERT's tokeniser: text to words and punctuation, words to the longest pieces that the vocabulary has (Devlin et al. 2019; Wu et al. 2016).
///
/// Text is cleaned of control characters, put in lower case without accents (for an uncased vocabulary), and cut at spaces, before and after
/// punctuation and around each CJK character. A word is cut from its beginning into the longest pieces of the vocabulary, those after the
/// first marked by `##`; a word that cannot be, or of more than 100 characters, is `[UNK]`. The same tokens as Hugging Face's `BertTokenizer`.
public struct WordPieceTokenizer: Sendable {
    /// The pieces, each at its number.
    public let vocabulary: [String]
    public let isLowercased: Bool
    private let numbers: [String: Int]
    private let unknown: Int, classification: Int, separator: Int

    /// - Parameters:
    ///   - vocabulary: the pieces, `[UNK]`, `[CLS]` and `[SEP]` among them. Of equal ones the last counts.
    ///   - isLowercased: whether the vocabulary is uncased, as that of bert-base-uncased.
    /// - Throws: ``TextError`` for a special piece that is missing.
    public init(vocabulary: [String], isLowercased: Bool = true) throws(TextError) {
        self.vocabulary = vocabulary
        self.isLowercased = isLowercased
        let numbers = Dictionary(vocabulary.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
        func special(_ piece: String) throws(TextError) -> Int {
            guard let number = numbers[piece] else { throw TextError("the vocabulary lacks \(piece)") }
            return number
        }
        (unknown, classification, separator) = (try special("[UNK]"), try special("[CLS]"), try special("[SEP]"))
        self.numbers = numbers
    }

    /// Reads a `vocab.txt`: one piece a line.
    public init(path: String, isLowercased: Bool = true) throws(TextError) {
        var lines = try textLines(path)
        if lines.last == "" { lines.removeLast() }
        do { try self.init(vocabulary: lines, isLowercased: isLowercased) } catch { throw TextError("\(path): \(error)") }
    }

    /// Numbers of the pieces of a text, without special ones.
    public func pieces(_ text: String) -> [Int] { words(text).flatMap { pieces(ofWord: $0) } }

    /// `[CLS] text [SEP]`, or `[CLS] text [SEP] pair [SEP]` with segment 1 for the pair, cut to `length` tokens by dropping the last piece of
    /// the longer text, of the pair at a tie, until it fits.
    ///
    /// - Precondition: a length of at least 2, or 3 with a pair.
    public func encode(_ text: String, pair: String? = nil, length: Int) -> (tokens: [Int], segments: [Int]) {
        let specials = pair == nil ? 2 : 3
        require(length >= specials, "a length of \(length) tokens; expected at least \(specials), for the special ones")
        var first = pieces(text), second = pair.map { pieces($0) } ?? []
        while first.count + second.count + specials > length {
            if first.count > second.count { first.removeLast() } else { second.removeLast() }
        }
        var tokens = [classification] + first + [separator]
        var segments = [Int](repeating: 0, count: tokens.count)
        if pair != nil {
            tokens += second + [separator]
            segments += [Int](repeating: 1, count: second.count + 1)
        }
        return (tokens, segments)
    }

    private func pieces(ofWord word: String) -> [Int] {
        let scalars = Array(word.unicodeScalars)
        guard scalars.count <= 100 else { return [unknown] }
        var pieces: [Int] = [], start = 0
        while start < scalars.count {
            var end = scalars.count, found: Int?
            while end > start, found == nil {
                found = numbers[(start > 0 ? "##" : "") + String(String.UnicodeScalarView(scalars[start..<end]))]
                if found == nil { end -= 1 }
            }
            guard let found else { return [unknown] }
            pieces.append(found)
            start = end
        }
        return pieces
    }

    private func words(_ text: String) -> [String] {
        var words: [String] = [], word = String.UnicodeScalarView()
        func endWord() {
            if !word.isEmpty { words.append(String(word)) }
            word = String.UnicodeScalarView()
        }
        let normal = isLowercased ? text.lowercased().decomposedStringWithCanonicalMapping : text
        for scalar in normal.unicodeScalars {
            let category = scalar.properties.generalCategory
            if scalar == "\t" || scalar == "\n" || scalar == "\r" || category == .spaceSeparator {
                endWord()
            } else if scalar.value == 0 || scalar.value == 0xFFFD || isControl(category) || isLowercased && category == .nonspacingMark {
                continue
            } else if isPunctuation(scalar, category) || isCJK(scalar.value) {
                endWord()
                words.append(String(scalar))
            } else {
                word.append(scalar)
            }
        }
        endWord()
        return words
    }

    private func isControl(_ category: Unicode.GeneralCategory) -> Bool {
        switch category {
        case .control, .format, .privateUse, .surrogate, .unassigned: true
        default: false
        }
    }

    /// All ASCII signs that are neither letter nor digit count, `$` and `+` too.
    private func isPunctuation(_ scalar: Unicode.Scalar, _ category: Unicode.GeneralCategory) -> Bool {
        switch scalar.value {
        case 33...47, 58...64, 91...96, 123...126: true
        default:
            switch category {
            case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
                 .otherPunctuation: true
            default: false
            }
        }
    }

    private func isCJK(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B820...0x2CEAF, 0xF900...0xFAFF,
             0x2F800...0x2FA1F: true
        default: false
        }
    }
}

/// What is wrong with a vocabulary or a table of sentences.
public struct TextError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The lines of a UTF-8 file, without their ends.
func textLines(_ path: String) throws(TextError) -> [String] {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch { throw TextError("cannot read \(path)") }
    // By bytes: a line end of two characters is one `Character`.
    var lines: [String] = []
    for part in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        guard let line = String(validating: part.last == UInt8(ascii: "\r") ? part.dropLast() : part, as: UTF8.self) else {
            throw TextError("\(path), line \(lines.count + 1) is not UTF-8 text")
        }
        lines.append(line)
    }
    return lines
}
