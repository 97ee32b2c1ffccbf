/// Finds a step along a line on which the objective falls enough and its slope has flattened enough: the Wolfe conditions
///
///     φ(t) ≤ φ(0) + δ t φ'(0)   and   |φ'(t)| ≤ σ |φ'(0)|
///
/// for φ(t) = f(x + t d), or a variant that the conforming type states. Numbers are `Double`, for objectives of either scalar.
public protocol LineSearch: Sendable {
    /// - Parameters:
    ///   - start: φ(0) and φ'(0), which must be negative.
    ///   - firstStep: the first t to try.
    ///   - longestStep: the longest t allowed, e.g. to a bound.
    ///   - phi: φ(t) and φ'(t). Where the value or slope is not finite, the step was too long.
    func search(
        from start: LineSearchPoint, firstStep: Double, longestStep: Double, _ phi: (Double) -> (value: Double, slope: Double)
    ) -> LineSearchResult
}

/// A step with the value and slope there.
public struct LineSearchPoint: Sendable, Hashable {
    public var step: Double
    public var value: Double
    public var slope: Double

    public init(step: Double = 0, value: Double, slope: Double) {
        self.step = step
        self.value = value
        self.slope = slope
    }

    var isFinite: Bool { value.isFinite && slope.isFinite }
}

/// How a line search ended.
public struct LineSearchResult: Sendable, Hashable {
    /// The accepted point; if none was, that with the lowest value, which may be the start.
    public let point: LineSearchPoint
    /// Whether the conditions hold at ``point``.
    public let isSatisfied: Bool
    /// Calls of φ.
    public let evaluations: Int
}
