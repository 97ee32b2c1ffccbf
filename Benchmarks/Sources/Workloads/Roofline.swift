import Descent
import Synchronization

/// A physical limit that is measured in the same run as what it limits.
public enum Roofline: String, Sendable, Codable, CaseIterable {
    /// xor + popcount + add on registers alone, on the tier in force.
    case popcount
    /// Reading an array beyond the caches.
    case read
    /// `memcpy` between arrays beyond the caches, read and write counted.
    case copy
    /// `memcpy` between arrays of 8 KiB, which lie in the first-level cache; read and write counted.
    case copyInCache
    /// Scaling an array beyond the caches in place, read and write counted.
    case update
    /// Multiply-adds: OpenBLAS's `gemm` on a size at which it is at its peak.
    case gemm32, gemm64

    /// Bytes of an array that is beyond the caches.
    static let large = 256 << 20

    public var workload: Workload {
        switch self {
        case .popcount:
            let vectors = 2_000_000
            return Workload(rawValue, work: 2 * Double(BinaryKernels.popcountRoofline(vectors: vectors)), .operations) {
                consume(BinaryKernels.popcountRoofline(vectors: vectors))
            }
        case .read:
            let x = [SIMD16<Float>](repeating: .init(repeating: 1), count: Self.large / 64)
            return Workload(rawValue, work: Double(Self.large), .bytes) { consume(plainSum(x)) }
        case .copy:
            let source = [UInt8](repeating: 1, count: Self.large)
            let target = Buffer([UInt8](repeating: 2, count: Self.large))
            return Workload(rawValue, work: 2 * Double(Self.large), .bytes) {
                target.modify { $0.replaceSubrange($0.indices, with: source) }
            }
        case .copyInCache:
            let bytes = 8 << 10
            let source = [UInt8](repeating: 1, count: bytes)
            let target = Buffer([UInt8](repeating: 2, count: bytes))
            return Workload(rawValue, work: 2 * Double(bytes), .bytes) {
                target.modify { $0.replaceSubrange($0.indices, with: source) }
            }
        case .update:
            let x = Buffer([SIMD16<Float>](repeating: .init(repeating: 1), count: Self.large / 64))
            return Workload(rawValue, work: 2 * Double(Self.large), .bytes) { plainScale(x) }
        case .gemm32: return gemm(Float.self)
        case .gemm64: return gemm(Double.self)
        }
    }

    /// Work a second at this limit: the best of three, measured once in a process.
    public var rate: Double {
        Self.rates.withLock { rates in
            if let known = rates[self] { return known }
            let workload = workload
            let rate = (0..<3).map { _ in workload.work / workload.seconds() }.max()!
            rates[self] = rate
            return rate
        }
    }

    private static let rates = Mutex<[Roofline: Double]>([:])

    private func gemm<T: KernelScalar>(_ type: T.Type) -> Workload {
        let n = 768
        let a = Matrix<T>(rows: n, columns: n, elements: [T](repeating: 1, count: n * n))
        return Workload(rawValue, work: 2 * Double(n * n * n), .operations) { consume(a * a) }
    }
}

/// An array that a closure may change.
public final class Buffer<Element: BitwiseCopyable> {
    public private(set) var elements: [Element]

    public init(_ elements: [Element]) { self.elements = elements }

    public func modify(_ body: (inout [Element]) -> Void) { body(&elements) }
}

@inline(never)
private func plainSum(_ x: [SIMD16<Float>]) -> Float {
    var a = SIMD16<Float>.zero, b = a, c = a, d = a
    for i in stride(from: 0, to: x.count - 3, by: 4) {
        a += x[i]
        b += x[i + 1]
        c += x[i + 2]
        d += x[i + 3]
    }
    return (a + b + c + d).sum()
}

@inline(never)
private func plainScale(_ x: Buffer<SIMD16<Float>>) {
    x.modify { x in
        for i in x.indices { x[i] *= 1.0000001 }
    }
}
