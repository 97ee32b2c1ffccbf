import Kernels
import LinearAlgebra

/// A constrained objective with the Hessian of its Lagrangian L(x, λ) = f(x) + λᵀc(x): what Newton methods for constraints ask for.
///
/// Products are enough. A problem that knows its derivatives as matrices implements ``jacobian(at:)`` and ``lagrangianHessian(at:multipliers:)``
/// too, which by default take m and n products.
public protocol TwiceDifferentiableConstrainedObjective<Scalar>: ConstrainedObjective {
    /// ∇²ₓL(x, λ)·v = (∇²f(x) + Σᵢ λᵢ ∇²cᵢ(x))·v, written over all of `product`.
    ///
    /// - Precondition: `multipliers.count == constraintCount`; the other three counts are `dimension`.
    func lagrangianHessianProduct(
        at x: Span<Scalar>, multipliers: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>)

    /// J(x), m × n.
    func jacobian(at x: Span<Scalar>) -> Matrix<Scalar>

    /// ∇²ₓL(x, λ), n × n and symmetric.
    func lagrangianHessian(at x: Span<Scalar>, multipliers: Span<Scalar>) -> Matrix<Scalar>
}

extension TwiceDifferentiableConstrainedObjective {
    /// Row by row: one product with Jᵀ for each constraint.
    public func jacobian(at x: Span<Scalar>) -> Matrix<Scalar> {
        var result = Matrix<Scalar>.zeros(rows: constraintCount, columns: dimension)
        var unit = [Scalar](repeating: 0, count: constraintCount)
        for i in 0..<constraintCount {
            unit[i] = 1
            var row = result.mutableRow(i)
            transposedJacobianProduct(at: x, multipliers: unit.span, into: &row)
            unit[i] = 0
        }
        return result
    }

    /// Row by row: one product for each variable.
    public func lagrangianHessian(at x: Span<Scalar>, multipliers: Span<Scalar>) -> Matrix<Scalar> {
        var result = Matrix<Scalar>.zeros(rows: dimension, columns: dimension)
        var unit = [Scalar](repeating: 0, count: dimension)
        for i in 0..<dimension {
            unit[i] = 1
            var row = result.mutableRow(i)
            lagrangianHessianProduct(at: x, multipliers: multipliers, direction: unit.span, into: &row)
            unit[i] = 0
        }
        return result
    }
}
