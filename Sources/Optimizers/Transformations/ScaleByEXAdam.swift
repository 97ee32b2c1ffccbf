import Kernels

/// The direction of ``EXAdam``, whose formula it follows, with its terms to be left out one by one.
public struct ScaleByEXAdam<Scalar: KernelScalar>: GradientTransformation {
    public let version: EXAdam<Scalar>.Version
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let addsGradient: Bool
    public let mixesMoments: Bool

    /// - Parameters:
    ///   - addsGradient: `false` leaves g out of the numerator.
    ///   - mixesMoments: `false` sets d₁ = d₂ = 1.
    public init(
        version: EXAdam<Scalar>.Version = .constantStep, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        addsGradient: Bool = true, mixesMoments: Bool = true
    ) {
        require(epsilon > 0 && epsilon.isFinite, "epsilon is \(epsilon); expected a finite number above 0")
        self.version = version
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.epsilon = epsilon
        self.addsGradient = addsGradient
        self.mixesMoments = mixesMoments
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
        let epsilon = Scalar(epsilon), growth = Scalar(version.growth(at: state.steps))
        for i in updates.indices {
            let g = updates[i]
            let m = c.b1 * state.first[i] + c.a1 * g, v = c.b2 * state.second[i] + c.a2 * (g * g)
            state.first[i] = m
            state.second[i] = v
            let square = m * m
            let d1 = mixesMoments ? 1 + (v / (v + epsilon)) * c.p2 : 1
            let d2 = mixesMoments ? 1 + (square / (square + epsilon)) * c.p1 : 1
            let numerator = addsGradient ? m + g : m
            updates[i] = growth * (((numerator * c.c1) * d1) / (((v * c.c2) * d2).squareRoot() + epsilon))
        }
    }
}
