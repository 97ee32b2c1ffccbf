import Autodiff
import Kernels
import LinearAlgebra
import Objectives

/// ∇²f(x) as a symmetric operator: what objectives are to the estimators and eigensolvers of this module.
///
/// ```swift
/// let hessian = HessianOperator(of: loss, at: parameters)
/// let diagonal = try HutchinsonDiagonal(probes: 8).estimate(hessian)
/// ```
///
/// Any other `LinearOperator` that is symmetric, such as a `Matrix` or a `ClosureOperator`, may stand in its place.
public struct HessianOperator<Scalar: KernelScalar>: LinearOperator {
    public let dimension: Int
    /// H·x for whole arrays, which the derivative takes and gives without a copy.
    let product: @Sendable ([Scalar]) -> [Scalar]

    public var rows: Int { dimension }
    public var columns: Int { dimension }

    /// The Hessian at `x`. Each application is one Hessian-vector product of the objective.
    ///
    /// - Precondition: `x` has the objective's dimension.
    public init<Problem: TwiceDifferentiableObjective<Scalar> & Sendable>(of objective: Problem, at x: [Scalar]) {
        objective.requireDimension(x.count)
        dimension = x.count
        product = { direction in
            uninitializedArray(count: x.count) { objective.hessianVectorProduct(at: x.span, direction: direction.span, into: &$0) }
        }
    }

    /// The Hessian at `x` by automatic differentiation. The gradient is computed and linearised once, here; an application
    /// costs only what depends on the direction: about one and a half gradients of a network, in place of two and a half.
    ///
    /// Memory: what the derivatives of the gradient read, for as long as the operator lives.
    ///
    /// - Precondition: `x` has the objective's dimension.
    public init(of objective: TensorObjective<Scalar>, at x: [Scalar]) {
        objective.requireDimension(x.count)
        dimension = x.count
        let hessian = hessianOperator(of: objective.f)(Tensor(x))
        product = { hessian(Tensor($0)).elements }
    }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        require(x.count == dimension && y.count == dimension,
                "Hessian of order \(dimension) from \(x.count) to \(y.count) elements; expected \(dimension) both")
        copy(product(uninitializedArray(count: dimension) { copy(x, &$0) }).span, &y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { apply(y, into: &x) }
}
