import Kernels
import LinearAlgebra

/// Symmetric successive over-relaxation as a preconditioner for symmetric A = L + D + Lᵀ with positive D:
///
///     M = ω/(2 − ω) (D/ω + L) D⁻¹ (D/ω + Lᵀ)
///
/// One application is a forward and a backward triangular solve; 1 ≥ all eigenvalues of M⁻¹A > 0 if A is positive definite. Where the
/// method is conjugate gradients, ``SSORConjugateGradient`` gives the same iterates without the product with A.
///
/// Source: Axelsson 1972; ω is what "Learning to Relax" tunes.
public struct SSORPreconditioner<Scalar: KernelScalar>: LinearOperator {
    public let base: any RelaxableOperator<Scalar>
    public let relaxation: Scalar
    /// D (2 − ω)/ω.
    private let factors: [Scalar]
    private let pool: WorkspacePool<Workspace>
    public var rows: Int { base.rows }
    public var columns: Int { base.columns }

    /// - Parameter relaxation: ω in (0, 2); 1 is symmetric Gauss–Seidel.
    /// - Precondition: A is square.
    /// - Throws: `LinearAlgebraError.singular` for an element of the diagonal that is 0 or not finite.
    public init(_ a: any RelaxableOperator<Scalar>, relaxation: Scalar = 1) throws(LinearAlgebraError) {
        require(relaxation > 0 && relaxation < 2, "relaxation factor is \(relaxation); expected one in (0, 2)")
        require(a.rows == a.columns, "SSOR with a \(a.rows)×\(a.columns) operator; expected a square one")
        let diagonal = a.diagonal
        if let i = diagonal.firstIndex(where: { $0 == 0 || !$0.isFinite }) { throw .singular(pivot: i) }
        (base, self.relaxation) = (a, relaxation)
        factors = diagonal.map { $0 * ((2 - relaxation) / relaxation) }
        let n = a.rows, count = a.workCount
        pool = WorkspacePool { Workspace(middle: [Scalar](repeating: 0, count: n), work: [Scalar](repeating: 0, count: count)) }
    }

    private struct Workspace: Sendable {
        var middle: [Scalar], work: [Scalar]
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        var workspace = pool.take()
        apply(x, into: &y, &workspace.middle, &workspace.work)
        pool.giveBack(workspace)
    }

    @inline(__always)
    private func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>, _ middle: inout [Scalar], _ work: inout [Scalar]) {
        var m = middle.mutableSpan, w = work.mutableSpan
        base.solveTriangle(x, into: &y, relaxation: relaxation, upper: false, work: &w)
        Scalar.multiply(y.span, factors.span, into: &m)
        base.solveTriangle(m.span, into: &y, relaxation: relaxation, upper: true, work: &w)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { apply(y, into: &x) }
}
