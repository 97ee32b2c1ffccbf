import Kernels
import Objectives

/// The exact augmented Lagrangian of min f(x) subject to c(x) = 0, as an objective of (x, λ) together:
///
/// L_η(x, λ) = L + (η₁/2)‖c‖² + (η₂/2)‖∇ₓL‖², with L = f + λᵀc.
///
/// Its gradient is (∇ₓL + η₂ H ∇ₓL + η₁ Jᵀc, c + η₂ J ∇ₓL), with the Hessian H of the *Lagrangian*. For η₁ large and η₂ small enough its stationary
/// points near a solution are the solutions themselves, with their multipliers: nothing goes to infinity.
///
/// The vector is x followed by λ, n + m elements. Minimising it by a general method works, but costs second derivatives of f and c in each gradient;
/// ``AdaSketchNewton`` uses it as merit function only.
///
/// Source: Hong, Na, Mahoney & Kolar 2023, section 2; after Pillo & Grippo 1979.
public struct ExactAugmentedLagrangian<Scalar: KernelScalar>: Objective {
    public let problem: any TwiceDifferentiableConstrainedObjective<Scalar>
    public let penalties: Penalties<Scalar>

    public init(_ problem: any TwiceDifferentiableConstrainedObjective<Scalar>, penalties: Penalties<Scalar>) {
        (self.problem, self.penalties) = (problem, penalties)
    }

    /// n + m.
    public var dimension: Int { problem.dimension + problem.constraintCount }

    public func value(at x: Span<Scalar>) -> Scalar {
        requireDimension(x.count)
        return point(x).merit(penalties)
    }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        requireDimension(x.count)
        requireDimension(gradient.count, "gradient")
        let point = point(x), n = problem.dimension
        var curved = point.x, pulled = point.x, pushed = point.multipliers
        var curvedSpan = curved.mutableSpan
        problem.lagrangianHessianProduct(
            at: point.x.span, multipliers: point.multipliers.span, direction: point.lagrangianGradient.span, into: &curvedSpan)
        var pulledSpan = pulled.mutableSpan
        problem.transposedJacobianProduct(at: point.x.span, multipliers: point.constraints.span, into: &pulledSpan)
        var pushedSpan = pushed.mutableSpan
        problem.jacobianProduct(at: point.x.span, direction: point.lagrangianGradient.span, into: &pushedSpan)
        for i in 0..<n {
            gradient[i] = point.lagrangianGradient[i] + penalties.stationarity * curved[i] + penalties.feasibility * pulled[i]
        }
        for i in pushed.indices { gradient[n + i] = point.constraints[i] + penalties.stationarity * pushed[i] }
        return point.merit(penalties)
    }

    private func point(_ both: Span<Scalar>) -> KKTPoint<Scalar> {
        let n = problem.dimension
        return KKTPoint(problem, at: (0..<n).map { both[$0] }, multipliers: (n..<dimension).map { both[$0] })
    }
}
