import Kernels
import RealModule

/// A test problem of two variables, written as a formula in them.
public protocol PlanarTestProblem<Scalar>: TestProblem {
    /// f(x, y) and its partial derivatives.
    func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar)
}

extension PlanarTestProblem {
    public var dimension: Int { 2 }

    public func value(at x: Span<Scalar>) -> Scalar {
        requireDimension(x.count)
        return valueAndPartials(x[0], x[1]).value
    }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        requireDimension(x.count)
        requireDimension(gradient.count, "gradient")
        let (value, dx, dy) = valueAndPartials(x[0], x[1])
        gradient[0] = dx
        gradient[1] = dy
        return value
    }
}

/// A test problem of two variables with second derivatives.
public protocol TwiceDifferentiablePlanarTestProblem<Scalar>: PlanarTestProblem, TwiceDifferentiableObjective {
    /// ∂²f/∂x², ∂²f/∂x∂y and ∂²f/∂y².
    func secondPartials(_ x: Scalar, _ y: Scalar) -> (xx: Scalar, xy: Scalar, yy: Scalar)
}

extension TwiceDifferentiablePlanarTestProblem {
    public func hessianVectorProduct(
        at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
    ) {
        requireDimension(x.count)
        requireDimension(v.count, "direction")
        requireDimension(product.count, "product")
        let (xx, xy, yy) = secondPartials(x[0], x[1])
        product[0] = xx * v[0] + xy * v[1]
        product[1] = xy * v[0] + yy * v[1]
    }
}
