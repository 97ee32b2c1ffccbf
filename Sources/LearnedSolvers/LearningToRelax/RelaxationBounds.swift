import Kernels
import LinearAlgebra
import RealModule

/// Bounds on the iterations of SOR and of conjugate gradients with SSOR, as functions of ω: what the learners' regret is measured against in theory.
public enum RelaxationBounds {
    /// 1 + ln ε / ln(ρ + τ (1 − ρ)): an upper bound on the sweeps that lower the residual by ε, for a sweep of spectral radius ρ whose first powers
    /// are at most τ of the way from ρ to 1 in norm ("near-asymptotic", Khodak et al. 2024, assumption 1).
    ///
    /// - Precondition: ε in (0, 1), ρ and τ in 0 ..< 1.
    public static func sweeps(spectralRadius rho: Double, slack tau: Double = 0, reduction epsilon: Double = 1e-8) -> Double {
        require(epsilon > 0 && epsilon < 1, "reduction is \(epsilon); expected a number in (0, 1)")
        require(rho >= 0 && rho < 1 && tau >= 0 && tau < 1, "spectral radius \(rho), slack \(tau); expected numbers in 0 ..< 1")
        return 1 + Double.log(epsilon) / Double.log(rho + tau * (1 - rho))
    }

    /// What Axelsson's bounds for SSOR with conjugate gradients need to know of a matrix.
    ///
    /// Source: Axelsson 1994, Iterative Solution Methods, §7; Khodak et al. 2024, appendix.
    public struct SSOR: Sendable {
        /// λmax(D A⁻¹).
        public let diagonalRatio: Double
        /// The largest eigenvalue of (L D⁻¹ Lᵀ − D/4) A⁻¹.
        public let triangleRatio: Double
        /// κ(A).
        public let condition: Double

        /// - Precondition: a square matrix.
        /// - Throws: if A = D + L + Lᵀ is not positive definite.
        /// - Complexity: O(n³).
        public init(_ a: Matrix<Double>) throws(LinearAlgebraError) {
            let n = a.rows, g = try Cholesky(a).lower
            let spectrum = try SymmetricEigen.values(of: a)
            condition = spectrum[n - 1] / spectrum[0]
            /// Eigenvalues of M A⁻¹ for symmetric M: those of G⁻¹ M G⁻ᵀ, A = G Gᵀ.
            func largest(_ m: Matrix<Double>) throws(LinearAlgebraError) -> Double {
                let half = try solveTriangular(g, m, triangle: .lower)
                return try SymmetricEigen.values(of: solveTriangular(g, half.transposed(), triangle: .lower)).last ?? 0
            }
            let diagonal = Matrix(rows: n, columns: n) { i, j in i == j ? a[i, i] : 0 }
            let lower = Matrix(rows: n, columns: n) { i, j in i > j ? a[i, j] : 0 }
            let scaled = Matrix(rows: n, columns: n) { i, j in lower[i, j] / a[j, j] }
            diagonalRatio = try largest(diagonal)
            triangleRatio = try largest(multiply(scaled, lower, transposeB: true) - diagonal.map { $0 / 4 })
        }

        /// A bound on κ(M⁻¹A), M being SSOR's matrix for ω: ((2 − ω) + …)⁻¹, written as (1 + (2 − ω)² a/(4 ω) + b ω)/(2 − ω).
        public func conditionBound(relaxation omega: Double) -> Double {
            let rest = 2 - omega
            return (1 + rest * rest / (4 * omega) * diagonalRatio + triangleRatio * omega) / rest
        }

        /// A bound on the iterations until ‖b − A·x‖ ≤ ε ‖b‖.
        public func iterations(relaxation omega: Double, reduction epsilon: Double = 1e-8) -> Double {
            let ratio = condition / (epsilon * epsilon)
            let root = conditionBound(relaxation: omega).squareRoot()
            return 1 + Double.log(ratio.squareRoot() + (ratio - 1).squareRoot()) / -Double.log(1 - 2 / (1 + root))
        }
    }
}
