import Kernels

/// An objective with equality constraints c(x) = 0, c: ℝⁿ → ℝᵐ, on a box.
///
/// The Jacobian J(x) = ∂c/∂x (m × n) is applied, never formed. Inequalities g(x) ≤ 0 enter with a slack variable,
/// g(x) + s = 0, s ≥ 0 in ``BoundedObjective/bounds``.
public protocol ConstrainedObjective<Scalar>: BoundedObjective {
    /// The number of constraints m.
    var constraintCount: Int { get }

    /// c(x), written over all of `values`.
    ///
    /// - Precondition: `values.count == constraintCount`.
    func constraints(at x: Span<Scalar>, into values: inout MutableSpan<Scalar>)

    /// J(x)·v.
    ///
    /// - Precondition: `v.count == dimension` and `product.count == constraintCount`.
    func jacobianProduct(at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>)

    /// J(x)ᵀ·u.
    ///
    /// - Precondition: `u.count == constraintCount` and `product.count == dimension`.
    func transposedJacobianProduct(at x: Span<Scalar>, multipliers u: Span<Scalar>, into product: inout MutableSpan<Scalar>)
}

extension ConstrainedObjective {
    /// All of ℝⁿ, unless the problem says otherwise.
    public var bounds: Bounds<Scalar> { .unbounded(dimension: dimension) }
}
