import Kernels

/// The direction of ``AdaHessian``, from ``UpdateContext/hessianDiagonal`` as it is to be squared: its absolute value averaged.
///
/// An update without an estimate keeps v.
public struct ScaleByHessianDiagonal<Scalar: KernelScalar>: GradientTransformation {
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let power: Double

    public struct State: Codable, Sendable, Hashable {
        public internal(set) var moments: MomentState<Scalar>
        public internal(set) var hessianUpdates = 0
    }

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-4, power: Double = 1) {
        require(power >= 0 && power <= 1, "power is \(power); expected at least 0 and at most 1")
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.power = power
    }

    public func initialState(like parameters: Span<Scalar>) -> State {
        State(moments: MomentState(count: parameters.count, first: true, second: true))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout State, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        requireState(state.moments.first.count, updates.count)
        state.moments.steps += 1
        if let d = context.hessianDiagonal {
            requireState(d.count, updates.count)
            state.hessianUpdates += 1
            let old = Scalar(beta2), new = Scalar(1 - beta2)
            for i in updates.indices { state.moments.second[i] = old * state.moments.second[i] + new * (d[i] * d[i]) }
        }
        require(state.hessianUpdates > 0, "the first update has no Hessian diagonal; expected one in its context")
        let c = MomentCoefficients<Scalar>(step: 1, b1: beta1, b2: beta2, t1: state.moments.steps, t2: state.hessianUpdates)
        var scale = state.moments.second
        for i in scale.indices { scale[i] = scale[i] * c.c2 }
        switch power {
        case 0: for i in scale.indices { scale[i] = 1 }
        case 0.5: for i in scale.indices { scale[i] = scale[i].squareRoot().squareRoot() }
        case 1: for i in scale.indices { scale[i] = scale[i].squareRoot() }
        default:
            var span = scale.mutableSpan
            Scalar.log(&span)
            Scalar.scale(Scalar(power) * 0.5, &span)
            Scalar.exp(&span)
        }
        for i in updates.indices {
            let m = c.b1 * state.moments.first[i] + c.a1 * updates[i]
            state.moments.first[i] = m
            updates[i] = (m * c.c1) / (scale[i] + Scalar(epsilon))
        }
    }
}
