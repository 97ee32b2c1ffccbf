import Kernels
import RealModule

/// A hyper-parameter as a function of the step: a value that is a number literal when it is constant.
///
/// ```swift
/// let rate: Schedule = .warmup(to: 1e-3, steps: 500).then(.cosine(from: 1e-3, to: 0, steps: 9500), after: 500)
/// let adam = AdamW<Float>(learningRate: rate)
/// ```
///
/// Steps count from 0, the first step that is made.
public struct Schedule: Sendable, Hashable, Codable {
    private let rule: Rule

    private indirect enum Rule: Sendable, Hashable, Codable {
        case constant(Double)
        case linear(from: Double, to: Double, steps: Int)
        case cosine(from: Double, to: Double, steps: Int)
        case power(start: Double, factor: Double, steps: Int, isStaircase: Bool)
        case inverseSquareRoot(limit: Double)
        case joined(Rule, after: Int, Rule)
    }

    /// `value` at every step.
    public static func constant(_ value: Double) -> Self { Self(rule: .constant(checked(value))) }

    /// From `start` at step 0 to `end` at step `steps`, and `end` ever after.
    public static func linear(from start: Double, to end: Double, steps: Int) -> Self {
        Self(rule: .linear(from: checked(start), to: checked(end), steps: checked(steps)))
    }

    /// `peak` · (t + 1) / `steps` while t < `steps`, then `peak`. The first step is not wasted on a rate of 0, which differs from
    /// optax's `warmup` schedules.
    public static func warmup(to peak: Double, steps: Int) -> Self {
        .linear(from: checked(peak) / Double(checked(steps)), to: peak, steps: max(1, steps - 1))
    }

    /// Half a cosine from `start` at step 0 to `end` at step `steps`, and `end` ever after.
    public static func cosine(from start: Double, to end: Double = 0, steps: Int) -> Self {
        Self(rule: .cosine(from: checked(start), to: checked(end), steps: checked(steps)))
    }

    /// `start` · `factor`^⌊t / `steps`⌋: multiplied once every `steps` steps.
    public static func staircase(from start: Double, factor: Double, every steps: Int) -> Self {
        Self(rule: .power(start: checked(start), factor: checked(factor), steps: checked(steps), isStaircase: true))
    }

    /// `start` · `factor`^(t / `steps`).
    public static func exponential(from start: Double, factor: Double, every steps: Int) -> Self {
        Self(rule: .power(start: checked(start), factor: checked(factor), steps: checked(steps), isStaircase: false))
    }

    /// min(`limit`, 1 / √(t + 1)).
    public static func inverseSquareRoot(atMost limit: Double) -> Self { Self(rule: .inverseSquareRoot(limit: checked(limit))) }

    /// This schedule for the first `count` steps, then `next`, which starts at its own step 0.
    public func then(_ next: Schedule, after count: Int) -> Self {
        Self(rule: .joined(rule, after: Self.checked(count), next.rule))
    }

    /// The value at step `t`.
    public func value(at t: Int) -> Double {
        require(t >= 0, "step is \(t); expected no negative number")
        return Self.value(rule, t)
    }

    private static func value(_ rule: Rule, _ t: Int) -> Double {
        switch rule {
        case .constant(let value): return value
        case .linear(let start, let end, let steps):
            return t >= steps ? end : start + (end - start) * (Double(t) / Double(steps))
        case .cosine(let start, let end, let steps):
            return t >= steps ? end : end + (start - end) * 0.5 * (1 + Double.cos(.pi * Double(t) / Double(steps)))
        case .power(let start, let factor, let steps, let isStaircase):
            return start * Double.pow(factor, isStaircase ? Double(t / steps) : Double(t) / Double(steps))
        case .inverseSquareRoot(let limit):
            return min(limit, 1 / Double(t + 1).squareRoot())
        case .joined(let first, let count, let second):
            return t < count ? value(first, t) : value(second, t - count)
        }
    }

    private static func checked(_ value: Double) -> Double {
        require(value.isFinite && value >= 0, "value of a schedule is \(value); expected a finite number, at least 0")
        return value
    }

    private static func checked(_ steps: Int) -> Int {
        require(steps >= 1, "schedule of \(steps) steps; expected at least 1")
        return steps
    }
}

extension Schedule: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    public init(floatLiteral value: Double) { self = .constant(value) }
    public init(integerLiteral value: Int) { self = .constant(Double(value)) }
}
