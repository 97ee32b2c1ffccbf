import Kernels
import LinearAlgebra

/// Two sets of points, prepared for one of the costs.
struct PointClouds<Scalar: KernelScalar>: Sendable {
    let source: Matrix<Scalar>
    let target: Matrix<Scalar>
    let cost: PointCost
    /// The points that products are taken of: scaled to length 1 for the cosine, moved to the mean of both sets for distances, which
    /// that does not change and which it saves from cancellation.
    let prepared: (source: Matrix<Scalar>, target: Matrix<Scalar>)
    /// The prepared points, a line for each coordinate.
    let coordinates: (source: Matrix<Scalar>, target: Matrix<Scalar>)
    /// ‖x‖² of the prepared points; zeros where the cost needs none.
    let squares: (source: [Scalar], target: [Scalar])

    var dimension: Int { source.columns }

    /// Distances coordinate by coordinate up to here; by products of matrices beyond.
    static var directDimension: Int { 8 }
    var isDirect: Bool { dimension <= Self.directDimension }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ source: Matrix<Scalar>, _ target: Matrix<Scalar>, _ cost: PointCost) {
        (self.source, self.target, self.cost) = (source, target, cost)
        var x = source, y = target
        switch cost {
        case .squaredEuclidean, .euclidean:
            let center = Self.mean(x, y)
            Self.move(&x, by: center)
            Self.move(&y, by: center)
        case .cosine:
            Self.normalize(&x)
            Self.normalize(&y)
        case .dot: break
        }
        prepared = (x, y)
        coordinates = (x.transposed(), y.transposed())
        squares = cost == .squaredEuclidean || cost == .euclidean
            ? (Self.squares(x), Self.squares(y))
            : ([Scalar](repeating: 0, count: x.rows), [Scalar](repeating: 0, count: y.rows))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func mean(_ x: Matrix<Scalar>, _ y: Matrix<Scalar>) -> [Scalar] {
        var sums = [Double](repeating: 0, count: x.columns)
        for points in [x, y] {
            for i in 0..<points.rows {
                let row = points.row(i)
                for k in row.indices { sums[k] += Double(row[k]) }
            }
        }
        return sums.map { Scalar($0 / Double(x.rows + y.rows)) }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func move(_ points: inout Matrix<Scalar>, by center: [Scalar]) {
        for i in 0..<points.rows {
            var row = points.mutableRow(i)
            for k in row.indices { row[k] -= center[k] }
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func normalize(_ points: inout Matrix<Scalar>) {
        for i in 0..<points.rows {
            var row = points.mutableRow(i)
            let length = Scalar.nrm2(row.span)
            if length > 0 { for k in row.indices { row[k] /= length } }
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func squares(_ points: Matrix<Scalar>) -> [Scalar] {
        (0..<points.rows).map { Scalar.dot(points.row($0), points.row($0)) }
    }

    /// The costs of `rows` to all targets, row after row.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func costs(ofRows rows: Range<Int>, into tile: inout MutableSpan<Scalar>) {
        let columns = target.rows
        guard isDirect, cost == .squaredEuclidean || cost == .euclidean else { return costsByProduct(ofRows: rows, into: &tile) }
        var work = [Scalar](repeating: 0, count: columns)
        var difference = work.mutableSpan
        for i in rows {
            var row = tile._mutatingExtracting((i - rows.lowerBound) * columns..<(i - rows.lowerBound + 1) * columns)
            row.update(repeating: 0)
            for k in 0..<dimension {
                Scalar.affine(1, coordinates.target.row(k), -prepared.source[i, k], into: &difference)
                Scalar.multiplyAccumulate(difference.span, difference.span, into: &row)
            }
            if cost == .euclidean { Scalar.sqrt(&row) }
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func costsByProduct(ofRows rows: Range<Int>, into tile: inout MutableSpan<Scalar>) {
        let columns = target.rows
        products(ofRows: rows, into: &tile)
        for i in rows {
            var row = tile._mutatingExtracting((i - rows.lowerBound) * columns..<(i - rows.lowerBound + 1) * columns)
            switch cost {
            case .dot: break
            case .cosine:
                for j in row.indices { row[j] += 1 }
            case .squaredEuclidean, .euclidean:
                let square = squares.source[i]
                for j in row.indices { row[j] = Scalar.maximum(0, row[j] + (square + squares.target[j])) }
                if cost == .euclidean { Scalar.sqrt(&row) }
            }
        }
    }

    /// −x·y of the prepared points, or −2 x·y for distances: what of the cost is not a term of the row or the column alone.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func products(ofRows rows: Range<Int>, into tile: inout MutableSpan<Scalar>) {
        let x = prepared.source.view.submatrix(rows: rows, columns: 0..<dimension), y = prepared.target.view
        multiply(x, y, transposeB: true, alpha: cost == .squaredEuclidean || cost == .euclidean ? -2 : -1, into: &tile, rowStride: target.rows)
    }
}
