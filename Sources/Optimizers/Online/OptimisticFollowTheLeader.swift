import Kernels

/// Optimistic follow the regularised leader: x_t = Π(x₁ − η_t (Σ_{s<t} g_s + g_{t−1})), the lazy kin of
/// ``OptimisticMirrorDescent``.
///
/// Source: Sachs, Hadiji, van Erven & Guzmán 2022.
public struct OptimisticFollowTheLeader<Set: ConvexSet>: OnlineLearner {
    public typealias Scalar = Set.Scalar

    public struct State: Codable, Sendable, Hashable {
        public internal(set) var rounds = 0
        /// Σ g.
        public internal(set) var sum: [Scalar]
        public internal(set) var lastGradient: [Scalar]
        public internal(set) var variation = 0.0
    }

    public let set: Set
    public let start: [Scalar]
    public let diameter: Double
    public let gradientBound: Double
    public let smoothness: Double

    /// Steps D / √(10 D² L² + 4 G² + V), as ``OptimisticMirrorDescent/Step/convex(diameter:gradientBound:smoothness:)``.
    public init(on set: Set, from start: [Scalar], diameter: Double, gradientBound: Double, smoothness: Double) {
        require(diameter > 0 && gradientBound > 0 && smoothness >= 0 && (diameter + gradientBound + smoothness).isFinite,
                "diameter \(diameter), gradient bound \(gradientBound), smoothness \(smoothness); expected finite numbers, the first two above 0")
        self.set = set
        self.start = start
        self.diameter = diameter
        self.gradientBound = gradientBound
        self.smoothness = smoothness
    }

    public var initialState: State { State(sum: start.map { _ in 0 }, lastGradient: start.map { _ in 0 }) }

    public func play(_ state: State) -> [Scalar] {
        let step = diameter / (10 * diameter * diameter * smoothness * smoothness + 4 * gradientBound * gradientBound + state.variation).squareRoot()
        var result = start
        var span = result.mutableSpan
        Scalar.axpy(Scalar(-step), state.sum.span, &span)
        Scalar.axpy(Scalar(-step), state.lastGradient.span, &span)
        set.project(&span)
        return result
    }

    public func observe(_ gradient: [Scalar], state: inout State) {
        requireState(gradient.count, state.sum.count)
        let change = distance(gradient, state.lastGradient)
        state.variation += change * change
        for i in gradient.indices { state.sum[i] += gradient[i] }
        state.lastGradient = gradient
        state.rounds += 1
    }
}
