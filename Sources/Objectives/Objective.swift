import Kernels
import LinearAlgebra

/// A function f: ℝⁿ → ℝ to be minimised, with its gradient.
///
/// Arguments are whole vectors, lent as spans, so an array goes in without a copy: `objective.value(at: x.span)`.
/// Results are written to the caller's buffer. An objective does not throw: where f is undefined it returns NaN or ±∞,
/// which solvers report as ``SolverStatus/nonFinite``. The same point must give the same bits each time, or a resumed
/// run cannot repeat an uninterrupted one.
///
/// Solvers take `any Objective<Scalar>`: one dynamic call for each evaluation of a whole vector costs nothing that
/// can be measured.
public protocol Objective<Scalar> {
    associatedtype Scalar: KernelScalar

    /// The number of variables n.
    var dimension: Int { get }

    /// f(x).
    ///
    /// - Precondition: `x.count == dimension`.
    func value(at x: Span<Scalar>) -> Scalar

    /// f(x), with ∇f(x) written over all of `gradient`.
    ///
    /// - Precondition: `x.count == dimension` and `gradient.count == dimension`.
    func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar
}

extension Objective {
    /// Stops with a message that holds both numbers if a vector does not have the objective's dimension.
    @inlinable public func requireDimension(_ count: Int, _ what: StaticString = "point") {
        require(count == dimension, "\(what) has \(count) elements; the objective has dimension \(dimension)")
    }
}
