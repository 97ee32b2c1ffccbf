import Kernels
import Objectives

/// The Lion-K family: steps along the gradient of a convex K at an interpolated momentum, with weight decay.
///
///     m̃ = β₁ m + (1 − β₁) (−g),   m ← β₂ m + (1 − β₂) (−g)
///     explicit   x ← x + η (∂K(m̃) − λ x)
///     implicit   x ← (x + η ∂K(m̃)) / (1 + η λ)
///
/// It minimises F(x) = f(x) + (1/λ) K*(λ x) for λ > 0, in two phases: λ x nears the domain of K* by a factor 1 − η λ a
/// step, whatever f does, and inside a Lyapunov function falls. ``LionPotential`` lists K and what it makes of F. The state
/// holds the averaged gradient, which is −m. The explicit step with ``LionPotential/l1`` is ``Lion``, whose kernel is
/// fused; this one takes a pass for each line.
///
/// Special cases: ``LionPotential/quadratic`` with λ = 0 is momentum; ``LionPotential/l1`` with β₁ = β₂ and λ = 0 is
/// Signum; β₁ = 0 is Frank and Wolfe's step with momentum left out.
///
/// Source: Chen, Liu, Liang & Liu, ICLR 2024, arXiv 2310.05898. The theorem on the discrete steps is on the implicit one
/// with β₂ > β₁.
public struct LionK<Scalar: KernelScalar>: Optimizer, Hashable, Codable {
    public typealias OptimizerState = MomentState<Scalar>

    public enum Scheme: String, Sendable, Hashable, Codable { case explicit, implicit }

    public let potential: LionPotential
    public let learningRate: Schedule
    public let beta1: Double
    public let beta2: Double
    public let weightDecay: Double
    public let scheme: Scheme

    public init(
        _ potential: LionPotential, learningRate: Schedule = 1e-4, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 0,
        scheme: Scheme = .explicit
    ) {
        potential.check()
        self.potential = potential
        self.learningRate = learningRate
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.scheme = scheme
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: false)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        requireState(gradient.count, parameters.count)
        requireState(state.first.count, parameters.count)
        state.steps += 1
        let rate = Scalar(learningRate.value(at: state.steps - 1)), decay = Scalar(weightDecay)
        let b1 = Scalar(beta1), a1 = Scalar(1 - beta1), b2 = Scalar(beta2), a2 = Scalar(1 - beta2)
        var direction = [Scalar](repeating: 0, count: gradient.count)
        for i in gradient.indices {
            direction[i] = b1 * state.first[i] + a1 * gradient[i]
            state.first[i] = b2 * state.first[i] + a2 * gradient[i]
        }
        // K is even: ∂K(−m̃) is −∂K(m̃), so the averages of the gradient itself serve.
        potential.replaceByGradient(&direction)
        switch scheme {
        case .explicit:
            for i in gradient.indices { parameters[i] = parameters[i] - rate * (direction[i] + decay * parameters[i]) }
        case .implicit:
            for i in gradient.indices { parameters[i] = (parameters[i] - rate * direction[i]) / (1 + rate * decay) }
        }
    }

    /// The Lyapunov function of the discrete implicit steps at a point with the value f(x):
    ///
    ///     H = f + K*(λx)/λ + c (K*(λx) + K(m) − λ ⟨x, m⟩),   c = η β₁ / (η λ (1 − β₁) + 1 − β₂)
    ///
    /// With η from the next step. +∞ outside the domain of K*, in the first phase. The bracket is never negative (Fenchel
    /// and Young).
    ///
    /// For an f with L-Lipschitz gradients, H(t + 1) − H(t) ≤ −η (1 + λ c) Δ₁ − c r/(1 − r) Δ₂ + (L/2) ‖Δx‖², with Δ₁ and
    /// Δ₂ not negative and r = (1 − β₂)/(1 − β₁), if β₂ > β₁.
    ///
    /// - Precondition: a weight decay above 0.
    public func lyapunov(value: Scalar, at x: [Scalar], state: MomentState<Scalar>) -> Double {
        require(weightDecay > 0, "weight decay is \(weightDecay); expected above 0 for a Lyapunov function")
        let rate = learningRate.value(at: state.steps)
        let c = rate * beta1 / (rate * weightDecay * (1 - beta1) + 1 - beta2)
        let conjugate = potential.conjugate(at: x.map { Scalar(weightDecay) * $0 })
        return Double(value) + conjugate / weightDecay + c * bracket(conjugate, x, state)
    }

    /// The Lyapunov function of the flow x' = ∂K(m + ε m') − λ x, m' = −α ∇f − γ m:
    ///
    ///     H = α f + γ K*(λx)/λ + B (K*(λx) + K(m) − λ ⟨x, m⟩),   B = (1 − ε γ)/(1 + ε λ)
    public func flowLyapunov(
        value: Scalar, at x: [Scalar], state: MomentState<Scalar>, alpha: Double, gamma: Double, epsilon: Double
    ) -> Double {
        require(weightDecay > 0, "weight decay is \(weightDecay); expected above 0 for a Lyapunov function")
        require(epsilon >= 0 && epsilon * gamma <= 1, "ε γ is \(epsilon * gamma); expected at least 0 and at most 1")
        let conjugate = potential.conjugate(at: x.map { Scalar(weightDecay) * $0 })
        return alpha * Double(value) + gamma / weightDecay * conjugate
            + (1 - epsilon * gamma) / (1 + epsilon * weightDecay) * bracket(conjugate, x, state)
    }

    /// K*(λx) + K(m) − λ ⟨x, m⟩ with m = −`state.first`.
    private func bracket(_ conjugate: Double, _ x: [Scalar], _ state: MomentState<Scalar>) -> Double {
        requireState(state.first.count, x.count)
        let product = zip(x, state.first).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        return conjugate + potential.value(at: state.first) + weightDecay * product
    }
}
