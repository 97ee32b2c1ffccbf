import Kernels
import LinearAlgebra
import Objectives

/// Gradient descent on one factor of a positive semidefinite matrix: L(X) = ¼ ‖A(X Xᵀ) − y‖², X of n×k,
///
/// X ← X − η Ē X, Ē = ½ (E + Eᵀ), E = A*(A(X Xᵀ) − y).
///
/// With k the rank r of the matrix the error falls linearly. With k > r it falls as ‖X Xᵀ − M‖_F² ≈ (min(k, n) − r)/(4 η² t²) only: singular values beyond the rank obey
/// s ← s − η s³ (Xiong, Ding and Du 2024; the constant for A = 1). ``FactorPairDescent`` and `damping` are ways out.
///
/// With `damping` c the step is preconditioned, X ← X − η Ē X (XᵀX + λ)⁻¹ with λ = c ‖A(X Xᵀ) − y‖ (Zhang, Fattahi and Zhang 2021, "PrecGD"), which is linear for any k. The λ must
/// fall with the error: with a fixed one the surplus, once it is below √λ, goes as slowly as ever.
///
/// Start small and at random: X = α · normal numbers. Step size: at most about 0.2/s₁, or below 1 with `damping`. Differs from codes whose loss is ½ ‖A(X Xᵀ) − y‖²,
/// whose steps are half as long. With noisy measurements k > r fits the noise.
public struct SymmetricFactorDescent<Scalar: KernelScalar>: IterativeSolver {
    public let stepSize: Scalar
    public let damping: Scalar?

    /// - Precondition: a positive step, a positive damping.
    public init(stepSize: Scalar, damping: Scalar? = nil) {
        require(stepSize > 0 && stepSize.isFinite, "step size is \(stepSize); expected a positive number")
        require(damping.map { $0 > 0 && $0.isFinite } ?? true, "damping is \(damping!); expected a positive number")
        (self.stepSize, self.damping) = (stepSize, damping)
    }

    public struct State: SolverState {
        /// X.
        public fileprivate(set) var factor: Matrix<Scalar>
        public fileprivate(set) var value: Scalar = 0
        public fileprivate(set) var gradientNorm: Scalar?
        public fileprivate(set) var stepNorm: Scalar?
        public fileprivate(set) var evaluations = EvaluationCounts()
        /// Ē X.
        fileprivate var gradient: Matrix<Scalar>

        public var iterate: [Scalar] { factor.elements }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(_ problem: MatrixSensing<Scalar>, from start: [Scalar]) -> State {
        problem.requireSquare()
        let factor = factorMatrix(start, rows: problem.rows)
        var state = State(factor: factor, gradient: factor)
        evaluate(&state, problem)
        return state
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ problem: MatrixSensing<Scalar>) -> Termination? {
        var direction = state.gradient
        if let damping {
            var metric = state.factor.gram()
            // The value is a quarter of the squared residual.
            let lambda = damping * 2 * state.value.squareRoot()
            guard lambda > 0 else { return nil }
            for j in 0..<metric.rows { metric[j, j] += lambda }
            do {
                direction = try Cholesky(metric).solve(direction.transposed()).transposed()
            } catch {
                return Termination(.brokeDown, "the preconditioner cannot be factorised: \(error)")
            }
        }
        state.factor.add(direction, scale: -stepSize)
        state.stepNorm = stepSize * direction.frobeniusNorm
        evaluate(&state, problem)
        return nil
    }

    private func evaluate(_ state: inout State, _ problem: MatrixSensing<Scalar>) {
        let z = multiply(state.factor, state.factor, transposeB: true)
        var e = z
        state.value = problem.measure.squaredDeviation(of: z, from: problem.measurements, pulled: &e) / 4
        multiply(symmetricPart(e), state.factor, into: &state.gradient)
        state.gradientNorm = state.gradient.frobeniusNorm
        state.evaluations.gradients += 1
    }
}

/// The factor in a list of parameters.
func factorMatrix<Scalar: KernelScalar>(_ parameters: [Scalar], rows: Int) -> Matrix<Scalar> {
    require(parameters.count % rows == 0, "\(parameters.count) parameters of a factor with \(rows) rows; expected a multiple")
    return Matrix(rows: rows, columns: parameters.count / rows, elements: parameters)
}

/// ½ (E + Eᵀ).
func symmetricPart<Scalar: KernelScalar>(_ e: Matrix<Scalar>) -> Matrix<Scalar> {
    var result = e.transposed()
    var span = result.mutableSpan
    Scalar.axpby(0.5, e.span, 0.5, &span)
    return result
}
