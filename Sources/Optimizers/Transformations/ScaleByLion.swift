import Kernels

/// u = sign(β₁ m + (1 − β₁) g), m ← β₂ m + (1 − β₂) g: the direction of ``Lion``.
public struct ScaleByLion<Scalar: KernelScalar>: GradientTransformation {
    public let beta1: Double
    public let beta2: Double
    /// `false` leaves the sign out, so that a clipping can take its place.
    public let takesSign: Bool

    public init(beta1: Double = 0.9, beta2: Double = 0.99, takesSign: Bool = true) {
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.takesSign = takesSign
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: false)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout MomentState<Scalar>, parameters: Span<Scalar>,
        context: UpdateContext<Scalar>
    ) {
        requireState(state.first.count, updates.count)
        state.steps += 1
        let c = MomentCoefficients<Scalar>(step: 1, b1: beta1, b2: beta2, t1: state.steps, t2: state.steps)
        for i in updates.indices {
            let g = updates[i], m = state.first[i], mixed = c.b1 * m + c.a1 * g
            state.first[i] = c.b2 * m + c.a2 * g
            updates[i] = takesSign ? sign(of: mixed) : mixed
        }
    }
}
