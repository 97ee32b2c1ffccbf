import Kernels
import Objectives

/// A step that lowers gᵀp + ½ pᵀH p within ‖p‖ ≤ `radius`, by conjugate gradients (Steihaug). With an infinite radius negative
/// curvature ends it at the step so far, or at −g.
func truncatedConjugateGradients<Scalar: KernelScalar>(
    _ problem: any TwiceDifferentiableObjective<Scalar>, at point: EvaluatedPoint<Scalar>, radius: Double, limit: Int?
) -> (step: [Scalar], predicted: Double, isAtBoundary: Bool, products: Int) {
    let n = point.x.count
    var p = [Scalar](repeating: 0, count: n), r = point.gradient, d = r, product = p
    var ds = d.mutableSpan
    Scalar.scale(-1, &ds)
    var square = Double(Scalar.dot(r.span, r.span)), predicted = 0.0, products = 0
    let norm = square.squareRoot()
    let target = min(0.5, norm.squareRoot()) * norm
    for _ in 0..<(limit ?? max(n, 1)) where square.squareRoot() > 0 {
        multiply()
        products += 1
        let curvature = Double(Scalar.dot(d.span, product.span)), dd = Double(Scalar.dot(d.span, d.span))
        let alpha = square / curvature
        let pd = Double(Scalar.dot(p.span, d.span)), pp = Double(Scalar.dot(p.span, p.span))
        let isLong = radius.isFinite && (pp + 2 * alpha * pd + alpha * alpha * dd).squareRoot() >= radius
        if !(curvature > 0) || isLong {
            if radius.isFinite {
                // To the boundary: the positive root of ‖p + τ d‖ = radius.
                let tau = (-pd + (pd * pd + dd * (radius * radius - pp)).squareRoot()) / dd
                add(tau)
                predicted += tau * square - 0.5 * tau * tau * curvature
                return (p, predicted, true, products)
            }
            if products == 1 { add(1) }
            return (p, predicted, false, products)
        }
        add(alpha)
        predicted += 0.5 * alpha * square
        addToResidual(alpha)
        let next = Double(Scalar.dot(r.span, r.span))
        if next.squareRoot() <= target { break }
        turn(next / square)
        square = next
    }
    return (p, predicted, false, products)

    func multiply() {
        var span = product.mutableSpan
        problem.hessianVectorProduct(at: point.x.span, direction: d.span, into: &span)
    }
    func add(_ a: Double) {
        var span = p.mutableSpan
        Scalar.axpy(Scalar(a), d.span, &span)
    }
    func addToResidual(_ a: Double) {
        var span = r.mutableSpan
        Scalar.axpy(Scalar(a), product.span, &span)
    }
    func turn(_ b: Double) {
        var span = d.mutableSpan
        Scalar.axpby(-1, r.span, Scalar(b), &span)
    }
}
