import Kernels
import LinearAlgebra
import Randomness

/// A distribution of random matrices S of d×m with E SᵀS = I, from which ``sample(_:rows:columns:random:)`` draws one.
///
/// Such a matrix keeps the lengths of the vectors of an n-dimensional space within 1 ± η with high probability, with
/// η ≈ √(n/d) for the good ones: the space is *embedded* in d dimensions. What d that needs, and what applying S costs, is
/// said with each distribution.
public protocol SketchDistribution: Sendable {
    /// Draws S, the same for equal `random`.
    ///
    /// - Parameters:
    ///   - rows: d, the size of the sketch.
    ///   - columns: m, the size of what is sketched.
    /// - Precondition: both are positive.
    func sample<Scalar: KernelScalar>(
        _ type: Scalar.Type, rows: Int, columns: Int, random: RandomStream
    ) -> any Sketch<Scalar>
}

/// A drawn sketching matrix S: a linear operator that is applied to whole matrices.
public protocol Sketch<Scalar>: LinearOperator {
    /// S·A.
    ///
    /// - Precondition: A has `columns` rows.
    func apply(to a: Matrix<Scalar>) -> Matrix<Scalar>

    /// S·A for a sparse A.
    ///
    /// - Precondition: A has `columns` rows.
    func apply(to a: SparseMatrix<Scalar>) -> Matrix<Scalar>
}

extension Sketch {
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        require(x.count == columns && y.count == rows,
                "a \(rows)×\(columns) sketch from \(x.count) to \(y.count) elements; expected \(columns) and \(rows)")
        let x = Matrix(rows: columns, columns: 1, elements: uninitializedArray(count: columns) { copy(x, &$0) })
        copy(apply(to: x).span, &y)
    }

    public func apply(to a: SparseMatrix<Scalar>) -> Matrix<Scalar> { apply(to: a as any LinearOperator<Scalar>) }

    /// S·A for an operator, a row at a time: Aᵀ (Sᵀ eᵢ). Costs as many products with Sᵀ and Aᵀ as there are `rows`.
    ///
    /// - Precondition: A has `columns` rows.
    public func apply(to a: any LinearOperator<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        var result = Matrix<Scalar>.zeros(rows: rows, columns: a.columns)
        var unit = [Scalar](repeating: 0, count: rows)
        for i in 0..<rows {
            unit[i] = 1
            let pulled = applyAdjoint(unit)
            unit[i] = 0
            var row = result.mutableRow(i)
            a.applyAdjoint(pulled.span, into: &row)
        }
        return result
    }

    /// A·Sᵀ, the sketch of A's rows.
    ///
    /// - Precondition: A has `columns` columns.
    public func applyToRows(of a: Matrix<Scalar>) -> Matrix<Scalar> { apply(to: a.transposed()).transposed() }

    func requireRows(_ aRows: Int, _ aColumns: Int) {
        require(aRows == columns, "a \(rows)×\(columns) sketch of a \(aRows)×\(aColumns) matrix; expected \(columns) rows")
    }

    func requireAdjoint(_ y: Int, _ x: Int) {
        require(y == rows && x == columns,
                "the adjoint of a \(rows)×\(columns) sketch from \(y) to \(x) elements; expected \(rows) and \(columns)")
    }
}

func requireSketch(_ rows: Int, _ columns: Int) {
    require(rows >= 1 && columns >= 1, "a sketch of \(rows)×\(columns); expected positive sizes")
}
