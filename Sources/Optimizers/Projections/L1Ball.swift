import Kernels

/// {x : Σ |xᵢ| ≤ `radius`}.
public struct L1Ball<Scalar: KernelScalar>: ConvexSet {
    public let radius: Scalar

    public init(radius: Scalar) { self.radius = checkedRadius(radius) }

    /// Through the simplex of the magnitudes: O(n log n).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func project(_ x: inout MutableSpan<Scalar>) {
        var magnitudes = copy(of: x.span), sum = 0.0
        for i in magnitudes.indices {
            magnitudes[i] = abs(magnitudes[i])
            sum += Double(magnitudes[i])
        }
        guard sum > Double(radius) else { return }
        let threshold = radius > 0 ? simplexThreshold(magnitudes, sum: radius) : .infinity
        for i in x.indices {
            let magnitude = max(magnitudes[i] - threshold, 0)
            x[i] = x[i] < 0 ? -magnitude : magnitude
        }
    }
}
