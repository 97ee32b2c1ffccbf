/// A sum of terms and products of doubles in twice the precision: relative error about n 2⁻¹⁰⁶, for references.
public struct DoubleDouble: Sendable {
    public private(set) var high = 0.0
    public private(set) var low = 0.0

    public init() {}

    /// Adds `term`: Knuth's TwoSum.
    public mutating func add(_ term: Double) {
        let sum = high + term
        let virtual = sum - high
        low += (high - (sum - virtual)) + (term - virtual)
        high = sum
    }

    /// Adds `a · b`, exactly split into its rounded value and the rest.
    public mutating func addProduct(_ a: Double, _ b: Double) {
        let product = a * b
        add(product)
        low += (-product).addingProduct(a, b)
    }

    /// The sum rounded to a double.
    public var value: Double { high + low }
}
