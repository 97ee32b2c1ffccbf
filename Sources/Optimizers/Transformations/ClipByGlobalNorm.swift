import Kernels

/// Scales all coordinates by τ / ‖u‖₂ if the norm is above τ.
///
/// The direction stays, unlike with ``ClipByQuantile``. An infinite coordinate gives NaN, as in PyTorch; ``NonFiniteGuard`` keeps
/// such gradients out. The norm does not overflow.
public struct ClipByGlobalNorm<Scalar: KernelScalar>: GradientTransformation {
    public let limit: Double

    public init(_ limit: Double) { self.limit = checkedNonnegative(limit, "limit") }

    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        let norm = Scalar.nrm2(updates.span)
        if norm > Scalar(limit) { Scalar.scale(Scalar(limit) / norm, &updates) }
    }
}
