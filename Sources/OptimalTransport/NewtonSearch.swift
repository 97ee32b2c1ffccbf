import Kernels
import RealModule

/// The course of Newton's steps on the semi-dual: the step that is tried, and what it is measured against.
struct NewtonSearch<Scalar: KernelScalar>: Sendable, Codable {
    var hasBegun = false
    /// The Hessian of the entries that matter; `nil` where they are so many that passes over all are faster.
    var model: SparseNewton<Scalar>?
    /// Plain iterations until the steps may be tried again, where none brought the value up.
    var pause = 0
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
    /// A step of Newton's for v, balanced or not, where plain iterations are slow and the plan is sparse enough; see ``SparseNewton``.
    ///
    /// - Returns: whether it set v.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func stepByNewton(_ state: inout State, _ problem: TransportProblem<Scalar>) -> Bool {
        guard relaxation == nil, andersonMemory == nil else { return false }
        guard state.newton.pause == 0 else {
            state.newton.pause -= 1
            return false
        }
        if !state.newton.hasBegun {
            guard state.marginalError < 0.1, state.pace.isSlow(30, to: tolerance) else { return false }
            state.newton.hasBegun = true
            refreshModel(&state, problem)
            // Rows are exact after plain passes alone.
            guard state.pace.relaxation == 1 else {
                state.pace = RelaxationPace(fixed: nil)
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
                    giveUp(&state)
                    return true
                }
                state.newton.trial = trial
                take(trial, &state)
                return true
            }
            // Parts of the plan may hang together by small entries alone: a slow step asks for them, unless rounding made it slow.
            if state.newton.model != nil, trial.length == 1, state.marginalError > max(0.2 * trial.error, 64 * Double(Scalar.ulpOfOne)) {
                state.newton.dropped *= 1e-4
                refreshModel(&state, problem)
            }
        }
        let b = problem.targetWeights, asked = problem.askedColumns(state.scaling)
        var residual = [Double](repeating: 0, count: b.count)
        for j in b.indices { residual[j] = asked[j] - Double(state.scaling.columnScales[j]) * state.columnTotals[j] }
        let direction = direction(&state, problem, asked: asked, residual: residual)
        guard var direction else {
            giveUp(&state)
            return false
        }
        // Parts of the plan that hardly hang together ask for steps far beyond where the model holds. Each element is limited, so that
        // one part does not hold up the others.
        for j in b.indices { direction[j] = max(-4, min(4, direction[j])) }
        var slope = 0.0
        for j in b.indices { slope += residual[j] * direction[j] }
        guard slope > 0 else {
            giveUp(&state)
            return false
        }
        let trial = NewtonSearch<Scalar>.Trial(
            direction: direction, length: 1, columnShifts: state.scaling.columnShifts,
            columnScales: state.scaling.columnScales, value: value, error: state.marginalError, slope: slope)
        state.newton.trial = trial
        take(trial, &state)
        return true
    }

    private func giveUp(_ state: inout State) {
        state.newton = NewtonSearch(pause: 20)
        state.pace = RelaxationPace(fixed: nil)
    }

    /// Makes the sparse Hessian anew, or none where it would not be sparse.
    private func refreshModel(_ state: inout State, _ problem: TransportProblem<Scalar>) {
        // A grid has products that are faster than its pairs.
        if case .grid = problem.geometry.storage { return }
        let model = SparseNewton(problem, state.scaling, dropped: state.newton.dropped)
        // A product with a kept entry costs about 20 times as much as one with an entry in a pass.
        state.newton.model = model.density < 0.05 ? model : nil
    }

    /// y of Newton's step, from the sparse Hessian or from passes over all pairs.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func direction(_ state: inout State, _ problem: TransportProblem<Scalar>, asked: [Double], residual: [Double]) -> [Double]? {
        // How a relaxed marginal answers to its potential.
        let damping = Scalar(problem.sourcePenalty.damping(epsilon)), isSingular = problem.isBalanced
        let extra: [Scalar] = switch problem.targetPenalty {
        case .exact: [Scalar](repeating: 0, count: asked.count)
        case .kullbackLeibler(let rho): asked.map { Scalar($0 * Double(epsilon / rho)) }
        }
        let tolerance = state.marginalError > 3e-3 ? 0.3 : 0.1
        if state.newton.model != nil {
            if state.newton.model!.age < 4,
               let direction = state.newton.model!.direction(
                   state.scaling, residual: residual, extra: extra, damping: damping, isSingular: isSingular, tolerance: tolerance) { return direction }
            refreshModel(&state, problem)
            if state.newton.model != nil {
                return state.newton.model!.direction(
                    state.scaling, residual: residual, extra: extra, damping: damping, isSingular: isSingular, tolerance: tolerance)
            }
        }
        // Pᵀ diag(1/r) P y = v Kᵀ (u²/r) K (v y): one pass.
        let scaling = state.scaling, rows = problem.askedRows(scaling)
        var weights = scaling.rowScales, sums = state.rowSums, images = sums, shifts = scaling.rowShifts, totals = state.columnTotals
        for i in weights.indices where weights[i] > 0 { weights[i] = damping * (weights[i] / Scalar(rows[i]) * weights[i]) }
        let diagonal = totals.indices.map { Scalar(Double(scaling.columnScales[$0]) * totals[$0]) + extra[$0] }
        var scaled = scaling.columnScales
        let isStored = if case .matrix = problem.geometry.storage { true } else { storesKernel(problem.geometry) }
        return semiDualDirection(diagonal: diagonal, residual: residual, isSingular: isSingular, tolerance: tolerance) { y, result in
            for j in y.indices { scaled[j] = scaling.columnScales[j] * y[j] }
            // Many passes have the same shifts. A matrix of costs is in memory already, so its kernel may be too.
            if isStored {
                state.kernel.pass(
                    problem.geometry, scaling, columnScales: scaled, rule: .multiply, weights: weights, offsets: [], rowSums: &sums, rowScales: &images,
                    columnTotals: &totals)
            } else {
                problem.geometry.gibbsPass(
                    scale: scaling.scale, rowShifts: &shifts, columnShifts: scaling.columnShifts, columnScales: scaled, rule: .multiply,
                    weights: weights, offsets: [], rowSums: &sums, rowScales: &images, columnTotals: &totals)
            }
            for j in result.indices { result[j] = Scalar(totals[j] * Double(scaling.columnScales[j])) }
        }
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
    /// Σ a ln U + Σ b ln V, up to a constant the semi-dual value of a scaling with the best rows for it, in units of ε. A relaxed marginal has
    /// −(ρ/ε) Σ a (e^(−f/ρ) − 1) instead, and the mass is taken off where it is not given.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func semiDual(_ scaling: GibbsScaling<Scalar>) -> Double {
        let value = Self.dualPart(sourceWeights, scaling.rowShifts, scaling.rowScales, sourcePenalty, scaling.epsilon) {
            geometry.restored(scaling.rowPotentials(sourceWeights), []).0
        } + Self.dualPart(targetWeights, scaling.columnShifts, scaling.columnScales, targetPenalty, scaling.epsilon) {
            geometry.restored([], scaling.columnPotentials(targetWeights)).1
        }
        return sourcePenalty == .exact ? value : value - askedRows(scaling).reduce(0, +)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func dualPart(
        _ weights: [Scalar], _ shifts: [Scalar], _ scales: [Scalar], _ penalty: MarginalPenalty<Scalar>, _ epsilon: Scalar,
        potentials: () -> [Double]
    ) -> Double {
        var value = 0.0
        switch penalty {
        case .exact:
            for i in weights.indices where weights[i] > 0 {
                value += Double(weights[i]) * (0.6931471805599453 * Double(shifts[i]) + Double.log(Double(scales[i])))
            }
        case .kullbackLeibler(let rho):
            let f = potentials(), rho = Double(rho)
            for i in weights.indices where weights[i] > 0 { value -= rho / Double(epsilon) * Double(weights[i]) * Double.expMinusOne(-f[i] / rho) }
        }
        return value
    }
}
