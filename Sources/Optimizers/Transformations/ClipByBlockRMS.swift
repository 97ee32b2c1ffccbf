import Kernels

/// Scales each block by τ / RMS(u) where its root mean square is above τ.
public struct ClipByBlockRMS<Scalar: KernelScalar>: GradientTransformation {
    public let limit: Double
    public let layout: ParameterLayout

    public init(_ limit: Double, layout: ParameterLayout) {
        self.limit = checkedNonnegative(limit, "limit")
        self.layout = layout
    }

    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        layout.requireCount(updates.count)
        for block in layout.blocks {
            let rms = rootMeanSquare(updates.span.extracting(block.range)), limit = Scalar(limit)
            var part = updates._mutatingExtracting(block.range)
            if rms > limit { Scalar.scale(limit / rms, &part) }
        }
    }
}
