import Kernels
import LinearAlgebra
import Objectives
import Randomness

/// Matrix completion by alternating minimisation: with one factor held, the best other one by a regression for each of its rows, in turns.
///
/// A round, from U and V:
///
/// 1. Û ← orthonormal basis of U; V ← argmin ‖P_Ω(Û Vᵀ − M)‖_F
/// 2. V̂ ← orthonormal basis of V; U ← argmin ‖P_Ω(U V̂ᵀ − M)‖_F
///
/// The result is (U, V̂): orthonormalising both would lose the singular values. ``InnerRegression`` says how well "argmin" is meant and what
/// it costs: O(|Ω| k²) exactly, O(|Ω| k) by sketching or warm conjugate gradients (Gu, Song, Yin and Zhang 2023, whose robust alternating
/// minimisation shows that moderate accuracy is enough).
///
/// With `regularization` λ > 0 the objective is ½ ‖P_Ω(U Vᵀ − M)‖² + ½ λ (Σ nᵢ ‖uᵢ‖² + Σ nⱼ ‖vⱼ‖²), n counting a row's observations (Zhou et al. 2008,
/// "ALS-WR"), and the factors are not orthonormalised, as that changes it. Wanted for noisy data and for fewer observations than
/// degrees of freedom.
///
/// The run ends as `converged` when the residual is at most `residualTolerance` ‖P_Ω(M)‖, or a round lowers the objective by at most
/// `tolerance` of it: what exact minimisation gains in turn is the gradient's norm in the metric of the Hessian's blocks. It ends as `singular`
/// before the first round when there are fewer observations than degrees of freedom and no regularisation.
///
/// Start with ``MatrixCompletion/spectralStart(rank:seed:)``.
///
/// Differs from `implicit` and Spark: those minimise over all entries with unobserved ones as zeros of low weight when asked for implicit
/// feedback; here only observed entries count.
public struct AlternatingMinimization<Scalar: KernelScalar>: IterativeSolver {
    /// Which observations a round uses.
    public enum Sampling: Sendable, Hashable, Codable {
        /// All, in each round: what practice does.
        case reuse
        /// The observations are split into 2·rounds + 1 classes at random, one for the start and one for each half of a round, as the theory
        /// has it. Needs so many times more of them. After `rounds` rounds the run ends as `iterationLimit`.
        case split(rounds: Int)
    }

    public let rank: Int
    public let regression: InnerRegression
    public let regularization: Scalar
    public let sampling: Sampling
    public let tolerance: Scalar
    public let residualTolerance: Scalar
    /// Chooses sketches and classes.
    public let seed: UInt64

    /// - Parameters:
    ///   - tolerance: default: 10⁻⁶.
    ///   - residualTolerance: default: √ε.
    /// - Precondition: a rank of at least 1; finite numbers of at least 0; at least 1 round.
    public init(
        rank: Int, regression: InnerRegression = .automatic, regularization: Scalar = 0, sampling: Sampling = .reuse, tolerance: Scalar = 1e-6,
        residualTolerance: Scalar = Scalar.ulpOfOne.squareRoot(), seed: UInt64 = 0
    ) {
        require(rank >= 1, "rank is \(rank); expected at least 1")
        require(regularization >= 0 && regularization.isFinite, "regularisation is \(regularization); expected a finite number of at least 0")
        require(tolerance >= 0 && residualTolerance >= 0, "tolerances are \(tolerance) and \(residualTolerance); expected at least 0")
        if case .split(let rounds) = sampling { require(rounds >= 1, "\(rounds) rounds of samples; expected at least 1") }
        if case .sketched(let steps, _) = regression { require(steps >= 0, "\(steps) steps; expected at least 0") }
        if case .conjugateGradients(let steps, _) = regression { require(steps >= 1, "\(steps) steps; expected at least 1") }
        (self.rank, self.regression, self.regularization, self.sampling) = (rank, regression, regularization, sampling)
        (self.tolerance, self.residualTolerance, self.seed) = (tolerance, residualTolerance, seed)
    }

    public struct State: SolverState {
        public fileprivate(set) var factors: LowRankFactors<Scalar>
        /// The objective at the factors; when observations are split, of those that the last half of the round used.
        public fileprivate(set) var value: Scalar
        public fileprivate(set) var rounds = 0
        public fileprivate(set) var counts = RegressionCounts()
        /// What was chosen for the last round's columns and rows.
        public fileprivate(set) var choices: [RegressionChoice] = []
        fileprivate var rejectedShares: [Double] = [0, 0]

        public var iterate: [Scalar] { factors.parameters }
        public var gradientNorm: Scalar? { nil }
        public var stepNorm: Scalar? { nil }
        public var evaluations: EvaluationCounts { EvaluationCounts(values: rounds + 1) }
        /// ``counts``, by name: `"regressions: exact"`, `"regressions: iterative"`, `"regressions: rejected"`, `"regressions: singular"`,
        /// `"conjugate gradient steps"`, `"operations"`.
        public var work: [String: Int] {
            ["regressions: exact": counts.exact, "regressions: iterative": counts.iterative, "regressions: rejected": counts.rejected,
             "regressions: singular": counts.singular, "conjugate gradient steps": counts.steps, "operations": counts.operations]
        }
    }

    public var defaultStopping: StoppingCriterion { .iterations(200) }

