import Kernels

/// {x : maxᵢ |xᵢ| ≤ `radius`}.
public struct LInfinityBall<Scalar: KernelScalar>: ConvexSet {
    public let radius: Scalar

    public init(radius: Scalar) { self.radius = checkedRadius(radius) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func project(_ x: inout MutableSpan<Scalar>) {
        for i in x.indices { x[i] = clamped(x[i], to: radius) }
    }
}
