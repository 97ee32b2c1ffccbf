import Kernels
import Objectives

/// The exact plan between points on a line, for their distance or its square: the mass moves in order, so that sorting finds the plan.
///
/// Sources and targets are sorted, and what is first of both is sent from the one to the other until one is used up. The plan is optimal
/// for any convex function of x − y; potentials follow from the pairs on its staircase.
///
/// - Complexity: O((n + m) log(n + m)), without any matrix of costs.
public struct LineTransport: Sendable {
    public init() {}

    /// Whether points have one coordinate and the cost is a distance or its square.
    static func suits<Scalar: KernelScalar>(_ problem: TransportProblem<Scalar>) -> Bool { line(problem) != nil }

    private static func line<Scalar: KernelScalar>(_ problem: TransportProblem<Scalar>) -> PointClouds<Scalar>? {
        guard case .points(let clouds) = problem.geometry.storage, clouds.dimension == 1,
              clouds.cost == .euclidean || clouds.cost == .squaredEuclidean else { return nil }
        return clouds
    }

    /// - Precondition: both marginals are exact, points have one coordinate, and the cost is `euclidean` or `squaredEuclidean`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(_ problem: TransportProblem<Scalar>) -> TransportSolution<Scalar> {
        requireExactMarginals(problem)
        let clock = ContinuousClock(), start = clock.now
        guard let clouds = Self.line(problem) else {
            require(false, "points of one coordinate and a distance or its square are expected")
            fatalError()
        }
        let x = clouds.source.elements, y = clouds.target.elements
        let sources = x.indices.sorted { (x[$0], $0) < (x[$1], $1) }, targets = y.indices.sorted { (y[$0], $0) < (y[$1], $1) }
        func cost(_ i: Int, _ j: Int) -> Double {
            let distance = abs(Double(x[i]) - Double(y[j]))
            return clouds.cost == .euclidean ? distance : distance * distance
        }
        var f = [Double?](repeating: nil, count: x.count), g = [Double?](repeating: nil, count: y.count)
        var entries: [(row: Int, column: Int, value: Double)] = []
        var s = 0, t = 0, left = Double(problem.sourceWeights[sources[0]]), wanted = Double(problem.targetWeights[targets[0]])
        f[sources[0]] = 0
        // Down a staircase: each pair gives the potential that is not known yet.
        while true {
            let i = sources[s], j = targets[t]
            if g[j] == nil { g[j] = cost(i, j) - f[i]! } else if f[i] == nil { f[i] = cost(i, j) - g[j]! }
            let moved = min(left, wanted)
            if moved > 0 { entries.append((i, j, moved)) }
            left -= moved
            wanted -= moved
            // The last of a side takes what rounding left of the other.
            if s + 1 < sources.count, left <= wanted || t + 1 == targets.count {
                s += 1
                left = Double(problem.sourceWeights[sources[s]])
            } else if t + 1 < targets.count {
                t += 1
                wanted = Double(problem.targetWeights[targets[t]])
            } else { break }
        }
        return planSolution(problem, entries: entries, f, g, status: .converged, reason: "points on a line: their order gives the plan",
                             iterations: entries.count, seconds: (clock.now - start) / .seconds(1))
    }
}
