import Kernels

/// The line search of Hager & Zhang: secant steps on the slope, which keep their accuracy where values have lost theirs.
///
/// A point is accepted under the Wolfe conditions, with φ'(t) ≥ σ φ'(0) in place of the strong form, or under the approximate ones
///
///     (2 δ − 1) φ'(0) ≥ φ'(t) ≥ σ φ'(0)   and   φ(t) ≤ φ(0) + ε |φ(0)|
///
/// which near a minimum can be told from rounding when the first cannot.
///
/// Source: Hager & Zhang 2005, "A new conjugate gradient method with guaranteed descent and an efficient line search", with its
/// constants δ = 0.1, σ = 0.9, ε = 10⁻⁶, θ = ½, γ = 0.66, ρ = 5.
public struct HagerZhang: LineSearch, Hashable, Codable {
    public let decrease: Double
    public let curvature: Double
    public let slack: Double
    public let maximumEvaluations: Int
    private static let shrinkage = 0.66, expansion = 5.0

    /// - Parameters:
    ///   - decrease: δ, with 0 < δ < ½ and δ ≤ σ < 1.
    ///   - curvature: σ.
    ///   - slack: ε, at least 0.
    public init(decrease: Double = 0.1, curvature: Double = 0.9, slack: Double = 1e-6, maximumEvaluations: Int = 50) {
        require(decrease > 0 && decrease < 0.5 && decrease <= curvature && curvature < 1,
                "decrease is \(decrease) and curvature \(curvature); expected 0 < decrease < 1/2 and decrease ≤ curvature < 1")
        require(maximumEvaluations >= 1, "at most \(maximumEvaluations) evaluations; expected at least 1")
        self.decrease = decrease
        self.curvature = curvature
        self.slack = checkedNonnegative(slack, "slack")
        self.maximumEvaluations = maximumEvaluations
    }

    public func search(
        from start: LineSearchPoint, firstStep: Double, longestStep: Double, _ phi: (Double) -> (value: Double, slope: Double)
    ) -> LineSearchResult {
        require(start.slope < 0, "slope at the start is \(start.slope); expected a negative number")
        require(firstStep > 0 && longestStep > 0, "first step \(firstStep) and longest \(longestStep); expected positive steps")
        var run = Run(search: self, start: start, longest: longestStep, lowest: start)
        let accepted = run.accept(firstStep: min(firstStep, longestStep), phi)
        return LineSearchResult(point: accepted ?? run.lowest, isSatisfied: accepted != nil, evaluations: run.evaluations)
    }

    /// An end of the interval, or the reason to end the search.
    private enum End: Error {
        case accepted(LineSearchPoint)
        case exhausted
    }

    private struct Run {
        let search: HagerZhang
        let start: LineSearchPoint
        var longest: Double
        var lowest: LineSearchPoint
        var evaluations = 0

        var ceiling: Double { start.value + search.slack * abs(start.value) }

        mutating func accept(firstStep: Double, _ phi: (Double) -> (value: Double, slope: Double)) -> LineSearchPoint? {
            do {
                var (a, b) = try bracket(firstStep, phi)
                while true {
                    let width = b.step - a.step
                    (a, b) = try secantTwice(a, b, phi)
                    if b.step - a.step > HagerZhang.shrinkage * width {
                        (a, b) = try update(a, b, 0.5 * (a.step + b.step), phi)
                    }
                    if !(b.step - a.step > 1e-16 * b.step) { return nil }
                }
            } catch End.accepted(let point) {
                return point
            } catch {
                return nil
            }
        }

        mutating func evaluate(_ t: Double, _ phi: (Double) -> (value: Double, slope: Double)) throws(End) -> LineSearchPoint {
            guard evaluations < search.maximumEvaluations else { throw .exhausted }
            evaluations += 1
            let (value, slope) = phi(t)
            let point = LineSearchPoint(step: t, value: value, slope: slope)
            guard point.isFinite else { return point }
            if value < lowest.value { lowest = point }
            guard slope >= search.curvature * start.slope else { return point }
            let isDescent = value - start.value <= search.decrease * t * start.slope
            let isApproximate = slope <= (2 * search.decrease - 1) * start.slope && value <= ceiling
            if isDescent || isApproximate { throw .accepted(point) }
            return point
        }

        /// An interval whose left end is low with a negative slope, and whose right end has a slope that is not negative.
        private mutating func bracket(
            _ first: Double, _ phi: (Double) -> (value: Double, slope: Double)
        ) throws(End) -> (LineSearchPoint, LineSearchPoint) {
            var left = start, t = first
            while true {
                let c = try evaluate(t, phi)
                guard c.isFinite else {
                    // Too long: half way back, and never as far again.
                    longest = t
                    t = left.step + 0.5 * (t - left.step)
                    if t == left.step { throw .exhausted }
                    continue
                }
                if c.slope >= 0 { return (left, c) }
                if c.value > ceiling { return try bisect(start, c.step, phi) }
                // Good as far as one may go.
                if c.step == longest && c.value - start.value <= search.decrease * c.step * start.slope { throw .accepted(c) }
                left = c
                t = min(HagerZhang.expansion * t, longest)
                if t == left.step { throw .exhausted }
            }
        }

        /// From a low left end and a high right one to an interval as ``bracket`` gives it.
        private mutating func bisect(
            _ left: LineSearchPoint, _ right: Double, _ phi: (Double) -> (value: Double, slope: Double)
        ) throws(End) -> (LineSearchPoint, LineSearchPoint) {
            var a = left, b = right
            while true {
                let d = try evaluate(0.5 * (a.step + b), phi)
                if !d.isFinite { b = d.step } else if d.slope >= 0 { return (a, d) } else if d.value <= ceiling { a = d } else { b = d.step }
                if !(b - a.step > 1e-16 * b) { throw .exhausted }
            }
        }

        private mutating func update(
            _ a: LineSearchPoint, _ b: LineSearchPoint, _ t: Double, _ phi: (Double) -> (value: Double, slope: Double)
        ) throws(End) -> (LineSearchPoint, LineSearchPoint) {
            guard t > a.step && t < b.step else { return (a, b) }
            let c = try evaluate(t, phi)
            if !c.isFinite { return try bisect(a, t, phi) }
            if c.slope >= 0 { return (a, c) }
            return c.value <= ceiling ? (c, b) : try bisect(a, t, phi)
        }

        private mutating func secantTwice(
            _ a: LineSearchPoint, _ b: LineSearchPoint, _ phi: (Double) -> (value: Double, slope: Double)
        ) throws(End) -> (LineSearchPoint, LineSearchPoint) {
            let c = secant(a, b)
            let (left, right) = try update(a, b, c, phi)
            if c == right.step { return try update(left, right, secant(b, right), phi) }
            if c == left.step { return try update(left, right, secant(a, left), phi) }
            return (left, right)
        }

        private func secant(_ a: LineSearchPoint, _ b: LineSearchPoint) -> Double {
            (a.step * b.slope - b.step * a.slope) / (b.slope - a.slope)
        }
    }
}
