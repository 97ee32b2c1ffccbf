import Kernels
import Objectives

/// A point with its value and gradient.
public struct EvaluatedPoint<Scalar: KernelScalar>: Codable, Sendable, Hashable {
    public internal(set) var x: [Scalar]
    public internal(set) var value: Scalar
    public internal(set) var gradient: [Scalar]

    init(_ problem: any Objective<Scalar>, at x: [Scalar]) {
        problem.requireDimension(x.count)
        var gradient = x
        var span = gradient.mutableSpan
        value = problem.valueAndGradient(at: x.span, gradient: &span)
        self.x = x
        self.gradient = gradient
    }
}

extension EvaluatedPoint {
    /// The first step to try along a direction of this length when nothing is known of the curvature: 1, but no longer than
    /// 1, and long enough for x to feel it.
    func firstStep(alongLength length: Double) -> Double {
        guard length > 0 else { return 1 }
        let least = Double(Scalar.ulpOfOne).squareRoot() * max(1, Double(Scalar.nrm2(x.span)))
        return max(min(1, 1 / length), least / length)
    }
}

/// Searches along x + t d. The point is the accepted one, else the lowest, with its gradient.
func search<Scalar: KernelScalar>(
    _ problem: any Objective<Scalar>, from start: EvaluatedPoint<Scalar>, along direction: [Scalar], slope: Double, first: Double,
    longest: Double, with lineSearch: any LineSearch, in bounds: Bounds<Scalar>? = nil
) -> (point: EvaluatedPoint<Scalar>, isSatisfied: Bool, evaluations: Int) {
    var trial = start, step = 0.0, evaluations = 0
    func evaluate(_ t: Double) {
        var x = start.x
        var span = x.mutableSpan
        Scalar.axpy(Scalar(t), direction.span, &span)
        bounds?.project(&span)  // which rounding may have left
        trial = EvaluatedPoint(problem, at: x)
        step = t
        evaluations += 1
    }
    let result = lineSearch.search(
        from: LineSearchPoint(value: Double(start.value), slope: slope), firstStep: first, longestStep: longest
    ) { t in
        evaluate(t)
        return (Double(trial.value), Double(Scalar.dot(trial.gradient.span, direction.span)))
    }
    if result.point.step == 0 { return (start, false, evaluations) }
    if result.point.step != step { evaluate(result.point.step) }
    return (trial, result.isSatisfied, evaluations)
}

/// Why a run ends that finds nothing lower than `point`: for the reason given, unless the objective has changed under it.
///
/// Costs one evaluation, which is counted: a descent that fails is the sign of an objective that is not deterministic.
func terminationWithoutDescent<Scalar: KernelScalar>(
    _ problem: any Objective<Scalar>, at point: EvaluatedPoint<Scalar>, _ evaluations: inout EvaluationCounts, _ status: SolverStatus,
    _ reason: String
) -> Termination {
    let again = EvaluatedPoint(problem, at: point.x)
    evaluations.gradients += 1
    if again == point { return Termination(status, reason) }
    let change = again.value == point.value ? "two gradients" : "the values \(point.value) and \(again.value)"
    return Termination(.brokeDown, "the objective has \(change) at one point; expected one that is deterministic (\(reason))")
}
