import Kernels

/// v ← α v + (1 − α) g², u = g / (√v + ε): the direction of ``RMSProp``; ``adagrad(epsilon:)`` sums the squares instead.
public struct ScaleByRMS<Scalar: KernelScalar>: GradientTransformation {
    private let weights: (old: Double, new: Double)
    private let epsilon: Double

    public init(alpha: Double = 0.99, epsilon: Double = 1e-8) {
        self.init(weights: (checkedRate(alpha, "alpha"), 1 - alpha), epsilon: epsilon)
    }

    /// v ← v + g², u = g / (√v + ε): the direction of ``Adagrad``.
    public static func adagrad(epsilon: Double = 1e-10) -> Self { Self(weights: (1, 1), epsilon: epsilon) }

    private init(weights: (Double, Double), epsilon: Double) {
        self.weights = weights
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: false, second: true)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout MomentState<Scalar>, parameters: Span<Scalar>,
        context: UpdateContext<Scalar>
    ) {
        requireState(state.second.count, updates.count)
        state.steps += 1
        let old = Scalar(weights.old), new = Scalar(weights.new), epsilon = Scalar(epsilon)
        for i in updates.indices {
            let v = old * state.second[i] + new * (updates[i] * updates[i])
            state.second[i] = v
            updates[i] = updates[i] / (v.squareRoot() + epsilon)
        }
    }
}
