import Kernels

/// A step and the change of the gradient over it.
struct CurvaturePair<Scalar: KernelScalar>: Codable, Sendable {
    let s: [Scalar]
    let y: [Scalar]
    /// sᵀy and yᵀy.
    let sy: Scalar
    let yy: Scalar

    init(from a: EvaluatedPoint<Scalar>, to b: EvaluatedPoint<Scalar>) {
        let s = difference(b.x, a.x), y = difference(b.gradient, a.gradient)
        sy = Scalar.dot(s.span, y.span)
        yy = Scalar.dot(y.span, y.span)
        (self.s, self.y) = (s, y)
    }

    /// Positive curvature, beyond what rounding could feign, at any scale of f and x.
    var isUsable: Bool {
        let size = Double(Scalar.nrm2(s.span)) * Double(Scalar.nrm2(y.span))
        return Double(sy) > Double(Scalar.ulpOfOne) * size && yy.isFinite && yy / sy < .infinity && sy / yy > 0
    }
}
