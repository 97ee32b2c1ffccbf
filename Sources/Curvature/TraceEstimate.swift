/// An estimate of the trace of an operator.
public struct TraceEstimate: Sendable, Hashable, Codable {
    public let value: Double
    /// The standard deviation of ``value``, estimated from the spread of the probes; `nil` if there was only one.
    public let standardError: Double?
    /// Products with the operator.
    public let products: Int

    /// The mean of independent or exchangeable estimates, on top of a part that is known.
    init(_ estimates: [Double], plus known: Double = 0, products: Int) {
        let count = Double(estimates.count)
        let mean = estimates.reduce(0, +) / max(1, count)
        value = known + mean
        standardError = estimates.count < 2 ? nil
            : (estimates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1) / count).squareRoot()
        self.products = products
    }
}
