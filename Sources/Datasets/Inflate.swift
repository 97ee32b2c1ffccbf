/// Decompression of DEFLATE data (RFC 1951).
struct Inflate {
    private var input: ByteReader
    private var bits: UInt64 = 0
    private var bitCount = 0
    private var output: [UInt8] = []
    private let limit: Int

    /// Decompresses the bytes that `input` has left.
    ///
    /// - `limit`: More output than this is an error. Memory grows with what is produced, not with what a header claims.
    static func decompress(_ input: ByteReader, limit: Int) throws(FormatError) -> [UInt8] {
        var inflate = Inflate(input: input, limit: limit)
        while try !inflate.block() {}
        return inflate.output
    }

    private init(input: ByteReader, limit: Int) {
        self.input = input
        self.limit = limit
    }

    /// Decodes one block; true if it was the last.
    private mutating func block() throws(FormatError) -> Bool {
        let isLast = try take(1) == 1
        switch try take(2) {
        case 0: try stored()
        case 1: try compressed(Self.fixedLengths, Self.fixedDistances)
        case 2:
            let (lengths, distances) = try dynamicCodes()
            try compressed(lengths, distances)
        default: throw input.error(expected: "block type 0, 1 or 2", found: "3")
        }
        return isLast
    }

    private mutating func stored() throws(FormatError) {
        // Whole bytes may wait in the bit buffer: at most what `refill` read ahead.
        _ = try take(bitCount % 8)
        let length = Int(try take(16)), complement = Int(try take(16))
        guard length == ~complement & 0xFFFF else {
            throw input.error(expected: "a stored length and its complement", found: "\(length) and \(complement)")
        }
        for _ in 0..<length { try emit(UInt8(try take(8))) }
    }

    private mutating func compressed(_ lengths: HuffmanCode, _ distances: HuffmanCode) throws(FormatError) {
        while true {
            let symbol = try decode(lengths)
            if symbol < 256 {
                try emit(UInt8(symbol))
            } else if symbol == 256 {
                return
            } else {
                guard symbol < 286 else { throw input.error(expected: "a length symbol up to 285", found: "\(symbol)") }
                let length = Self.lengthBases[symbol - 257] + Int(try take(Self.lengthExtraBits[symbol - 257]))
                let code = try decode(distances)
                guard code < 30 else { throw input.error(expected: "a distance symbol up to 29", found: "\(code)") }
                let distance = Self.distanceBases[code] + Int(try take(code < 2 ? 0 : code / 2 - 1))
                guard distance <= output.count else {
                    throw input.error(expected: "a distance of at most \(output.count)", found: "\(distance)")
                }
                // One by one: a run may overlap its own source.
                for _ in 0..<length { try emit(output[output.count - distance]) }
            }
        }
    }

    private mutating func dynamicCodes() throws(FormatError) -> (HuffmanCode, HuffmanCode) {
        let lengthCount = Int(try take(5)) + 257, distanceCount = Int(try take(5)) + 1, codeCount = Int(try take(4)) + 4
        guard lengthCount <= 286, distanceCount <= 30 else {
            throw input.error(expected: "at most 286 length and 30 distance codes", found: "\(lengthCount) and \(distanceCount)")
        }
        var codeLengths = [UInt8](repeating: 0, count: 19)
        for k in 0..<codeCount { codeLengths[Self.codeLengthOrder[k]] = UInt8(try take(3)) }
        let code = try HuffmanCode(codeLengths, input)
        var lengths: [UInt8] = []
        while lengths.count < lengthCount + distanceCount {
            let symbol = try decode(code)
            switch symbol {
            case 0..<16: lengths.append(UInt8(symbol))
            case 16:
                guard let last = lengths.last else { throw input.error(expected: "a length to repeat", found: "none before it") }
                lengths += Array(repeating: last, count: 3 + Int(try take(2)))
            case 17: lengths += Array(repeating: 0, count: 3 + Int(try take(3)))
            default: lengths += Array(repeating: 0, count: 11 + Int(try take(7)))
            }
        }
        guard lengths.count == lengthCount + distanceCount, lengths[256] > 0 else {
            throw input.error(expected: "code lengths that end with the last code and have an end-of-block code", found: "others")
        }
        return (try HuffmanCode(Array(lengths[..<lengthCount]), input), try HuffmanCode(Array(lengths[lengthCount...]), input))
    }

    private mutating func emit(_ byte: UInt8) throws(FormatError) {
        guard output.count < limit else { throw input.error(expected: "at most \(limit) bytes of output", found: "more") }
        output.append(byte)
    }

    /// Reads ahead until 48 bits wait or the input ends.
    private mutating func refill() {
        while bitCount <= 48, let range = try? input.take(1, "") {
            bits |= UInt64(input.bytes[range.lowerBound]) << UInt64(bitCount)
            bitCount += 8
        }
    }

    private mutating func take(_ count: Int) throws(FormatError) -> UInt64 {
        if bitCount < count { refill() }
        guard bitCount >= count else { throw input.error(expected: "\(count) more bits", found: "the end of the data") }
        defer {
            bits >>= UInt64(count)
            bitCount -= count
        }
        return bits & (1 << UInt64(count) - 1)
    }

    private mutating func decode(_ code: HuffmanCode) throws(FormatError) -> Int {
        if bitCount < 15 { refill() }
        let entry = code.table[Int(bits & UInt64(code.table.count - 1))]
        let length = Int(entry & 15)
        guard length > 0 else { throw input.error(expected: "a code word", found: "bits that are none") }
        _ = try take(length)
        return Int(entry >> 4)
    }

    private static let codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
    ]
    private static let lengthExtraBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193,
        12289, 16385, 24577,
    ]
    private static let fixedLengths = HuffmanCode(
        valid: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    private static let fixedDistances = HuffmanCode(valid: Array(repeating: 5, count: 30))
}

/// A canonical prefix code, as a table indexed by the next bits of the input.
struct HuffmanCode {
    /// 16 · symbol + length for each combination of bits; 0 where they start no code word.
    let table: [UInt16]

    /// - `lengths`: Bits of each symbol's code word, at most 15; 0 for a symbol that does not occur.
    /// - Throws: If the code words would overlap. A code that leaves bits unused is allowed; meeting those bits is the error.
    init(_ lengths: [UInt8], _ input: ByteReader) throws(FormatError) {
        var space = 0
        for length in lengths where length > 0 { space += 1 << (15 - Int(length)) }
        guard space <= 1 << 15 else { throw input.error(expected: "a prefix code", found: "code words that overlap") }
        self.init(valid: lengths)
    }

    init(valid lengths: [UInt8]) {
        let width = Int(lengths.max() ?? 0)
        var table = [UInt16](repeating: 0, count: 1 << width)
        var code = 0
        for length in 1..<UInt8(max(2, width + 1)) {
            for symbol in lengths.indices where lengths[symbol] == length {
                // Code words come from the stream with their first bit lowest.
                var reversed = 0
                for k in 0..<Int(length) where code >> k & 1 == 1 { reversed |= 1 << (Int(length) - 1 - k) }
                for index in stride(from: reversed, to: table.count, by: 1 << Int(length)) {
                    table[index] = UInt16(symbol << 4) | UInt16(length)
                }
                code += 1
            }
            code <<= 1
        }
        self.table = table
    }
}
