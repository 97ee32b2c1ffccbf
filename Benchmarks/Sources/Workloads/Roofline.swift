import Descent
import Foundation
import Synchronization

/// A physical limit that is measured in the same run as what it limits.
public enum Roofline: String, Sendable, Codable, CaseIterable {
    /// xor + popcount + add on registers alone, on the tier in force.
    case popcount
    /// Reading arrays beyond the caches: `memcmp` of equal ones, which reads all of both.
    case read
    /// `memcpy` between arrays beyond the caches, read and write counted.
    case copy
    /// `memcpy` between arrays of 8 KiB, which lie in the first-level cache; read and write counted.
    case copyInCache
    /// Scaling an array beyond the caches in place, read and write counted: the fastest update that we know, and our own.
    case update
    /// Multiply-adds: OpenBLAS's `gemm` on a size at which it is at its peak.
    case gemm32, gemm64
    /// An exponential and an addition an element, from the first-level cache: what bounds passes over Gibbs kernels.
    case exponentials32, exponentials64

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
            let half = Self.large / 2
            let x = Buffer([UInt8](repeating: 0, count: half)), y = Buffer([UInt8](repeating: 0, count: half))
            return Workload(rawValue, work: Double(Self.large), .bytes) {
                // A new byte each time, or the comparison of unchanged arrays would be made only once.
                x.modify { $0[half - 1] &+= 1 }
                y.modify { $0[half - 1] &+= 1 }
                unsafe precondition(memcmp(x.elements, y.elements, half) == 0)
            }
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
            let x = Buffer([Float](repeating: 1, count: Self.large / 4))
            return Workload(rawValue, work: 2 * Double(Self.large), .bytes) {
                x.modify { x in
                    var span = x.mutableSpan
                    Float.scale(1, &span)
                }
            }
        case .gemm32: return gemm(Float.self)
        case .gemm64: return gemm(Double.self)
        case .exponentials32: return exponentials(Float.self)
        case .exponentials64: return exponentials(Double.self)
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

    private func exponentials<T: KernelScalar>(_ type: T.Type) -> Workload {
        let x = [T](repeating: -1.5, count: 4096)
        return Workload(rawValue, work: 1000 * 4096, .operations) {
            for _ in 0..<1000 { consume(T.sumOfExponentials(x.span)) }
        }
    }

    private func gemm<T: KernelScalar>(_ type: T.Type) -> Workload {
        let n = 1024
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
