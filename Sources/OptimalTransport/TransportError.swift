/// What data can do to a transport problem. Points and pairs count from 0.
public enum TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Which of the two measures.
    public enum Side: String, Sendable, Hashable, Codable {
        case source, target
    }

    /// One of the measures has no points.
    case empty(rows: Int, columns: Int)
    /// A weight is NaN or infinite.
    case nonFiniteWeight(Side, index: Int)
    /// A weight is below zero.
    case negativeWeight(Side, index: Int, value: Double)
    /// All weights of a measure are zero.
    case zeroMass(Side)
    /// The masses differ by more than rounding explains, and no marginal is relaxed.
    case massesDiffer(source: Double, target: Double)
    /// A cost, or a coordinate of a point, is NaN or infinite.
    case nonFiniteCost(row: Int, column: Int)
    /// A coordinate of a point is NaN or infinite.
    case nonFinitePoint(Side, index: Int)
    /// A cost of an axis of a grid is NaN or infinite.
    case nonFiniteGridCost(axis: Int, row: Int, column: Int)
    /// A point with mass has no pair with a point that has some, among the pairs that have a cost.
    case noPartner(Side, index: Int)
    /// Exponents of the Gibbs kernel have an error of `exponentError`, so that its entries mean nothing in this scalar type.
    case epsilonBelowPrecision(epsilon: Double, largestCost: Double, exponentError: Double)

    public var description: String {
        switch self {
        case .empty(let rows, let columns):
            "transport between \(rows) and \(columns) points; expected at least one each"
        case .nonFiniteWeight(let side, let index):
            "\(side.rawValue) weight \(index) is not finite; expected no NaN or infinity"
        case .negativeWeight(let side, let index, let value):
            "\(side.rawValue) weight \(index) is \(value); expected no negative number"
        case .zeroMass(let side):
            "all \(side.rawValue) weights are zero; expected some mass"
        case .massesDiffer(let source, let target):
            "the masses \(source) and \(target) differ by \(abs(source - target)); expected equal masses, or a relaxed marginal"
        case .nonFiniteCost(let row, let column):
            "cost (\(row), \(column)) is not finite; expected no NaN or infinity"
        case .nonFinitePoint(let side, let index):
            "\(side.rawValue) point \(index) has a coordinate that is not finite; expected no NaN or infinity"
        case .nonFiniteGridCost(let axis, let row, let column):
            "cost (\(row), \(column)) of axis \(axis) is not finite; expected no NaN or infinity"
        case .noPartner(let side, let index):
            "\(side.rawValue) point \(index) has mass, but no pair with a point that has some; expected a cost for one such pair"
        case .epsilonBelowPrecision(let epsilon, let largestCost, let exponentError):
            "epsilon \(epsilon) beside costs of \(largestCost) leaves errors of \(exponentError) in the exponents; expected a larger epsilon or Double"
        }
    }
}
