import Kernels
import RealModule

/// An ensemble for dynamic regret: optimistic descents with steps η₁ < … < η_N, mixed by optimistic Hedge.
///
///     x_t = Σ p_i x_{t,i},   one gradient g_t = ∇f_t(x_t) for all
///     ℓ_{t,i} = ⟨g_t, x_{t,i}⟩ + λ ‖x_{t,i} − x_{t−1,i}‖²,   hint m_{t,i} = ⟨g_{t−1}, x_{t,i}⟩ + λ ‖x_{t,i} − x_{t−1,i}‖²
///     p_i ∝ exp(−ε_t (Σ_{s<t} ℓ_{s,i} + m_{t,i})),   ε_t = min(1/(8 D² L), √(ln N / (D² V_{t−1}))),   λ = 2 L
///
/// with η_i = min(1/(8 L), 2^(i−1) √(D² / (8 G² T))), as many as it takes to reach the cap. Regret against any path u_t of
/// length P: O(P + √(1 + P) (√Σσ² + √ΣΣ²)). Each round costs N = O(log T) times that of one descent, and one gradient.
///
/// Source: Chen et al. 2023, arXiv 2302.04552; the structure is that of Zhao et al.'s Sword. L must be above 0.
public struct DynamicRegretEnsemble<Set: ConvexSet>: OnlineLearner {
    public typealias Scalar = Set.Scalar

    public struct State: Codable, Sendable {
        public internal(set) var rounds = 0
        public internal(set) var members: [OptimisticMirrorDescent<Set>.State]
        /// Σ ℓ of each member.
        public internal(set) var losses: [Double]
        /// Where each member played in the last round.
        public internal(set) var lastPlays: [[Scalar]]
        public internal(set) var lastGradient: [Scalar]
        public internal(set) var variation = 0.0
    }

    public let members: [OptimisticMirrorDescent<Set>]
    public let diameter: Double
    public let smoothness: Double

    /// - Parameters:
    ///   - rounds: T, for the smallest step.
    ///   - steps: η_i to use in place of the pool above.
    public init(
        on set: Set, from start: [Scalar], diameter: Double, gradientBound: Double, smoothness: Double, rounds: Int, steps: [Double]? = nil
    ) {
        require(diameter > 0 && gradientBound > 0 && smoothness > 0 && (diameter + gradientBound + smoothness).isFinite,
                "diameter \(diameter), gradient bound \(gradientBound), smoothness \(smoothness); expected finite numbers above 0")
        require(rounds >= 1, "\(rounds) rounds; expected at least 1")
        require(steps?.isEmpty != true, "no steps; expected at least one")
        let least = diameter / (8 * gradientBound * gradientBound * Double(rounds)).squareRoot(), most = 1 / (8 * smoothness)
        let count = max(0, Int(Double.log2(most / least).rounded(.up))) + 1
        let pool = steps ?? (0..<count).map { min(most, least * Double(sign: .plus, exponent: $0, significand: 1)) }
        members = pool.map { OptimisticMirrorDescent(on: set, from: start, step: .constant($0)) }
        self.diameter = diameter
        self.smoothness = smoothness
    }

    public var initialState: State {
        let states = members.map(\.initialState), start = members[0].start
        return State(members: states, losses: members.map { _ in 0 }, lastPlays: members.map { _ in start }, lastGradient: start.map { _ in 0 })
    }

    /// p: positive, of sum 1.
    public func weights(_ state: State) -> [Double] { weights(state, plays(state)) }

    private func plays(_ state: State) -> [[Scalar]] { zip(members, state.members).map { $0.play($1) } }

    private func weights(_ state: State, _ plays: [[Scalar]]) -> [Double] {
        let cap = 1 / (8 * diameter * diameter * smoothness)
        let rate = state.variation > 0 ? min(cap, (Double.log(Double(members.count)) / (diameter * diameter * state.variation)).squareRoot()) : cap
        var result = zip(state.losses, losses(state.lastGradient, plays, state)).map { -rate * ($0 + $1) }
        var span = result.mutableSpan
        Double.softmax(rows: 1, columns: members.count, of: &span, stride: members.count)
        return result
    }

    /// ⟨g, x_i⟩ + λ ‖x_i − x_i of the last round‖².
    private func losses(_ gradient: [Scalar], _ plays: [[Scalar]], _ state: State) -> [Double] {
        plays.indices.map { i in
            let moved = state.rounds == 0 ? 0 : distance(plays[i], state.lastPlays[i])
            return product(gradient, plays[i]) + 2 * smoothness * moved * moved
        }
    }

    public func play(_ state: State) -> [Scalar] {
        let plays = plays(state)
        var result = plays[0].map { _ in 0 as Scalar }
        var span = result.mutableSpan
        for (weight, play) in zip(weights(state, plays), plays) { Scalar.axpy(Scalar(weight), play.span, &span) }
        return result
    }

    public func observe(_ gradient: [Scalar], state: inout State) {
        requireState(gradient.count, state.lastGradient.count)
        let plays = plays(state)
        for (i, loss) in losses(gradient, plays, state).enumerated() { state.losses[i] += loss }
        for (i, member) in members.enumerated() { member.observe(gradient, state: &state.members[i]) }
        let change = distance(gradient, state.lastGradient)
        state.variation += change * change
        state.lastPlays = plays
        state.lastGradient = gradient
        state.rounds += 1
    }
}
