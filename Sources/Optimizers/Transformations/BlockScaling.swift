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

/// ‖x‖₂ / √n; 0 for no elements.
private func rootMeanSquare<Scalar: KernelScalar>(_ x: Span<Scalar>) -> Scalar {
    x.isEmpty ? 0 : Scalar.nrm2(x) / Scalar(x.count).squareRoot()
}
