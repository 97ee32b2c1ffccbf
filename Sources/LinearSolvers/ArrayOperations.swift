import Kernels
import LinearAlgebra

// Kernels and operators on the arrays of a state.

@inline(__always)
func dot<Scalar: KernelScalar>(_ x: [Scalar], _ y: [Scalar]) -> Scalar { Scalar.dot(x.span, y.span) }

@inline(__always)
func norm<Scalar: KernelScalar>(_ x: [Scalar]) -> Scalar { Scalar.nrm2(x.span) }

/// z ← x y, element by element.
@inline(__always)
func multiply<Scalar: KernelScalar>(_ x: [Scalar], _ y: [Scalar], into z: inout [Scalar]) {
    var span = z.mutableSpan
    Scalar.multiply(x.span, y.span, into: &span)
}

/// y ← A·x.
@inline(__always)
func apply<Scalar: KernelScalar>(_ a: any LinearOperator<Scalar>, _ x: [Scalar], into y: inout [Scalar]) {
    var span = y.mutableSpan
    a.apply(x.span, into: &span)
}

/// x ← Aᵀ·y.
@inline(__always)
func applyAdjoint<Scalar: KernelScalar>(_ a: any LinearOperator<Scalar>, _ y: [Scalar], into x: inout [Scalar]) {
    var span = x.mutableSpan
    a.applyAdjoint(y.span, into: &span)
}

/// y ← A·x, and xᵀ·y, in one pass where the operator knows how.
@inline(__always)
func applyMeasuring<Scalar: KernelScalar>(_ a: any LinearOperator<Scalar>, _ x: [Scalar], into y: inout [Scalar]) -> Scalar {
    var span = y.mutableSpan
    if let fused = a as? any EnergyOperator<Scalar> { return fused.applyMeasuring(x.span, into: &span) }
    a.apply(x.span, into: &span)
    return Scalar.dot(x.span, span.span)
}

extension RelaxableOperator {
    /// x ← (D/ω + L)⁻¹ b, or (D/ω + U)⁻¹ b if `upper`.
    @inline(__always)
    func solveTriangle(_ b: [Scalar], into x: inout [Scalar], relaxation: Scalar, upper: Bool, work: inout [Scalar]) {
        var span = x.mutableSpan, workSpan = work.mutableSpan
        solveTriangle(b.span, into: &span, relaxation: relaxation, upper: upper, work: &workSpan)
    }

    /// The same on arrays.
    @inline(__always)
    func eisenstat(
        _ p: [Scalar], _ t: [Scalar], into w: inout [Scalar], image q: inout [Scalar], relaxation: Scalar, work: inout [Scalar]
    ) {
        var span = w.mutableSpan, image = q.mutableSpan, workSpan = work.mutableSpan
        eisenstat(p.span, t.span, into: &span, image: &image, relaxation: relaxation, work: &workSpan)
    }
}
