import Kernels

/// An objective whose Hessian can be applied to a vector, without being formed.
public protocol TwiceDifferentiableObjective<Scalar>: Objective {
    /// ∇²f(x)·v, written over all of `product`.
    ///
    /// - Precondition: all three counts are `dimension`.
    func hessianVectorProduct(at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>)

    /// ∇²f(x)·vₖ for several directions at one point.
    ///
    /// Stochastic estimators of diagonals, traces and spectra ask for many products at one point; an objective that can
    /// share work between them (one linearisation, one matrix product) implements this. The default calls
    /// ``hessianVectorProduct(at:direction:into:)`` for each.
    ///
    /// - `directions`: v₀, v₁, … one after the other: a row-major matrix with `dimension` columns.
    /// - `products`: takes the products in the same order.
    /// - Precondition: both counts are the same multiple of `dimension`.
    func hessianVectorProducts(at x: Span<Scalar>, directions: Span<Scalar>, into products: inout MutableSpan<Scalar>)
}

extension TwiceDifferentiableObjective {
    public func hessianVectorProducts(
        at x: Span<Scalar>, directions: Span<Scalar>, into products: inout MutableSpan<Scalar>
    ) {
        require(directions.count == products.count && directions.count % max(1, dimension) == 0,
                "\(directions.count) elements of directions and \(products.count) of products; "
                + "expected the same multiple of the dimension \(dimension)")
        guard dimension > 0 else { return }
        for start in stride(from: 0, to: directions.count, by: dimension) {
            var product = products._mutatingExtracting(start..<start + dimension)
            hessianVectorProduct(at: x, direction: directions.extracting(start..<start + dimension), into: &product)
        }
    }
}
