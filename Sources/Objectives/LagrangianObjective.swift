import Kernels

/// The Lagrangian x ↦ f(x) + λᵀc(x) of a constrained objective at fixed multipliers, as an objective of x.
///
/// The gradient is ∇f + Jᵀλ. With it ``checkGradient(of:at:direction:seed:)`` and ``checkHessian(of:at:direction:seed:)`` test the derivatives of
/// constraints; ``checkConstraints(of:at:multipliers:seed:)`` does all at once.
public struct LagrangianObjective<Scalar: KernelScalar>: TwiceDifferentiableObjective {
    public let problem: any TwiceDifferentiableConstrainedObjective<Scalar>
    public let multipliers: [Scalar]

    /// - Precondition: one multiplier for each constraint.
    public init(_ problem: any TwiceDifferentiableConstrainedObjective<Scalar>, multipliers: [Scalar]) {
        require(multipliers.count == problem.constraintCount,
                "\(multipliers.count) multipliers for \(problem.constraintCount) constraints; expected equally many")
        self.problem = problem
        self.multipliers = multipliers
    }

    public var dimension: Int { problem.dimension }

    public func value(at x: Span<Scalar>) -> Scalar { problem.value(at: x) + weightedConstraints(at: x) }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        let value = problem.valueAndGradient(at: x, gradient: &gradient)
        var pulled = [Scalar](repeating: 0, count: dimension)
        var span = pulled.mutableSpan
        problem.transposedJacobianProduct(at: x, multipliers: multipliers.span, into: &span)
        Scalar.axpy(1, pulled.span, &gradient)
        return value + weightedConstraints(at: x)
    }

    public func hessianVectorProduct(at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        problem.lagrangianHessianProduct(at: x, multipliers: multipliers.span, direction: v, into: &product)
    }

    private func weightedConstraints(at x: Span<Scalar>) -> Scalar {
        var values = [Scalar](repeating: 0, count: problem.constraintCount)
        var span = values.mutableSpan
        problem.constraints(at: x, into: &span)
        return Scalar.dot(multipliers.span, values.span)
    }
}
