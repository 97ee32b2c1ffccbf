import Datasets
import Randomness
import Testing

/// Whatever the bytes, a reader returns or throws its own error. A trap would end the process.
@Suite struct FuzzTests {
    struct Target: Sendable, CustomTestStringConvertible {
        let name: String
        let samples: [[UInt8]]
        let read: @Sendable ([UInt8]) throws -> Void
        var testDescription: String { name }
    }

    static let targets = [
        Target(name: "NPY", samples: [Samples.doubles, Samples.fortranBigEndian, Samples.halves, Samples.version3, Samples.wide]) {
            let array = try NPY.read($0)
            _ = array.matrix(as: Float.self)
            _ = array.integers()
        },
        Target(name: "NPZ", samples: [Samples.archive, Samples.compressed]) {
            for (_, array) in try NPZ.read($0, limit: 1 << 20) { _ = array.matrix(as: Double.self) }
        },
        Target(name: "IDX", samples: [
            [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 255], [0, 0, 14, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8],
        ]) { _ = try IDX.read($0).matrix(as: Double.self) },
        Target(name: "safetensors", samples: [Samples.tensors]) {
            for (_, array) in try Safetensors.read($0).arrays { _ = array.matrix(as: Double.self) }
        },
        Target(name: "CSV", samples: [Array("a,\"b \"\"x\"\"\",\"c\nd\"\r\n1,\" 2\",\"\"\r\n\n3,4,5\nNA,é,-1e9\n".utf8)]) {
            let table = try CSV.read($0)
            _ = try table.matrix(missing: .dropRecord, as: Float.self)
        },
        Target(name: "LIBSVM", samples: [Array("+1 1:0.5 3:-2 # note\n\n-1\n0 2:1e-3 77:8\r\n".utf8)]) {
            _ = try LIBSVM.read($0, as: Float.self)
        },
    ]

    /// Whether the reader threw; anything but its own error is an issue.
    static func throwsError(_ target: Target, _ bytes: [UInt8]) -> Bool {
        do {
            try target.read(bytes)
            return false
        } catch {
            #expect(error is FormatError, "\(target.name): \(error)")
            #expect(!((error as? FormatError)?.description.isEmpty ?? true))
            return true
        }
    }

    @Test(arguments: targets) func randomBytes(_ target: Target) {
        var stream = RandomStream(seed: 21)
        var failures = 0
        for _ in 0..<1500 {
            let count = stream.integer(in: 0..<200)
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: stream.nextUInt64()) }
            if Self.throwsError(target, bytes) { failures += 1 }
        }
        #expect(failures > 1000)
    }

    @Test(arguments: targets) func everyTruncation(_ target: Target) {
        for sample in target.samples {
            #expect(!Self.throwsError(target, sample))
            for count in 0..<sample.count {
                let failed = Self.throwsError(target, Array(sample.prefix(count)))
                // A shorter text may be valid; a shorter binary file never is.
                if !["CSV", "LIBSVM"].contains(target.name) { #expect(failed, "\(target.name) cut at \(count)") }
            }
        }
    }

    @Test(arguments: targets) func mutations(_ target: Target) {
        var stream = RandomStream(seed: 22)
        let extremes: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0x22, 0x2C, 0x0A, 0x0D, 0x39]
        for sample in target.samples {
            for position in sample.indices {
                var bytes = sample
                for value in extremes {
                    bytes[position] = value
                    _ = Self.throwsError(target, bytes)
                }
            }
            for _ in 0..<2000 {
                var bytes = sample
                for _ in 0..<stream.integer(in: 1..<9) {
                    let position = stream.integer(in: 0..<bytes.count)
                    switch stream.integer(in: 0..<4) {
                    case 0: bytes[position] ^= 1 << UInt8(stream.integer(in: 0..<8))
                    case 1: bytes[position] = extremes[stream.integer(in: 0..<extremes.count)]
                    case 2: bytes.insert(UInt8(truncatingIfNeeded: stream.nextUInt64()), at: position)
                    default: if bytes.count > 1 { bytes.remove(at: position) }
                    }
                }
                _ = Self.throwsError(target, bytes)
            }
        }
    }

    @Test func deflateStreamsOfRandomBytes() {
        // A valid archive around arbitrary deflate data: the decoder itself is reached every time.
        var stream = RandomStream(seed: 23)
        for _ in 0..<3000 {
            let count = stream.integer(in: 1..<120)
            var data = (0..<count).map { _ in UInt8(truncatingIfNeeded: stream.nextUInt64()) }
            data[0] = data[0] & 0xF8 | UInt8([0, 1, 2, 3, 4, 5].randomElement(using: &stream)!)
            #expect(failure { try NPZ.read(archive(data, size: 4000)) } != nil)
        }
    }

    /// An archive of one deflated member.
    func archive(_ data: [UInt8], size: Int) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let sizes = little(0, 4) + little(data.count, 4) + little(size, 4)
        let local = [0x50, 0x4B, 3, 4] + little(20, 2) + little(0, 2) + little(8, 2) + little(0, 4) + sizes + little(5, 2) + little(0, 2)
            + Array("a.npy".utf8) + data
        let directory = [0x50, 0x4B, 1, 2] + little(20, 2) + little(20, 2) + little(0, 2) + little(8, 2) + little(0, 4) + sizes
            + little(5, 2) + little(0, 4) + little(0, 8) + little(0, 4) + Array("a.npy".utf8)
        return local + directory + [0x50, 0x4B, 5, 6] + little(0, 4) + little(1, 2) + little(1, 2) + little(directory.count, 4)
            + little(local.count, 4) + little(0, 2)
    }
}
