import Kernels
import LinearAlgebra

// What every estimator does with its operator.

/// Stops unless the operator is square.
func requireSquare<Scalar: KernelScalar>(_ a: any LinearOperator<Scalar>) {
    require(a.rows == a.columns, "curvature of a \(a.rows)×\(a.columns) operator; expected a square one")
}

/// A·x, checked to be finite; `index` is its number in the error.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func product<Scalar: KernelScalar>(
    _ a: any LinearOperator<Scalar>, _ x: [Scalar], _ index: Int
) throws(CurvatureError) -> [Scalar] {
    let y = (a as? HessianOperator<Scalar>)?.product(x) ?? uninitializedArray(count: a.rows) { a.apply(x.span, into: &$0) }
    guard Scalar.maxAbs(y.span).isFinite else { throw .nonFinite(product: index) }
    return y
}

/// The product with each row of `x` as a row, by A or by Aᵀ; their numbers begin at `first`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func products<Scalar: KernelScalar>(
    _ a: any LinearOperator<Scalar>, rows x: Matrix<Scalar>, adjoint: Bool = false, numberedFrom first: Int
) throws(CurvatureError) -> Matrix<Scalar> {
    var y = Matrix<Scalar>.zeros(rows: x.rows, columns: a.rows)
    for i in 0..<x.rows {
        var row = y.mutableRow(i)
        if adjoint { a.applyAdjoint(x.row(i), into: &row) } else { a.apply(x.row(i), into: &row) }
        guard Scalar.maxAbs(row.span).isFinite else { throw .nonFinite(product: first + i) }
    }
    return y
}

/// `body`, with the errors of a factorisation as ours.
func factorizing<Result>(_ body: () throws -> Result) throws(CurvatureError) -> Result {
    do { return try body() } catch let error as LinearAlgebraError {
        throw .factorization(error)
    } catch {
        fatalError("\(error)")
    }
}
