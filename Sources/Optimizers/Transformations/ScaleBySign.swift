import Kernels

/// u = sign(g), where the sign of 0 is 0 and that of NaN is NaN.
public struct ScaleBySign<Scalar: KernelScalar>: GradientTransformation {
    public init() {}

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout Stateless, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        for i in updates.indices { updates[i] = sign(of: updates[i]) }
    }
}

/// ±1; zeros and NaN are their own sign.
@inline(__always)
func sign<Scalar: KernelScalar>(of x: Scalar) -> Scalar { x > 0 ? 1 : x < 0 ? -1 : x }