    /// The observations that the start may use: all of them, or those of the first class.
    public func startingSample(_ problem: MatrixCompletion<Scalar>) -> MatrixCompletion<Scalar> {
        switch sampling {
        case .reuse: problem
        case .split(let rounds): problem.part(0, of: 2 * rounds + 1, seed: seed)
        }
    }

    /// Solves from a spectral start.
    ///
    /// - Throws: `LinearAlgebraError`, from the start.
    public func solve(
        _ problem: MatrixCompletion<Scalar>, stopping: StoppingCriterion? = nil, observer: Observer? = nil
    ) throws(LinearAlgebraError) -> Solution<Scalar> {
        let start = try startingSample(problem).spectralStart(rank: rank, seed: seed)
        return solve(problem, from: start.parameters, stopping: stopping, observer: observer)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(_ problem: MatrixCompletion<Scalar>, from start: [Scalar]) -> State {
        require(rank <= min(problem.rows, problem.columns),
                "rank \(rank) for a \(problem.rows)×\(problem.columns) matrix; expected at most \(min(problem.rows, problem.columns))")
        let factors = LowRankFactors(rows: problem.rows, columns: problem.columns, rank: rank, parameters: start)
        let residual = problem.residualNorm(factors)
        let value = residual * residual / 2 + penalty(factors.left, problem.byRows) + penalty(factors.right, problem.byColumns)
        return State(factors: factors, value: value)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ problem: MatrixCompletion<Scalar>) -> Termination? {
        let needed = problem.degreesOfFreedom(rank: rank)
        if regularization == 0, problem.count < needed {
            return Termination(.singular, "\(problem.count) observations; rank \(rank) needs at least \(needed), or a regularisation")
        }
        var columns = problem.byColumns, rows = problem.byRows
        if case .split(let rounds) = sampling {
            guard state.rounds < rounds else { return Termination(.iterationLimit, "the samples of all \(rounds) rounds are used") }
            columns = problem.part(1 + state.rounds, of: 2 * rounds + 1, seed: seed).byColumns
            rows = problem.part(1 + rounds + state.rounds, of: 2 * rounds + 1, seed: seed).byRows
        }
        let before = state.value
        state.choices = []
        var left = state.factors.left, right = state.factors.right
        do {
            if regularization == 0 { try Self.orthonormalize(&left, carryingInto: &right) }
            _ = improve(&right, against: left, columns, half: 0, &state)
            if regularization == 0 { try Self.orthonormalize(&right, carryingInto: &left) }
        } catch {
            return Termination(.nonFinite, "the factors cannot be orthonormalised after \(state.rounds) rounds: \(error)")
        }
        state.value = improve(&left, against: right, rows, half: 1, &state) + penalty(right, columns)
        state.factors = LowRankFactors(left: left, right: right)
        state.rounds += 1
        return termination(state, before: before, sampleNorm: Scalar.nrm2(rows.values.span))
    }

    private func termination(_ state: State, before: Scalar, sampleNorm: Scalar) -> Termination? {
        let residual = (2 * state.value).squareRoot()
        if residual <= residualTolerance * sampleNorm {
            return Termination(.converged, "the residual \(residual) is at most \(residualTolerance) of the observations' norm \(sampleNorm)")
        }
        guard sampling == .reuse else { return nil }
        let gain = before - state.value
        if gain <= tolerance * state.value, gain >= -tolerance * state.value {
            return Termination(.converged, "a round changed the objective \(state.value) by \(gain), at most \(tolerance) of it")
        }
        return nil
    }

    /// One half of a round; `half` is 0 for columns and 1 for rows.
    ///
    /// - Returns: the part of the objective that the factor's rows have.
    private func improve(
        _ factor: inout Matrix<Scalar>, against basis: Matrix<Scalar>, _ observations: SparseMatrix<Scalar>, half: Int, _ state: inout State
    ) -> Scalar {
        var method = regression
        if regression == .automatic {
            let choice = RegressionChoice(
                rows: Double(observations.entryCount) / Double(observations.rows), rank: rank, rejectedShare: state.rejectedShares[half])
            state.choices.append(choice)
            method = choice.method
        }
        let summary = FactorRegressions(
            observations: observations, basis: basis, method: method, regularization: regularization,
            random: RandomStream(seed: seed, stream: 4).substream(UInt64(2 * state.rounds + half))
        ).improve(&factor)
        state.counts += summary.counts
        // Once given up, cheap methods are not tried again: the share stays.
        if summary.counts.iterative > 0 {
            state.rejectedShares[half] = max(
                state.rejectedShares[half], Double(summary.counts.rejected) / Double(summary.counts.iterative))
        }
        return summary.value
    }

    /// ½ λ Σ nᵢ ‖xᵢ‖².
    private func penalty(_ factor: Matrix<Scalar>, _ observations: SparseMatrix<Scalar>) -> Scalar {
        guard regularization > 0 else { return 0 }
        return (0..<factor.rows).reduce(Scalar(0)) {
            let row = factor.row($1)
            return $0 + Scalar(observations.rowOffsets[$1 + 1] - observations.rowOffsets[$1]) * Scalar.dot(row, row)
        } * regularization / 2
    }

    /// A ← Q and B ← B Rᵀ for A = Q R, so that A Bᵀ stays.
    private static func orthonormalize(
        _ a: inout Matrix<Scalar>, carryingInto b: inout Matrix<Scalar>
    ) throws(LinearAlgebraError) {
        let factored = try QR(a)
        a = try factored.q()
        b = multiply(b, factored.r, transposeB: true)
    }
}
