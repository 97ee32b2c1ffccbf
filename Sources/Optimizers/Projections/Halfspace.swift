import Kernels

/// {x : aᵀx ≤ b}.
public struct Halfspace<Scalar: KernelScalar>: ConvexSet {
    public let normal: [Scalar]
    public let offset: Scalar

    /// - Precondition: `normal` is finite and not 0.
    public init(normal: [Scalar], offset: Scalar) {
        let norm = Scalar.nrm2(normal.span)
        require(norm > 0 && norm.isFinite, "the normal has length \(norm); expected a finite number above 0")
        self.normal = normal
        self.offset = offset
    }

    public func project(_ x: inout MutableSpan<Scalar>) {
        let excess = Scalar.dot(normal.span, x.span) - offset
        if excess > 0 { Scalar.axpy(-excess / Scalar.dot(normal.span, normal.span), normal.span, &x) }
    }
}
