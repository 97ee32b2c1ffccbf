import Kernels
import LinearAlgebra

/// The Gibbs kernel of some shifts in memory, for passes without exponentials. Made anew where the shifts have moved; a decoded state makes it
/// anew too, to the same bits.
struct StoredKernel<Scalar: KernelScalar>: Sendable, Codable {
    private var elements: [Scalar] = []
    private var rowShifts: [Scalar] = []
    private var columnShifts: [Scalar] = []
    private var epsilon: Scalar = 0

    init() {}

    init(from decoder: any Decoder) throws {}

    func encode(to encoder: any Encoder) throws {}

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private mutating func refresh(_ scaling: GibbsScaling<Scalar>, _ cost: Matrix<Scalar>) {
        guard epsilon != scaling.epsilon || rowShifts != scaling.rowShifts || columnShifts != scaling.columnShifts else { return }
        (epsilon, rowShifts, columnShifts) = (scaling.epsilon, scaling.rowShifts, scaling.columnShifts)
        if elements.isEmpty { elements = [Scalar](repeating: 0, count: cost.rows * cost.columns) }
        let rows = [Scalar](repeating: 1, count: cost.rows), columns = [Scalar](repeating: 1, count: cost.columns)
        var span = elements.mutableSpan
        Scalar.gibbsPlan(
            rows: cost.rows, columns: cost.columns, cost: cost.span, scale: scaling.scale, rowShifts: scaling.rowShifts.span,
            columnShifts: scaling.columnShifts.span, rowScales: rows.span, columnScales: columns.span, into: &span)
    }

    /// As ``Geometry/gibbsPass(scale:rowShifts:columnShifts:columnScales:rule:weights:offsets:rowSums:rowScales:columnTotals:)`` with the
    /// shifts of `scaling`, which stay as they are: sums may leave the range.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func pass(
        _ cost: Matrix<Scalar>, _ scaling: GibbsScaling<Scalar>, columnScales: [Scalar], rule: ScalingRule<Scalar>, weights: [Scalar],
        offsets: [Scalar], rowSums: inout [Scalar], rowScales: inout [Scalar], columnTotals: inout [Double]
    ) {
        refresh(scaling, cost)
        for j in columnTotals.indices { columnTotals[j] = 0 }
        var s = rowSums.mutableSpan, u = rowScales.mutableSpan, totals = columnTotals.mutableSpan
        Scalar.kernelPass(
            rows: cost.rows, columns: cost.columns, kernel: elements.span, columnScales: columnScales.span, rule: rule, weights: weights.span,
            offsets: offsets.span, rowSums: &s, rowScales: &u, columnTotals: &totals)
    }
}
