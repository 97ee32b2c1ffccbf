import Kernels
import LinearAlgebra

/// The bidiagonalisation of Golub and Kahan from the residual of the start: β u ← A v − α u, α v ← Aᵀu − β v.
struct GolubKahan<Scalar: KernelScalar>: Codable, Sendable {
    private(set) var u: [Scalar]
    private(set) var v: [Scalar]
    private var wide: [Scalar]
    private var narrow: [Scalar]
    private(set) var alpha: Scalar = 0
    private(set) var beta: Scalar = 0
    /// A power of two near the first residual; β and all that follows from it are in units of this.
    let scale: Scalar
    private(set) var applications = 0
    private(set) var adjointApplications = 0

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ system: LinearSystem<Scalar>, from start: [Scalar]?) {
        u = system.rightHandSide
        v = [Scalar](repeating: 0, count: system.matrix.columns)
        wide = [Scalar](repeating: 0, count: system.matrix.rows)
        narrow = v
        if let start {
            system.residual(of: start, into: &u)
            applications = 1
        }
        let size = powerOfTwo(near: norm(u))
        scale = size
        Kernels.scale(1 / size, &u)
        beta = normalize(&u)
        guard beta > 0 else { return }
        applyAdjoint(system.matrix, u, into: &v)
        adjointApplications = 1
        alpha = normalize(&v)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func advance(_ a: any LinearOperator<Scalar>) {
        apply(a, v, into: &wide)
        applications += 1
        axpby(1, wide, -alpha, &u)
        beta = normalize(&u)
        guard beta > 0 else { return alpha = 0 }
        applyAdjoint(a, u, into: &narrow)
        adjointApplications += 1
        axpby(1, narrow, -beta, &v)
        alpha = normalize(&v)
    }
}

/// Divides by the length, if it is positive and finite.
///
/// - Returns: the length.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func normalize<Scalar: KernelScalar>(_ x: inout [Scalar]) -> Scalar {
    let length = norm(x)
    guard length.isFinite else { return length }
    // Of a length whose inverse overflows nothing is left but rounding.
    guard (1 / length).isFinite else { return 0 }
    scale(1 / length, &x)
    return length
}
