import Kernels
import LinearAlgebra

extension Geometry {
    /// Costs of low rank, C = A Bᵀ, of which only the factors are kept: A has a row for each source, B one for each target.
    ///
    /// The same as points with the cost `dot`, −x·y, whose sources are the rows of −A.
    ///
    /// - Precondition: A and B have equally many columns, at least one.
    /// - Throws: as ``init(from:to:cost:)``.
    public init(costFactors a: Matrix<Scalar>, _ b: Matrix<Scalar>) throws(TransportError) {
        try self.init(from: -a, to: b, cost: .dot)
    }

    /// A and B with C = A Bᵀ, for costs of points that have a rank of about their dimension d; `nil` for others.
    ///
    ///     squaredEuclidean: A = [‖x‖², 1, −2x], B = [1, ‖y‖², y], rank d + 2          dot: A = −x, B = y
    ///     cosine:           A = [1, −x/‖x‖],    B = [1, y/‖y‖]
    ///
    /// Points are moved to the mean of both sets before, which changes no distance.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func costFactors() -> (source: Matrix<Scalar>, target: Matrix<Scalar>)? {
        guard case .points(let clouds) = storage else { return nil }
        let x = clouds.prepared.source, y = clouds.prepared.target
        switch clouds.cost {
        case .squaredEuclidean:
            return (joined([clouds.squares.source, [Scalar](repeating: 1, count: x.rows)], x, scale: -2),
                    joined([[Scalar](repeating: 1, count: y.rows), clouds.squares.target], y, scale: 1))
        case .cosine:
            return (joined([[Scalar](repeating: 1, count: x.rows)], x, scale: -1), joined([[Scalar](repeating: 1, count: y.rows)], y, scale: 1))
        case .dot: return (-x, y)
        case .euclidean: return nil
        }
    }

    /// C X, or Cᵀ X.
    ///
    /// - Complexity: O((n + m) r s) for costs of rank s, O(n m r) for others, for r columns of X; costs of points are never stored.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func costProduct(_ x: Matrix<Scalar>, transposed: Bool = false) -> Matrix<Scalar> {
        let expected = transposed ? rows : columns
        require(x.rows == expected, "\(x.rows) rows for \(expected) points; expected equally many")
        if let (a, b) = costFactors() {
            return transposed ? b * multiply(a, x, transposeA: true) : a * multiply(b, x, transposeA: true)
        }
        var result = Matrix<Scalar>.zeros(rows: transposed ? columns : rows, columns: x.columns)
        var elements = result.mutableSpan
        let stride = x.columns, columns = columns
        forEachTile { range, tile in
            let costs = MatrixView(tile, rows: range.count, columns: columns, rowStride: columns)
            if transposed {
                multiply(costs, x.view.submatrix(rows: range, columns: 0..<stride), transposeA: true, beta: 1, into: &elements, rowStride: stride)
            } else {
                var part = elements._mutatingExtracting(range.lowerBound * stride..<range.upperBound * stride)
                multiply(costs, x.view, into: &part, rowStride: stride)
            }
        }
        return result
    }
}

/// Some columns before those of a matrix that are scaled.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func joined<Scalar: KernelScalar>(_ first: [[Scalar]], _ matrix: Matrix<Scalar>, scale: Scalar) -> Matrix<Scalar> {
    var elements: [Scalar] = []
    elements.reserveCapacity(matrix.rows * (first.count + matrix.columns))
    for i in 0..<matrix.rows {
        for column in first { elements.append(column[i]) }
        let row = matrix.row(i)
        for k in row.indices { elements.append(scale * row[k]) }
    }
    return Matrix(rows: matrix.rows, columns: first.count + matrix.columns, elements: elements)
}
