import Kernels
import LinearAlgebra
import Objectives

/// An objective from a closure over tensors: values, gradients and Hessian products by automatic differentiation.
///
/// ```swift
/// let rosenbrock = TensorObjective<Double>(dimension: 2) { x in
///     let (a, b) = (x.slice(0, 0..<1), x.slice(0, 1..<2))
///     return ((1 - a).squared() + 100 * (b - a.squared()).squared()).sum()
/// }
/// ```
///
/// The closure takes the whole vector, of shape [dimension], and gives one number. Parts of the vector (``Tensor/part(from:shape:)``) are
/// seen without a copy.
public struct TensorObjective<Scalar: KernelScalar>: TwiceDifferentiableObjective, Sendable {
    public let dimension: Int
    package let f: @Sendable (Tensor<Scalar>) -> Tensor<Scalar>

    public init(dimension: Int, _ f: @escaping @Sendable (_ x: Tensor<Scalar>) -> Tensor<Scalar>) {
        require(dimension >= 0, "dimension is \(dimension); expected no negative number")
        self.dimension = dimension
        self.f = f
    }

    public func value(at x: Span<Scalar>) -> Scalar {
        requireDimension(x.count)
        return f(tensor(x)).scalar
    }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        requireDimension(x.count)
        requireDimension(gradient.count, "gradient")
        let result = Autodiff.valueAndGradient(of: f)(tensor(x))
        copy(result.gradient.span, &gradient)
        return result.value.scalar
    }

    public func hessianVectorProduct(
        at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
    ) {
        requireDimension(x.count)
        requireDimension(v.count, "direction")
        requireDimension(product.count, "product")
        copy(Autodiff.hessianVectorProduct(of: f)(tensor(x), tensor(v)).span, &product)
    }

    /// All products at one point: the gradient is computed and linearised once (``hessianOperator(of:)``).
    public func hessianVectorProducts(
        at x: Span<Scalar>, directions: Span<Scalar>, into products: inout MutableSpan<Scalar>
    ) {
        requireDimension(x.count)
        require(directions.count == products.count && directions.count % max(1, dimension) == 0,
                "\(directions.count) elements of directions and \(products.count) of products; "
                + "expected the same multiple of the dimension \(dimension)")
        guard dimension > 0, directions.count > 0 else { return }
        let hessian = hessianOperator(of: f)(tensor(x))
        for start in stride(from: 0, to: directions.count, by: dimension) {
            var product = products._mutatingExtracting(start..<start + dimension)
            copy(hessian(tensor(directions.extracting(start..<start + dimension))).span, &product)
        }
    }

    private func tensor(_ x: Span<Scalar>) -> Tensor<Scalar> {
        Tensor([x.count], uninitializedArray(count: x.count) { copy(x, &$0) })
    }
}
