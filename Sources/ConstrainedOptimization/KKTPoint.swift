import Kernels
import Objectives

/// A point (x, λ) with what the first-order conditions of min f(x) subject to c(x) = 0 say there.
///
/// With L(x, λ) = f(x) + λᵀc(x) they are ∇ₓL = ∇f + Jᵀλ = 0 and c = 0; ``residual`` is the norm of both together.
public struct KKTPoint<Scalar: KernelScalar>: Codable, Sendable, Hashable {
    public let x: [Scalar]
    public let multipliers: [Scalar]
    /// f(x).
    public let value: Scalar
    /// c(x).
    public let constraints: [Scalar]
    /// ∇ₓL(x, λ).
    public let lagrangianGradient: [Scalar]

    /// Evaluates f, ∇f, c and one product with Jᵀ.
    ///
    /// - Precondition: as many elements as the problem has variables and constraints.
    public init(_ problem: any ConstrainedObjective<Scalar>, at x: [Scalar], multipliers: [Scalar]) {
        problem.requireDimension(x.count)
        let m = problem.constraintCount
        require(multipliers.count == m, "\(multipliers.count) multipliers for \(m) constraints; expected equally many")
        var gradient = x, pulled = x, values = multipliers
        var gradientSpan = gradient.mutableSpan
        value = problem.valueAndGradient(at: x.span, gradient: &gradientSpan)
        if m > 0 {
            var pulledSpan = pulled.mutableSpan
            problem.transposedJacobianProduct(at: x.span, multipliers: multipliers.span, into: &pulledSpan)
            var sum = gradient.mutableSpan
            Scalar.axpy(1, pulled.span, &sum)
            var valuesSpan = values.mutableSpan
            problem.constraints(at: x.span, into: &valuesSpan)
        }
        (self.x, self.multipliers, constraints, lagrangianGradient) = (x, multipliers, values, gradient)
    }

    /// ‖c(x)‖₂.
    public var constraintViolation: Scalar { Scalar.nrm2(constraints.span) }

    /// ‖∇ₓL(x, λ)‖₂.
    public var stationarity: Scalar { Scalar.nrm2(lagrangianGradient.span) }

    /// ‖(∇ₓL, c)‖₂.
    public var residual: Scalar {
        let norms = [stationarity, constraintViolation]
        return Scalar.nrm2(norms.span)
    }

    /// The exact augmented Lagrangian L + (η₁/2)‖c‖² + (η₂/2)‖∇ₓL‖²; see ``ExactAugmentedLagrangian``.
    public func merit(_ penalties: Penalties<Scalar>) -> Scalar {
        value + Scalar.dot(multipliers.span, constraints.span) + penalties.feasibility / 2 * Scalar.dot(constraints.span, constraints.span)
            + penalties.stationarity / 2 * Scalar.dot(lagrangianGradient.span, lagrangianGradient.span)
    }
}

/// η₁ and η₂ of the exact augmented Lagrangian.
public struct Penalties<Scalar: KernelScalar>: Codable, Sendable, Hashable {
    /// η₁, of ‖c‖²/2.
    public var feasibility: Scalar
    /// η₂, of ‖∇ₓL‖²/2.
    public var stationarity: Scalar

    /// - Precondition: both are positive.
    public init(feasibility: Scalar, stationarity: Scalar) {
        require(feasibility > 0 && stationarity > 0, "penalties are \(feasibility) and \(stationarity); expected positive numbers")
        (self.feasibility, self.stationarity) = (feasibility, stationarity)
    }
}
