import Kernels
import LinearAlgebra

/// A linear map from matrices to measurements, A(Z)ᵢ = ⟨Aᵢ, Z⟩, i < m.
///
/// Conform your own instrument with ``apply(_:)`` and ``adjoint(_:)``; the deviations follow from them. An operator that can do both
/// in one pass over its data overrides those.
public protocol MeasurementOperator<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar
    var rows: Int { get }
    var columns: Int { get }
    /// m.
    var count: Int { get }

    /// A(Z).
    func apply(_ z: Matrix<Scalar>) -> [Scalar]

    /// A*(v) = Σ vᵢ Aᵢ.
    func adjoint(_ v: [Scalar]) -> Matrix<Scalar>

    /// ‖A(Z) − y‖², and E ← A*(A(Z) − y).
    func squaredDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled e: inout Matrix<Scalar>) -> Scalar

    /// (1/m) ‖A(Z) − y‖₁, and D ← (1/m) Σ sign(⟨Aᵢ, Z⟩ − yᵢ) Aᵢ, with sign(0) = 0.
    func absoluteDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled d: inout Matrix<Scalar>) -> Scalar
}

extension MeasurementOperator {
    public func squaredDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled e: inout Matrix<Scalar>) -> Scalar {
        var r = apply(z)
        axpy(-1, y, &r)
        e = adjoint(r)
        return Scalar.dot(r.span, r.span)
    }

    public func absoluteDeviation(of z: Matrix<Scalar>, from y: [Scalar], pulled d: inout Matrix<Scalar>) -> Scalar {
        var r = apply(z)
        axpy(-1, y, &r)
        d = adjoint(signs(r, scale: 1 / Scalar(count)))
        return meanMagnitude(r)
    }

    func requireShape(_ z: Matrix<Scalar>) {
        require(z.rows == rows && z.columns == columns, "measurements of a \(z.rows)×\(z.columns) matrix; expected \(rows)×\(columns)")
    }

    func requireCount(_ y: Int) {
        require(y == count, "\(y) measurements of an operator that takes \(count)")
    }
}
