import Kernels

/// An estimate of the diagonal of an operator.
public struct DiagonalEstimate<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let values: [Scalar]
    /// The standard deviation of each value, estimated from the spread of the probes; `nil` if there was only one.
    ///
    /// It comes from sums of squares, so that below √ε |value| it is rounding.
    public let standardErrors: [Scalar]?
    /// Products with the operator.
    public let products: Int

    /// From Σ wᵢ and Σ wᵢ² over `count` estimates w of each element, on top of a part that is known.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(sum: [Scalar], squares: [Scalar], count: Int, plus known: [Scalar]? = nil, products: Int) {
        var values = sum
        var span = values.mutableSpan
        Scalar.scale(1 / Scalar(max(1, count)), &span)
        var errors: [Scalar]?
        if count > 1 {
            // (Σ w²/count − mean²) / (count − 1), which rounding may take below 0.
            let mean = values
            errors = uninitializedArray(count: sum.count) { errors in
                for i in sum.indices {
                    let variance = (squares[i] / Scalar(count) - mean[i] * mean[i]) / Scalar(count - 1)
                    errors[i] = variance > 0 ? variance.squareRoot() : 0
                }
            }
        }
        if let known {
            var span = values.mutableSpan
            Scalar.axpy(1, known.span, &span)
        }
        self.values = values
        standardErrors = errors
        self.products = products
    }
}
