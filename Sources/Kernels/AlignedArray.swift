/// Elements that begin on a 64-byte boundary and do not change after they are made.
///
/// An `Array` begins 32 bytes after whatever its allocation gives, so a kernel that streams it by 64-byte vectors crosses a
/// cache line with each load. Packed operands that are read many times are kept in this instead.
public struct AlignedArray<Element: BitwiseCopyable & Sendable & Hashable>: Sendable, Hashable {
    /// The elements with room to shift them; never changed, so that its address stays.
    private let storage: [Element]
    private let start: Int
    public let count: Int

    /// Elements that `fill` writes; they are `value` before.
    ///
    /// - Precondition: `count` is not negative, and 64 is a multiple of the element's stride.
    public init(repeating value: Element, count: Int, _ fill: (inout MutableSpan<Element>) -> Void) {
        let stride = MemoryLayout<Element>.stride
        require(count >= 0, "count is \(count); expected no negative number")
        require(64 % stride == 0, "stride of \(Element.self) is \(stride); expected a divisor of 64")
        var storage = [Element](repeating: value, count: count + 64 / stride)
        let excess = unsafe storage.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) & 63 }
        // An address that is no multiple of the stride cannot be reached; the array is then left as it is.
        let start = excess % stride == 0 ? (64 - excess) % 64 / stride : 0
        var all = storage.mutableSpan
        var part = all._mutatingExtracting(start..<start + count)
        fill(&part)
        self.storage = storage
        self.start = start
        self.count = count
    }

    /// Calls `body` with the elements.
    @inline(__always)
    public func withSpan<Result>(_ body: (Span<Element>) throws -> Result) rethrows -> Result {
        try body(storage.span.extracting(start..<start + count))
    }

    public static func == (a: Self, b: Self) -> Bool {
        a.storage[a.start..<a.start + a.count] == b.storage[b.start..<b.start + b.count]
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(storage[start..<start + count])
    }
}
