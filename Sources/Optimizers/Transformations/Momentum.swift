import Kernels

/// m ← μ m + (1 − τ) g, u = m, or g + μ m with Nesterov's look-ahead; m = g in the first step. The momentum of ``SGD``,
/// which optax calls `trace`.
public struct Momentum<Scalar: KernelScalar>: GradientTransformation {
    public let momentum: Double
    public let dampening: Double
    public let isNesterov: Bool

    public init(_ momentum: Double, dampening: Double = 0, isNesterov: Bool = false) {
        require(dampening >= 0 && dampening <= 1, "dampening is \(dampening); expected at least 0 and at most 1")
        self.momentum = checkedRate(momentum, "momentum")
        self.dampening = dampening
        self.isNesterov = isNesterov
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
        let momentum = Scalar(momentum), gain = state.steps == 1 ? 1 : Scalar(1 - dampening)
        for i in updates.indices {
            let m = momentum * state.first[i] + gain * updates[i]
            state.first[i] = m
            updates[i] = isNesterov ? updates[i] + momentum * m : m
        }
    }
}
