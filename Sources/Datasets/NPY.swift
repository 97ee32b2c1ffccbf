import Kernels

/// NumPy's format for one array, versions 1 to 3.
///
/// Booleans, integers and floating-point numbers of 16 to 64 bits are read in either byte order and in C or Fortran order. Complex
/// numbers, strings, objects and structured types are refused. Differs from NumPy: bytes after the array are an error, so several arrays
/// appended to one file cannot be read.
public enum NPY {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// - Throws: ``FormatError`` with a byte offset.
    public static func read(_ bytes: [UInt8]) throws(FormatError) -> NumericArray {
        try read(ByteReader(bytes, format: "NPY"))
    }

    /// - Throws: ``FormatError``, also for a file that cannot be read.
    public static func read(path: String) throws(FormatError) -> NumericArray {
        try read(readFile(path, format: "NPY"))
    }

    /// A file of version 1.0, in C order and little-endian.
    public static func write(_ array: NumericArray) -> [UInt8] {
        let extents = array.shape.map(String.init).joined(separator: ", ") + (array.shape.count == 1 ? "," : "")
        var header = "{'descr': '\(descriptor(array.elementType))', 'fortran_order': False, 'shape': (\(extents)), }"
        // Magic, version, length and header together fill a multiple of 64 bytes, the last of them a line feed.
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        let length = header.utf8.count
        require(length <= 65_535, "an array of \(array.shape.count) dimensions; expected a header of at most 65535 bytes")
        return magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8) + array.bytes
    }

    static func read(_ input: ByteReader) throws(FormatError) -> NumericArray {
        var input = input
        try input.expect(magic, "the magic '\\x93NUMPY'")
        let version = try input.integer(UInt8.self, "the version")
        guard (1...3).contains(version) else {
            throw input.error(expected: "version 1, 2 or 3", found: "version \(version)")
        }
        _ = try input.integer(UInt8.self, "the minor version")
        let length = version == 1 ? Int(try input.integer(UInt16.self, "the header's length"))
                                  : Int(try input.integer(UInt32.self, "the header's length"))
        var header = NPYHeader(reader: ByteReader(input.bytes, format: "NPY", range: try input.take(length, "the header")))
        try header.parse()
        guard let size = NumericArray.byteCount(shape: header.shape, header.type) else {
            throw input.error(expected: "a shape that fits in memory", found: "\(header.shape)")
        }
        let data = try input.take(size, "elements of shape \(header.shape)")
        guard input.remaining == 0 else {
            throw input.error(expected: "the end of the file", found: "\(input.remaining) more bytes")
        }
        var bytes = Array(input.bytes[data])
        if header.isBigEndian { reverseBytes(of: &bytes, size: header.type.size) }
        if header.isFortranOrder { bytes = rowMajor(bytes, shape: header.shape, size: header.type.size) }
        return NumericArray(shape: header.shape, elementType: header.type, bytes: bytes)
    }

    private static func descriptor(_ type: ElementType) -> String {
        switch type {
        case .bool: "|b1"
        case .int8: "|i1"
        case .uint8: "|u1"
        case .int16: "<i2"
        case .uint16: "<u2"
        case .int32: "<i4"
        case .uint32: "<u4"
        case .int64: "<i8"
        case .uint64: "<u8"
        case .float16: "<f2"
        case .float32: "<f4"
        case .float64: "<f8"
        case .bfloat16: fatalError("NPY has no bfloat16; convert to float32")
        }
    }

    /// From column-major (first index fastest) to row-major.
    private static func rowMajor(_ bytes: [UInt8], shape: [Int], size: Int) -> [UInt8] {
        guard shape.count > 1, !bytes.isEmpty else { return bytes }
        var strides = [Int](repeating: 1, count: shape.count)
        for k in 1..<shape.count { strides[k] = strides[k - 1] * shape[k - 1] }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = [Int](repeating: 0, count: shape.count), source = 0
        while result.count < bytes.count {
            result.append(contentsOf: bytes[source * size..<(source + 1) * size])
            // The next index, last dimension fastest.
            var k = shape.count - 1
            while k >= 0 {
                index[k] += 1
                source += strides[k]
                if index[k] < shape[k] { break }
                source -= strides[k] * shape[k]
                index[k] = 0
                k -= 1
            }
        }
        return result
    }
}

/// Reverses the bytes of each element.
func reverseBytes(of bytes: inout [UInt8], size: Int) {
    guard size > 1 else { return }
    for start in stride(from: 0, to: bytes.count - size + 1, by: size) {
        for k in 0..<size / 2 { bytes.swapAt(start + k, start + size - 1 - k) }
    }
}
