/// The header of an NPY file: a Python dictionary with the keys `descr`, `fortran_order` and `shape`, in any order.
struct NPYHeader {
    var reader: ByteReader
    private(set) var type = ElementType.float64
    private(set) var isBigEndian = false
    private(set) var isFortranOrder = false
    private(set) var shape: [Int] = []

    init(reader: ByteReader) { self.reader = reader }

    mutating func parse() throws(FormatError) {
        var seen: Set<String> = []
        try punctuation("{")
        while try !optional("}") {
            let start = reader.offset
            let key = try string()
            try punctuation(":")
            guard seen.insert(key).inserted else {
                throw FormatError("NPY", .byte(start), expected: "each key once", found: "'\(key)' again")
            }
            switch key {
            case "descr": try descriptor()
            case "fortran_order": isFortranOrder = try boolean()
            case "shape": shape = try tuple()
            default:
                throw FormatError("NPY", .byte(start), expected: "the keys descr, fortran_order and shape", found: "'\(key)'")
            }
            if try !optional(",") {
                try punctuation("}")
                break
            }
        }
        guard seen.count == 3 else {
            throw reader.error(expected: "the keys descr, fortran_order and shape", found: "\(seen.sorted())")
        }
        while let byte = peek {
            guard byte == 0x20 || byte == 0x0A else { throw reader.error(expected: "spaces after the header", found: "byte \(byte)") }
            try advance()
        }
    }

    private mutating func descriptor() throws(FormatError) {
        skipSpaces()
        let start = reader.offset
        guard peek == UInt8(ascii: "'") || peek == UInt8(ascii: "\"") else {
            throw reader.error(expected: "a simple element type", found: "a structured one")
        }
        let text = try string()
        let order = text.first ?? " "
        let types: [Substring: ElementType] = [
            "b1": .bool, "i1": .int8, "u1": .uint8, "i2": .int16, "u2": .uint16, "i4": .int32, "u4": .uint32, "i8": .int64,
            "u8": .uint64, "f2": .float16, "f4": .float32, "f8": .float64,
        ]
        guard "<>|=".contains(order), let type = types[text.dropFirst()], order != "|" || type.size == 1 else {
            throw FormatError("NPY", .byte(start), expected: "a type such as '<f8', '>i4' or '|u1'", found: "'\(text)'")
        }
        self.type = type
        isBigEndian = order == ">"
    }

    private mutating func tuple() throws(FormatError) -> [Int] {
        var result: [Int] = []
        try punctuation("(")
        while try !optional(")") {
            result.append(try number())
            if try !optional(",") {
                try punctuation(")")
                break
            }
        }
        return result
    }

    private mutating func number() throws(FormatError) -> Int {
        skipSpaces()
        let start = reader.offset
        var value = 0
        while let byte = peek, (0x30...0x39).contains(byte) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(Int(byte) - 0x30)
            guard !overflow, !overflow2 else {
                throw FormatError("NPY", .byte(start), expected: "an extent that fits in 64 bits", found: "a larger one")
            }
            value = sum
            try advance()
        }
        guard reader.offset > start else { throw reader.error(expected: "a whole number", found: found) }
        // Python 2 wrote long integers with a suffix.
        if peek == UInt8(ascii: "L") { try advance() }
        return value
    }

    private mutating func boolean() throws(FormatError) -> Bool {
        skipSpaces()
        let start = reader.offset
        while let byte = peek, (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) { try advance() }
        switch String(decoding: reader.bytes[start..<reader.offset], as: UTF8.self) {
        case "True": return true
        case "False": return false
        default: throw FormatError("NPY", .byte(start), expected: "True or False", found: describe(reader.bytes[start..<reader.offset]))
        }
    }

    private mutating func string() throws(FormatError) -> String {
        skipSpaces()
        guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw reader.error(expected: "a quoted string", found: found)
        }
        try advance()
        let start = reader.offset
        while let byte = peek, byte != quote { try advance() }
        let text = String(decoding: reader.bytes[start..<reader.offset], as: UTF8.self)
        try advance()
        return text
    }

    private mutating func punctuation(_ character: Unicode.Scalar) throws(FormatError) {
        guard try optional(character) else { throw reader.error(expected: "'\(character)'", found: found) }
    }

    private mutating func optional(_ character: Unicode.Scalar) throws(FormatError) -> Bool {
        skipSpaces()
        guard peek == UInt8(ascii: character) else { return false }
        try advance()
        return true
    }

    private mutating func skipSpaces() {
        while peek == 0x20 { _ = try? advance() }
    }

    private mutating func advance() throws(FormatError) { _ = try reader.take(1, "the header") }

    private var peek: UInt8? { reader.remaining > 0 ? reader.bytes[reader.offset] : nil }

    private var found: String { peek == nil ? "the end of the header" : describe(reader.bytes[reader.offset..<reader.end]) }
}
