import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// The sub-gradient method for robust recovery of a positive semidefinite matrix: f(U) = (1/m) ‖A(U Uᵀ) − y‖₁, U of d×r′,
///
/// U ← U − 2 ηₜ Dₜ U, Dₜ = (1/m) Σ sign(⟨Aᵢ, U Uᵀ⟩ − yᵢ) ½ (Aᵢ + Aᵢᵀ).
///
/// From a small start it finds the matrix although a share of the measurements is arbitrarily wrong, although the search rank r′ may be anything up to d, and although the matrix need not
/// minimise f: the r directions of the signal grow before the others can (Ma and Fattahi 2023). For Gaussian measurements the number needed does not depend on r′. Dense noise of
/// deviation ν leaves an error of the order ν √(d r/m).
///
/// Start with ``MatrixSensing/signSpectralStart(rank:scale:)``. A smaller start gives a smaller final error where r′ > r and needs more steps; steps must not shrink before the signal has
/// grown, which ``StepRule/normalized(scale:initial:)`` sees to.
///
/// The run ends as `converged` when Dₜ U is 0, or when the step is at most `tolerance` of the first one and U Uᵀ explains some of the measurements: at least a twentieth of them
/// to half of their size. It ends as `stagnated` when the step has shrunk so far and it does not: then the decay was too fast for the signal to grow. The value says nothing of that, as
/// outliers decide it; with noise it is neither 0 nor least at the solution, so do not stop on it.
public struct SubgradientMethod<Scalar: KernelScalar>: IterativeSolver {
    public enum StepRule: Sendable, Hashable, Codable {
        /// ηₜ = initial · decayᵗ/‖Dₜ‖_F: free of scale, the one to take.
        case normalized(initial: Scalar, decay: Scalar)
        /// ηₜ = initial · decayᵗ, for outliers, where ‖Dₜ‖ hardly falls.
        case geometric(initial: Scalar, decay: Scalar)
        /// ηₜ = initial, for dense Gaussian noise, where ‖Dₜ‖ falls with the error.
        case constant(Scalar)

        /// The normalised rule for a start of this scale α: initial 0.1, decay 1 − initial/(4 (1 + ln(1/α))), which lets the signal grow by more than 1/α.
        ///
        /// - Precondition: a scale in 0 ..< 1, not 0; a positive initial step.
        public static func normalized(scale: Scalar, initial: Scalar = 0.1) -> Self {
            require(scale > 0 && scale < 1, "the scale of the start is \(scale); expected a number between 0 and 1")
            return .normalized(initial: initial, decay: 1 - initial / (4 * (1 - Scalar(Double.log(Double(scale))))))
        }
    }

    public let steps: StepRule
    public let tolerance: Scalar

    /// - `tolerance`: default: 10⁻⁵, about 12/(1 − decay) steps.
    /// - Precondition: a positive first step; a decay in 0 ..< 1, not 0.
    public init(steps: StepRule, tolerance: Scalar = 1e-5) {
        switch steps {
        case .normalized(let initial, let decay), .geometric(let initial, let decay):
            require(initial > 0 && initial.isFinite, "the first step is \(initial); expected a positive number")
            require(decay > 0 && decay < 1, "the decay is \(decay); expected a number between 0 and 1")
        case .constant(let step): require(step > 0 && step.isFinite, "the step is \(step); expected a positive number")
        }
        require(tolerance >= 0, "tolerance is \(tolerance); expected at least 0")
        (self.steps, self.tolerance) = (steps, tolerance)
    }

    public struct State: SolverState {
        /// U.
        public fileprivate(set) var factor: Matrix<Scalar>
        public fileprivate(set) var value: Scalar = 0
        /// ‖2 D U‖_F.
        public fileprivate(set) var gradientNorm: Scalar?
        public fileprivate(set) var stepNorm: Scalar?
        public fileprivate(set) var evaluations = EvaluationCounts()
        /// decayᵗ.
        public fileprivate(set) var decay: Scalar = 1
        /// ‖D‖_F.
        public fileprivate(set) var deviationNorm: Scalar = 0
        /// 2 D U.
        fileprivate var subgradient: Matrix<Scalar>

