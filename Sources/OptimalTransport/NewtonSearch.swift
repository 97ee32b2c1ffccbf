import Kernels
import RealModule

/// The course of Newton's steps on the semi-dual: the step that is tried, and what it is measured against.
struct NewtonSearch<Scalar: KernelScalar>: Sendable, Codable {
    /// The Hessian; `nil` before the first step.
    var model: SparseNewton<Scalar>?
    /// Whether the steps were given up: too many entries matter, or no step length brings the value up.
    var isOver = false
    var trial: Trial?
    /// The part of the mass that the model leaves out.
    var dropped = 1e-4

    /// A step from v along y.
    struct Trial: Sendable, Codable {
        let direction: [Double]
        var length: Double
        let columnShifts: [Scalar]
        let columnScales: [Scalar]
        /// Ψ and the marginal error where the step began, and its slope there.
        let value: Double, error: Double, slope: Double
    }
}

extension Sinkhorn {
    /// A step of Newton's for v, where plain iterations are slow and the plan is sparse enough; see ``SparseNewton``.
    ///
    /// - Returns: whether it set v.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func stepByNewton(_ state: inout State, _ problem: TransportProblem<Scalar>) -> Bool {
        guard problem.isBalanced, relaxation == nil, !state.newton.isOver else { return false }
        if state.newton.model == nil {
            guard state.marginalError < 0.1, state.pace.isSlow(30, to: tolerance) else { return false }
            state.newton.model = SparseNewton(problem, state.scaling, dropped: state.newton.dropped)
            if state.newton.model!.density > 0.25 {
                state.newton = NewtonSearch(isOver: true)
                return false
            }
        }
        let value = problem.semiDual(state.scaling)
        if var trial = state.newton.trial {
            let noise = 8 * Double(Scalar.ulpOfOne) * problem.mass
            let rises = value >= trial.value + 1e-4 * trial.length * trial.slope - noise
            if !(rises && (state.marginalError < 2 * trial.error || value > trial.value + noise)) {
                trial.length /= 4
                guard trial.length > 1e-3 else {
                    state.scaling.columnShifts = trial.columnShifts
                    state.scaling.columnScales = trial.columnScales
                    state.newton = NewtonSearch(isOver: true)
                    return true
                }
                state.newton.trial = trial
                take(trial, &state)
                return true
            }
            // Parts of the plan may hang together by small entries alone: a slow step asks for them.
            if trial.length == 1, state.marginalError > 0.2 * trial.error, state.newton.dropped > 1e-12 {
                let finer = SparseNewton(problem, state.scaling, dropped: state.newton.dropped * 1e-4)
                if finer.density <= 0.25 {
                    state.newton.model = finer
                    state.newton.dropped *= 1e-4
                }
            }
        }
        let b = problem.targetWeights
        var residual = [Double](repeating: 0, count: b.count)
        for j in b.indices { residual[j] = Double(b[j]) - Double(state.scaling.columnScales[j]) * state.columnTotals[j] }
        var direction = state.newton.model!.age < 4 ? state.newton.model!.direction(state.scaling, residual: residual) : nil
        if direction == nil {
            state.newton.model = SparseNewton(problem, state.scaling, dropped: state.newton.dropped)
            direction = state.newton.model!.direction(state.scaling, residual: residual)
        }
        guard let direction else {
            state.newton = NewtonSearch(isOver: true)
            return false
        }
        var slope = 0.0, largest = 0.0
        for j in b.indices {
            slope += residual[j] * direction[j]
            largest = max(largest, abs(direction[j]))
        }
        guard slope > 0 else {
            state.newton = NewtonSearch(isOver: true)
            return false
        }
        let trial = NewtonSearch<Scalar>.Trial(
            direction: direction, length: min(1, 4 / largest), columnShifts: state.scaling.columnShifts,
            columnScales: state.scaling.columnScales, value: value, error: state.marginalError, slope: slope)
        state.newton.trial = trial
        take(trial, &state)
        return true
    }

    /// v ← v e^(length · y).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func take(_ trial: NewtonSearch<Scalar>.Trial, _ state: inout State) {
        for j in trial.direction.indices {
            let exponent = trial.length * trial.direction[j] * 1.4426950408889634, whole = exponent.rounded()
            state.scaling.columnShifts[j] = trial.columnShifts[j] + Scalar(whole)
            state.scaling.columnScales[j] = trial.columnScales[j] * Scalar(Double.exp2(exponent - whole))
        }
        state.scaling.absorbIfNeeded()
    }
}

extension TransportProblem {
    /// Σ a ln U + Σ b ln V, up to a constant the semi-dual value of a scaling with exact rows, in units of ε.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func semiDual(_ scaling: GibbsScaling<Scalar>) -> Double {
        var value = 0.0
        for i in sourceWeights.indices where sourceWeights[i] > 0 {
            value += Double(sourceWeights[i]) * (0.6931471805599453 * Double(scaling.rowShifts[i]) + Double.log(Double(scaling.rowScales[i])))
        }
        for j in targetWeights.indices where targetWeights[j] > 0 {
            value += Double(targetWeights[j]) * (0.6931471805599453 * Double(scaling.columnShifts[j]) + Double.log(Double(scaling.columnScales[j])))
        }
        return value
    }
}
