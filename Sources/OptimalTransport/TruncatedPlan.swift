import Kernels
import LinearAlgebra

/// An entropic plan between points of which only those pairs of tiles are kept that hold mass; the others' entries count as 0.
///
/// - Complexity: products take time in the kept pairs, in O(n + m) memory.
public struct TruncatedPlan<Scalar: KernelScalar>: TransportPlan {
    let kernel: TruncatedKernel<Scalar>
    let scaling: GibbsScaling<Scalar>
    /// The points as they were given, in the order of the kernel.
    let sourceOrder: [Int], targetOrder: [Int]

    public var rows: Int { sourceOrder.count }
    public var columns: Int { targetOrder.count }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        require(x.count == columns && y.count == rows, "\(x.count) elements to \(y.count) by a \(rows)×\(columns) plan")
        let image = kernel.product(scaling, targetOrder.map { x[$0] })
        for (k, i) in sourceOrder.enumerated() { y[i] = image[k] }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        require(y.count == rows && x.count == columns, "\(y.count) elements to \(x.count) by the adjoint of a \(rows)×\(columns) plan")
        let image = kernel.adjointProduct(scaling, sourceOrder.map { y[$0] })
        for (k, j) in targetOrder.enumerated() { x[j] = image[k] }
    }

    public func multiplied(by y: Matrix<Scalar>) -> Matrix<Scalar> {
        require(y.rows == columns, "product of a \(rows)×\(columns) plan by \(y.rows)×\(y.columns)")
        let images = (0..<y.columns).map { apply(y.column($0)) }
        return Matrix(rows: rows, columns: y.columns) { images[$1][$0] }
    }

    /// - Complexity: O(kept pairs), with an exponential in Double for each.
    public func sparse(above threshold: Scalar) -> SparseMatrix<Scalar> {
        var triplets: [SparseMatrix<Scalar>.Triplet] = []
        kernel.forEachEntry(scaling, above: threshold) { row, column, value in
            triplets.append(.init(row: sourceOrder[row], column: targetOrder[column], value: value))
        }
        // Each pair comes once, with a finite value.
        return try! SparseMatrix(rows: rows, columns: columns, triplets: triplets)
    }
}

extension TruncatedKernel {
    /// diag(U) K diag(V) x.
    func product(_ scaling: GibbsScaling<Scalar>, _ x: [Scalar]) -> [Scalar] {
        var shifts = scaling.rowShifts, sums = [Scalar](repeating: 0, count: shifts.count), scales = sums, none: [Double] = []
        pass(rowShifts: &shifts, columnShifts: scaling.columnShifts, columnScales: zip(scaling.columnScales, x).map { $0 * $1 }, rule: .multiply,
             weights: scaling.rowScales, rowSums: &sums, rowScales: &scales, columnTotals: &none)
        return scales
    }

    /// The transpose times y.
    func adjointProduct(_ scaling: GibbsScaling<Scalar>, _ y: [Scalar]) -> [Scalar] {
        var scales = zip(scaling.rowScales, y).map { $0 * $1 }, shifts = scaling.rowShifts, sums = scales
        var totals = [Double](repeating: 0, count: scaling.columnScales.count)
        pass(rowShifts: &shifts, columnShifts: scaling.columnShifts, columnScales: scaling.columnScales, rule: .fixed, weights: scales,
             rowSums: &sums, rowScales: &scales, columnTotals: &totals)
        return zip(totals, scaling.columnScales).map { Scalar($0 * Double($1)) }
    }
}
