import Kernels
import LinearAlgebra
import Randomness

extension Synthetic {
    /// A matrix of rank r and a noisy copy: L Rᵀ/√r with independent standard normal L and R, so that entries have variance 1, and
    /// the same plus N(0, `noise`²).
    ///
    /// - Precondition: `rank` lies in 1...min(rows, columns), `noise` ≥ 0.
    public static func lowRank<Scalar: KernelScalar>(
        rows: Int, columns: Int, rank: Int, noise: Scalar = 0, seed: UInt64
    ) -> (exact: Matrix<Scalar>, noisy: Matrix<Scalar>) {
        require(rank >= 1 && rank <= min(rows, columns), "rank is \(rank); expected 1 to \(min(rows, columns))")
        require(noise >= 0, "noise is \(noise); expected no negative number")
        var stream = RandomStream(seed: seed)
        let left: [Scalar] = stream.normal(count: rows * rank), right: [Scalar] = stream.normal(count: columns * rank)
        var noisy: [Scalar] = stream.normal(count: rows * columns), exact = noisy
        let scale = 1 / Scalar(rank).squareRoot()
        for i in 0..<rows {
            for j in 0..<columns {
                let value = scale * Scalar.dot(left.span.extracting(i * rank..<(i + 1) * rank),
                                               right.span.extracting(j * rank..<(j + 1) * rank))
                exact[i * columns + j] = value
                noisy[i * columns + j] = value + noise * noisy[i * columns + j]
            }
        }
        return (Matrix(rows: rows, columns: columns, elements: exact), Matrix(rows: rows, columns: columns, elements: noisy))
    }
}
