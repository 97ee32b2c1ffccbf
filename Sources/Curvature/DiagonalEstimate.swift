import Kernels

/// An estimate of the diagonal of an operator.
public struct DiagonalEstimate<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let values: [Scalar]
    /// Products with the operator.
    public let products: Int
    /// Σ w² over `count` estimates w of each element, whose mean is the value.
    private let squares: [Scalar]
    private let count: Int

    /// From Σ w and Σ w² over `count` estimates w of each element.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(sum: [Scalar], squares: [Scalar], count: Int, products: Int) {
        var values = sum
        var span = values.mutableSpan
        Scalar.scale(1 / Scalar(max(1, count)), &span)
        self.values = values
        self.squares = squares
        self.count = count
        self.products = products
    }

    /// The standard deviation of each value, estimated from the spread of the probes; `nil` if there was only one.
    ///
    /// It comes from sums of squares, so that below √ε |value| it is rounding. Computed anew at each call.
    public var standardErrors: [Scalar]? {
        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        get {
            guard count > 1 else { return nil }
            return uninitializedArray(count: values.count) { errors in
                for i in values.indices {
                    // Rounding may take the difference below 0.
                    let variance = (squares[i] / Scalar(count) - values[i] * values[i]) / Scalar(count - 1)
                    errors[i] = variance > 0 ? variance.squareRoot() : 0
                }
            }
        }
    }
}
