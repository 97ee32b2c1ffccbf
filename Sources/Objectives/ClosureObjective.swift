import Kernels

/// An objective made of closures over whole vectors.
///
/// ```swift
/// let objective = ClosureObjective<Double>(dimension: 2) { x in
///     x[0] * x[0] + 3 * x[1] * x[1]
/// } valueAndGradient: { x, gradient in
///     gradient[0] = 2 * x[0]
///     gradient[1] = 6 * x[1]
///     return x[0] * x[0] + 3 * x[1] * x[1]
/// }
/// ```
public struct ClosureObjective<Scalar: KernelScalar>: Objective {
    public typealias Value = (_ x: Span<Scalar>) -> Scalar
    public typealias ValueAndGradient = (_ x: Span<Scalar>, _ gradient: inout MutableSpan<Scalar>) -> Scalar

    public let dimension: Int
    private let valueBody: Value
    private let gradientBody: ValueAndGradient

    public init(dimension: Int, value: @escaping Value, valueAndGradient: @escaping ValueAndGradient) {
        require(dimension >= 0, "dimension is \(dimension); expected no negative number")
        self.dimension = dimension
        valueBody = value
        gradientBody = valueAndGradient
    }

    public func value(at x: Span<Scalar>) -> Scalar {
        requireDimension(x.count)
        return valueBody(x)
    }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        requireDimension(x.count)
        requireDimension(gradient.count, "gradient")
        return gradientBody(x, &gradient)
    }
}

/// A ``ClosureObjective`` with a closure for the product of Hessian and vector.
public struct TwiceDifferentiableClosureObjective<Scalar: KernelScalar>: TwiceDifferentiableObjective {
    public typealias HessianVectorProduct =
        (_ x: Span<Scalar>, _ direction: Span<Scalar>, _ product: inout MutableSpan<Scalar>) -> Void

    private let base: ClosureObjective<Scalar>
    private let productBody: HessianVectorProduct

    public init(
        dimension: Int, value: @escaping ClosureObjective<Scalar>.Value,
        valueAndGradient: @escaping ClosureObjective<Scalar>.ValueAndGradient,
        hessianVectorProduct: @escaping HessianVectorProduct
    ) {
        base = ClosureObjective(dimension: dimension, value: value, valueAndGradient: valueAndGradient)
        productBody = hessianVectorProduct
    }

    public var dimension: Int { base.dimension }

    public func value(at x: Span<Scalar>) -> Scalar { base.value(at: x) }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        base.valueAndGradient(at: x, gradient: &gradient)
    }

    public func hessianVectorProduct(
        at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
    ) {
        requireDimension(x.count)
        requireDimension(v.count, "direction")
        requireDimension(product.count, "product")
        productBody(x, v, &product)
    }
}
