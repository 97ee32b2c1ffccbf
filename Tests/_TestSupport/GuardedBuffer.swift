/// A buffer of `count` elements, `offset` elements after the start of a guard zone's end, between two zones of bytes 0xff.
/// That is a NaN in both floating-point formats: what a kernel reads there spoils its result, what it writes there shows
/// in ``guardsAreIntact``.
public struct GuardedBuffer<Element: BitwiseCopyable> {
    public let count: Int
    private let start: Int
    private var storage: [Element]

    private static var guardCount: Int { 64 }

    /// Elements from `fill`; without it they are guard bytes too.
    public init(count: Int, offset: Int = 0, fill: ((Int) -> Element)? = nil) {
        self.count = count
        start = Self.guardCount + offset
        let total = start + count + Self.guardCount
        storage = unsafe Array(unsafeUninitializedCapacity: total) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            for i in bytes.indices { unsafe bytes[i] = 0xff }
            initialized = total
        }
        if let fill { for i in 0..<count { storage[start + i] = fill(i) } }
    }

    public var elements: [Element] { Array(storage[start..<start + count]) }

    public subscript(i: Int) -> Element {
        get { storage[start + i] }
        set { storage[start + i] = newValue }
    }

    public func withSpan<Result>(_ body: (Span<Element>) throws -> Result) rethrows -> Result {
        try body(storage.span.extracting(start..<start + count))
    }

    public mutating func withMutableSpan<Result>(_ body: (inout MutableSpan<Element>) throws -> Result) rethrows -> Result {
        let range = start..<start + count
        var all = storage.mutableSpan
        var part = all._mutatingExtracting(range)
        return try body(&part)
    }

    /// Whether nothing outside the elements has been written.
    public var guardsAreIntact: Bool { areGuardBytes(0..<start) && areGuardBytes(start + count..<storage.count) }

    /// Whether element `i` was never written.
    public func isUntouched(_ i: Int) -> Bool { areGuardBytes(start + i..<start + i + 1) }

    private func areGuardBytes(_ range: Range<Int>) -> Bool {
        unsafe storage[range].withUnsafeBytes { bytes in unsafe bytes.allSatisfy { $0 == 0xff } }
    }
}

/// Offsets of a buffer's start that kernels are tested at.
public let kernelOffsets = [0, 1, 3]
