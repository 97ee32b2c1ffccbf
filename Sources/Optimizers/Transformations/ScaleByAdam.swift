import Kernels

/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², u = m̂ / (√v̂ + ε): the direction of ``Adam``.
public struct ScaleByAdam<Scalar: KernelScalar>: GradientTransformation {
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    /// How the gradient is clipped for m alone; v takes it as it is.
    public let numeratorClipping: ClipByQuantile<Scalar>?

    /// - Parameter numeratorClipping: clips the gradient on its way into m. Clipping it before both moments mostly cancels.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, numeratorClipping: ClipByQuantile<Scalar>? = nil
    ) {
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.numeratorClipping = numeratorClipping
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: true)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout MomentState<Scalar>, parameters: Span<Scalar>,
        context: UpdateContext<Scalar>
    ) {
        requireState(state.first.count, updates.count)
        state.steps += 1
        let c = MomentCoefficients<Scalar>(step: 1, b1: beta1, b2: beta2, t1: state.steps, t2: state.steps)
        let epsilon = Scalar(epsilon), threshold = numeratorClipping?.threshold(of: updates.span)
        for i in updates.indices {
            let g = updates[i]
            let m = c.b1 * state.first[i] + c.a1 * (threshold.map { clamped(g, to: $0) } ?? g)
            let v = c.b2 * state.second[i] + c.a2 * (g * g)
            state.first[i] = m
            state.second[i] = v
            updates[i] = (m * c.c1) / ((v * c.c2).squareRoot() + epsilon)
        }
    }
}
