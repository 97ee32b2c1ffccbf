import Kernels
import LinearAlgebra
import Objectives

/// Gradient descent on two factors: L(F, G) = ½ ‖A(F Gᵀ) − y‖²,
///
/// F ← F − η E G and G ← G − η Eᵀ F at once, E = A*(A(F Gᵀ) − y).
///
/// From a start that is unbalanced, F = α · normal and G = (α/3) · normal numbers, the error falls linearly for any k ≥ r, even where the matrix is symmetric and one factor would be
/// slow: FᵀF − GᵀG stays nearly what it was, and on the k − r surplus directions each factor shrinks by the other's size. The rate grows as α² (Xiong, Ding and Du 2024): slow for the
/// small starts that are otherwise advised. `rebalancing` makes it independent of α. F = G gives ``SymmetricFactorDescent`` and its slow rate.
///
/// The measurement matrices must not be symmetric, see ``GaussianMeasurements``. The iterate is F, then G, row after row.
public struct FactorPairDescent<Scalar: KernelScalar>: IterativeSolver {
    /// The paper's one modified step. Once ‖A(F Gᵀ) − y‖ is at most `residual` ‖y‖: with the thin SVD F = P diag(s) Qᵀ,
    /// F ← β P and G ← G Q diag(s)/β. The product stays, and FᵀF becomes β².
    public struct Rebalancing: Sendable, Hashable, Codable {
        /// β, about 0.6 √s_r. η s₁² < β² keeps the steps that follow stable.
        public let scale: Scalar
        public let residual: Scalar

        /// - `residual`: default: 0.02, when the signal has been learned.
        /// - Precondition: positive numbers.
        public init(scale: Scalar, residual: Scalar = 0.02) {
            require(scale > 0 && scale.isFinite && residual > 0, "scale \(scale) at residual \(residual); expected positive numbers")
            (self.scale, self.residual) = (scale, residual)
        }
    }

    public let stepSize: Scalar
    public let rebalancing: Rebalancing?

    /// - Precondition: a positive step.
    public init(stepSize: Scalar, rebalancing: Rebalancing? = nil) {
        require(stepSize > 0 && stepSize.isFinite, "step size is \(stepSize); expected a positive number")
        (self.stepSize, self.rebalancing) = (stepSize, rebalancing)
    }

    public struct State: SolverState {
        /// F and G.
        public fileprivate(set) var factors: LowRankFactors<Scalar>
        public fileprivate(set) var value: Scalar = 0
        public fileprivate(set) var gradientNorm: Scalar?
        public fileprivate(set) var stepNorm: Scalar?
        public fileprivate(set) var evaluations = EvaluationCounts()
        public fileprivate(set) var isRebalanced = false
        /// E G and Eᵀ F.
        fileprivate var gradient: LowRankFactors<Scalar>

        public var iterate: [Scalar] { factors.parameters }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(_ problem: MatrixSensing<Scalar>, from start: [Scalar]) -> State {
        let size = problem.rows + problem.columns
        require(start.count % size == 0, "\(start.count) parameters of factors with \(size) rows; expected a multiple")
        let factors = LowRankFactors(rows: problem.rows, columns: problem.columns, rank: start.count / size, parameters: start)
        require(rebalancing == nil || factors.rank <= problem.rows, "rebalancing \(factors.rank) columns of \(problem.rows) rows; expected no more")
        var state = State(factors: factors, gradient: factors)
        evaluate(&state, problem)
        return state
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ problem: MatrixSensing<Scalar>) -> Termination? {
        state.factors.left.add(state.gradient.left, scale: -stepSize)
        state.factors.right.add(state.gradient.right, scale: -stepSize)
        state.stepNorm = state.gradientNorm.map { stepSize * $0 }
        evaluate(&state, problem)
        let norm = Scalar.nrm2(problem.measurements.span)
        if let rebalancing, !state.isRebalanced, (2 * state.value).squareRoot() <= rebalancing.residual * norm {
            do {
                try Self.rebalance(&state.factors, rebalancing.scale)
            } catch {
                return Termination(.brokeDown, "the factor has no singular value decomposition: \(error)")
            }
            state.isRebalanced = true
            evaluate(&state, problem)
        }
        return nil
    }

    private static func rebalance(_ factors: inout LowRankFactors<Scalar>, _ scale: Scalar) throws(LinearAlgebraError) {
        let svd = try SVD(factors.left)
        factors.right = multiply(factors.right, svd.vTransposed, transposeB: true)
        for j in 0..<factors.rank {
            for i in 0..<factors.columns { factors.right[i, j] *= svd.singularValues[j] / scale }
        }
        factors.left = scale * svd.u
    }

    private func evaluate(_ state: inout State, _ problem: MatrixSensing<Scalar>) {
        let z = state.factors.product
        var e = z
        state.value = problem.measure.squaredDeviation(of: z, from: problem.measurements, pulled: &e) / 2
        multiply(e, state.factors.right, into: &state.gradient.left)
        multiply(e, state.factors.left, transposeA: true, into: &state.gradient.right)
        let a = state.gradient.left.frobeniusNorm, b = state.gradient.right.frobeniusNorm
        state.gradientNorm = (a * a + b * b).squareRoot()
        state.evaluations.gradients += 1
    }
}
