/// Comma-separated values as RFC 4180 has them: quoted fields, doubled quotes, line breaks inside quotes; lines end with CRLF or LF. Empty
/// lines are left out.
public enum CSV {
    /// What the first record is.
    public enum Header: Sendable, Hashable {
        case present, absent
        /// It is a header if none of its fields is a number and there is a second record in which one is.
        case detected
    }

    /// - `separator`: The byte between fields.
    /// - Throws: ``FormatError`` with line and field: for a record of another length than the first, a stray quote, and text that is
    ///   not UTF-8.
    public static func read(
        _ bytes: [UInt8], header: Header = .detected, separator: Character = ","
    ) throws(FormatError) -> CSVTable {
        guard let byte = separator.asciiValue, byte != UInt8(ascii: "\""), byte != 0x0A, byte != 0x0D else {
            fatalError("separator is '\(separator)'; expected an ASCII character other than a quote or a line break")
        }
        var parser = CSVParser(bytes: bytes, separator: byte)
        var records = try parser.records()
        let isHeader = switch header {
        case .present: true
        case .absent: false
        case .detected:
            records.count > 1 && records[0].fields.allSatisfy { Double($0) == nil } && records[1].fields.contains { Double($0) != nil }
        }
        let names = isHeader && !records.isEmpty ? records.removeFirst().fields : nil
        return CSVTable(names: names, records: records)
    }

    /// - Throws: ``FormatError``, also for a file that cannot be read.
    public static func read(
        path: String, header: Header = .detected, separator: Character = ","
    ) throws(FormatError) -> CSVTable {
        try read(readFile(path, format: "CSV"), header: header, separator: separator)
    }
}

struct CSVRecord: Sendable, Hashable {
    var fields: [String]
    /// The line that it starts on, from 1.
    var line: Int
}

private struct CSVParser {
    let bytes: [UInt8]
    let separator: UInt8
    private var offset = 0
    private var line = 1

    init(bytes: [UInt8], separator: UInt8) {
        self.bytes = bytes
        self.separator = separator
        // A byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    mutating func records() throws(FormatError) -> [CSVRecord] {
        var records: [CSVRecord] = []
        while offset < bytes.count {
            var record = CSVRecord(fields: [], line: line)
            repeat { record.fields.append(try field(record)) } while consume(separator)
            if record.fields == [""] { // An empty line.
                lineBreak()
                continue
            }
            if let first = records.first, first.fields.count != record.fields.count {
                throw FormatError("CSV", .line(record.line, column: record.fields.count),
                                  expected: "\(first.fields.count) fields as in the first record", found: "\(record.fields.count)")
            }
            records.append(record)
            lineBreak()
        }
        return records
    }

    /// One field, up to the separator or line break after it.
    private mutating func field(_ record: CSVRecord) throws(FormatError) -> String {
        let position = FormatError.Position.line(line, column: record.fields.count + 1)
        var content: [UInt8] = []
        if consume(UInt8(ascii: "\"")) {
            while true {
                guard offset < bytes.count else {
                    throw FormatError("CSV", position, expected: "a closing quote", found: "the end of the file")
                }
                let byte = bytes[offset]
                offset += 1
                if byte == UInt8(ascii: "\""), !consume(UInt8(ascii: "\"")) { break }
                if byte == 0x0A { line += 1 }
                content.append(byte)
            }
            guard isAtEndOfField else {
                throw FormatError("CSV", position, expected: "a separator after the closing quote", found: describe(bytes[offset...]))
            }
        } else {
            let start = offset
            while !isAtEndOfField {
                guard bytes[offset] != UInt8(ascii: "\"") else {
                    throw FormatError("CSV", position, expected: "quotes around the whole field", found: "a quote inside it")
                }
                offset += 1
            }
            content = Array(bytes[start..<offset])
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw FormatError("CSV", position, expected: "UTF-8 text", found: describe(content[...]))
        }
        return text
    }

    private var isAtEndOfField: Bool {
        guard offset < bytes.count else { return true }
        let byte = bytes[offset]
        return byte == separator || byte == 0x0A || (byte == 0x0D && offset + 1 < bytes.count && bytes[offset + 1] == 0x0A)
            || (byte == 0x0D && offset + 1 == bytes.count)
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    private mutating func lineBreak() {
        _ = consume(0x0D)
        if consume(0x0A) { line += 1 }
    }
}
