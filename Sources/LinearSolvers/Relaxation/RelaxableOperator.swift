import Kernels
import LinearAlgebra

/// A square operator A = L + D + U whose unknowns can be treated one after the other: what relaxation and SSOR ask for.
///
/// L lies below the diagonal D in the order of the unknowns, U above it. ``PoissonOperator`` and `SparseMatrix` conform.
public protocol RelaxableOperator<Scalar>: LinearOperator {
    /// D.
    var diagonal: [Scalar] { get }

    /// One sweep of successive over-relaxation: x ← x + ω (b − A·x)ᵢ / dᵢ for each i in turn.
    ///
    /// - Parameters:
    ///   - sequence: what ``sequence(_:)`` gives for this order.
    ///   - work: ``workCount`` elements, overwritten; here and below.
    /// - Returns: ‖b − A·x‖² of the new x if `measuring`, else 0.
    /// - Precondition: no dᵢ is 0.
    func relax(
        _ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>, relaxation: Scalar, order: RelaxationOrder, sequence: Span<Int32>, measuring: Bool,
        work: inout MutableSpan<Scalar>) -> Scalar

    /// The unknowns in the sequence of a sweep, where the operator does not find it by counting. Made once a run.
    func sequence(_ order: RelaxationOrder) -> [Int32]

    /// x ← (D/ω + L)⁻¹ b, or (D/ω + U)⁻¹ b if `upper`.
    func solveTriangle(
        _ b: Span<Scalar>, into x: inout MutableSpan<Scalar>, relaxation: Scalar, upper: Bool, work: inout MutableSpan<Scalar>)

    /// w ← (D/ω + L)⁻¹ (p + (1 − 2/ω) D t) and q ← p + ((1 − 1/ω) D + L) t; with p = (D/ω + U) t, q is A·t (Eisenstat's trick).
    func eisenstat(
        _ p: Span<Scalar>, _ t: Span<Scalar>, into w: inout MutableSpan<Scalar>, image q: inout MutableSpan<Scalar>, relaxation: Scalar,
        work: inout MutableSpan<Scalar>)

    var workCount: Int { get }
}

/// The order of a relaxation's sweep.
public enum RelaxationOrder: String, Sendable, Hashable, Codable, CaseIterable {
    /// The order of the unknowns: lexicographic on a grid.
    case forward
    case backward
    /// Forward, then backward: SSOR. Two passes a sweep.
    case symmetric
    /// Points of a grid whose indices have an even sum, then the others. Of a general matrix: by colours, no two neighbours having the same,
    /// each unknown taking the first colour free. Gives other iterates than `forward`, with the same asymptotic rate for consistently
    /// ordered matrices, and runs at the speed of memory.
    case redBlack
}

extension RelaxableOperator {
    /// None: the sequence follows from the indices.
    public func sequence(_ order: RelaxationOrder) -> [Int32] { [] }

    /// One sweep by itself; a general matrix finds its colours anew each time.
    public func relax(
        _ x: inout MutableSpan<Scalar>, _ b: Span<Scalar>, relaxation: Scalar, order: RelaxationOrder, measuring: Bool,
        work: inout MutableSpan<Scalar>
    ) -> Scalar {
        let sequence = sequence(order)
        return relax(&x, b, relaxation: relaxation, order: order, sequence: sequence.span, measuring: measuring, work: &work)
    }

    /// The first i with dᵢ zero or not finite.
    var badDiagonal: Int? { firstUnusable(diagonal) }

    func requireSweep(_ x: Int, _ b: Int, _ relaxation: Scalar, _ work: Int) {
        require(x == rows && b == rows, "a sweep of \(rows) unknowns over \(x) with \(b) right-hand elements; expected equally many")
        require(relaxation > 0, "relaxation factor is \(relaxation); expected a number above 0")
        require(work >= workCount, "work space of \(work) elements; expected \(workCount)")
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func firstUnusable<Scalar: KernelScalar>(_ diagonal: [Scalar]) -> Int? { diagonal.firstIndex { $0 == 0 || !$0.isFinite } }
