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
