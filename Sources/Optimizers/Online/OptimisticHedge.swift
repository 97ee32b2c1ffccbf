import Kernels

/// Optimistic Hedge: weights p_t ∝ exp(−η (Σ_{s<t} g_s + g_{t−1})) on the simplex, mirror descent in the entropy.
public struct OptimisticHedge<Scalar: KernelScalar>: OnlineLearner {
    public struct State: Codable, Sendable, Hashable {
        public internal(set) var sum: [Scalar]
        public internal(set) var lastGradient: [Scalar]
    }

    public let count: Int
    public let step: Double

    /// - Parameters:
    ///   - count: of the weights, at least 1.
    ///   - step: η, above 0.
    public init(count: Int, step: Double) {
        require(count >= 1, "\(count) weights; expected at least 1")
        require(step > 0 && step.isFinite, "step is \(step); expected a finite number above 0")
        self.count = count
        self.step = step
    }

    public var initialState: State {
        State(sum: [Scalar](repeating: 0, count: count), lastGradient: [Scalar](repeating: 0, count: count))
    }

    public func play(_ state: State) -> [Scalar] {
        var weights = (0..<count).map { Scalar(-step) * (state.sum[$0] + state.lastGradient[$0]) }
        var span = weights.mutableSpan
        Scalar.softmax(rows: 1, columns: count, of: &span, stride: count)
        return weights
    }

    public func observe(_ gradient: [Scalar], state: inout State) {
        requireState(gradient.count, count)
        for i in gradient.indices { state.sum[i] += gradient[i] }
        state.lastGradient = gradient
    }
}
