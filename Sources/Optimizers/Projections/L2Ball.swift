import Kernels

/// {x : ‖x − centre‖₂ ≤ `radius`}.
public struct L2Ball<Scalar: KernelScalar>: ConvexSet {
    public let radius: Scalar
    /// The origin if `nil`.
    public let center: [Scalar]?

    public init(radius: Scalar, center: [Scalar]? = nil) {
        self.radius = checkedRadius(radius)
        self.center = center
    }

    public func project(_ x: inout MutableSpan<Scalar>) {
        if let center { Scalar.axpy(-1, center.span, &x) }
        let norm = Scalar.nrm2(x.span)
        if norm > radius { Scalar.scale(radius / norm, &x) }
        if let center { Scalar.axpy(1, center.span, &x) }
    }
}
