import Kernels
import LinearAlgebra
import Randomness

/// Measurements with independent normal Aᵢ, kept as a matrix of m rows.
///
/// With deviation 1/√m the operator is an isometry in the mean, E ‖A(Z)‖² = ‖Z‖²; for matrices of rank k it is one within 1 ± δ from
/// m of the order of (rows + columns) k/δ² on. The Aᵢ are not symmetric: symmetric ones are blind to the skew part of Z, and descent on
/// two factors then does not converge.
///
/// Memory: m · rows · columns numbers. A deviation and its pullback read them once.
public struct GaussianMeasurements<Scalar: KernelScalar>: MeasurementOperator {
    public let rows: Int, columns: Int
    /// Row i is Aᵢ, row after row.
    public let matrix: Matrix<Scalar>
    public var count: Int { matrix.rows }

    /// - `deviation`: of the elements; default: 1/√m.
    /// - Precondition: positive sizes.
    public init(rows: Int, columns: Int, count: Int, deviation: Scalar? = nil, seed: UInt64 = 0) {
        require(count >= 1, "\(count) measurements; expected at least 1")
        var random = RandomStream(seed: seed, stream: 5)
        self.init(rows: rows, columns: columns, matrix: Matrix(rows: count, columns: rows * columns, elements: random.normal(
            count: count * rows * columns, mean: 0, standardDeviation: deviation ?? 1 / Scalar(count).squareRoot())))
    }

    /// Any dense operator.
    ///
    /// - Precondition: rows · columns columns.
    public init(rows: Int, columns: Int, matrix: Matrix<Scalar>) {
        require(rows >= 1 && columns >= 1, "measurements of a \(rows)×\(columns) matrix; expected positive sizes")
        require(matrix.columns == rows * columns, "measurement matrices of \(matrix.columns) elements; expected \(rows)·\(columns)")
        (self.rows, self.columns, self.matrix) = (rows, columns, matrix)
    }

    public func apply(_ z: Matrix<Scalar>) -> [Scalar] {
        requireShape(z)
        return matrix * z.elements
    }

    public func adjoint(_ v: [Scalar]) -> Matrix<Scalar> {
        requireCount(v.count)
        return Matrix(rows: rows, columns: columns, elements: matrix.applyAdjoint(v))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func squaredDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled e: inout Matrix<Scalar>) -> Scalar {
        requireShape(z)
        requireCount(y.count)
        var r = y
        var residual = r.mutableSpan, pulled = e.mutableSpan
        Scalar.residualPullback(rows: count, columns: rows * columns, of: matrix.span, z.span, y.span, into: &residual, pulled: &pulled)
        Scalar.scale(-1, &pulled)
        return Scalar.dot(r.span, r.span)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func absoluteDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled d: inout Matrix<Scalar>) -> Scalar {
        requireShape(z)
        requireCount(y.count)
        var r = y
        var residual = r.mutableSpan, pulled = d.mutableSpan
        Scalar.signPullback(rows: count, columns: rows * columns, of: matrix.span, z.span, y.span, into: &residual, pulled: &pulled)
        Scalar.scale(-1 / Scalar(count), &pulled)
        return meanMagnitude(r)
    }
}
