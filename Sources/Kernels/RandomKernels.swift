import CKernels

/// Where a random fill begins: block `counter` of the Philox4x32-10 generator (`key`, `stream`).
///
/// A block is a function of these three numbers alone, so any part of a sequence can be drawn by itself, on any thread.
/// The 128-bit counter of the generator is `counter` (low) and `stream` (high). Module `Randomness` keeps the
/// book; use this to place draws yourself.
public struct PhiloxSource: Sendable, Hashable {
    public var key: UInt64
    public var stream: UInt64
    public var counter: UInt64

    @inlinable public init(key: UInt64, stream: UInt64, counter: UInt64) {
        self.key = key
        self.stream = stream
        self.counter = counter
    }

    /// The source `blocks` later; the counter wraps at 2⁶⁴ within its stream.
    @inlinable public func advanced(by blocks: UInt64) -> PhiloxSource {
        PhiloxSource(key: key, stream: stream, counter: counter &+ blocks)
    }

    /// The 128 bits of the first block, as `fillBits(_:from:)` orders them.
    public var block: (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        unsafe withUnsafeMutableBytes(of: &words) {
            unsafe dsc_random_bits_u64(key, stream, counter, 2, $0.assumingMemoryBound(to: UInt64.self).baseAddress)
        }
        return words
    }
}

/// The generator's bits as 64-bit numbers from the blocks `source` on: 2 a block. As packed Rademacher signs, bit 1 is +1.
public func fillBits(_ span: inout MutableSpan<UInt64>, from source: PhiloxSource) {
    unsafe span.withUnsafeMutableBufferPointer {
        unsafe dsc_random_bits_u64(source.key, source.stream, source.counter, $0.count, $0.baseAddress)
    }
}

/// The generator's bits as 32-bit words from the blocks `source` on: 4 a block, in the order of the reference vectors.
public func fillBits(_ span: inout MutableSpan<UInt32>, from source: PhiloxSource) {
    unsafe span.withUnsafeMutableBufferPointer {
        unsafe dsc_random_bits_u32(source.key, source.stream, source.counter, $0.count, $0.baseAddress)
    }
}

extension Float {
    public static var numbersPerRandomBlock: Int { 4 }

    public static func fillUniform(_ span: inout MutableSpan<Float>, from source: PhiloxSource) {
        unsafe span.withUnsafeMutableBufferPointer {
            unsafe dsc_random_uniform_f32(source.key, source.stream, source.counter, $0.count, $0.baseAddress)
        }
    }

    public static func fillNormal(
        _ span: inout MutableSpan<Float>, mean: Float, standardDeviation: Float, from source: PhiloxSource
    ) {
        unsafe span.withUnsafeMutableBufferPointer {
            unsafe dsc_random_normal_f32(
                source.key, source.stream, source.counter, mean, standardDeviation, $0.count, $0.baseAddress)
        }
    }

    public static func fillRademacher(_ span: inout MutableSpan<Float>, from source: PhiloxSource) {
        unsafe span.withUnsafeMutableBufferPointer {
            unsafe dsc_random_rademacher_f32(source.key, source.stream, source.counter, $0.count, $0.baseAddress)
        }
    }
}

extension Double {
    public static var numbersPerRandomBlock: Int { 2 }

    public static func fillUniform(_ span: inout MutableSpan<Double>, from source: PhiloxSource) {
        unsafe span.withUnsafeMutableBufferPointer {
            unsafe dsc_random_uniform_f64(source.key, source.stream, source.counter, $0.count, $0.baseAddress)
        }
    }

    public static func fillNormal(
        _ span: inout MutableSpan<Double>, mean: Double, standardDeviation: Double, from source: PhiloxSource
    ) {
        unsafe span.withUnsafeMutableBufferPointer {
            unsafe dsc_random_normal_f64(
                source.key, source.stream, source.counter, mean, standardDeviation, $0.count, $0.baseAddress)
        }
    }

    public static func fillRademacher(_ span: inout MutableSpan<Double>, from source: PhiloxSource) {
        unsafe span.withUnsafeMutableBufferPointer {
            unsafe dsc_random_rademacher_f64(source.key, source.stream, source.counter, $0.count, $0.baseAddress)
        }
    }
}
