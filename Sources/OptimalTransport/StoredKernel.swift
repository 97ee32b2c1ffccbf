import Kernels
import LinearAlgebra

/// The Gibbs kernel of some shifts in memory, for passes without exponentials. Made anew where the shifts have moved; a decoded state makes it
/// anew too, to the same bits.
struct StoredKernel<Scalar: KernelScalar>: Sendable, Codable {
    private var elements: [Scalar] = []
    private var rowShifts: [Scalar] = []
    private var columnShifts: [Scalar] = []
    private var epsilon: Scalar = 0
    /// Whether the elements are those of the shifts, which else were only seen.
    private var isMade = false

    private enum CodingKeys: String, CodingKey { case rowShifts, columnShifts, epsilon }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        rowShifts = try container.decode([Scalar].self, forKey: .rowShifts)
        columnShifts = try container.decode([Scalar].self, forKey: .columnShifts)
        epsilon = try container.decode(Scalar.self, forKey: .epsilon)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rowShifts, forKey: .rowShifts)
        try container.encode(columnShifts, forKey: .columnShifts)
        try container.encode(epsilon, forKey: .epsilon)
    }

    /// Whether these are the shifts of the last time that it was asked, so that the kernel is worth its making.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func isAtRest(_ scaling: GibbsScaling<Scalar>) -> Bool {
        if epsilon == scaling.epsilon, rowShifts == scaling.rowShifts, columnShifts == scaling.columnShifts { return true }
        (epsilon, rowShifts, columnShifts, isMade) = (scaling.epsilon, scaling.rowShifts, scaling.columnShifts, false)
        return false
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private mutating func refresh(_ scaling: GibbsScaling<Scalar>, _ geometry: Geometry<Scalar>) {
        if isAtRest(scaling), isMade { return }
        isMade = true
        if elements.isEmpty { elements = [Scalar](repeating: 0, count: geometry.rows * geometry.columns) }
        let rows = [Scalar](repeating: 1, count: geometry.rows), columns = [Scalar](repeating: 1, count: geometry.columns)
        geometry.forEachReducedTile { range, tile in
            var whole = elements.mutableSpan
            var span = whole._mutatingExtracting(range.lowerBound * columns.count..<range.upperBound * columns.count)
            Scalar.gibbsPlan(
                rows: range.count, columns: columns.count, cost: tile, scale: scaling.scale, rowShifts: scaling.rowShifts.span.extracting(range),
                columnShifts: scaling.columnShifts.span, rowScales: rows.span.extracting(range), columnScales: columns.span, into: &span)
        }
    }

    /// As ``Geometry/gibbsPass(scale:rowShifts:columnShifts:columnScales:rule:weights:offsets:rowSums:rowScales:columnTotals:)`` with the
    /// shifts of `scaling`, which stay as they are: sums may leave the range.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func pass(
        _ geometry: Geometry<Scalar>, _ scaling: GibbsScaling<Scalar>, columnScales: [Scalar], rule: ScalingRule<Scalar>, weights: [Scalar],
        offsets: [Scalar], rowSums: inout [Scalar], rowScales: inout [Scalar], columnTotals: inout [Double]
    ) {
        refresh(scaling, geometry)
        for j in columnTotals.indices { columnTotals[j] = 0 }
        var s = rowSums.mutableSpan, u = rowScales.mutableSpan, totals = columnTotals.mutableSpan
        Scalar.kernelPass(
            rows: geometry.rows, columns: geometry.columns, kernel: elements.span, columnScales: columnScales.span, rule: rule, weights: weights.span,
            offsets: offsets.span, rowSums: &s, rowScales: &u, columnTotals: &totals)
    }
}
