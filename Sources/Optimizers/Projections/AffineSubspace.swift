import Kernels
import LinearAlgebra

/// {x : A x = b} for A of full row rank.
public struct AffineSubspace<Scalar: KernelScalar>: ConvexSet {
    private let matrix: Matrix<Scalar>
    private let right: [Scalar]
    private let inverse: Matrix<Scalar>

    /// - Throws: `LinearAlgebraError/singular(pivot:)` if rows of A depend on each other; what the SVD of A throws.
    public init(_ matrix: Matrix<Scalar>, equals right: [Scalar]) throws(LinearAlgebraError) {
        require(matrix.rows == right.count, "\(matrix.rows) equations with \(right.count) right sides; expected equal counts")
        let svd = try SVD(matrix), rank = svd.rank()
        if rank < matrix.rows { throw .singular(pivot: rank) }
        inverse = try svd.pseudoInverse()
        self.matrix = matrix
        self.right = right
    }

    /// x − A⁺ (A x − b).
    public func project(_ x: inout MutableSpan<Scalar>) {
        var residual = matrix * copy(of: x.span)
        for i in residual.indices { residual[i] -= right[i] }
        let correction = inverse * residual
        Scalar.axpy(-1, correction.span, &x)
    }
}
