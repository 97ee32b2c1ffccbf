// Kernels on whole arrays, in place. Spans of two arrays of one state cannot be held at the same time; arguments can.

/// y ← a x + y.
@inlinable @inline(__always)
package func axpy<Scalar: KernelScalar>(_ a: Scalar, _ x: Span<Scalar>, _ y: inout [Scalar]) {
    var span = y.mutableSpan
    Scalar.axpy(a, x, &span)
}

/// y ← a x + y.
@inlinable @inline(__always)
package func axpy<Scalar: KernelScalar>(_ a: Scalar, _ x: [Scalar], _ y: inout [Scalar]) { axpy(a, x.span, &y) }

/// y ← a x + b y.
@inlinable @inline(__always)
package func axpby<Scalar: KernelScalar>(_ a: Scalar, _ x: [Scalar], _ b: Scalar, _ y: inout [Scalar]) {
    var span = y.mutableSpan
    Scalar.axpby(a, x.span, b, &span)
}

/// x ← a x.
@inlinable @inline(__always)
package func scale<Scalar: KernelScalar>(_ a: Scalar, _ x: inout [Scalar]) {
    var span = x.mutableSpan
    Scalar.scale(a, &span)
}

/// y ← x.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
package func assign<Scalar: KernelScalar>(_ x: [Scalar], _ y: inout [Scalar]) {
    var span = y.mutableSpan
    copy(x.span, &span)
}
