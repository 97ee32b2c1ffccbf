import Kernels
import LinearAlgebra
import Randomness

/// The diagonal by XDiag: exactly on a range that the other probes have found, by Hutchinson's estimate on the rest.
///
///     Y = A Ω,   Qᵢ = orth(Y without column i),   diag A ≈ mean of  diag(QᵢQᵢᵀA) + ωᵢ ∘ (I − QᵢQᵢᵀ) yᵢ
///
/// Half of the products goes to Ω, of signs, half to AᵀQ. Unbiased, exact for a rank below half of the products. Where the spectrum
/// decays far better than ``HutchinsonDiagonal`` at the same cost; with a flat one it may be up to √2 worse, as half of the products
/// goes to the basis.
///
/// Source: Epperly, Tropp & Webber 2024, arXiv 2301.07825. The bases without column i are as in ``XTrace``.
public struct XDiag<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let products: Int
    public let seed: UInt64

    /// - Parameter products: with the operator, even and at least 2.
    public init(products: Int, seed: UInt64 = 0) {
        require(products >= 2 && products % 2 == 0, "\(products) products; expected an even number, at least 2")
        self.products = products
        self.seed = seed
    }

    /// - Precondition: the operator is square.
    /// - Throws: ``CurvatureError/nonFinite(product:)``; ``CurvatureError/factorization(_:)``.
    /// - Complexity: ``products`` products p with the operator at most (fewer where their columns are dependent), O(n p²) for the rest;
    ///   memory for about 3 p vectors.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func estimate(_ a: any LinearOperator<Scalar>) throws(CurvatureError) -> DiagonalEstimate<Scalar> {
        requireSquare(a)
        let n = a.rows, k = products / 2
        var stream = RandomStream(seed: seed)
        let omega: Matrix<Scalar> = ProbeDistribution.rademacher.probes(k, count: n, using: &stream)
        let y = try Curvature.products(a, rows: omega, numberedFrom: 0)
        let basis = try factorizing { try LeaveOneOutBasis(y.transposed()) }
        let q = basis.q.transposed()
        let z = try Curvature.products(a, rows: q, adjoint: true, numberedFrom: k)

        var range = [Scalar](repeating: 0, count: n)
        for j in 0..<q.rows {
            var span = range.mutableSpan
            Scalar.multiplyAccumulate(q.row(j), z.row(j), into: &span)
        }
        // diag(QᵢQᵢᵀA) lacks (Q sᵢ) ∘ (AᵀQ sᵢ), and (I − QᵢQᵢᵀ) yᵢ is Q sᵢ times sᵢᵀ Qᵀyᵢ.
        let qs = multiply(basis.lost, q, transposeA: true), zs = multiply(basis.lost, z, transposeA: true)
        var sum = [Scalar](repeating: 0, count: n), squares = sum
        for i in 0..<k {
            var residual: Scalar = 0
            for j in 0..<q.rows { residual += basis.lost[j, i] * basis.r[j, i] }
            let (u, v, w) = (qs.row(i), zs.row(i), omega.row(i))
            for j in 0..<n {
                let x = range[j] + u[j] * (residual * w[j] - v[j])
                sum[j] += x
                squares[j] += x * x
            }
        }
        return DiagonalEstimate(sum: sum, squares: squares, count: k, products: k + z.rows)
    }
}
