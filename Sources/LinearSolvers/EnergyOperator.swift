import Kernels
import LinearAlgebra

/// An operator that gives xᵀA·x with the product, in the same pass. Conjugate gradients ask for it.
public protocol EnergyOperator<Scalar>: LinearOperator {
    /// y ← A·x.
    ///
    /// - Returns: xᵀ·y.
    func applyMeasuring(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) -> Scalar
}
