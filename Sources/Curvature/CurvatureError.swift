import LinearAlgebra

/// What data can do to a measurement of curvature.
public enum CurvatureError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The product of this number, counted from 0, has a NaN or an infinity.
    case nonFinite(product: Int)
    /// The update is zero, and so has no direction.
    case zeroDirection
    /// The update has a NaN or an infinity at this place.
    case nonFiniteDirection(index: Int)
    /// A factorisation of the products failed: they overflow.
    case factorization(LinearAlgebraError)

    public var description: String {
        switch self {
        case .nonFinite(let product): "product \(product) with the operator is not finite"
        case .zeroDirection: "the update is zero; expected a direction"
        case .nonFiniteDirection(let index): "element \(index) of the update is not finite"
        case .factorization(let error): "factorisation of the products: \(error)"
        }
    }
}
