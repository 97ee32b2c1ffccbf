import Kernels
import Foundation

/// The safetensors format: a JSON header with type, shape and place of each named array, then the arrays' bytes, little-endian.
public enum Safetensors {
    /// The longest header that is read, 100 MB as in the reference implementation.
    private static let headerLimit = 100_000_000

    private struct Entry: Codable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    private enum HeaderValue: Decodable {
        case entry(Entry), metadata([String: String])

        init(from decoder: any Decoder) throws {
            if decoder.codingPath.last?.stringValue == "__metadata__" {
                self = .metadata(try [String: String](from: decoder))
            } else {
                self = .entry(try Entry(from: decoder))
            }
        }
    }

    private static let names: [(ElementType, String)] = [
        (.bool, "BOOL"), (.int8, "I8"), (.uint8, "U8"), (.int16, "I16"), (.uint16, "U16"), (.int32, "I32"), (.uint32, "U32"),
        (.int64, "I64"), (.uint64, "U64"), (.float16, "F16"), (.bfloat16, "BF16"), (.float32, "F32"), (.float64, "F64"),
    ]

    /// - Throws: ``FormatError`` with a byte offset: for a header that is too long, is not JSON or lacks a part, an unknown type, and
    ///   places that do not fit the shape, leave the file, overlap or leave a hole.
    public static func read(_ bytes: [UInt8]) throws(FormatError) -> (arrays: [String: NumericArray], metadata: [String: String]) {
        var input = ByteReader(bytes, format: "safetensors")
        let length = try input.integer(UInt64.self, "the header's length")
        guard length <= headerLimit else {
            throw FormatError("safetensors", .byte(0), expected: "a header of at most \(headerLimit) bytes", found: "\(length)")
        }
        let header = try input.take(Int(length), "the header")
        let values: [String: HeaderValue]
        do {
            values = try JSONDecoder().decode([String: HeaderValue].self, from: Data(bytes[header]))
        } catch {
            throw FormatError("safetensors", .byte(8), expected: "a JSON header with dtype, shape and data_offsets of each array",
                              found: describe(error))
        }
        var metadata: [String: String] = [:], entries: [(name: String, entry: Entry)] = []
        for (name, value) in values {
            switch value {
            case .metadata(let texts): metadata = texts
            case .entry(let entry): entries.append((name, entry))
            }
        }
        // By end too, so that empty arrays come before what starts at their place; by name too, so that an error does not depend on the
        // dictionary's order.
        entries.sort {
            let (a, b) = ($0.entry.data_offsets, $1.entry.data_offsets)
            return (a.first ?? 0, a.last ?? 0, $0.name) < (b.first ?? 0, b.last ?? 0, $1.name)
        }
        var arrays: [String: NumericArray] = [:]
        for (name, entry) in entries {
            guard let type = names.first(where: { $0.1 == entry.dtype })?.0 else {
                throw FormatError("safetensors", .byte(8), expected: "a type such as F32 for \(name)", found: entry.dtype)
            }
            guard let size = NumericArray.byteCount(shape: entry.shape, type) else {
                throw FormatError("safetensors", .byte(8), expected: "a shape that fits in memory for \(name)", found: "\(entry.shape)")
            }
            let start = input.offset - header.upperBound
            guard entry.data_offsets.count == 2, entry.data_offsets[0] == start,
                  entry.data_offsets[1].subtractingReportingOverflow(start) == (size, false) else {
                throw input.error(expected: "\(name) of \(size) bytes at data offset \(start)", found: "offsets \(entry.data_offsets)")
            }
            arrays[name] = NumericArray(shape: entry.shape, elementType: type, bytes: Array(bytes[try input.take(size, name)]))
        }
        guard input.remaining == 0 else {
            throw input.error(expected: "the end of the file", found: "\(input.remaining) more bytes")
        }
        return (arrays, metadata)
    }

    /// - Throws: ``FormatError``, also for a file that cannot be read.
    public static func read(path: String) throws(FormatError) -> (arrays: [String: NumericArray], metadata: [String: String]) {
        try read(readFile(path, format: "safetensors"))
    }

    /// The file's bytes, with arrays in the order of their names, so that equal arrays give equal bytes.
    ///
    /// - Precondition: no array has the name `__metadata__`.
    public static func write(_ arrays: [String: NumericArray], metadata: [String: String] = [:]) -> [UInt8] {
        require(arrays["__metadata__"] == nil, "an array is named '__metadata__', which the format keeps for itself")
        let sorted = arrays.sorted { $0.key < $1.key }
        var parts = metadata.isEmpty ? [] : ["\"__metadata__\":" + json(metadata)]
        var offset = 0
        for (name, array) in sorted {
            let dtype = names.first { $0.0 == array.elementType }!.1
            let entry = Entry(dtype: dtype, shape: array.shape, data_offsets: [offset, offset + array.bytes.count])
            parts.append(json(name) + ":" + json(entry))
            offset += array.bytes.count
        }
        var header = "{" + parts.joined(separator: ",") + "}"
        // Spaces align the data to 8 bytes.
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        let length = header.utf8.count
        var result = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        result.reserveCapacity(8 + length + offset)
        result += header.utf8
        for (_, array) in sorted { result += array.bytes }
        return result
    }

    private static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and whole numbers: nothing here that JSON cannot hold.
        return String(decoding: try! encoder.encode(value), as: UTF8.self)
    }

    private static func describe(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        return switch error {
        case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
            ([context.codingPath.map(\.stringValue).joined(separator: "."), context.debugDescription] as [String])
                .filter { !$0.isEmpty }.joined(separator: ": ")
        @unknown default: "\(error)"
        }
    }
}
