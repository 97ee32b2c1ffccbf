import Kernels
import LinearAlgebra

/// Where mass is and what it costs to move it: the costs Cᵢⱼ from n source points to m target points: as a matrix, from
/// points, on a grid, or of some pairs only.
///
/// Costs of points and of grids are never stored: methods ask for a few rows at a time, and memory stays O(n + m).
public struct Geometry<Scalar: KernelScalar>: Sendable {
    let storage: Storage

    enum Storage: Sendable {
        case matrix(Matrix<Scalar>)
        case points(PointClouds<Scalar>)
        case grid(GridCosts<Scalar>)
        case sparse(SparseCosts<Scalar>)
    }

    init(storage: Storage) { self.storage = storage }

    /// The number of source points n.
    public var rows: Int {
        switch storage {
        case .matrix(let c): c.rows
        case .points(let clouds): clouds.source.rows
        case .grid(let grid): grid.rows
        case .sparse(let sparse): sparse.costs.rows
        }
    }

    /// The number of target points m.
    public var columns: Int {
        switch storage {
        case .matrix(let c): c.columns
        case .points(let clouds): clouds.target.rows
        case .grid(let grid): grid.columns
        case .sparse(let sparse): sparse.costs.columns
        }
    }

    /// Costs as a matrix. They may be negative: adding to all of a row or a column changes no plan.
    ///
    /// - Throws: ``TransportError/empty(rows:columns:)``, ``TransportError/nonFiniteCost(row:column:)``.
    public init(cost: Matrix<Scalar>) throws(TransportError) {
        guard cost.rows > 0, cost.columns > 0 else { throw .empty(rows: cost.rows, columns: cost.columns) }
        if let at = firstNonFinite(cost.span) { throw .nonFiniteCost(row: at / cost.columns, column: at % cost.columns) }
        storage = .matrix(cost)
    }

    /// Points, one a row, of which some may be equal.
    ///
    /// - Precondition: source and target have equally many columns, at least one.
    /// - Throws: ``TransportError/empty(rows:columns:)``, ``TransportError/nonFinitePoint(_:index:)``.
    public init(
        from source: Matrix<Scalar>, to target: Matrix<Scalar>, cost: PointCost = .squaredEuclidean
    ) throws(TransportError) {
        require(source.columns == target.columns && source.columns > 0,
                "source points have \(source.columns) coordinates, target points \(target.columns); expected equally many, at least 1")
        guard source.rows > 0, target.rows > 0 else { throw .empty(rows: source.rows, columns: target.rows) }
        if let at = firstNonFinite(source.span) { throw .nonFinitePoint(.source, index: at / source.columns) }
        if let at = firstNonFinite(target.span) { throw .nonFinitePoint(.target, index: at / target.columns) }
        storage = .points(PointClouds(source, target, cost))
    }

    /// Cᵢⱼ; infinity for a pair that sparse costs do not have.
    public subscript(row: Int, column: Int) -> Scalar {
        if case .matrix(let c) = storage { return c[row, column] }
        require(row >= 0 && row < rows && column >= 0 && column < columns, "pair (\(row), \(column)) of \(rows)×\(columns)")
        if case .grid(let grid) = storage { return grid.cost(row, column) }
        if case .sparse(let sparse) = storage { return sparse.cost(row, column) }
        return costs(ofRows: row..<row + 1)[0, column]
    }

    /// The costs of some source points to all targets, row after row.
    ///
    /// - Precondition: `tile` has `rows.count` · ``columns`` elements.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func costs(ofRows range: Range<Int>, into tile: inout MutableSpan<Scalar>) {
        require(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        require(tile.count == range.count * columns, "tile has \(tile.count) elements; expected \(range.count)·\(columns)")
        switch storage {
        case .matrix(let c): copy(c.span.extracting(range.lowerBound * columns..<range.upperBound * columns), &tile)
        case .points(let clouds): clouds.costs(ofRows: range, into: &tile)
        case .grid(let grid): grid.costs(ofRows: range, reduced: false, into: &tile)
        case .sparse(let sparse):
            tile.update(repeating: .infinity)
            for i in range {
                for k in sparse.costs.rowOffsets[i]..<sparse.costs.rowOffsets[i + 1] {
                    tile[(i - range.lowerBound) * columns + Int(sparse.costs.columnIndices[k])] = sparse.costs.values[k]
                }
            }
        }
    }

