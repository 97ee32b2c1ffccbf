import Kernels

/// op(T)⁻¹·B for a triangular T, one solution in each column (BLAS `trsm`, row-major, no transposition).
///
/// Only `triangle` is read; with `unitDiagonal` the diagonal counts as ones and is not read either.
///
/// - Precondition: T is square; B has as many rows.
/// - Throws: ``LinearAlgebraError/singular(pivot:)`` if a diagonal element is exactly zero;
///   ``LinearAlgebraError/nonFinite(row:column:)`` for T or B; ``LinearAlgebraError/overflow(operation:)``.
/// - Complexity: n² operations for each column.
public func solveTriangular<Scalar: KernelScalar>(
    _ t: Matrix<Scalar>, _ b: Matrix<Scalar>, triangle: Triangle, transpose: Bool = false, unitDiagonal: Bool = false
) throws(LinearAlgebraError) -> Matrix<Scalar> {
    requireSquare(t.rows, t.columns, "triangular solve")
    require(b.rows == t.rows, "triangular solve: right-hand side has \(b.rows) rows; expected \(t.rows)")
    try t.requireFinite(triangle, unitDiagonal: unitDiagonal)
    try b.requireFinite()
    if !unitDiagonal, let pivot = t.diagonal.firstIndex(of: 0) { throw .singular(pivot: pivot) }
    guard !b.isEmpty else { return b }
    var x = b
    unsafe t.storage.withUnsafeBufferPointer { t in
        unsafe x.storage.withUnsafeMutableBufferPointer { x in
            if b.columns == 1 {
                unsafe Scalar.trsv(triangle, transpose, unitDiagonal, b.rows, t.baseAddress!, b.rows, x.baseAddress!)
            } else {
                unsafe Scalar.trsm(triangle, transpose, unitDiagonal, b.rows, b.columns, t.baseAddress!, b.rows, x.baseAddress!)
            }
        }
    }
    return try x.checkedResult("triangular solve")
}

/// op(T)⁻¹·b for a triangular T.
///
/// - Precondition: T is square; `b` has as many elements as T has rows.
/// - Throws: as for a matrix of right-hand sides.
public func solveTriangular<Scalar: KernelScalar>(
    _ t: Matrix<Scalar>, _ b: [Scalar], triangle: Triangle, transpose: Bool = false, unitDiagonal: Bool = false
) throws(LinearAlgebraError) -> [Scalar] {
    let b = Matrix(rows: b.count, columns: 1, elements: b)
    return try solveTriangular(t, b, triangle: triangle, transpose: transpose, unitDiagonal: unitDiagonal).storage
}

/// An estimate of 1 / (‖T‖₁·‖T⁻¹‖₁) for a triangular T (LAPACK `trcon`), from 0 (singular) to 1.
///
/// - Precondition: T is square.
/// - Throws: ``LinearAlgebraError/nonFinite(row:column:)``.
/// - Complexity: O(n²).
public func reciprocalCondition<Scalar: KernelScalar>(
    ofTriangular t: Matrix<Scalar>, triangle: Triangle, unitDiagonal: Bool = false
) throws(LinearAlgebraError) -> Scalar {
    requireSquare(t.rows, t.columns, "condition estimate")
    try t.requireFinite(triangle, unitDiagonal: unitDiagonal)
    var result: Scalar = 0
    // As it lies, T is LAPACK's Tᵀ, whose infinity norm is the 1-norm of T.
    let info = unsafe Scalar.trcon(CChar("I"), triangle.swapped, CChar(unitDiagonal ? "U" : "N"), t.rows, t.storage, &result)
    try checkArguments(info, "condition estimate")
    return result
}
