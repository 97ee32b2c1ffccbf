import Datasets
import LinearAlgebra
import Testing

/// The error that a reader throws.
func failure<Result>(_ body: () throws -> Result) -> FormatError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? FormatError
    }
}

@Suite struct NPYTests {
    @Test func readsWhatNumPyWrites() throws {
        let doubles = try NPY.read(Samples.doubles)
        #expect(doubles.shape == [2, 3])
        #expect(doubles.elementType == .float64)
        #expect(doubles.values(as: Double.self) == [0, 0.25, 0.5, 0.75, 1, 1.25])
        #expect(doubles.matrix(as: Float.self) == Matrix(rows: 2, columns: 3, elements: [0, 0.25, 0.5, 0.75, 1, 1.25]))

        let fortran = try NPY.read(Samples.fortranBigEndian)
        #expect(fortran.shape == [2, 3, 4])
        #expect(fortran.integers() == (0..<24).map { $0 * 1000 - 7000 })
        #expect(fortran.matrix(as: Double.self).columns == 12)

        let halves = try NPY.read(Samples.halves).values(as: Float.self)
        #expect(halves.prefix(5) == [0, 0, 1, -2.5, 65504])
        #expect(halves[1].sign == .minus)
        #expect(halves[5] == 0x1p-24)
        #expect(halves[6] == .infinity && halves[7] == -.infinity)
        #expect(halves[8] == 0.33300781)

        #expect(try NPY.read(Samples.booleans).integers() == [1, 0, 0, 1])
        let single = try NPY.read(Samples.version3)
        #expect(single.shape == [])
        #expect(single.values(as: Double.self) == [3.5])
        let wide = try NPY.read(Samples.wide)
        #expect(wide.integers() == nil)
        #expect(wide.values(as: Double.self) == [0x1p64, 1])
    }

    @Test func refusesWithOffsetAndReason() {
        let complexNumbers = failure { try NPY.read(Samples.complexNumbers) }
        #expect(complexNumbers?.found == "'<c16'")
        #expect(complexNumbers?.position == .byte(20))
        #expect(failure { try NPY.read([1, 2, 3]) }?.format == "NPY")
        #expect(failure { try NPY.read(Samples.doubles + [0]) }?.found == "1 more bytes")
        #expect(failure { try NPY.read(Array(Samples.doubles.dropLast())) }?.expected == "48 bytes of elements of shape [2, 3]")
        #expect(failure { try NPY.read(path: "/no/such/file.npy") }?.position == .file("/no/such/file.npy"))
        #expect(failure { try NPY.read(path: "/no/such/file.npy") }?.description.hasPrefix("NPY, /no/such/file.npy: expected") == true)
    }

    /// A file of version 1 with this header.
    static func file(_ header: String, data: [UInt8] = []) -> [UInt8] {
        [0x93] + "NUMPY".utf8 + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] + header.utf8 + data
    }

    @Test(arguments: [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 8), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f8', 'fortran_order': False, }",
        "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (0,), }",
        "{'descr': '<f8', 'fortran_order': maybe, 'shape': (0,), }",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (0,), }",
        "{'descr': '|f8', 'fortran_order': False, 'shape': (0,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0,)} x",
        "", "{", "{'descr", "{'descr': ", "{}",
    ]) func refusesHeader(_ header: String) {
        #expect(failure { try NPY.read(Self.file(header)) } != nil)
    }

    @Test func headerMayBeWrittenDifferently() throws {
        let header = "{\"shape\":(2L,1),'fortran_order' : True,'descr':'>u2'}\n"
        #expect(try NPY.read(Self.file(header, data: [1, 0, 0, 2])).integers() == [256, 2])
        #expect(try NPY.read(Self.file("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5), }")).shape == [0, 5])
    }

    @Test func writesWhatItReads() throws {
        let matrix = Matrix<Float>(rows: 3, columns: 2, elements: [1.5, -0.0, .infinity, .leastNonzeroMagnitude, 3, .pi])
        let written = NPY.write(NumericArray(matrix))
        #expect(written.count % 64 == 24)
        let read = try NPY.read(written)
        #expect(read == NumericArray(matrix))
        #expect(read.matrix(as: Float.self).elements.map(\.bitPattern) == matrix.elements.map(\.bitPattern))
        // The same bytes as NumPy's.
        #expect(NPY.write(try NPY.read(Samples.doubles)) == Samples.doubles)
        #expect(NPY.write(try NPY.read(Samples.halves)) == Samples.halves)
        #expect(NPY.write(try NPY.read(Samples.booleans)) == Samples.booleans)
        for array in [NumericArray([Double]()), NumericArray([1.0], shape: []), NumericArray(integers: [.min, -1, .max])] {
            #expect(try NPY.read(NPY.write(array)) == array)
        }
    }
}

@Suite struct NPZTests {
    @Test func readsStoredAndDeflated() throws {
        let stored = try NPZ.read(Samples.archive)
        #expect(Set(stored.keys) == ["a", "b"])
        #expect(stored["a"]?.values(as: Double.self) == [0, 0.25, 0.5, 0.75, 1, 1.25])
        #expect(stored["b"]?.integers() == [1, 2, 3])
        let deflated = try NPZ.read(Samples.compressed)
        #expect(deflated["squares"]?.integers() == (0..<300).map { $0 * $0 % 17 })
        #expect(deflated["zeros"]?.values(as: Double.self) == Array(repeating: 0, count: 500))
        #expect(deflated["noise"]?.integers()?.prefix(5) == [95, 130, 194, 217, 207])
        #expect(deflated["noise"]?.count == 40)
    }

