import Kernels
import LinearAlgebra

/// P = diag(U) exp(−C/ε) diag(V), of which only the factors are kept: vectors are transported by a pass over the costs, and entries are
/// made on demand.
///
/// - Complexity: O(n m) for each product, and O(n + m) memory beyond the costs.
public struct GibbsPlan<Scalar: KernelScalar>: TransportPlan {
    let geometry: Geometry<Scalar>
    let scaling: GibbsScaling<Scalar>

    public var rows: Int { geometry.rows }
    public var columns: Int { geometry.columns }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        require(x.count == columns && y.count == rows, "\(x.count) elements to \(y.count) by a \(rows)×\(columns) plan")
        var v = scaling.columnScales
        for j in v.indices { v[j] *= x[j] }
        var shifts = scaling.rowShifts, sums = [Scalar](repeating: 0, count: rows), scales = sums, none: [Double] = []
        geometry.gibbsPass(
            scale: scaling.scale, rowShifts: &shifts, columnShifts: scaling.columnShifts, columnScales: v, rule: .multiply,
            weights: scaling.rowScales, offsets: [], rowSums: &sums, rowScales: &scales, columnTotals: &none)
        copy(scales.span, &y)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        require(y.count == rows && x.count == columns, "\(y.count) elements to \(x.count) by the adjoint of a \(rows)×\(columns) plan")
        var u = scaling.rowScales
        for i in u.indices { u[i] *= y[i] }
        var shifts = scaling.rowShifts, sums = [Scalar](repeating: 0, count: rows), totals = [Double](repeating: 0, count: columns)
        geometry.gibbsPass(
            scale: scaling.scale, rowShifts: &shifts, columnShifts: scaling.columnShifts, columnScales: scaling.columnScales, rule: .fixed,
            weights: u, offsets: [], rowSums: &sums, rowScales: &u, columnTotals: &totals)
        for j in x.indices { x[j] = Scalar(totals[j] * Double(scaling.columnScales[j])) }
    }

    /// Calls `body` for all rows, some at a time, with their entries and reduced costs.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func forEachTile(_ body: (_ rows: Range<Int>, _ plan: Span<Scalar>, _ reducedCosts: Span<Scalar>) -> Void) {
        var entries = [Scalar](repeating: 0, count: geometry.tileRows * columns)
        geometry.forEachReducedTile { range, cost in
            var whole = entries.mutableSpan
            var tile = whole._mutatingExtracting(0..<range.count * columns)
            Scalar.gibbsPlan(
                rows: range.count, columns: columns, cost: cost, scale: scaling.scale, rowShifts: scaling.rowShifts.span.extracting(range),
                columnShifts: scaling.columnShifts.span, rowScales: scaling.rowScales.span.extracting(range),
                columnScales: scaling.columnScales.span, into: &tile)
            body(range, tile.span, cost)
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func dense() -> Matrix<Scalar> {
        var result = Matrix<Scalar>.zeros(rows: rows, columns: columns)
        var elements = result.mutableSpan
        forEachTile { range, plan, _ in
            var part = elements._mutatingExtracting(range.lowerBound * columns..<range.upperBound * columns)
            copy(plan, &part)
        }
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func multiplied(by y: Matrix<Scalar>) -> Matrix<Scalar> {
        require(y.rows == columns, "product of a \(rows)×\(columns) plan by \(y.rows)×\(y.columns)")
        // A pass over a grid is far cheaper than its pairs are.
        if case .grid = geometry.storage {
            let images = (0..<y.columns).map { apply(y.column($0)) }
            return Matrix(rows: rows, columns: y.columns) { images[$1][$0] }
        }
        var result = Matrix<Scalar>.zeros(rows: rows, columns: y.columns)
        var elements = result.mutableSpan
        forEachTile { range, plan, _ in
            var part = elements._mutatingExtracting(range.lowerBound * y.columns..<range.upperBound * y.columns)
            multiply(MatrixView(plan, rows: range.count, columns: columns, rowStride: columns), y.view, into: &part, rowStride: y.columns)
        }
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sparse(above threshold: Scalar) -> SparseMatrix<Scalar> {
        if case .sparse(let costs) = geometry.storage { return costs.plan(scaling).sparse(above: threshold) }
        var offsets = [0], indices: [Int32] = [], values: [Scalar] = []
        forEachTile { range, plan, _ in
            for i in 0..<range.count {
                for j in 0..<columns where plan[i * columns + j] > threshold {
                    indices.append(Int32(j))
                    values.append(plan[i * columns + j])
                }
                offsets.append(values.count)
            }
        }
        // Columns rise within each row as they are met.
        return try! SparseMatrix(rows: rows, columns: columns, rowOffsets: offsets, columnIndices: indices, values: values)
    }

    /// ⟨P, reduced costs⟩ with the marginals.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func reducedCost() -> Double {
        switch geometry.storage {
        case .grid(let grid): return grid.reducedCost(scaling)
        case .sparse(let sparse): return Double(Scalar.dot(sparse.plan(scaling).values.span, sparse.costs.values.span))
        case .matrix, .points: break
        }
        var sum = 0.0
        forEachTile { range, plan, cost in
            for i in 0..<range.count {
                sum += Double(Scalar.dot(plan.extracting(i * columns..<(i + 1) * columns), cost.extracting(i * columns..<(i + 1) * columns)))
            }
        }
        return sum
    }
}
