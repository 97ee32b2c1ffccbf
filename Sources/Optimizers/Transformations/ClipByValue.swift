import Kernels

/// Clips each coordinate to [−τ, τ] with a fixed τ.
public struct ClipByValue<Scalar: KernelScalar>: GradientTransformation {
    public let limit: Double

    public init(_ limit: Double) { self.limit = checkedNonnegative(limit, "limit") }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        let limit = Scalar(limit)
        for i in updates.indices { updates[i] = clamped(updates[i], to: limit) }
    }
}

/// min(max(x, −limit), limit); NaN stays NaN.
@inline(__always)
func clamped<Scalar: KernelScalar>(_ x: Scalar, to limit: Scalar) -> Scalar { x > limit ? limit : x < -limit ? -limit : x }
