import Kernels

/// How small ‖b − A·x‖₂ must be. Reached at equality too, so that 0 asks for an exact solution.
///
/// Differs from SciPy: one number with one reference, not the larger of two tolerances. SciPy's `rtol` is
/// ``relativeToRightHandSide(_:)``; its `atol` is ``absolute(_:)``.
public struct ResidualTolerance: Sendable, Hashable, Codable {
    private enum Reference: Sendable, Hashable, Codable { case rightHandSide, initialResidual, one }
    private let factor: Double
    private let reference: Reference

    private init(_ factor: Double, _ reference: Reference) {
        require(factor >= 0, "tolerance is \(factor); expected at least 0")
        (self.factor, self.reference) = (factor, reference)
    }

    /// `factor` · ‖b‖₂.
    public static func relativeToRightHandSide(_ factor: Double) -> Self { Self(factor, .rightHandSide) }

    /// `factor` · ‖b − A·x₀‖₂, for the start x₀ of the run.
    public static func relativeToInitialResidual(_ factor: Double) -> Self { Self(factor, .initialResidual) }

    /// `bound` itself.
    public static func absolute(_ bound: Double) -> Self { Self(bound, .one) }

    /// √ε·‖b‖₂, ε being the spacing of `Scalar` at 1: 1.5e-8 for `Double`, 3.5e-4 for `Float`.
    public static func standard<Scalar: KernelScalar>(_: Scalar.Type) -> Self {
        .relativeToRightHandSide(Double(Scalar.ulpOfOne.squareRoot()))
    }

    /// The bound of a run. NaN if the reference is not finite.
    public func bound<Scalar: KernelScalar>(rightHandSide: Span<Scalar>, initialResidual: Scalar) -> Scalar {
        let size: Double = switch reference {
        case .rightHandSide: Double(Scalar.nrm2(rightHandSide))
        case .initialResidual: Double(initialResidual)
        case .one: 1
        }
        return size.isFinite ? Scalar(factor * size) : .nan
    }
}
