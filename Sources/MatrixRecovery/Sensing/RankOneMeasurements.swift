import Kernels
import LinearAlgebra
import Randomness

/// Measurements aᵢᵀ Z bᵢ: Aᵢ = aᵢ bᵢᵀ, of which two vectors are kept. With a = b the quadratic sampling of phase retrieval.
///
/// The choice for large matrices, at m (rows + columns) numbers. They are no isometry on all low-rank matrices as Gaussian ones are, and what is
/// proved of those does not hold for them.
public struct RankOneMeasurements<Scalar: KernelScalar>: MeasurementOperator {
    /// The aᵢ and the bᵢ, in rows.
    public let left: Matrix<Scalar>, right: Matrix<Scalar>
    public var rows: Int { left.columns }
    public var columns: Int { right.columns }
    public var count: Int { left.rows }

    /// - Precondition: as many aᵢ as bᵢ, at least one.
    public init(left: Matrix<Scalar>, right: Matrix<Scalar>) {
        require(left.rows == right.rows && left.rows >= 1, "\(left.rows) left and \(right.rows) right vectors; expected equally many, at least 1")
        (self.left, self.right) = (left, right)
    }

    /// Independent normal vectors with E ‖A(Z)‖² = ‖Z‖²; a = b if `symmetric`, which adds the squares of the trace and the transpose.
    ///
    /// - Precondition: positive sizes; equal ones if symmetric.
    public init(rows: Int, columns: Int, count: Int, symmetric: Bool = false, seed: UInt64 = 0) {
        require(count >= 1, "\(count) measurements; expected at least 1")
        require(!symmetric || rows == columns, "symmetric measurements of a \(rows)×\(columns) matrix; expected a square one")
        let deviation = 1 / Scalar(count).squareRoot().squareRoot()
        func vectors(_ size: Int, _ stream: UInt64) -> Matrix<Scalar> {
            var random = RandomStream(seed: seed, stream: stream)
            return Matrix(rows: count, columns: size, elements: random.normal(count: count * size, mean: 0, standardDeviation: deviation))
        }
        let left = vectors(rows, 6)
        self.init(left: left, right: symmetric ? left : vectors(columns, 7))
    }

    /// O(m rows columns) operations, in a matrix product.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ z: Matrix<Scalar>) -> [Scalar] {
        requireShape(z)
        let product = left * z
        return (0..<count).map { Scalar.dot(product.row($0), right.row($0)) }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func adjoint(_ v: [Scalar]) -> Matrix<Scalar> {
        requireCount(v.count)
        var weighted = right
        for i in 0..<count {
            var row = weighted.mutableRow(i)
            Scalar.scale(v[i], &row)
        }
        return multiply(left, weighted, transposeA: true)
    }
}
