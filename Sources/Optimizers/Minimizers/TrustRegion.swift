import Kernels
import Objectives

/// A trust-region Newton method: the quadratic model is minimised within a ball whose radius follows how well it predicts.
///
/// The step is that of Steihaug's truncated conjugate gradients, from Hessian-vector products alone: it goes to the boundary along
/// negative curvature, and otherwise stops at ‖r‖ ≤ min(½, √‖g‖) ‖g‖. Accepted if f falls by more than 10⁻⁴ of the
/// prediction; the radius is quartered below ¼ of it, doubled above ¾ at the boundary. Where prediction and change are lost
/// in the rounding of f the model is taken at its word.
///
/// One iteration costs an evaluation and up to `innerLimit` products. It ends as `SolverStatus/stagnated` when the radius
/// is lost in rounding.
///
/// Source: Steihaug 1983; Nocedal & Wright, Numerical Optimization, algorithms 4.1 and 7.2.
public struct TrustRegion<Scalar: KernelScalar>: IterativeSolver {
    public let firstRadius: Double
    public let innerLimit: Int?

    /// - Parameters:
    ///   - firstRadius: in units of the parameters, above 0.
    ///   - innerLimit: products an iteration at most; the dimension if `nil`.
    public init(firstRadius: Double = 1, innerLimit: Int? = nil) {
        require(firstRadius > 0 && firstRadius.isFinite, "first radius is \(firstRadius); expected a finite number above 0")
        require(innerLimit.map { $0 >= 1 } ?? true, "inner limit is \(innerLimit ?? 0); expected at least 1")
        self.firstRadius = firstRadius
        self.innerLimit = innerLimit
    }

    public struct State: SolverState {
        public internal(set) var point: EvaluatedPoint<Scalar>
        public internal(set) var radius: Double
        public internal(set) var stepNorm: Scalar?
        public internal(set) var evaluations = EvaluationCounts()

        public var iterate: [Scalar] { point.x }
        public var value: Scalar { point.value }
        public var gradientNorm: Scalar? { Scalar.nrm2(point.gradient.span) }
    }

    public func makeState(_ problem: any TwiceDifferentiableObjective<Scalar>, from start: [Scalar]) -> State {
        State(point: EvaluatedPoint(problem, at: start), radius: firstRadius, evaluations: EvaluationCounts(gradients: 1))
    }

    public func step(_ state: inout State, _ problem: any TwiceDifferentiableObjective<Scalar>) -> Termination? {
        let inner = truncatedConjugateGradients(problem, at: state.point, radius: state.radius, limit: innerLimit)
        state.evaluations.hessianProducts += inner.products
        var x = state.point.x
        var span = x.mutableSpan
        Scalar.axpy(1, inner.step.span, &span)
        let trial = EvaluatedPoint(problem, at: x)
        state.evaluations.gradients += 1
        let old = Double(state.point.value), change = old - Double(trial.value)
        let noise = 10 * Double(Scalar.ulpOfOne) * max(1, abs(old))
        let length = Double(Scalar.nrm2(inner.step.span))
        let isLost = inner.predicted <= noise && abs(change) <= noise
        let ratio = isLost && Scalar.nrm2(trial.gradient.span) <= Scalar.nrm2(state.point.gradient.span) ? 1 : change / inner.predicted
        let isFinite = trial.value.isFinite && Scalar.maxAbs(trial.gradient.span).isFinite
        if !isFinite || !(ratio >= 0.25) {
            state.radius = 0.25 * length
        } else if ratio > 0.75 && inner.isAtBoundary {
            state.radius *= 2
        }
        if isFinite && ratio > 1e-4 {
            state.point = trial
            state.stepNorm = Scalar(length)
        } else {
            state.stepNorm = 0
            if !(state.radius > Double(Scalar.ulpOfOne) * Double(Scalar.nrm2(state.point.x.span)) && state.radius > 0) {
                return terminationWithoutDescent(
                    problem, at: state.point, &state.evaluations, .stagnated, "the trust radius has shrunk to \(state.radius)")
            }
        }
        return nil
    }
}
