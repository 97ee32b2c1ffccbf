import Kernels
import LinearAlgebra

/// How much goes from where to where: a matrix of as many rows as there are sources and columns as targets, none of it negative, kept in
/// the form in which a method finds it. As a `LinearOperator` it transports vectors without being formed.
public protocol TransportPlan<Scalar>: LinearOperator {
    /// P·Y for a matrix of as many rows as there are targets.
    func multiplied(by y: Matrix<Scalar>) -> Matrix<Scalar>

    /// The entries above a threshold.
    func sparse(above threshold: Scalar) -> SparseMatrix<Scalar>
}

extension SparseMatrix: TransportPlan {
    public func multiplied(by y: Matrix<Scalar>) -> Matrix<Scalar> { self * y }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sparse(above threshold: Scalar) -> SparseMatrix {
        var offsets = [0], indices: [Int32] = [], kept: [Scalar] = []
        for i in 0..<rows {
            for k in rowOffsets[i]..<rowOffsets[i + 1] where values[k] > threshold {
                indices.append(columnIndices[k])
                kept.append(values[k])
            }
            offsets.append(kept.count)
        }
        // The order is that of a matrix that was accepted before.
        return try! SparseMatrix(rows: rows, columns: columns, rowOffsets: offsets, columnIndices: indices, values: kept)
    }
}
