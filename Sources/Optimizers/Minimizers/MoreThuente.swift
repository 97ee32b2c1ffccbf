import Kernels

/// The line search of Moré & Thuente: safeguarded cubic and quadratic steps that bracket a point with the strong Wolfe conditions.
///
/// Source: Moré & Thuente 1994, "Line search algorithms with guaranteed sufficient decrease", as MINPACK-2 has it; δ = 10⁻⁴ and
/// σ = 0.9 suit quasi-Newton directions. A point that is not finite halves the step towards the best one.
///
/// Near a minimum the decrease is lost in the rounding of φ before the slope is. Where −t φ'(0) ≤ ε |φ(0)| a point is accepted by its
/// slope, if φ(t) ≤ φ(0) + ε |φ(0)|; the idea is Hager & Zhang's.
public struct MoreThuente: LineSearch, Hashable, Codable {
    public let decrease: Double
    public let curvature: Double
    public let slack: Double
    public let maximumEvaluations: Int
    /// The relative width at which a bracket is given up.
    private static let leastWidth = 1e-15

    /// - Parameters:
    ///   - decrease: δ, with 0 < δ < σ < 1.
    ///   - curvature: σ.
    ///   - slack: ε, at least 0; 0 asks for the strong conditions and nothing else.
    public init(decrease: Double = 1e-4, curvature: Double = 0.9, slack: Double = 1e-6, maximumEvaluations: Int = 30) {
        require(decrease > 0 && decrease < curvature && curvature < 1,
                "decrease is \(decrease) and curvature \(curvature); expected 0 < decrease < curvature < 1")
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
        let wanted = decrease * start.slope, rounding = slack * abs(start.value)
        var longest = longestStep, t = min(firstStep, longest)
        var best = start, other = start, lowest = start
        var isBracketed = false, isFirstStage = true
        var width = longest, widthBefore = 2 * width
        var least = 0.0, most = 5 * t
        for evaluation in 1...maximumEvaluations {
            let (value, slope) = phi(t)
            var point = LineSearchPoint(step: t, value: value, slope: slope)
            guard point.isFinite else {
                longest = t
                t = best.step + 0.5 * (t - best.step)
                if t == best.step { return LineSearchResult(point: lowest, isSatisfied: false, evaluations: evaluation) }
                most = min(most, longest)
                continue
            }
            if point.value < lowest.value { lowest = point }
            let limit = start.value + t * wanted
            let isLost = -t * start.slope <= rounding && value <= start.value + rounding
            if (value <= limit || isLost) && abs(slope) <= -curvature * start.slope {
                return LineSearchResult(point: point, isSatisfied: true, evaluations: evaluation)
            }
            let isStuck = isBracketed && (t <= least || t >= most || most - least <= Self.leastWidth * most)
            let isAtTheEnd = t == longest && value <= limit && slope <= wanted
            if isStuck || isAtTheEnd {
                // At the longest step allowed with a good decrease there is nothing more to be had.
                return LineSearchResult(point: isAtTheEnd ? point : lowest, isSatisfied: isAtTheEnd, evaluations: evaluation)
            }
            if isFirstStage && value <= limit && slope >= 0 { isFirstStage = false }
            if isFirstStage && value <= best.value && value > limit {
                // Of φ(t) − δ t φ'(0), until a point lies below that line.
                func tilted(_ p: LineSearchPoint, _ sign: Double) -> LineSearchPoint {
                    LineSearchPoint(step: p.step, value: p.value - sign * p.step * wanted, slope: p.slope - sign * wanted)
                }
                var bestTilted = tilted(best, 1), otherTilted = tilted(other, 1)
                point = tilted(point, 1)
                t = Self.nextStep(&bestTilted, &otherTilted, point, &isBracketed, least, min(most, longest))
                best = tilted(bestTilted, -1)
                other = tilted(otherTilted, -1)
            } else {
                t = Self.nextStep(&best, &other, point, &isBracketed, least, min(most, longest))
            }
            if isBracketed {
                if abs(other.step - best.step) >= 0.66 * widthBefore { t = best.step + 0.5 * (other.step - best.step) }
                widthBefore = width
                width = abs(other.step - best.step)
                least = min(best.step, other.step)
                most = max(best.step, other.step)
            } else {
                least = t + 1.1 * (t - best.step)
                most = t + 4 * (t - best.step)
            }
            t = min(max(t, 0), longest)
            if isBracketed && (t <= least || t >= most || most - least <= Self.leastWidth * most) { t = best.step }
            if t == 0 { return LineSearchResult(point: lowest, isSatisfied: false, evaluations: evaluation) }
        }
        return LineSearchResult(point: lowest, isSatisfied: false, evaluations: maximumEvaluations)
    }

