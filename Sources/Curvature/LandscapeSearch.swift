import Kernels
import Objectives

/// How far an objective falls along an update, by steps of equal length until it rises above where it began.
///
/// f(x + i e Δ/‖Δ‖₂) for i = 0, 1, …, `points`, ended at the first value above f(x). If that comes within three steps the search begins again
/// with e/5, so that a narrow valley is not stepped over.
///
/// Source: the landscape plots of Pan & Li 2023, arXiv 2306.00204, with 20 points.
public struct LandscapeSearch<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let step: Double
    public let points: Int
    public let refinements: Int

    /// What was found.
    public struct Profile: Sendable, Hashable, Codable {
        /// Distances from x and f there, from 0 up to the point before the first rise above f(x).
        public let distances: [Double]
        public let values: [Double]

        /// f(x) less the lowest value; 0 where nothing is lower.
        public var bestDecrease: Double { values[0] - values.min()! }

        /// The distance of the lowest value.
        public var bestDistance: Double { distances[values.firstIndex(of: values.min()!)!] }
    }

    /// - Parameters:
    ///   - step: e, the first length between points.
    ///   - points: at least 4.
    ///   - refinements: how often e may be divided by 5.
    public init(step: Double, points: Int = 20, refinements: Int = 12) {
        require(step > 0 && step.isFinite, "step is \(step); expected a finite positive number")
        require(points >= 4, "\(points) points; expected at least 4")
        require(refinements >= 0, "\(refinements) refinements; expected no negative number")
        self.step = step
        self.points = points
        self.refinements = refinements
    }

    /// The profile of `objective` from `x` along `update`.
    ///
    /// A value that is not finite counts as a rise.
    ///
    /// - Precondition: `x` and `update` have the objective's dimension.
    /// - Throws: ``CurvatureError/zeroDirection``; ``CurvatureError/nonFiniteDirection(index:)``.
    public func solve(
        _ objective: any Objective<Scalar>, from x: [Scalar], along update: [Scalar]
    ) throws(CurvatureError) -> Profile {
        objective.requireDimension(x.count)
        objective.requireDimension(update.count, "update")
        let v = try unitVector(along: update)
        let start = Double(objective.value(at: x.span))
        var step = step
        for refinement in 0...refinements {
            var distances = [0.0], values = [start]
            for i in 1...points {
                let distance = Double(i) * step
                var y = x
                var span = y.mutableSpan
                Scalar.axpy(Scalar(distance), v.span, &span)
                let value = Double(objective.value(at: y.span))
                guard value <= start else { break }
                distances.append(distance)
                values.append(value)
            }
            if distances.count > 3 || refinement == refinements { return Profile(distances: distances, values: values) }
            step /= 5
        }
        fatalError("the last refinement returns")
    }
}
