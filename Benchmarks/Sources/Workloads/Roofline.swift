import Descent

/// A physical limit that is measured in the same run as what it limits.
public enum Roofline: String, Sendable, Codable, CaseIterable {
    /// xor + popcount + add on registers alone, on the tier in force.
    case popcount
    /// Reading an array beyond the caches.
    case read
    /// `memcpy` between arrays beyond the caches, read and write counted.
    case copy
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
            return Workload(rawValue, work: 2 * Double(Self.large), .bytes) { target.copy(from: source) }
        case .update:
            let x = Buffer([SIMD16<Float>](repeating: .init(repeating: 1), count: Self.large / 64))
            return Workload(rawValue, work: 2 * Double(Self.large), .bytes) { plainScale(x) }
        case .gemm32: return gemm(Float.self)
        case .gemm64: return gemm(Double.self)
        }
    }

    private func gemm<T: KernelScalar>(_ type: T.Type) -> Workload {
        let n = 768
        let a = Matrix<T>(rows: n, columns: n, elements: [T](repeating: 1, count: n * n))
        return Workload(rawValue, work: 2 * Double(n * n * n), .operations) { consume(a * a) }
    }
}

/// An array that a closure may change.
public final class Buffer<Element: BitwiseCopyable> {
    public var elements: [Element]

    public init(_ elements: [Element]) { self.elements = elements }

    func copy(from source: [Element]) {
        elements.replaceSubrange(elements.indices, with: source)
    }
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
    for i in x.elements.indices { x.elements[i] *= 1.0000001 }
}
