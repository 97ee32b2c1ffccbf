import Kernels

/// A box {x : lowerᵢ ≤ xᵢ ≤ upperᵢ}; ±∞ where a variable is free on that side.
///
/// Bounds that come out of data may cross. The box is empty then, ``crossed`` tells where, and a solver ends with
/// ``SolverStatus/infeasible``.
public struct Bounds<Scalar: KernelScalar>: Sendable, Hashable {
    public let lower: [Scalar]
    public let upper: [Scalar]

    /// - Precondition: equal counts and no NaN.
    public init(lower: [Scalar], upper: [Scalar]) {
        require(lower.count == upper.count,
                "\(lower.count) lower and \(upper.count) upper bounds; expected equal counts")
        for i in lower.indices {
            require(!lower[i].isNaN && !upper[i].isNaN,
                    "bounds of variable \(i) are \(lower[i]) and \(upper[i]); expected numbers")
        }
        self.lower = lower
        self.upper = upper
    }

    /// The cube `range`ⁿ.
    public init(_ range: ClosedRange<Scalar>, dimension: Int) {
        self.init(lower: Array(repeating: range.lowerBound, count: dimension),
                  upper: Array(repeating: range.upperBound, count: dimension))
    }

    /// All of ℝⁿ.
    public static func unbounded(dimension: Int) -> Bounds { Bounds(-Scalar.infinity...Scalar.infinity, dimension: dimension) }

    public var dimension: Int { lower.count }

    /// The first variable whose lower bound lies above its upper one; `nil` for a box that has a point.
    public var crossed: Int? { lower.indices.first { lower[$0] > upper[$0] } }

    /// Whether every coordinate lies within its bounds; NaN does not.
    public func contains(_ x: Span<Scalar>) -> Bool {
        require(x.count == dimension, "point has \(x.count) elements; the bounds have \(dimension)")
        for i in x.indices where !(lower[i] <= x[i] && x[i] <= upper[i]) { return false }
        return true
    }

    /// Moves `x` to the nearest point of the box: min(max(xᵢ, lowerᵢ), upperᵢ). NaN stays NaN.
    ///
    /// Where bounds cross there is no such point, and xᵢ becomes one of the two.
    public func project(_ x: inout MutableSpan<Scalar>) {
        require(x.count == dimension, "point has \(x.count) elements; the bounds have \(dimension)")
        for i in x.indices {
            if x[i] < lower[i] { x[i] = lower[i] } else if x[i] > upper[i] { x[i] = upper[i] }
        }
    }
}

/// An objective on a box.
public protocol BoundedObjective<Scalar>: Objective {
    /// The box, of the objective's dimension.
    var bounds: Bounds<Scalar> { get }
}