    /// The costs of some source points to all targets.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func costs(ofRows range: Range<Int>) -> Matrix<Scalar> {
        var result = Matrix<Scalar>.zeros(rows: range.count, columns: columns)
        var span = result.mutableSpan
        costs(ofRows: range, into: &span)
        return result
    }

    /// The whole cost matrix; no copy where it is what the geometry was made of.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func costMatrix() -> Matrix<Scalar> {
        if case .matrix(let c) = storage { return c }
        return costs(ofRows: 0..<rows)
    }

    /// The mean of all costs, by which ε is often chosen: 0.05 of it is a usual start. Of sparse costs that of the entries, 0 for none.
    ///
    /// - Complexity: one evaluation of all costs; of the axes of a grid.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func meanCost() -> Scalar {
        switch storage {
        case .grid(let grid): return Scalar(grid.sum { cost in Double(Scalar.sum(cost.span)) / Double(cost.rows * cost.columns) })
        case .sparse(let sparse): return Scalar.sum(sparse.costs.values.span) / Scalar(max(1, sparse.costs.entryCount))
        case .matrix, .points: break
        }
        var total = 0.0
        forEachTile { _, tile in total += Double(Scalar.sum(tile)) }
        return Scalar(total / (Double(rows) * Double(columns)))
    }

    /// The largest cost. Of sparse costs that of the entries.
    ///
    /// - Complexity: one evaluation of all costs; of the axes of a grid.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func maxCost() -> Scalar {
        switch storage {
        case .grid(let grid): return Scalar(grid.sum { Double($0.elements.max()!) })
        case .sparse(let sparse): return sparse.costs.values.max() ?? -.infinity
        case .matrix, .points: break
        }
        var largest = -Scalar.infinity
        forEachTile { range, tile in
            var maxima = [Scalar](repeating: 0, count: range.count)
            var span = maxima.mutableSpan
            Scalar.rowMaximum(rows: range.count, columns: columns, of: tile, into: &span)
            largest = Swift.max(largest, maxima.max()!)
        }
        return largest
    }

    /// Calls `body` for all rows, some at a time, with their costs.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func forEachTile(_ body: (Range<Int>, Span<Scalar>) -> Void) {
        let height = tileRows
        if case .matrix(let c) = storage {
            for first in stride(from: 0, to: rows, by: height) {
                let range = first..<min(rows, first + height)
                body(range, c.span.extracting(range.lowerBound * columns..<range.upperBound * columns))
            }
            return
        }
        var tile = [Scalar](repeating: 0, count: height * columns)
        for first in stride(from: 0, to: rows, by: height) {
            let range = first..<min(rows, first + height)
            var whole = tile.mutableSpan
            var span = whole._mutatingExtracting(0..<range.count * columns)
            costs(ofRows: range, into: &span)
            body(range, span.span)
        }
    }

    /// Rows of a tile: about 512 KiB of them, which a second-level cache holds.
    var tileRows: Int { Swift.max(1, min(64, (1 << 19) / (columns * MemoryLayout<Scalar>.stride))) }
}

/// Where the first NaN or infinity is.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func firstNonFinite<Scalar: KernelScalar>(_ x: Span<Scalar>) -> Int? {
    // The largest magnitude is NaN or infinite if an element is.
    if Scalar.maxAbs(x).isFinite { return nil }
    return x.indices.first { !x[$0].isFinite }
}