    @Test func limitsExpansion() {
        #expect(failure { try NPZ.read(Samples.compressed, limit: 1000) }?.format == "ZIP")
    }

    @Test func findsEveryCorruptByteOfStoredData() throws {
        // The data of the first member starts behind its header; its last 48 bytes are the numbers.
        var bytes = Samples.archive
        let whole = NPY.write(try NPZ.read(bytes)["a"]!)
        let start = (0..<bytes.count - whole.count).first { bytes[$0..<$0 + whole.count].elementsEqual(whole) }!
        for i in start..<start + whole.count {
            bytes[i] ^= 0x10
            #expect(failure { try NPZ.read(bytes) }?.expected.hasPrefix("checksum") == true)
            bytes[i] ^= 0x10
        }
    }

    @Test func refusesZIP64AndEncryption() {
        var bytes = Samples.archive
        let end = bytes.count - 22
        bytes[end + 16] = 255; bytes[end + 17] = 255; bytes[end + 18] = 255; bytes[end + 19] = 255
        #expect(failure { try NPZ.read(bytes) }?.found == "ZIP64")
        bytes = Samples.archive
        let directory = Int(bytes[end + 16]) | Int(bytes[end + 17]) << 8
        bytes[directory + 8] |= 1
        #expect(failure { try NPZ.read(bytes) }?.found == "an encrypted member")
        #expect(failure { try NPZ.read([]) }?.format == "ZIP")
    }
}

@Suite struct IDXTests {
    @Test func reads() throws {
        let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 255]
        let array = try IDX.read(images)
        #expect(array.shape == [2, 1, 2])
        #expect(array.matrix(as: Float.self) == Matrix(rows: 2, columns: 2, elements: [9, 8, 7, 255]))
        #expect(try IDX.read([0, 0, 11, 1, 0, 0, 0, 2, 0xFF, 0xFE, 1, 0]).integers() == [-2, 256])
        #expect(try IDX.read([0, 0, 13, 1, 0, 0, 0, 1, 0x40, 0x49, 0x0F, 0xDB]).values(as: Float.self) == [3.1415927])
    }

    @Test func refuses() {
        #expect(failure { try IDX.read([0, 0, 10, 0]) }?.position == .byte(2))
        #expect(failure { try IDX.read([0, 1, 8, 0]) }?.position == .byte(0))
        #expect(failure { try IDX.read([0, 0, 8, 1, 0, 0, 0, 2, 1]) }?.expected == "2 bytes of elements of shape [2]")
        #expect(failure { try IDX.read([0, 0, 8, 1, 0, 0, 0, 1, 1, 1]) }?.position == .byte(9))
        #expect(failure { try IDX.read([0, 0, 14, 3] + Array(repeating: 255, count: 12)) }?.expected == "a shape that fits in memory")
    }
}

@Suite struct SafetensorsTests {
    @Test func readsWhatTheReferenceWrites() throws {
        let (arrays, metadata) = try Safetensors.read(Samples.tensors)
        #expect(metadata == ["format": "np"])
        #expect(Set(arrays.keys) == ["weight", "bias", "half", "empty"])
        #expect(arrays["weight"]?.matrix(as: Double.self) == Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4.5]))
        #expect(arrays["bias"]?.integers() == [-1, 7])
        #expect(arrays["half"]?.values(as: Float.self) == [1.5])
        #expect(arrays["empty"]?.shape == [0, 3])
    }

    @Test func writesWhatItReads() throws {
        let bfloat = NumericArray(shape: [2], elementType: .bfloat16, bytes: [0x80, 0x3F, 0x49, 0xC0])
        #expect(bfloat.values(as: Float.self) == [1, -3.140625])
        let arrays = ["a \"quoted\" name/ü": NumericArray([1.0, .nan, -0.0]), "b": NumericArray(integers: [3], shape: []),
                      "none": NumericArray([Float]()), "short": bfloat]
        let bytes = Safetensors.write(arrays, metadata: ["step": "12"])
        let read = try Safetensors.read(bytes)
        #expect(read.arrays == arrays)
        #expect(read.metadata == ["step": "12"])
        #expect(Safetensors.write(arrays, metadata: ["step": "12"]) == bytes)
        let (reference, _) = try Safetensors.read(Samples.tensors)
        #expect(try Safetensors.read(Safetensors.write(reference)).arrays == reference)
    }

    static func file(_ header: String, data: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) } + header.utf8 + Array(repeating: 0, count: data)
    }

    @Test(arguments: [
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9), // a hole at the end
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12), // a hole at the start
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,16]}}", 8),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[]}}", 8),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,-9223372036854775808]}}", 0),
        ("{\"a\":{\"dtype\":\"F12\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8),
        ("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8), ("{\"__metadata__\":{\"a\":1}}", 0), ("[]", 0), ("", 0),
        (String(repeating: "[", count: 100_000), 0),
    ]) func refuses(_ header: String, _ data: Int) {
        #expect(failure { try Safetensors.read(Self.file(header, data: data)) } != nil)
    }

    @Test func refusesALongHeaderBeforeReadingIt() {
        let bytes = Array(repeating: UInt8(255), count: 64)
        #expect(failure { try Safetensors.read(bytes) }?.position == .byte(0))
    }
}
