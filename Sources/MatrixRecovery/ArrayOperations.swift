import Kernels

// Kernels on whole arrays, in place.

/// y ← a x + y.
@inline(__always)
func axpy<Scalar: KernelScalar>(_ a: Scalar, _ x: Span<Scalar>, _ y: inout [Scalar]) {
    var span = y.mutableSpan
    Scalar.axpy(a, x, &span)
}

@inline(__always)
func axpy<Scalar: KernelScalar>(_ a: Scalar, _ x: [Scalar], _ y: inout [Scalar]) { axpy(a, x.span, &y) }

/// y ← a x + b y.
@inline(__always)
func axpby<Scalar: KernelScalar>(_ a: Scalar, _ x: [Scalar], _ b: Scalar, _ y: inout [Scalar]) {
    var span = y.mutableSpan
    Scalar.axpby(a, x.span, b, &span)
}

/// x ← a x.
@inline(__always)
func scale<Scalar: KernelScalar>(_ a: Scalar, _ x: inout [Scalar]) {
    var span = x.mutableSpan
    Scalar.scale(a, &span)
}

/// y ← x.
@inline(__always)
func assign<Scalar: KernelScalar>(_ x: [Scalar], _ y: inout [Scalar]) {
    var span = y.mutableSpan
    copy(x.span, &span)
}

/// scale · sign(xᵢ); NaN stays NaN.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func signs<Scalar: KernelScalar>(_ x: [Scalar], scale: Scalar) -> [Scalar] { x.map { scale * ($0 > 0 ? 1 : $0 < 0 ? -1 : $0) } }

/// (1/n) Σ |xᵢ|.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func meanMagnitude<Scalar: KernelScalar>(_ x: [Scalar]) -> Scalar { x.reduce(0) { $0 + $1.magnitude } / Scalar(x.count) }
