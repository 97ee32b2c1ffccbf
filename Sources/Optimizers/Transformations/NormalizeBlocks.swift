import Kernels

/// Scales each block to the root mean square 1, u √n / ‖u‖₂: normalised gradient descent. A block of zeros stays.
public struct NormalizeBlocks<Scalar: KernelScalar>: GradientTransformation {
    public let layout: ParameterLayout

    public init(_ layout: ParameterLayout) { self.layout = layout }

    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        layout.requireCount(updates.count)
        for block in layout.blocks {
            let rms = rootMeanSquare(updates.span.extracting(block.range))
            var part = updates._mutatingExtracting(block.range)
            if rms != 0 { Scalar.scale(1 / rms, &part) }
        }
    }
}
