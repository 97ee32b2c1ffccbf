import Kernels
import LinearAlgebra

/// Every element measured, A(Z) = Z: matrix factorisation as a special case of sensing, and what infinitely many Gaussian measurements come to.
///
/// The mean squared deviation of Gaussian measurements is ‖Δ‖², with pullback Δ, for Δ = Z − M. Their mean absolute deviation is √(2/π) ‖Δ‖_F, with
/// pullback √(2/π) Δ/‖Δ‖_F: that, without the factor, is the absolute deviation here, not the sum over elements.
public struct WholeMatrixMeasurements<Scalar: KernelScalar>: MeasurementOperator {
    public let rows: Int, columns: Int
    public var count: Int { rows * columns }

    /// - Precondition: positive sizes.
    public init(rows: Int, columns: Int) {
        require(rows >= 1 && columns >= 1, "measurements of a \(rows)×\(columns) matrix; expected positive sizes")
        (self.rows, self.columns) = (rows, columns)
    }

    public func apply(_ z: Matrix<Scalar>) -> [Scalar] {
        requireShape(z)
        return z.elements
    }

    public func adjoint(_ v: [Scalar]) -> Matrix<Scalar> {
        requireCount(v.count)
        return Matrix(rows: rows, columns: columns, elements: v)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func squaredDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled e: inout Matrix<Scalar>) -> Scalar {
        requireShape(z)
        requireCount(y.count)
        var difference = e.mutableSpan
        Scalar.subtract(z.span, y.span, into: &difference)
        return Scalar.dot(e.span, e.span)
    }

    /// ‖Z − M‖_F and Δ/‖Δ‖_F; 0 at Z = M.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func absoluteDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled d: inout Matrix<Scalar>) -> Scalar {
        requireShape(z)
        requireCount(y.count)
        var difference = d.mutableSpan
        Scalar.subtract(z.span, y.span, into: &difference)
        let norm = Scalar.nrm2(d.span)
        if norm != 0 {
            var span = d.mutableSpan
            Scalar.scale(1 / norm, &span)
        }
        return norm
    }
}
