import Kernels
import LinearAlgebra
import Sketching

extension MatrixCompletion {
    /// A start from the leading singular vectors of P_Ω(M)/p, p = |Ω|/(rows · columns): U·√s and V·√s.
    ///
    /// Entries of U beyond four times the median row norm are set to zero, as a few full rows would otherwise make a start that the theory
    /// of alternating minimisation excludes. This is the rule 2 µ √k/√rows of Jain, Netrapalli and Sanghavi (2013) with µ from at most twice
    /// the median; a column that would vanish is left as it is. For an ill-conditioned matrix the start may be far from the solution and
    /// the method converges all the same.
    ///
    /// - Precondition: a rank of 1 ... min(rows, columns).
    /// - Throws: `LinearAlgebraError`, from the small decomposition.
    /// - Complexity: O(|Ω| k) operations, by randomised subspace iteration.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func spectralStart(rank: Int, seed: UInt64 = 0) throws(LinearAlgebraError) -> LowRankFactors<Scalar> {
        require(rank >= 1 && rank <= min(rows, columns), "rank is \(rank); expected 1 to \(min(rows, columns))")
        let (u, s, vTransposed) = try RandomizedSVD(rank: rank, seed: seed).decompose(byRows)
        var left = Self.clipped(u), right = vTransposed.transposed()
        // P_Ω(M) stands for p·M.
        let inverse = count == 0 ? 0 : Scalar(rows) * Scalar(columns) / Scalar(count)
        for j in 0..<rank {
            // A direction of weight 0 could never grow again.
            let weight = (inverse * max(s[j], Scalar.ulpOfOne.squareRoot() * s[0])).squareRoot()
            for i in 0..<rows { left[i, j] *= weight }
            for i in 0..<columns { right[i, j] *= weight }
        }
        return LowRankFactors(left: left, right: right)
    }

    private static func clipped(_ u: Matrix<Scalar>) -> Matrix<Scalar> {
        let norms = (0..<u.rows).map { Scalar.nrm2(u.row($0)) }
        let bound = 4 * norms.sorted()[u.rows / 2]
        var result = u
        for j in 0..<u.columns {
            guard (0..<u.rows).contains(where: { u[$0, j] != 0 && u[$0, j].magnitude <= bound }) else { return u }
            for i in 0..<u.rows where u[i, j].magnitude > bound { result[i, j] = 0 }
        }
        return result
    }
}
