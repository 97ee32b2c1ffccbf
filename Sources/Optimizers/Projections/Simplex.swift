import Kernels

/// {x : xᵢ ≥ 0, Σ xᵢ = `sum`}.
public struct Simplex<Scalar: KernelScalar>: ConvexSet {
    public let sum: Scalar

    public init(sum: Scalar = 1) {
        require(sum > 0 && sum.isFinite, "sum is \(sum); expected a finite number above 0")
        self.sum = sum
    }

    /// max(xᵢ − τ, 0), with τ found by sorting: O(n log n).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func project(_ x: inout MutableSpan<Scalar>) {
        let threshold = simplexThreshold(copy(of: x.span), sum: sum)
        for i in x.indices { x[i] = max(x[i] - threshold, 0) }
    }
}

/// τ with Σ max(xᵢ − τ, 0) = `sum`; running sums in `Double`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func simplexThreshold<Scalar: KernelScalar>(_ x: [Scalar], sum: Scalar) -> Scalar {
    require(!x.isEmpty, "no elements; expected at least one on a simplex")
    var total = 0.0, threshold = 0.0
    for (i, value) in x.sorted(by: >).enumerated() {
        total += Double(value)
        let candidate = (total - Double(sum)) / Double(i + 1)
        if Double(value) <= candidate { break }
        threshold = candidate
    }
    return Scalar(threshold)
}
