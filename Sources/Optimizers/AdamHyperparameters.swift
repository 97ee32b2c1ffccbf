import Kernels

/// What ``Adam``, ``AdamW`` and ``EXAdam`` are tuned by.
public struct AdamHyperparameters: Sendable, Hashable, Codable {
    /// η.
    public let learningRate: Schedule
    /// β₁ of the first moment and β₂ of the second, at least 0 and less than 1.
    public let beta1: Double, beta2: Double
    /// ε, at least 0. As a `Float` 10⁻⁸ is kept, but added to a root above 0.1 it is lost.
    public let epsilon: Double
    /// λ, at least 0.
    public let weightDecay: Double
    /// Where the decay applies; everywhere if `nil`.
    public let decayMask: ParameterMask?

    init(_ learningRate: Schedule, _ beta1: Double, _ beta2: Double, _ epsilon: Double, _ weightDecay: Double, _ decayMask: ParameterMask?) {
        self.learningRate = learningRate
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.decayMask = decayMask
    }

    /// Counts a step and has `kernel` make it on each part of the arrays, with the decay as the coefficient `decay`.
    func step<Scalar>(
        _ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>,
        decay: WritableKeyPath<MomentCoefficients<Scalar>, Scalar>, growth: Double = 1,
        _ kernel: (
            MomentCoefficients<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>
        ) -> Void
    ) {
        state.steps += 1
        var c = MomentCoefficients<Scalar>(
            step: Scalar(learningRate.value(at: state.steps - 1)), b1: beta1, b2: beta2, t1: state.steps, t2: state.steps)
        (c.epsilon, c.growth) = (Scalar(epsilon), Scalar(growth))
        state.advance(&parameters, gradient: gradient, mask: decayMask) { isInside, g, m, v, x in
            c[keyPath: decay] = isInside ? Scalar(weightDecay) : 0
            kernel(c, g, &m, &v, &x)
        }
    }
}
