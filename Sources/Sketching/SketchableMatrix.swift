import Kernels
import LinearAlgebra

/// A matrix that sketches and least-squares iterations can read: `Matrix` and `SparseMatrix` are, and so is any operator that is
/// wrapped in ``OperatorMatrix``.
public protocol SketchableMatrix<Scalar>: LinearOperator {
    /// S·A.
    ///
    /// - Precondition: S has as many columns as A has rows.
    func sketched(by sketch: any Sketch<Scalar>) -> Matrix<Scalar>

    /// r ← b − A x and g ← Aᵀ r. A dense matrix is read once for both.
    ///
    /// - Precondition: `x` and `g` have `columns` elements, `b` and `r` have `rows`.
    func residualPullback(
        _ x: Span<Scalar>, _ b: Span<Scalar>, into r: inout MutableSpan<Scalar>, pulled g: inout MutableSpan<Scalar>)

    /// A·B for a few columns B.
    ///
    /// - Precondition: B has as many rows as A has columns.
    func applied(to block: Matrix<Scalar>) -> Matrix<Scalar>

    /// Aᵀ as such a matrix.
    func adjointMatrix() -> any SketchableMatrix<Scalar>

    /// Throws `LinearAlgebraError.nonFinite` with the place of a NaN or an infinity, if there is one.
    func requireFiniteElements() throws(LinearAlgebraError)
}

extension SketchableMatrix {
    public func applied(to block: Matrix<Scalar>) -> Matrix<Scalar> {
        require(block.rows == columns, "a \(rows)×\(columns) matrix times \(block.rows)×\(block.columns); expected \(columns) rows")
        let columns = block.transposed()
        var result = Matrix<Scalar>.zeros(rows: block.columns, columns: rows)
        for j in 0..<block.columns {
            var row = result.mutableRow(j)
            apply(columns.row(j), into: &row)
        }
        return result.transposed()
    }

    public func residualPullback(
        _ x: Span<Scalar>, _ b: Span<Scalar>, into r: inout MutableSpan<Scalar>, pulled g: inout MutableSpan<Scalar>
    ) {
        require(b.count == rows, "the residual of \(b.count) elements of a \(rows)×\(columns) matrix; expected \(rows)")
        apply(x, into: &r)
        subtract(from: b, &r)
        let residual = r.span
        applyAdjoint(residual, into: &g)
    }
}

/// r ← b − r.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func subtract<Scalar: KernelScalar>(from b: Span<Scalar>, _ r: inout MutableSpan<Scalar>) {
    Scalar.axpby(1, b, -1, &r)
}

extension Matrix: SketchableMatrix {
    public func sketched(by sketch: any Sketch<Scalar>) -> Matrix { sketch.apply(to: self) }

    public func residualPullback(
        _ x: Span<Scalar>, _ b: Span<Scalar>, into r: inout MutableSpan<Scalar>, pulled g: inout MutableSpan<Scalar>
    ) {
        Scalar.residualPullback(rows: rows, columns: columns, of: span, x, b, into: &r, pulled: &g)
    }

    public func applied(to block: Matrix) -> Matrix { self * block }

    public func adjointMatrix() -> any SketchableMatrix<Scalar> { transposed() }

    public func requireFiniteElements() throws(LinearAlgebraError) { try requireFinite() }
}

extension SparseMatrix: SketchableMatrix {
    public func sketched(by sketch: any Sketch<Scalar>) -> Matrix<Scalar> { sketch.apply(to: self) }

    public func applied(to block: Matrix<Scalar>) -> Matrix<Scalar> { self * block }

    public func adjointMatrix() -> any SketchableMatrix<Scalar> { transposed() }

    public func requireFiniteElements() throws(LinearAlgebraError) {
        guard let k = values.firstIndex(where: { !$0.isFinite }) else { return }
        // The row in which entry k lies.
        let row = rowOffsets.firstIndex { $0 > k }! - 1
        throw .nonFinite(row: row, column: Int(columnIndices[k]))
    }
}

/// An operator as a matrix for sketches and least squares. Sketching it applies its adjoint to each row of S.
public struct OperatorMatrix<Scalar: KernelScalar>: SketchableMatrix {
    public let base: any LinearOperator<Scalar>

    public init(_ base: any LinearOperator<Scalar>) { self.base = base }

    public var rows: Int { base.rows }
    public var columns: Int { base.columns }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) { base.apply(x, into: &y) }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { base.applyAdjoint(y, into: &x) }

    public func sketched(by sketch: any Sketch<Scalar>) -> Matrix<Scalar> { sketch.apply(to: base) }

    public func adjointMatrix() -> any SketchableMatrix<Scalar> {
        let base = base
        return OperatorMatrix(ClosureOperator(
            rows: columns, columns: rows, apply: { base.applyAdjoint($0, into: &$1) }, applyAdjoint: { base.apply($0, into: &$1) }))
    }

    /// Does nothing: an operator shows its elements in its products alone, which the solvers check.
    public func requireFiniteElements() {}
}
