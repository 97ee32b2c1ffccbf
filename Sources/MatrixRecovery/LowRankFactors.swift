import Kernels
import LinearAlgebra

/// A matrix of rank at most k as a product U·Vᵀ.
public struct LowRankFactors<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    /// U, rows × k.
    public var left: Matrix<Scalar>
    /// V, columns × k.
    public var right: Matrix<Scalar>

    /// - Precondition: as many columns in both.
    public init(left: Matrix<Scalar>, right: Matrix<Scalar>) {
        require(left.columns == right.columns, "factors of rank \(left.columns) and \(right.columns); expected equal ranks")
        (self.left, self.right) = (left, right)
    }

    /// The factors from U and V row after row, as the iterate of a solver has them.
    ///
    /// - Precondition: (rows + columns) · rank parameters.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(rows: Int, columns: Int, rank: Int, parameters: [Scalar]) {
        require(parameters.count == (rows + columns) * rank,
                "\(parameters.count) parameters of factors of \(rows)×\(columns), rank \(rank); expected \((rows + columns) * rank)")
        left = Matrix(rows: rows, columns: rank, elements: Array(parameters[..<(rows * rank)]))
        right = Matrix(rows: columns, columns: rank, elements: Array(parameters[(rows * rank)...]))
    }

    public var rows: Int { left.rows }
    public var columns: Int { right.rows }
    public var rank: Int { left.columns }

    /// U and V, row after row.
    public var parameters: [Scalar] { left.elements + right.elements }

    /// The element at a place of U·Vᵀ. O(k).
    public subscript(row: Int, column: Int) -> Scalar { Scalar.dot(left.row(row), right.row(column)) }

    /// U·Vᵀ.
    public var product: Matrix<Scalar> { multiply(left, right, transposeB: true) }
}
