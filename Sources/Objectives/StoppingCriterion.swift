import Kernels

/// When a run stops: a value, joined by `||` and `&&`.
///
/// ```swift
/// let stopping: StoppingCriterion = .gradientNorm(atMost: 1e-8) || .iterations(500)
///     || .valueChange(atMost: 1e-12) && .stepNorm(atMost: 1e-9)
/// ```
///
/// A criterion knows whether it certifies the solution (gradient norm and target value do) or only ends the run. Of criteria joined by `||`
/// one that certifies speaks first; criteria joined by `&&` certify if one of them does.
///
/// Runs always have limits: where no `||`-joined part of the criterion is a limit of a kind, 10 000 iterations, 1 000 000 evaluations
/// or one hour ends the run.
public struct StoppingCriterion: Sendable, Hashable, Codable {
    private let rule: Rule

    private indirect enum Rule: Sendable, Hashable, Codable {
        case gradientNorm(Double), relativeGradientNorm(Double), value(Double)
        case valueChange(Double), relativeValueChange(Double), stepNorm(Double)
        case iterations(Int), evaluations(Int), seconds(Double)
        case any(Rule, Rule), all(Rule, Rule)
    }

    /// ‖∇f‖₂ ≤ `tolerance`. Certifies.
    public static func gradientNorm(atMost tolerance: Double) -> Self { Self(rule: .gradientNorm(checked(tolerance))) }

    /// ‖∇f‖₂ ≤ `tolerance` · ‖∇f at the start‖₂. Certifies.
    public static func relativeGradientNorm(atMost tolerance: Double) -> Self {
        Self(rule: .relativeGradientNorm(checked(tolerance)))
    }

    /// f ≤ `target`. Certifies.
    public static func value(atMost target: Double) -> Self {
        require(!target.isNaN, "target value is NaN; expected a number")
        return Self(rule: .value(target))
    }

    /// |Δf| ≤ `tolerance` in the last iteration. Ends the run as ``SolverStatus/stagnated``.
    public static func valueChange(atMost tolerance: Double) -> Self { Self(rule: .valueChange(checked(tolerance))) }

    /// |Δf| ≤ `tolerance` · |f| in the last iteration. Ends the run as ``SolverStatus/stagnated``.
    public static func relativeValueChange(atMost tolerance: Double) -> Self {
        Self(rule: .relativeValueChange(checked(tolerance)))
    }

    /// ‖Δx‖₂ ≤ `tolerance` in the last iteration. Ends the run as ``SolverStatus/stagnated``.
    public static func stepNorm(atMost tolerance: Double) -> Self { Self(rule: .stepNorm(checked(tolerance))) }

    /// `limit` iterations are done.
    public static func iterations(_ limit: Int) -> Self {
        require(limit >= 0, "iteration limit is \(limit); expected no negative number")
        return Self(rule: .iterations(limit))
    }

    /// `limit` evaluations are done (``EvaluationCounts/total``). Looked at between iterations, so the last one may go past the limit.
    public static func evaluations(_ limit: Int) -> Self {
        require(limit >= 0, "evaluation limit is \(limit); expected no negative number")
        return Self(rule: .evaluations(limit))
    }

    /// `limit` has passed. Looked at between iterations.
    public static func wallTime(_ limit: Duration) -> Self {
        require(limit >= .zero, "time limit is \(limit); expected no negative duration")
        return Self(rule: .seconds(limit.inSeconds))
    }

    /// Stops when either holds.
    public static func || (a: Self, b: Self) -> Self { Self(rule: .any(a.rule, b.rule)) }

    /// Stops when both hold.
    public static func && (a: Self, b: Self) -> Self { Self(rule: .all(a.rule, b.rule)) }

    /// What the criterion says of a state of the run; `nil` to go on.
    public func evaluate(_ progress: Progress) -> Termination? { Self.evaluate(rule, progress) }

    /// The criterion joined with a default limit for each kind that it does not limit itself.
    var limited: Self {
        var result = self
        let kinds = Self.limitKinds(rule)
        if !kinds.contains(.iterationLimit) { result = result || .iterations(10_000) }
        if !kinds.contains(.evaluationLimit) { result = result || .evaluations(1_000_000) }
        if !kinds.contains(.timeLimit) { result = result || .wallTime(.seconds(3600)) }
        return result
    }

    private static func checked(_ tolerance: Double) -> Double {
        require(tolerance >= 0, "tolerance is \(tolerance); expected no negative number")
        return tolerance
    }

    private static func limitKinds(_ rule: Rule) -> Set<SolverStatus> {
        switch rule {
        case .iterations: [.iterationLimit]
        case .evaluations: [.evaluationLimit]
        case .seconds: [.timeLimit]
        case .any(let a, let b): limitKinds(a).union(limitKinds(b))
        default: []
        }
    }

    private static func evaluate(_ rule: Rule, _ progress: Progress) -> Termination? {
        switch rule {
        case .gradientNorm(let tolerance):
            guard let norm = progress.gradientNorm, norm <= tolerance else { return nil }
            return Termination(.converged, "gradient norm \(norm) is at most \(tolerance)")
        case .relativeGradientNorm(let tolerance):
            guard let norm = progress.gradientNorm, let initial = progress.initialGradientNorm,
                  norm <= tolerance * initial else { return nil }
            return Termination(.converged, "gradient norm \(norm) is at most \(tolerance) of its first value \(initial)")
        case .value(let target):
            guard progress.value <= target else { return nil }
            return Termination(.converged, "value \(progress.value) has reached the target \(target)")
        case .valueChange(let tolerance):
            guard let change = progress.valueChange, change <= tolerance else { return nil }
            return Termination(.stagnated, "the value changed by \(change), at most \(tolerance)")
        case .relativeValueChange(let tolerance):
            guard let change = progress.valueChange, change <= tolerance * abs(progress.value) else { return nil }
            return Termination(.stagnated, "the value changed by \(change), at most \(tolerance) of \(abs(progress.value))")
        case .stepNorm(let tolerance):
            guard let step = progress.stepNorm, step <= tolerance else { return nil }
            return Termination(.stagnated, "the step has length \(step), at most \(tolerance)")
        case .iterations(let limit):
            guard progress.iteration >= limit else { return nil }
            return Termination(.iterationLimit, "all \(limit) iterations are done")
        case .evaluations(let limit):
            guard progress.evaluations.total >= limit else { return nil }
            return Termination(.evaluationLimit, "\(progress.evaluations.total) evaluations are done; the limit is \(limit)")
        case .seconds(let limit):
            guard progress.seconds >= limit else { return nil }
            return Termination(.timeLimit, "\(progress.seconds) s have passed; the limit is \(limit) s")
        case .any(let a, let b):
            let first = evaluate(a, progress), second = evaluate(b, progress)
            return second?.status == .converged && first?.status != .converged ? second : first ?? second
        case .all(let a, let b):
            guard let first = evaluate(a, progress), let second = evaluate(b, progress) else { return nil }
            let status = second.status == .converged ? .converged : first.status
            return Termination(status, first.reason + ", and " + second.reason)
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