    /// The next step from the interval's `best` and `other` end and the trial `p`, and the interval without what `p` rules out.
    private static func nextStep(
        _ best: inout LineSearchPoint, _ other: inout LineSearchPoint, _ p: LineSearchPoint, _ isBracketed: inout Bool,
        _ least: Double, _ most: Double
    ) -> Double {
        let t: Double
        let turns = p.slope * (best.slope < 0 ? -1 : 1) < 0
        /// θ and γ of the cubic through `a` and the trial.
        func cubic(_ a: LineSearchPoint, isNegative: Bool) -> (theta: Double, gamma: Double) {
            let theta = 3 * (a.value - p.value) / (p.step - a.step) + a.slope + p.slope
            let s = max(abs(theta), abs(a.slope), abs(p.slope))
            let gamma = s * max(0, (theta / s) * (theta / s) - (a.slope / s) * (p.slope / s)).squareRoot()
            return (theta, isNegative ? -gamma : gamma)
        }
        if p.value > best.value {
            // Higher: the minimum lies between. The cubic's step if it is nearer to the best point than the quadratic's, else between.
            let (theta, gamma) = cubic(best, isNegative: p.step < best.step)
            let r = (gamma - best.slope + theta) / (gamma - best.slope + gamma + p.slope)
            let byCubic = best.step + r * (p.step - best.step)
            let rise = (best.value - p.value) / (p.step - best.step) + best.slope
            let byQuadratic = best.step + best.slope / rise / 2 * (p.step - best.step)
            t = abs(byCubic - best.step) < abs(byQuadratic - best.step) ? byCubic : byCubic + (byQuadratic - byCubic) / 2
            isBracketed = true
        } else if turns {
            // Lower, slopes of opposite sign: between. The step that is farther from the trial.
            let (theta, gamma) = cubic(best, isNegative: p.step > best.step)
            let r = (gamma - p.slope + theta) / (gamma - p.slope + gamma + best.slope)
            let byCubic = p.step + r * (best.step - p.step)
            let bySecant = p.step + p.slope / (p.slope - best.slope) * (best.step - p.step)
            t = abs(byCubic - p.step) > abs(bySecant - p.step) ? byCubic : bySecant
            isBracketed = true
        } else if abs(p.slope) < abs(best.slope) {
            // Lower and flatter: the cubic may have its minimum on the wrong side, or none.
            let (theta, gamma) = cubic(best, isNegative: p.step > best.step)
            let r = (gamma - p.slope + theta) / (gamma + (best.slope - p.slope) + gamma)
            let byCubic = r < 0 && gamma != 0 ? p.step + r * (best.step - p.step) : p.step > best.step ? most : least
            let bySecant = p.step + p.slope / (p.slope - best.slope) * (best.step - p.step)
            if isBracketed {
                let nearer = abs(byCubic - p.step) < abs(bySecant - p.step) ? byCubic : bySecant
                let limit = p.step + 0.66 * (other.step - p.step)
                t = p.step > best.step ? min(limit, nearer) : max(limit, nearer)
            } else {
                t = min(max(abs(byCubic - p.step) > abs(bySecant - p.step) ? byCubic : bySecant, least), most)
            }
        } else if isBracketed {
            // Lower and as steep: the cubic towards the other end.
            let (theta, gamma) = cubic(other, isNegative: p.step > other.step)
            let r = (gamma - p.slope + theta) / (gamma - p.slope + gamma + other.slope)
            t = p.step + r * (other.step - p.step)
        } else {
            t = p.step > best.step ? most : least
        }
        if p.value > best.value {
            other = p
        } else {
            if turns { other = best }
            best = p
        }
        return t
    }
}
