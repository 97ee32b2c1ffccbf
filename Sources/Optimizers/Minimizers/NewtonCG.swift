import Kernels
import Objectives

/// Truncated Newton: conjugate gradients on H p = −g, stopped early, and a line search along p.
///
/// The inner iteration stops at ‖r‖ ≤ min(½, √‖g‖) ‖g‖, which gives superlinear convergence, or at negative curvature, with
/// what it has by then, or −g. A run without an acceptable step ends as `SolverStatus/lineSearchFailed`.
///
/// Source: Nocedal & Wright, Numerical Optimization, algorithm 7.1; SciPy's `Newton-CG` is the same method.
public struct NewtonCG<Scalar: KernelScalar>: IterativeSolver {
    public let lineSearch: any LineSearch
    public let innerLimit: Int?

    /// - Parameter innerLimit: products an iteration at most; the dimension if `nil`.
    public init(lineSearch: any LineSearch = HagerZhang(), innerLimit: Int? = nil) {
        require(innerLimit.map { $0 >= 1 } ?? true, "inner limit is \(innerLimit ?? 0); expected at least 1")
        self.lineSearch = lineSearch
        self.innerLimit = innerLimit
    }

    public struct State: SolverState {
        public internal(set) var point: EvaluatedPoint<Scalar>
        public internal(set) var stepNorm: Scalar?
        public internal(set) var evaluations = EvaluationCounts()

        public var iterate: [Scalar] { point.x }
        public var value: Scalar { point.value }
        public var gradientNorm: Scalar? { Scalar.nrm2(point.gradient.span) }
    }

    public func makeState(_ problem: any TwiceDifferentiableObjective<Scalar>, from start: [Scalar]) -> State {
        State(point: EvaluatedPoint(problem, at: start), evaluations: EvaluationCounts(gradients: 1))
    }

    public func step(_ state: inout State, _ problem: any TwiceDifferentiableObjective<Scalar>) -> Termination? {
        let inner = truncatedConjugateGradients(problem, at: state.point, radius: .infinity, limit: innerLimit)
        state.evaluations.hessianProducts += inner.products
        let slope = Double(Scalar.dot(inner.step.span, state.point.gradient.span))
        guard slope < 0, slope.isFinite else {
            return Termination(.lineSearchFailed, "the slope along the truncated Newton step is \(slope)")
        }
        let search = search(
            problem, from: state.point, along: inner.step, slope: slope, first: 1, longest: 1e10, with: lineSearch)
        state.evaluations.gradients += search.evaluations
        guard search.isSatisfied || search.point.value < state.point.value else {
            return terminationWithoutDescent(
                problem, at: state.point, &state.evaluations, .lineSearchFailed,
                "no step along the truncated Newton direction was accepted in \(search.evaluations) evaluations")
        }
        state.stepNorm = Scalar.nrm2(difference(search.point.x, state.point.x).span)
        state.point = search.point
        return nil
    }
}
