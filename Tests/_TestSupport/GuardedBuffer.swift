import Kernels

/// A buffer of `count` elements, `offset` elements after the start of a guard zone's end, between two zones of a marked
/// NaN: what a kernel reads there spoils its result, what it writes there shows in ``guardsAreIntact``.
public struct GuardedBuffer<Scalar: KernelScalar> {
    public let count: Int
    private let start: Int
    private var storage: [Scalar]

    private static var guardCount: Int { 64 }
    private static var mark: Scalar {
        Scalar(sign: .plus, exponentBitPattern: Scalar.nan.exponentBitPattern,
               significandBitPattern: Scalar.nan.significandBitPattern | 0x5a5a)
    }

    /// Elements from `fill`; without it they are marked NaNs too, as in the zones.
    public init(count: Int, offset: Int, fill: ((Int) -> Scalar)? = nil) {
        self.count = count
        start = Self.guardCount + offset
        storage = Array(repeating: Self.mark, count: start + count + Self.guardCount)
        if let fill { for i in 0..<count { storage[start + i] = fill(i) } }
    }

    public var elements: [Scalar] { Array(storage[start..<start + count]) }

    public subscript(i: Int) -> Scalar {
        get { storage[start + i] }
        set { storage[start + i] = newValue }
    }

    public func withSpan<Result>(_ body: (Span<Scalar>) throws -> Result) rethrows -> Result {
        try body(storage.span.extracting(start..<start + count))
    }

    public mutating func withMutableSpan<Result>(_ body: (inout MutableSpan<Scalar>) throws -> Result) rethrows -> Result {
        let range = start..<start + count
        var all = storage.mutableSpan
        var part = all._mutatingExtracting(range)
        return try body(&part)
    }

    public var guardsAreIntact: Bool {
        storage[..<start].allSatisfy(Self.isMark) && storage[(start + count)...].allSatisfy(Self.isMark)
    }

    /// Whether element `i` was never written.
    public func isUntouched(_ i: Int) -> Bool { Self.isMark(storage[start + i]) }

    private static func isMark(_ value: Scalar) -> Bool {
        value.isNaN && value.significandBitPattern == mark.significandBitPattern
    }
}

/// Offsets of a buffer's start that kernels are tested at.
public let kernelOffsets = [0, 1, 3]
