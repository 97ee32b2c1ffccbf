import Kernels

/// u + λ x where the mask is, everywhere without one: decay apart from the gradient when it follows the direction, an L2
/// penalty when it comes first.
public struct AddDecayedWeights<Scalar: KernelScalar>: GradientTransformation {
    public let weightDecay: Double
    public let mask: ParameterMask?

    public init(_ weightDecay: Double, mask: ParameterMask? = nil) {
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.mask = mask
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        requireState(updates.count, parameters.count)
        let decay = Scalar(weightDecay)
        for (range, isInside) in mask?.parts(of: updates.count) ?? [(0..<updates.count, true)] where isInside {
            for i in range { updates[i] = updates[i] + decay * parameters[i] }
        }
    }
}
