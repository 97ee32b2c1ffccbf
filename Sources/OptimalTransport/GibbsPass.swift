import Kernels
import LinearAlgebra

extension Geometry {
    /// What the kernels see of a cost: C = reduced cost + row term + column term, where the terms go into the potentials.
    struct Terms: Sendable {
        var rows: [Scalar]?
        var columns: [Scalar]?
        var constant: Scalar = 0
    }

    var terms: Terms {
        if case .grid(let grid) = storage { return Terms(constant: grid.constant) }
        guard case .points(let clouds) = storage, !clouds.isDirect || clouds.cost == .cosine else { return Terms() }
        switch clouds.cost {
        case .squaredEuclidean: return Terms(rows: clouds.squares.source, columns: clouds.squares.target)
        case .cosine: return Terms(constant: 1)
        case .euclidean, .dot: return Terms()
        }
    }

    /// One pass over the Gibbs kernel of the reduced costs; see `KernelScalar`'s `gibbsPass`. Empty `columnTotals` leave out the columns.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func gibbsPass(
        scale: Scalar, rowShifts: inout [Scalar], columnShifts: [Scalar], columnScales: [Scalar], rule: ScalingRule<Scalar>,
        weights: [Scalar], offsets: [Scalar], rowSums: inout [Scalar], rowScales: inout [Scalar], columnTotals: inout [Double]
    ) {
        for j in columnTotals.indices { columnTotals[j] = 0 }
        if case .grid(let grid) = storage {
            return grid.gibbsPass(
                scale: scale, rowShifts: &rowShifts, columnShifts: columnShifts, columnScales: columnScales, rule: rule, weights: weights,
                offsets: offsets, rowSums: &rowSums, rowScales: &rowScales, columnTotals: &columnTotals)
        }
        if case .sparse(let sparse) = storage {
            return sparse.gibbsPass(
                scale: scale, rowShifts: &rowShifts, columnShifts: columnShifts, columnScales: columnScales, rule: rule, weights: weights,
                offsets: offsets, rowSums: &rowSums, rowScales: &rowScales, columnTotals: &columnTotals)
        }
        var f = rowShifts.mutableSpan, s = rowSums.mutableSpan, u = rowScales.mutableSpan, totals = columnTotals.mutableSpan
        switch storage {
        case .matrix(let cost):
            Scalar.gibbsPass(
                rows: rows, columns: columns, cost: cost.span, scale: scale, rowShifts: &f, columnShifts: columnShifts.span,
                columnScales: columnScales.span, rule: rule, weights: weights.span, offsets: offsets.span, rowSums: &s, rowScales: &u,
                columnTotals: &totals)
        case .points(let clouds):
            if clouds.isDirect {
                let cost: PairCost = switch clouds.cost {
                case .squaredEuclidean: .squared
                case .euclidean: .euclidean
                case .cosine, .dot: .dot
                }
                Scalar.gibbsPass(
                    rows: rows, columns: columns, cost: cost, dimension: clouds.dimension, x: clouds.coordinates.source.span,
                    y: clouds.coordinates.target.span, scale: scale, rowShifts: &f, columnShifts: columnShifts.span,
                    columnScales: columnScales.span, rule: rule, weights: weights.span, offsets: offsets.span, rowSums: &s, rowScales: &u,
                    columnTotals: &totals)
                return
            }
            forEachReducedTile { range, tile in
                var f = f._mutatingExtracting(range), s = s._mutatingExtracting(range), u = u._mutatingExtracting(range)
                Scalar.gibbsPass(
                    rows: range.count, columns: columns, cost: tile, scale: scale, rowShifts: &f, columnShifts: columnShifts.span,
                    columnScales: columnScales.span, rule: rule, weights: weights.span.extracting(range),
                    offsets: offsets.isEmpty ? offsets.span : offsets.span.extracting(range), rowSums: &s, rowScales: &u,
                    columnTotals: &totals)
            }
        case .grid, .sparse: break
        }
    }

    /// Calls `body` for all rows, some at a time, with their reduced costs.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func forEachReducedTile(_ body: (Range<Int>, Span<Scalar>) -> Void) {
        let height = tileRows
        if case .grid(let grid) = storage {
            var tile = [Scalar](repeating: 0, count: height * columns)
            for first in stride(from: 0, to: rows, by: height) {
                let range = first..<Swift.min(rows, first + height)
                var whole = tile.mutableSpan
                var span = whole._mutatingExtracting(0..<range.count * columns)
                grid.costs(ofRows: range, reduced: true, into: &span)
                body(range, span.span)
            }
            return
        }
        guard case .points(let clouds) = storage, !(clouds.isDirect && (clouds.cost == .squaredEuclidean || clouds.cost == .euclidean)),
              clouds.cost != .euclidean else { return forEachTile(body) }
        var tile = [Scalar](repeating: 0, count: height * columns)
        for first in stride(from: 0, to: rows, by: height) {
            let range = first..<Swift.min(rows, first + height)
            var whole = tile.mutableSpan
            var span = whole._mutatingExtracting(0..<range.count * columns)
            clouds.products(ofRows: range, into: &span)
            body(range, span.span)
        }
    }

    /// maxᵢ (fᵢ − scale Cᵢₖ) over rows with uᵢ > 0, for the reduced costs; the whole exponents of the sums on a grid.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func columnExponents(_ scaling: GibbsScaling<Scalar>) -> [Scalar] {
        switch storage {
        case .grid(let grid): return grid.columnExponents(scaling)
        case .sparse(let sparse): return sparse.columnExponents(scaling)
        case .matrix, .points: break
        }
        var maxima = [Scalar](repeating: -.infinity, count: columns)
        forEachReducedTile { range, tile in
            var span = maxima.mutableSpan
            Scalar.gibbsColumnMaximum(
                rows: range.count, columns: columns, cost: tile, scale: scaling.scale, rowShifts: scaling.rowShifts.span.extracting(range),
                rowScales: scaling.rowScales.span.extracting(range), into: &span)
        }
        return maxima
    }

    /// The largest |C|, by which precision is judged.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func largestMagnitude() -> Scalar {
        switch storage {
        case .matrix(let cost): return Scalar.maxAbs(cost.span)
        case .grid(let grid): return Swift.max(maxCost(), -Scalar(grid.sum { Double($0.elements.min()!) }))
        case .sparse(let sparse): return Scalar.maxAbs(sparse.costs.values.span)
        case .points: break
        }
        var largest: Scalar = 0
        forEachTile { _, tile in largest = Swift.max(largest, Scalar.maxAbs(tile)) }
        return largest
    }
}
