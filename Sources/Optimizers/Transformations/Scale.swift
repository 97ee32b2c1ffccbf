import Kernels

/// u ← c u.
public struct Scale<Scalar: KernelScalar>: GradientTransformation {
    public let factor: Double

    public init(_ factor: Double) {
        require(factor.isFinite, "factor is \(factor); expected a finite number")
        self.factor = factor
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        Scalar.scale(Scalar(factor), &updates)
    }
}
