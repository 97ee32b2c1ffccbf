import Kernels

/// Optimistic online mirror descent in the Euclidean norm: each round is played as if its gradient were the hint M.
///
///     x_t = Π(x̂_t − η_t M_t),   x̂_{t+1} = Π(x̂_t − η_t g_t),   M_t = g_{t−1},   M₁ = 0
///
/// | ``Step`` | η_t | regret under variance σ² and drift Σ² of the losses |
/// |---|---|---|
/// | ``Step/convex(diameter:gradientBound:smoothness:)`` | D / √(δ + 4 G² + V_{t−1}), δ = 10 D² L² | O(√Σσ² + √ΣΣ²) |
/// | ``Step/stronglyConvex(_:)`` | 2 / (λ t) | O((σ²_max + Σ²_max) log T / λ) |
/// | ``Step/constant(_:)``, ``Step/inverseRoot(diameter:gradientBound:)`` | η; D / (G √t) | |
///
/// with V_t = Σ_{s≤t} ‖g_s − M_s‖². For every sequence of gradients and hints of norm at most G the convex step has linear
/// regret at most (D/2) √(δ + 4 G² + V_T) + D (√(δ + V_T) − √δ). One gradient and two projections a round. On
/// independent noise the hint is as wrong as the gradient is noisy, and plain descent (`usesHints: false`) is better by a
/// factor 2 to 3; under slow drift the hints win by far. Who knows more than the last gradient sets ``State/hint`` before
/// the round is played.
///
/// Losses that are not smooth keep the bound, and learn more from each round, by
/// ``observe(_:proximalPoint:state:)``, which takes the whole loss in place of its gradient.
///
/// Source: Chen, Zhang, Tu, Zhao & Zhang, ICML 2023 and JMLR 25(178), arXiv 2302.04552.
public struct OptimisticMirrorDescent<Set: ConvexSet>: OnlineLearner {
    public typealias Scalar = Set.Scalar

    public enum Step: Sendable, Hashable, Codable {
        /// Losses with gradients up to G, on a set of diameter D; L = 0 for linear losses.
        case convex(diameter: Double, gradientBound: Double, smoothness: Double)
        /// Losses that are λ-strongly convex in the mean.
        case stronglyConvex(Double)
        case constant(Double)
        /// D / (G √t).
        case inverseRoot(diameter: Double, gradientBound: Double)
    }

    public struct State: Codable, Sendable, Hashable {
        /// Rounds that are over.
        public internal(set) var rounds = 0
        /// x̂.
        public internal(set) var center: [Scalar]
        /// M: what the next gradient is taken to be. The last gradient, or 0 in a learner without hints, unless it is set.
        public var hint: [Scalar]
        /// V: Σ ‖g_s − M_s‖² over the rounds that are over.
        public internal(set) var variation = 0.0
    }

    public let set: Set
    public let start: [Scalar]
    public let step: Step
    public let usesHints: Bool

    /// - Parameters:
    ///   - start: x̂₁, projected on the set.
    ///   - usesHints: `false` leaves the hint at 0: online gradient descent, whose convex step is that of Adagrad's norm.
    public init(on set: Set, from start: [Scalar], step: Step, usesHints: Bool = true) {
        switch step {
        case .convex(let diameter, let bound, let smoothness):
            require(diameter > 0 && bound > 0 && smoothness >= 0 && (diameter + bound + smoothness).isFinite,
                    "diameter \(diameter), gradient bound \(bound), smoothness \(smoothness); expected finite numbers, the first two above 0")
        case .stronglyConvex(let value), .constant(let value):
            require(value > 0 && value.isFinite, "step parameter is \(value); expected a finite number above 0")
        case .inverseRoot(let diameter, let bound):
            require(diameter > 0 && bound > 0 && (diameter + bound).isFinite,
                    "diameter \(diameter) and gradient bound \(bound); expected finite numbers above 0")
        }
        self.set = set
        self.start = set.projection(of: start)
        self.step = step
        self.usesHints = usesHints
    }

    public var initialState: State { State(center: start, hint: start.map { _ in 0 }) }

    /// η of the round that comes next: from the past alone.
    public func stepSize(_ state: State) -> Double {
        let t = Double(state.rounds + 1)
        switch step {
        case .convex(let diameter, let bound, let smoothness):
            return diameter / (10 * diameter * diameter * smoothness * smoothness + 4 * bound * bound + state.variation).squareRoot()
        case .stronglyConvex(let lambda): return 2 / (lambda * t)
        case .constant(let size): return size
        case .inverseRoot(let diameter, let bound): return diameter / (bound * t.squareRoot())
        }
    }

    public func play(_ state: State) -> [Scalar] { moved(state.center, state.hint, stepSize(state)) }

    public func observe(_ gradient: [Scalar], state: inout State) {
        observe(gradient, proximalPoint: { moved($0, gradient, $1) }, state: &state)
    }

    /// Ends a round with an implicit update, by the loss f_t itself: x̂_{t+1} = argmin f_t(x) + ‖x − x̂_t‖² / (2 η_t) on the set.
    ///
    /// For convex f_t, f_t(x_t) − f_t(u) keeps the bounds that ⟨g_t, x_t − u⟩ has, smooth or not. With the linear loss
    /// ⟨g_t, x⟩ it is the update of ``observe(_:state:)``.
    ///
    /// - Parameters:
    ///   - gradient: a subgradient of f_t at the play, for the hint and V.
    ///   - proximalPoint: (x̂, η) ↦ argmin f_t(x) + ‖x − x̂‖² / (2 η) on the set.
    public func observe(
        _ gradient: [Scalar], proximalPoint: (_ center: [Scalar], _ step: Double) -> [Scalar], state: inout State
    ) {
        requireState(gradient.count, state.center.count)
        state.center = proximalPoint(state.center, stepSize(state))
        let error = distance(gradient, state.hint)
        state.variation += error * error
        if usesHints { state.hint = gradient } else { for i in state.hint.indices { state.hint[i] = 0 } }
        state.rounds += 1
    }

    /// Π(x − η g).
    private func moved(_ x: [Scalar], _ gradient: [Scalar], _ step: Double) -> [Scalar] {
        var result = x
        var span = result.mutableSpan
        Scalar.axpy(Scalar(-step), gradient.span, &span)
        set.project(&span)
        return result
    }
}
