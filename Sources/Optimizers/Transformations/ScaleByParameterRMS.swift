import Kernels

/// Scales each block by max(RMS(x), ε): steps relative to the parameters.
public struct ScaleByParameterRMS<Scalar: KernelScalar>: GradientTransformation {
    public let layout: ParameterLayout
    public let least: Double

    /// - Parameter least: ε, so that parameters which are 0 can move.
    public init(_ layout: ParameterLayout, atLeast least: Double = 1e-3) {
        self.layout = layout
        self.least = checkedNonnegative(least, "least scale")
    }

    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        layout.requireCount(updates.count)
        for block in layout.blocks {
            let rms = rootMeanSquare(parameters.extracting(block.range))
            var part = updates._mutatingExtracting(block.range)
            Scalar.scale(max(rms, Scalar(least)), &part)
        }
    }
}
