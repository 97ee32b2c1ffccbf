import Kernels
import Randomness

/// What ``checkConstraints(of:at:multipliers:seed:)`` finds.
public struct ConstraintCheck: Sendable, Hashable, Codable {
    /// Of the Lagrangian: tests ∇f and products with Jᵀ against values of f and c.
    public let gradient: GradientCheck
    /// Of the Lagrangian: tests its Hessian products.
    public let hessian: HessianCheck
    /// |uᵀ(J v) − (Jᵀu)ᵀv| / (‖J v‖ ‖u‖ + ‖Jᵀu‖ ‖v‖): products with J against those with Jᵀ.
    public let adjointDefect: Double
    /// The level of rounding that the adjoint defect may reach.
    public let tolerance: Double

    public var passed: Bool { gradient.passed && hessian.passed && adjointDefect <= tolerance }

    public var message: String {
        "of the Lagrangian: \(gradient.message); \(hessian.message); adjoint defect of the Jacobian \(adjointDefect), tolerance \(tolerance)"
    }
}

/// Checks the derivatives of objective and constraints at `x`: those of the Lagrangian by Taylor remainders, and J against Jᵀ.
///
/// - `multipliers`: Normal numbers drawn from `seed` if `nil`, so that an error in any constraint shows.
public func checkConstraints<Scalar: KernelScalar>(
    of problem: any TwiceDifferentiableConstrainedObjective<Scalar>, at x: [Scalar], multipliers: [Scalar]? = nil, seed: UInt64 = 0
) -> ConstraintCheck {
    var random = RandomStream(seed: seed, stream: 1)
    let multipliers = multipliers ?? random.normal(count: problem.constraintCount)
    let lagrangian = LagrangianObjective(problem, multipliers: multipliers)
    let v: [Scalar] = random.normal(count: problem.dimension), u: [Scalar] = random.normal(count: problem.constraintCount)
    var forward = u, backward = v
    var forwardSpan = forward.mutableSpan
    problem.jacobianProduct(at: x.span, direction: v.span, into: &forwardSpan)
    var backwardSpan = backward.mutableSpan
    problem.transposedJacobianProduct(at: x.span, multipliers: u.span, into: &backwardSpan)
    let defect = Double(Scalar.dot(u.span, forward.span) - Scalar.dot(v.span, backward.span)).magnitude
    let scale = Double(Scalar.nrm2(forward.span) * Scalar.nrm2(u.span) + Scalar.nrm2(backward.span) * Scalar.nrm2(v.span))
    return ConstraintCheck(
        gradient: checkGradient(of: lagrangian, at: x, seed: seed), hessian: checkHessian(of: lagrangian, at: x, seed: seed),
        adjointDefect: scale == 0 ? defect : defect / scale, tolerance: 64 * Double(Scalar.ulpOfOne) * Double(x.count).squareRoot())
}
