import CKernels

/// A floating-point type that the kernels know: `Float` and `Double`, no others.
///
/// Each requirement works on a whole buffer and calls C once. Generic code reaches the kernels through these.
/// Buffers are `Span`s, so a user's own arrays go in without copying: `Float.dot(x.span, y.span)`.
public protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable, Codable where RawSignificand: FixedWidthInteger {
    /// Σᵢ xᵢ yᵢ.
    ///
    /// - Precondition: equal counts.
    static func dot(_ x: Span<Self>, _ y: Span<Self>) -> Self

    /// Uniform numbers in [0, 1) from the blocks `source` on: multiples of 2⁻²⁴ (`Float`, 4 a block) or 2⁻⁵³ (`Double`,
    /// 2 a block).
    static func fillUniform(_ span: inout MutableSpan<Self>, from source: PhiloxSource)

    /// Normal numbers from the blocks `source` on: 4 a block (`Float`) or 2 a block (`Double`), by the transform of Box
    /// and Muller. The largest deviation from the mean is 6.8 (`Float`) or 8.5 (`Double`) standard deviations.
    static func fillNormal(
        _ span: inout MutableSpan<Self>, mean: Self, standardDeviation: Self, from source: PhiloxSource)

    /// ±1 with equal probability from the blocks `source` on: 128 a block, +1 where
    /// ``fillBits(_:from:)`` gives a 1.
    static func fillRademacher(_ span: inout MutableSpan<Self>, from source: PhiloxSource)

    /// How many numbers of ``fillUniform(_:from:)`` and ``fillNormal(_:mean:standardDeviation:from:)`` a block gives.
    static var numbersPerRandomBlock: Int { get }
}

extension Float: KernelScalar {
    public static func dot(_ x: Span<Float>, _ y: Span<Float>) -> Float {
        requireEqualCounts(x.count, y.count)
        return unsafe withPointers(x, y) { unsafe dsc_vector_dot_f32(x.count, $0, $1) }
    }
}

extension Double: KernelScalar {
    public static func dot(_ x: Span<Double>, _ y: Span<Double>) -> Double {
        requireEqualCounts(x.count, y.count)
        return unsafe withPointers(x, y) { unsafe dsc_vector_dot_f64(x.count, $0, $1) }
    }
}

@inline(__always)
func requireEqualCounts(_ x: Int, _ y: Int, _ operation: StaticString = #function) {
    require(x == y, "\(operation): counts \(x) and \(y) differ; expected equal counts")
}
