import Kernels
import LinearAlgebra
import RealModule

/// The direct solver for a ``PoissonOperator``: sine or cosine transforms along each axis, a division by the eigenvalues, and back.
///
/// As an operator it applies A⁻¹; where A is singular (Neumann sides and no shift) the pseudo-inverse, which leaves out what A cannot reach. The
/// answer's relative error is a small multiple of ε times the condition of A.
///
/// - Complexity: O(n log n), fastest where each size + 1 (Dirichlet) or size (Neumann) has small prime factors.
public struct FastPoissonSolver<Scalar: KernelScalar & Real>: LinearOperator {
    public let base: PoissonOperator<Scalar>
    private let transform: TrigonometricTransform<Scalar>
    /// Eigenvalues along planes (one 0 in two dimensions), rows and columns, scale included.
    private let eigenvalues: [[Scalar]]
    /// What counts as an eigenvalue of 0.
    private let smallest: Scalar

    public var rows: Int { base.rows }
    public var columns: Int { base.columns }

    /// - Precondition: both ends of an axis are of one kind.
    public init(_ a: PoissonOperator<Scalar>) {
        let ends = a.sides.ends(a.grid)
        for e in ends { require(e.low == e.high, "an axis from a \(e.low) to a \(e.high) side; expected ends of one kind") }
        base = a
        transform = TrigonometricTransform(zip(a.grid.sizes, ends).map { $1 == .dirichlet ? .sine($0) : .cosine($0) })
        let axes = zip(a.grid.sizes, ends).map { GridAxis<Scalar>.eigenvalues(count: $0, ends: $1).map { $0 * a.scale } }
        eigenvalues = axes.count == 3 ? axes : [[0]] + axes
        let largest = axes.reduce(a.shift.magnitude) { $0 + max($1.first!.magnitude, $1.last!.magnitude) }
        smallest = 4 * Scalar.ulpOfOne * largest
    }

    /// A⁻¹·b.
    ///
    /// - Precondition: `b` has as many elements as the grid has points.
    /// - Throws: `LinearAlgebraError.nonFinite` for b; `LinearAlgebraError.singular` if A is singular and b has a part that A cannot reach, beyond √ε.
    public func solve(_ b: [Scalar]) throws(LinearAlgebraError) -> [Scalar] {
        try requireFinite(b.span)
        var x = b
        let lost = solve(&x)
        let size = norm(b)
        if lost > Scalar.ulpOfOne.squareRoot() * size { throw .singular(pivot: 0) }
        return x
    }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        copy(x, &y)
        _ = solve(&y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { apply(y, into: &x) }

    private func solve(_ x: inout [Scalar]) -> Scalar {
        var span = x.mutableSpan
        return solve(&span)
    }

    /// Solves in place.
    ///
    /// - Returns: the length of what was left out.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func solve(_ x: inout MutableSpan<Scalar>) -> Scalar {
        require(x.count == rows, "right-hand side has \(x.count) elements; expected \(rows)")
        transform.forward(&x)
        var lost: Scalar = 0, i = 0
        let columns = eigenvalues[2]
        for plane in eigenvalues[0] {
            for row in eigenvalues[1] {
                let rest = plane + row + base.shift
                for column in columns {
                    let value = rest + column
                    if value.magnitude > smallest {
                        x[i] /= value
                    } else {
                        // The constant vector, the only one there is for a shift of 0, has the coefficient Σ b times 2 in each axis.
                        lost = max(lost, x[i].magnitude)
                        x[i] = 0
                    }
                    i += 1
                }
            }
        }
        transform.inverse(&x)
        // An upper bound of the length: a coefficient is at most 2ᵈ √n times it.
        return lost / (Scalar(1 << base.grid.dimension) * Scalar(rows).squareRoot())
    }
}
