import Kernels
import LinearAlgebra
import Objectives

/// Rank and regularisation of a completion, chosen by the error on observations that are held out.
///
/// Ranks are tried in order, each with every regularisation, until two in a row do not improve on the best. Each candidate is an
/// ``AlternatingMinimization`` of at most ``rounds`` rounds from a spectral start.
public struct RankSelection<Scalar: KernelScalar>: Sendable {
    public let ranks: [Int]
    /// λ in units of the root mean square of the observations.
    public let regularizations: [Scalar]
    /// The share of the observations that is held out.
    public let share: Double
    public let rounds: Int
    public let seed: UInt64

    /// - Parameters:
    ///   - ranks: default: 1, 2, 3, 5, 8, 12, 20, 32, 50; those beyond the matrix are left out.
    ///   - regularizations: default: 0.003, 0.03, 0.1, 0.3.
    ///   - share: default: a tenth.
    /// - Precondition: rising ranks of at least 1, positive regularisations, a share in 0 ..< 1, not 0, at least 1 round.
    public init(
        ranks: [Int] = [1, 2, 3, 5, 8, 12, 20, 32, 50], regularizations: [Scalar] = [0.003, 0.03, 0.1, 0.3], share: Double = 0.1, rounds: Int = 30,
        seed: UInt64 = 0
    ) {
        require(!ranks.isEmpty && ranks[0] >= 1 && zip(ranks, ranks.dropFirst()).allSatisfy { $0 < $1 }, "ranks are \(ranks); expected rising ones of at least 1")
        require(!regularizations.isEmpty && regularizations.allSatisfy { $0 > 0 && $0.isFinite },
                "regularisations are \(regularizations); expected positive numbers")
        require(share > 0 && share < 1, "a share of \(share) held out; expected a number between 0 and 1")
        require(rounds >= 1, "\(rounds) rounds; expected at least 1")
        (self.ranks, self.regularizations, self.share, self.rounds, self.seed) = (ranks, regularizations, share, rounds, seed)
    }

    public struct Candidate: Sendable, Hashable, Codable {
        public let rank: Int
        /// λ, as ``AlternatingMinimization`` takes it.
        public let regularization: Scalar
        /// The root mean square error on the held-out part.
        public let error: Scalar
    }

    /// All candidates that were tried, the best one first.
    ///
    /// - `progress`: called before each candidate with what is tried.
    /// - Precondition: at least two observations, a held-out and a training part that are not empty.
    /// - Throws: `LinearAlgebraError`, from a start.
    public func candidates(
        _ problem: MatrixCompletion<Scalar>, progress: (_ rank: Int, _ regularization: Scalar) -> Void = { _, _ in }
    ) throws(LinearAlgebraError) -> [Candidate] {
        let (training, heldOut) = problem.holdingOut(share: share, seed: seed)
        require(training.count > 0 && heldOut.count > 0,
                "\(heldOut.count) of \(problem.count) observations held out; expected some on either side")
        let unit = training.norm / Scalar(training.count).squareRoot()
        var tried: [Candidate] = [], best = Scalar.infinity, failures = 0
        for rank in ranks where rank <= min(problem.rows, problem.columns) && failures < 2 {
            let start = try training.spectralStart(rank: rank, seed: seed).parameters
            var improved = false
            for factor in regularizations {
                let regularization = unit > 0 ? factor * unit : factor
                progress(rank, regularization)
                let solution = AlternatingMinimization<Scalar>(rank: rank, regularization: regularization, tolerance: 1e-4, seed: seed)
                    .solve(training, from: start, stopping: .iterations(rounds))
                let factors = LowRankFactors(rows: problem.rows, columns: problem.columns, rank: rank, parameters: solution.iterate)
                let error = heldOut.residualNorm(factors) / Scalar(heldOut.count).squareRoot()
                tried.append(Candidate(rank: rank, regularization: regularization, error: error))
                if error < best { (best, improved) = (error, true) }
            }
            failures = improved ? 0 : failures + 1
        }
        return tried.sorted { $0.error < $1.error }
    }
}
