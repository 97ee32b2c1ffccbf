import Kernels

/// Several functions on a box, f: ℝⁿ → ℝᴹ, all to be minimised, evaluated for many points at once.
public protocol MultiObjective<Scalar> {
    associatedtype Scalar: KernelScalar

    /// The number of variables n.
    var dimension: Int { get }
    /// The number of functions M.
    var objectiveCount: Int { get }
    /// The box, of dimension n.
    var bounds: Bounds<Scalar> { get }

    /// f at each of several points.
    ///
    /// - Parameters:
    ///   - points: One point after the other: a row-major matrix with n columns.
    ///   - values: The values in the same order: a row-major matrix with M columns, every element written.
    /// - Precondition: `points` and `values` hold equally many rows.
    func evaluate(points: Span<Scalar>, into values: inout MutableSpan<Scalar>)
}

extension MultiObjective {
    /// The number of points of a batch; stops with a message if points and values do not fit each other.
    public func requireBatch(points: Int, values: Int) -> Int {
        let count = points / max(1, dimension)
        require(count * dimension == points && count * objectiveCount == values,
                "\(points) coordinates and \(values) values; expected equally many rows of \(dimension) and of \(objectiveCount)")
        return count
    }
}
