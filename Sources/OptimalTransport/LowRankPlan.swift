import Kernels
import LinearAlgebra

/// A plan of low rank, P = Q diag(1/h) Rᵀ with Q1 = a, R1 = b and Qᵀ1 = Rᵀ1 = h: mass goes from sources to r places and from there to targets.
///
/// - Complexity: O((n + m) r) for each vector, in as much memory.
public struct LowRankPlan<Scalar: KernelScalar>: TransportPlan, Codable {
    /// Q, n × r: how much of each source goes to each place.
    public let source: Matrix<Scalar>
    /// R, m × r: how much each target gets from each place.
    public let target: Matrix<Scalar>
    /// h: what passes through each place.
    public let places: [Scalar]

    public var rows: Int { source.rows }
    public var columns: Int { target.rows }
    /// r.
    public var rank: Int { places.count }

    init(source: Matrix<Scalar>, target: Matrix<Scalar>, places: [Scalar]) {
        (self.source, self.target, self.places) = (source, target, places)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) { pass(target, x, source, &y) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { pass(source, y, target, &x) }

    private func pass(_ first: Matrix<Scalar>, _ x: Span<Scalar>, _ second: Matrix<Scalar>, _ y: inout MutableSpan<Scalar>) {
        var between = [Scalar](repeating: 0, count: rank)
        var span = between.mutableSpan
        multiply(first, x, transpose: true, into: &span)
        for k in span.indices { span[k] /= places[k] }
        multiply(second, span.span, into: &y)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func multiplied(by y: Matrix<Scalar>) -> Matrix<Scalar> {
        var between = LinearAlgebra.multiply(target, y, transposeA: true)
        for k in 0..<rank {
            var row = between.mutableRow(k)
            Scalar.scale(1 / places[k], &row)
        }
        return source * between
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func dense() -> Matrix<Scalar> { LinearAlgebra.multiply(share, target, transposeB: true) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sparse(above threshold: Scalar) -> SparseMatrix<Scalar> {
        let share = share
        var offsets = [0], indices: [Int32] = [], values: [Scalar] = []
        for first in stride(from: 0, to: rows, by: 64) {
            let range = first..<min(rows, first + 64)
            let tile = LinearAlgebra.multiply(share.submatrix(rows: range, columns: 0..<rank), target, transposeB: true)
            for i in 0..<range.count {
                let row = tile.row(i)
                for j in row.indices where row[j] > threshold {
                    indices.append(Int32(j))
                    values.append(row[j])
                }
                offsets.append(values.count)
            }
        }
        // Columns rise within each row as they are met.
        return try! SparseMatrix(rows: rows, columns: columns, rowOffsets: offsets, columnIndices: indices, values: values)
    }

    /// Q diag(1/h).
    private var share: Matrix<Scalar> {
        var share = source
        let inverse = places.map { 1 / $0 }
        var span = share.mutableSpan
        Scalar.multiplyRow(rows: rows, columns: rank, source.span, inverse.span, into: &span)
        return share
    }
}
