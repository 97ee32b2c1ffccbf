/// The format of the MNIST files: big-endian numbers of one type and any number of dimensions.
///
/// The files must be uncompressed.
public enum IDX {
    /// - Throws: ``FormatError`` with a byte offset.
    public static func read(_ bytes: [UInt8]) throws(FormatError) -> NumericArray {
        var input = ByteReader(bytes, format: "IDX")
        try input.expect([0, 0], "two bytes 0")
        let code = try input.integer(UInt8.self, "the type")
        let types: [UInt8: ElementType] = [8: .uint8, 9: .int8, 11: .int16, 12: .int32, 13: .float32, 14: .float64]
        guard let type = types[code] else {
            throw FormatError("IDX", .byte(2), expected: "a type of 8, 9, 11, 12, 13 or 14", found: "\(code)")
        }
        let rank = try input.integer(UInt8.self, "the number of dimensions")
        var shape: [Int] = []
        for k in 0..<rank { shape.append(Int(try input.integer(UInt32.self, bigEndian: true, "extent \(k)"))) }
        guard let size = NumericArray.byteCount(shape: shape, type) else {
            throw input.error(expected: "a shape that fits in memory", found: "\(shape)")
        }
        var elements = Array(bytes[try input.take(size, "elements of shape \(shape)")])
        guard input.remaining == 0 else {
            throw input.error(expected: "the end of the file", found: "\(input.remaining) more bytes")
        }
        reverseBytes(of: &elements, size: type.size)
        return NumericArray(shape: shape, elementType: type, bytes: elements)
    }

    /// - Throws: ``FormatError``, also for a file that cannot be read.
    public static func read(path: String) throws(FormatError) -> NumericArray {
        try read(readFile(path, format: "IDX"))
    }
}
