import Kernels

/// Reads forward through part of an array of bytes, and throws where it would leave it.
struct ByteReader {
    let format: String
    let bytes: [UInt8]
    private(set) var offset: Int
    let end: Int

    /// - Precondition: `range` lies within `bytes`.
    init(_ bytes: [UInt8], format: String, range: Range<Int>? = nil) {
        let range = range ?? bytes.indices
        require(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range \(range) of \(bytes.count) bytes")
        self.format = format
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    var remaining: Int { end - offset }

    /// The next `count` bytes as a range.
    mutating func take(_ count: Int, _ what: String) throws(FormatError) -> Range<Int> {
        guard count >= 0, count <= remaining else {
            throw error(expected: "\(count) bytes of \(what)", found: "\(remaining) bytes before the end")
        }
        defer { offset += count }
        return offset..<offset + count
    }

    /// The next bytes as an unsigned integer.
    mutating func integer<T: FixedWidthInteger & UnsignedInteger>(
        _: T.Type = T.self, bigEndian: Bool = false, _ what: String
    ) throws(FormatError) -> T {
        let range = try take(T.bitWidth / 8, what)
        var value: T = 0
        for i in range { value = value << 8 | T(bytes[bigEndian ? i : range.lowerBound + range.upperBound - 1 - i]) }
        return value
    }

    mutating func expect(_ magic: [UInt8], _ what: String) throws(FormatError) {
        let start = offset
        let range = try take(magic.count, what)
        guard bytes[range].elementsEqual(magic) else {
            throw FormatError(format, .byte(start), expected: what, found: describe(bytes[range]))
        }
    }

    func error(expected: String, found: String) -> FormatError {
        FormatError(format, .byte(offset), expected: expected, found: found)
    }
}

/// Bytes as a person reads them: as text if they are printable, otherwise in hexadecimal; cut after 16.
func describe(_ bytes: ArraySlice<UInt8>) -> String {
    let head = bytes.prefix(16), dots = bytes.count > 16 ? "…" : ""
    if head.allSatisfy({ (0x20..<0x7F).contains($0) }) { return "'" + String(decoding: head, as: UTF8.self) + dots + "'" }
    return "bytes " + head.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ") + dots
}
