import Kernels
import Objectives

/// A closed convex set that one can project on.
public protocol ConvexSet<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar

    /// Moves `x` to the nearest point of the set in the Euclidean norm.
    func project(_ x: inout MutableSpan<Scalar>)
}

extension ConvexSet {
    /// The nearest point of the set.
    public func projection(of x: [Scalar]) -> [Scalar] {
        var result = x
        var span = result.mutableSpan
        project(&span)
        return result
    }
}

extension Bounds: ConvexSet {}

/// Requires a finite radius that is not negative.
func checkedRadius<Scalar: KernelScalar>(_ radius: Scalar) -> Scalar {
    require(radius >= 0 && radius.isFinite, "radius is \(radius); expected a finite number, at least 0")
    return radius
}
