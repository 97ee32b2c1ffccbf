import Kernels
import LinearAlgebra

/// M = diag(A): z = r / d, one pass.
public struct JacobiPreconditioner<Scalar: KernelScalar>: LinearOperator {
    private let inverse: [Scalar]
    public var rows: Int { inverse.count }
    public var columns: Int { inverse.count }

    /// - Parameter diagonal: of A.
    /// - Throws: `LinearAlgebraError.nonFinite`; `LinearAlgebraError.singular` for an element that is 0 or whose inverse overflows.
    public init(diagonal: [Scalar]) throws(LinearAlgebraError) {
        try requireFinite(diagonal.span)
        inverse = diagonal.map { 1 / $0 }
        if let i = inverse.firstIndex(where: { !$0.isFinite }) { throw .singular(pivot: i) }
    }

    /// Of an operator that knows its diagonal.
    ///
    /// - Throws: as ``init(diagonal:)``.
    public init(_ a: any RelaxableOperator<Scalar>) throws(LinearAlgebraError) { try self.init(diagonal: a.diagonal) }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) { Scalar.multiply(x, inverse.span, into: &y) }
    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { apply(y, into: &x) }

}
