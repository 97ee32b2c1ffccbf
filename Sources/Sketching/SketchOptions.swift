import Kernels
import LinearAlgebra
import Randomness

/// What all solvers by sketching share: which S to draw, and how large.
public struct SketchOptions: Sendable {
    /// d/n, of which the distortion is √(n/d).
    public let ratio: Int
    public let distribution: any SketchDistribution
    /// Chooses the sketch.
    public let seed: UInt64

    /// - Precondition: the ratio is at least 2.
    public init(ratio: Int = 12, distribution: any SketchDistribution = SparseSignEmbedding(), seed: UInt64 = 0) {
        require(ratio >= 2, "the sketch has \(ratio) times as many rows as the matrix has columns; expected at least 2")
        (self.ratio, self.distribution, self.seed) = (ratio, distribution, seed)
    }

    /// Why a sketch of a matrix with these sizes cannot pay; `nil` if it can.
    func objection(rows m: Int, columns n: Int) -> String? {
        n == 0 || ratio * n >= m ? "\(m) rows are no more than \(ratio) times the \(n) columns" : nil
    }

    /// The sketch of a system's rows; another one for each attempt.
    func whitening<Scalar: KernelScalar>(
        _ system: LeastSquaresSystem<Scalar>, scalesColumns: Bool = true, attempt: Int = 0
    ) throws(LinearAlgebraError) -> Whitening<Scalar> {
        try Whitening(
            system, distribution.sample(
                Scalar.self, rows: ratio * system.columns, columns: system.rows,
                random: RandomStream(seed: seed, stream: UInt64(attempt))),
            scalesColumns: scalesColumns)
    }
}

func requireTall(_ m: Int, _ n: Int) {
    require(m >= n, "least squares with a \(m)×\(n) matrix; expected at least as many rows as columns (MinimumNormSolver takes the others)")
}

func requireIterations(_ limit: Int) {
    require(limit >= 1, "iteration limit is \(limit); expected at least 1")
}
