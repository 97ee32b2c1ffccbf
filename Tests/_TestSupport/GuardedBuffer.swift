/// An element type with a value that guard zones are filled with and no kernel writes by accident.
public protocol GuardPattern: BitwiseCopyable {
    static var guardPattern: Self { get }
    /// Whether this is the pattern, bit by bit.
    var isGuardPattern: Bool { get }
}

extension Float: GuardPattern {
    /// A NaN with a payload: what reads it spoils its result.
    public static var guardPattern: Float { Float(bitPattern: 0x7fc5_a5a5) }
    public var isGuardPattern: Bool { bitPattern == Float.guardPattern.bitPattern }
}

extension Double: GuardPattern {
    /// A NaN with a payload: what reads it spoils its result.
    public static var guardPattern: Double { Double(bitPattern: 0x7ff8_a5a5_a5a5_a5a5) }
    public var isGuardPattern: Bool { bitPattern == Double.guardPattern.bitPattern }
}

extension GuardPattern where Self: FixedWidthInteger {
    public static var guardPattern: Self { Self(truncatingIfNeeded: 0x5a5a_a5a5_3c3c_c3c3 as UInt64) }
    public var isGuardPattern: Bool { self == Self.guardPattern }
}

extension Int32: GuardPattern {}
extension UInt32: GuardPattern {}
extension UInt64: GuardPattern {}

/// `count` elements that start `offset` elements after the beginning of a guard zone's end, between two guard zones.
public struct GuardedBuffer<Element: GuardPattern> {
    private static var zone: Int { 64 }
    private var storage: [Element]
    private let range: Range<Int>

    /// Elements to be written; they hold the guard pattern until then.
    public init(count: Int, offset: Int = 0) {
        self.init(Array(repeating: Element.guardPattern, count: count), offset: offset)
    }

    /// Elements to be read.
    public init(_ elements: [Element], offset: Int = 0) {
        let pattern = Element.guardPattern
        let before = Self.zone + offset
        range = before..<before + elements.count
        storage = Array(repeating: pattern, count: before) + elements + Array(repeating: pattern, count: Self.zone)
    }

    public var elements: [Element] { Array(storage[range]) }

    /// Whether nothing outside the elements has been written.
    public var isIntact: Bool {
        storage[..<range.lowerBound].allSatisfy(\.isGuardPattern) && storage[range.upperBound...].allSatisfy(\.isGuardPattern)
    }

    /// Calls `body` with the elements alone, to be read.
    public func read<Result>(_ body: (Span<Element>) -> Result) -> Result { body(storage.span.extracting(range)) }

    /// Calls `body` with the elements alone, to be written.
    public mutating func write(_ body: (inout MutableSpan<Element>) -> Void) {
        let range = range
        var whole = storage.mutableSpan
        var part = whole._mutatingExtracting(range)
        body(&part)
    }
}