        public var iterate: [Scalar] { factor.elements }
    }

    public var defaultStopping: StoppingCriterion { .iterations(100_000) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(_ problem: MatrixSensing<Scalar>, from start: [Scalar]) -> State {
        problem.requireSquare()
        let factor = factorMatrix(start, rows: problem.rows)
        var state = State(factor: factor, subgradient: factor)
        evaluate(&state, problem)
        return state
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ problem: MatrixSensing<Scalar>) -> Termination? {
        guard state.gradientNorm != 0 else { return Termination(.converged, "the sub-gradient is 0") }
        let step: Scalar
        switch steps {
        case .normalized(let initial, let decay):
            step = initial * state.decay / state.deviationNorm
            state.decay *= decay
        case .geometric(let initial, let decay):
            step = initial * state.decay
            state.decay *= decay
        case .constant(let value): step = value
        }
        state.factor.add(state.subgradient, scale: -step)
        state.stepNorm = state.gradientNorm.map { step * $0 }
        evaluate(&state, problem)
        guard state.decay <= tolerance else { return nil }
        return explainsMeasurements(state, problem)
            ? Termination(.converged, "the step has fallen to \(state.decay) of the first one")
            : Termination(.stagnated, "the step has fallen to \(state.decay) of the first one and the iterate explains no measurements: the decay is too fast for so small a start")
    }

    private func explainsMeasurements(_ state: State, _ problem: MatrixSensing<Scalar>) -> Bool {
        let fitted = problem.measure.apply(multiply(state.factor, state.factor, transposeB: true))
        var informative = 0, explained = 0
        for (z, y) in zip(fitted, problem.measurements) where y != 0 {
            informative += 1
            if (z - y).magnitude <= y.magnitude / 2 { explained += 1 }
        }
        return 20 * explained >= informative
    }

    private func evaluate(_ state: inout State, _ problem: MatrixSensing<Scalar>) {
        let z = multiply(state.factor, state.factor, transposeB: true)
        var d = z
        state.value = problem.measure.absoluteDeviation(of: z, from: problem.measurements, pulled: &d)
        let symmetric = symmetricPart(d)
        state.deviationNorm = symmetric.frobeniusNorm
        multiply(symmetric, state.factor, alpha: 2, into: &state.subgradient)
        state.gradientNorm = state.subgradient.frobeniusNorm
        state.evaluations.gradients += 1
    }
}

extension MatrixSensing {
    /// α V √w₊, with the `rank` largest eigenvalues w of (1/m) Σ sign(yᵢ) ½ (Aᵢ + Aᵢᵀ), negative ones as 0: the start of the sub-gradient method (Ma and Fattahi 2023). Signs, as
    /// outliers would decide a start from y.
    ///
    /// - Precondition: a square problem, a rank of 1 ... its size, a positive scale α.
    /// - Throws: `LinearAlgebraError`, from the eigenvalues.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func signSpectralStart(rank: Int, scale: Scalar) throws(LinearAlgebraError) -> [Scalar] {
        requireSquare()
        require(rank >= 1 && rank <= rows, "rank is \(rank); expected 1 to \(rows)")
        require(scale > 0 && scale.isFinite, "the scale of the start is \(scale); expected a positive number")
        let eigen = try SymmetricEigen(symmetricPart(measure.adjoint(signs(measurements, scale: 1 / Scalar(measurements.count)))))
        return (0..<rows).flatMap { i in
            (0..<rank).map { j in
                let k = rows - 1 - j
                return scale * eigen.vectors[i, k] * max(0, eigen.values[k]).squareRoot()
            }
        }
    }
}
