import Kernels
import LinearAlgebra

/// One axis of a grid: how many points it has at the source and at the target, and what moving along it costs. The cost of a pair of grid
/// points is the sum over the axes; see ``Geometry/init(grid:)``.
public struct GridAxis<Scalar: KernelScalar>: Sendable {
    /// A row for each source point, a column for each target point of the axis.
    public let cost: Matrix<Scalar>
    /// The places of the points, where the cost is their squared distance.
    let places: (source: [Scalar], target: [Scalar])?
    /// Whether the cost depends on the step j − i around a circle alone.
    let isPeriodic: Bool

    private init(_ cost: Matrix<Scalar>, _ places: (source: [Scalar], target: [Scalar])?, isPeriodic: Bool) {
        (self.cost, self.places, self.isPeriodic) = (cost, places, isPeriodic)
    }

    /// Any costs.
    public init(cost: Matrix<Scalar>) { self.init(cost, nil, isPeriodic: false) }

    /// (x − y)² for places on the axis, which need not lie evenly.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(from source: [Scalar], to target: [Scalar]) {
        let cost = Matrix(rows: source.count, columns: target.count) { i, j in (source[i] - target[j]) * (source[i] - target[j]) }
        self.init(cost, (source, target), isPeriodic: false)
    }

    /// (x − y)² for `count` points at equal distances; the square of the shorter way round a circle of the length `count` · `spacing` if
    /// periodic.
    ///
    /// - Precondition: `count` is not negative.
    public init(count: Int, spacing: Scalar = 1, isPeriodic: Bool = false) {
        require(count >= 0, "\(count) points; expected no negative number")
        if isPeriodic {
            self.init(periodicCosts: (0..<count).map { step in
                let way = Scalar(min(step, count - step)) * spacing
                return way * way
            })
        } else {
            let places = (0..<count).map { Scalar($0) * spacing }
            self.init(from: places, to: places)
        }
    }

    /// Costs of the steps 0, 1, … from source i to target j = i + step around a circle.
    public init(periodicCosts costs: [Scalar]) {
        let n = costs.count
        self.init(Matrix(rows: n, columns: n) { i, j in costs[(j - i + n) % n] }, nil, isPeriodic: true)
    }

    /// From targets to sources.
    var transposed: GridAxis {
        GridAxis(cost.transposed(), places.map { ($0.target, $0.source) }, isPeriodic: isPeriodic)
    }

    /// From the source points, or the target points, to themselves; `nil` where the costs do not tell.
    func own(_ side: TransportError.Side) -> GridAxis? {
        if let places {
            let points = side == .source ? places.source : places.target
            return GridAxis(from: points, to: points)
        }
        return cost.rows == cost.columns && cost == cost.transposed() ? self : nil
    }
}

extension Geometry {
    /// A grid: all combinations of the points of some axes, with the cost Cᵢⱼ = Σ cₐ(iₐ, jₐ) over the axes a. Points are numbered row by row,
    /// those of the last axis next to each other, as the pixels of an image are.
    ///
    /// Costs are kept for each axis alone, and the Gibbs kernel is a product over the axes: an iteration on N = n₁ … n_d points takes
    /// O(N (n₁ + … + n_d)) operations instead of O(N²), and O(N) memory. As long as sums of the kernel stay above 2⁻⁹⁰⁰ beside the largest
    /// factor, axes are products of matrices (in `Double`, also for `Float`); on one or two periodic axes, sums of similar size are convolutions
    /// by the fast Fourier transform; at smaller ε axes are passes in the log domain. The choice is made anew in each pass, from its results.
    ///
    /// What asks for pairs (exact and smooth methods, dense and sparse plans) gets them row by row and takes O(N²). Differs from OTT-JAX's
    /// `Grid`: source and target may have different points, and the domain is chosen.
    ///
    /// - Precondition: at least one axis.
    /// - Throws: ``TransportError/empty(rows:columns:)``, ``TransportError/nonFiniteGridCost(axis:row:column:)``.
    public init(grid axes: [GridAxis<Scalar>]) throws(TransportError) {
        require(!axes.isEmpty, "a grid without axes; expected at least one")
        let n = axes.reduce(1) { $0 * $1.cost.rows }, m = axes.reduce(1) { $0 * $1.cost.columns }
        guard n > 0, m > 0 else { throw .empty(rows: n, columns: m) }
        for (k, axis) in axes.enumerated() {
            let cost = axis.cost
            if let at = firstNonFinite(cost.span) { throw .nonFiniteGridCost(axis: k, row: at / cost.columns, column: at % cost.columns) }
        }
        self.init(storage: .grid(GridCosts(axes)))
    }
}
