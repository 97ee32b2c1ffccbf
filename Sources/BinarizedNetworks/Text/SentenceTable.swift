import Kernels

/// Sentences, or pairs of them, with labels from a table with tabs, as GLUE's tasks have it.
///
/// There are no quotes and no escapes: a field is what stands between tabs. Empty lines are passed over.
public struct SentenceTable: Sendable, Hashable {
    /// Where a table holds what: names of a header line, or numbers from 0 in a table without one.
    public struct Columns: Sendable, Hashable {
        public enum Column: Sendable, Hashable {
            case name(String)
            case number(Int)
        }

        public var text: Column
        public var pair: Column?
        /// `nil` for a table without labels, whose rows are to be classified.
        public var label: Column?
        public var hasHeader: Bool

        public init(text: Column, pair: Column? = nil, label: Column?, hasHeader: Bool = true) {
            (self.text, self.pair, self.label, self.hasHeader) = (text, pair, label, hasHeader)
        }

        /// GLUE's classification tasks, as their `train.tsv` files are laid out.
        public static let glue: [String: Columns] = [
            "cola": Columns(text: .number(3), label: .number(1), hasHeader: false),
            "sst-2": Columns(text: .name("sentence"), label: .name("label")),
            "mrpc": Columns(text: .name("#1 String"), pair: .name("#2 String"), label: .name("Quality")),
            "qqp": Columns(text: .name("question1"), pair: .name("question2"), label: .name("is_duplicate")),
            "mnli": Columns(text: .name("sentence1"), pair: .name("sentence2"), label: .name("gold_label")),
            "qnli": Columns(text: .name("question"), pair: .name("sentence"), label: .name("label")),
            "rte": Columns(text: .name("sentence1"), pair: .name("sentence2"), label: .name("label")),
        ]
    }

    public let texts: [String]
    /// As many as texts, or `nil` for single sentences.
    public let pairs: [String]?
    /// As many as texts, or `nil` for a table without.
    public let labels: [String]?

    /// - Throws: ``TextError`` with the line for a file that cannot be read, a column that is not there, and a row that is too short.
    public init(path: String, columns: Columns) throws(TextError) {
        try self.init(lines: try textLines(path), columns: columns, path: path)
    }

    init(lines: [String], columns: Columns, path: String) throws(TextError) {
        var rows = lines.enumerated().map { (number: $0 + 1, text: $1) }.filter { !$0.text.isEmpty }
        var header: [String] = []
        if columns.hasHeader {
            guard !rows.isEmpty else { throw TextError("\(path) is empty; expected a header line") }
            header = Self.fields(rows.removeFirst().text)
            // A byte order mark is no part of a name.
            if let first = header.first, first.hasPrefix("\u{feff}") { header[0] = String(first.unicodeScalars.dropFirst()) }
        }
        func place(_ column: Columns.Column) throws(TextError) -> Int {
            switch column {
            case .number(let number): return number
            case .name(let name):
                guard let place = header.firstIndex(of: name) else {
                    throw TextError("\(path) has no column '\(name)'; its header has \(header.map { "'\($0)'" }.joined(separator: ", "))")
                }
                return place
            }
        }
        let text = try place(columns.text)
        var pair: Int?, label: Int?
        if let column = columns.pair { pair = try place(column) }
        if let column = columns.label { label = try place(column) }
        let needed = max(text, pair ?? 0, label ?? 0) + 1
        var texts: [String] = [], pairs: [String] = [], labels: [String] = []
        for (number, line) in rows {
            let fields = Self.fields(line)
            guard fields.count >= needed else {
                throw TextError("\(path), line \(number): \(fields.count) fields; expected at least \(needed)")
            }
            texts.append(fields[text])
            if let pair { pairs.append(fields[pair]) }
            if let label { labels.append(fields[label]) }
        }
        self.texts = texts
        self.pairs = pair == nil ? nil : pairs
        self.labels = label == nil ? nil : labels
    }

    private static func fields(_ line: String) -> [String] { line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }

    /// The different labels in order: of numbers if all are, else of text. A class is a label's place here.
    ///
    /// - Precondition: the table has labels.
    public var classNames: [String] {
        guard let labels else { fatalError("a table without labels; expected one with a column of them") }
        let names = Set(labels)
        let isNumeric = names.allSatisfy { Int($0) != nil }
        return names.sorted { isNumeric ? Int($0)! < Int($1)! : $0 < $1 }
    }

    /// Tokens and segments of each row.
    public func tokenized(_ tokenizer: WordPieceTokenizer, length: Int) -> [(tokens: [Int], segments: [Int])] {
        texts.indices.map { tokenizer.encode(texts[$0], pair: pairs?[$0], length: length) }
    }

    /// The rows as examples of classes.
    ///
    /// - Throws: ``TextError`` for a label that is none of `classNames`.
    /// - Precondition: the table has labels.
    public func examples(_ tokenizer: WordPieceTokenizer, length: Int, classNames: [String]) throws(TextError) -> TokenExamples {
        guard let labels else { fatalError("a table without labels; expected one with a column of them") }
        var classes: [Int] = []
        for (row, label) in labels.enumerated() {
            guard let place = classNames.firstIndex(of: label) else {
                throw TextError("row \(row) has the label '\(label)'; expected one of \(classNames)")
            }
            classes.append(place)
        }
        let encoded = tokenized(tokenizer, length: length)
        return TokenExamples(encoded.map(\.tokens), segments: encoded.map(\.segments), labels: classes)
    }
}
