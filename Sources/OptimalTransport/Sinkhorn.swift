import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// Entropic transport by Sinkhorn's iteration.
///
///     min ⟨P, C⟩ + ε KL(P | a⊗b)   over plans with the marginals a and b,   KL(P | Q) = Σ P ln(P/Q) − P + Q
///     P = a b exp((f + g − C)/ε),   f ← −ε ln Σⱼ bⱼ exp((gⱼ − Cᵢⱼ)/ε),   g ← −ε ln Σᵢ aᵢ exp((fᵢ − Cᵢⱼ)/ε)
///
/// A marginal with a Kullback-Leibler penalty ρ is relaxed: ρ KL(P1 | a) is added, and its update is damped by ρ/(ρ + ε).
///
/// The iteration works in the log domain: nothing over- or underflows however small ε is, as long as the exponents C/ε have a meaning in
/// the scalar type (else ``TransportError/epsilonBelowPrecision(epsilon:largestCost:exponentError:)``). One pass over the costs with one
/// exponential for each pair makes both updates and yields the error of the marginals before them.
///
/// Iterations are over-relaxed once their rate is known, log u ← (1 − ω) log u + ω log(a/Kv): the number of iterations then grows with
/// 1/√(1 − σ²) instead of 1/(1 − σ²), σ² being the rate of the plain ones; where they would still be many, Newton's steps on the semi-dual
/// take over. So it is for relaxed marginals too. `relaxation: 1` is the plain iteration.
///
/// Costs of some pairs that no plan with the marginals can use end a run as `infeasible`, with a proof in its reason.
///
/// Differs from POT: values are those of KL(P | a⊗b), not of Σ P ln P (the plan is the same, the value differs by
/// ε Σ a ln a + ε Σ b ln b), and the error is that of both marginals in the 1-norm, not of one in the 2-norm. Differs from OTT-JAX: potentials
/// are without the logarithms of the weights. Differs from GeomLoss: its ε for ‖x − y‖²/2 is half of that for ‖x − y‖².
///
/// Sources: Cuturi 2013; Peyré & Cuturi 2019; over-relaxation: Lehmann et al. 2021; the unbalanced shift: Séjourné et al. 2022.
///
/// - Complexity: an iteration is O(n m), with O(n + m) memory beyond the costs and the stored exponentials, see ``Domain/logarithmic``.
public struct Sinkhorn<Scalar: KernelScalar>: Sendable {
    public let epsilon: Scalar
    public let tolerance: Double
    public let iterationLimit: Int
    public let relaxation: Double?
    public let epsilonFactor: Scalar?
    public let domain: Domain
    public let andersonMemory: Int?

    /// What a pass reads.
    public enum Domain: String, Sendable, Hashable, Codable {
        /// The costs: an exponential a pair, in any geometry. Of up to 4 MiB of pairs the exponentials are kept while the potentials stay
        /// where they are but for a factor of moderate size; beside a matrix of costs of up to 64 MiB.
        case logarithmic
        /// The kernel exp((f + g − C)/ε) of potentials that are absorbed into it, stored whatever its size and made anew where they have
        /// moved far (Schmitzer 2019): a product and a sum a pair. Sparse costs and grids, which choose by themselves, take no notice.
        case scaling
    }

    /// - Parameters:
    ///   - epsilon: ε, above 0, in the units of the cost; 0.05 of ``Geometry/meanCost()`` is a usual start.
    ///   - tolerance: for ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁ as a part of the mass.
    ///   - iterationLimit: passes over the costs, those at larger ε included.
    ///   - relaxation: ω, in (0, 2); found from the rate of the iterations if `nil`.
    ///   - epsilonFactor: by which a first ε of the size of the costs falls to ε, solved roughly at each; `nil` for
    ///     0.25 where ε is below 0.05 of the largest cost; 1 for none.
    ///   - domain: what a pass reads.
    ///   - andersonMemory: how many of the last iterations Anderson's acceleration combines, instead of over-relaxation and Newton's steps; `nil`
    ///     for these, which take fewer iterations at small ε (<doc:ChoosingASolver> has counts).
    public init(
        epsilon: Scalar, tolerance: Double = 1e-6, iterationLimit: Int = 10_000, relaxation: Double? = nil, epsilonFactor: Scalar? = nil,
        domain: Domain = .logarithmic, andersonMemory: Int? = nil
    ) {
        require(epsilon > 0 && epsilon.isFinite, "epsilon is \(epsilon); expected a finite number above 0")
        require(tolerance >= 0, "tolerance is \(tolerance); expected no negative number")
        require(iterationLimit >= 0, "iteration limit is \(iterationLimit); expected no negative number")
        require(relaxation.map { $0 > 0 && $0 < 2 } ?? true, "relaxation is \(relaxation ?? 0); expected a number in (0, 2)")
        require(epsilonFactor.map { $0 > 0 && $0 <= 1 } ?? true, "epsilon factor is \(epsilonFactor ?? 0); expected a number in (0, 1]")
        (self.epsilon, self.tolerance, self.iterationLimit) = (epsilon, tolerance, iterationLimit)
        require(andersonMemory.map { $0 >= 2 } ?? true, "Anderson memory is \(andersonMemory ?? 0); expected at least 2")
        require(andersonMemory == nil || relaxation == nil, "over-relaxation and Anderson's acceleration; expected one of them")
        (self.relaxation, self.epsilonFactor, self.domain, self.andersonMemory) = (relaxation, epsilonFactor, domain, andersonMemory)
    }

    /// What changes during a run.
    public struct State: Sendable, Codable {
        var scaling: GibbsScaling<Scalar>
        /// Kv of the last pass.
        var rowSums: [Scalar]
        /// Kᵀu of the last pass.
        var columnTotals: [Double]
        /// ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁ as a part of the mass, at the last pass.
        public internal(set) var marginalError = Double.infinity
        public internal(set) var iterations = 0
        /// ``marginalError`` of each iteration.
        public internal(set) var marginalErrors: [Double] = []
        /// The ε of the next iteration.
        public var epsilon: Scalar { scaling.epsilon }
        /// ω of the next iteration.
        public var relaxation: Double { pace.relaxation }
        var pace: RelaxationPace
        var newton = NewtonSearch<Scalar>()
        var kernel = StoredKernel<Scalar>()
        var anderson = AndersonHistory()
    }

    /// The state before the first iteration.
    ///
    /// - Parameter start: potentials f and g to begin with, such as those of a problem like this one; 0 if `nil`.
    /// - Throws: ``TransportError/epsilonBelowPrecision(epsilon:largestCost:exponentError:)``.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(
        _ problem: TransportProblem<Scalar>, from start: (source: [Scalar], target: [Scalar])? = nil
    ) throws(TransportError) -> State {
        let geometry = problem.geometry, a = problem.sourceWeights, b = problem.targetWeights
        let largest = geometry.largestMagnitude()
        let error = Double(largest) * Double(Scalar.ulpOfOne) / 2 / Double(epsilon)
        guard error <= 0.05 else {
            throw .epsilonBelowPrecision(epsilon: Double(epsilon), largestCost: Double(largest), exponentError: error)
        }
        let scaling: GibbsScaling<Scalar>
        if let start {
            require(start.source.count == a.count && start.target.count == b.count,
                    "\(start.source.count) and \(start.target.count) potentials for \(a.count) and \(b.count) points; expected equally many")
            let (f, g) = geometry.reduced(start.source.map { Double($0) }, start.target.map { Double($0) })
            scaling = GibbsScaling(epsilon: epsilon, a, b, potentials: f, g)
        } else {
            let (f, g) = geometry.reduced([Double](repeating: 0, count: a.count), [Double](repeating: 0, count: b.count))
            scaling = GibbsScaling(epsilon: firstEpsilon(largest), a, b, potentials: f, g)
        }
        return State(scaling: scaling, rowSums: [Scalar](repeating: 0, count: a.count), columnTotals: [Double](repeating: 0, count: b.count),
                     pace: RelaxationPace(fixed: andersonMemory == nil ? relaxation : 1))
    }

    private func firstEpsilon(_ largest: Scalar) -> Scalar {
        switch epsilonFactor {
        case .some(let factor): factor < 1 ? max(epsilon, largest / 4) : epsilon
        case nil: epsilon < largest / 20 ? max(epsilon, largest / 16) : epsilon
        }
    }

    /// One iteration.
    ///
    /// - Returns: `nil` to go on, or why the run ends. The state then holds the potentials that were measured.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ problem: TransportProblem<Scalar>) -> Termination? {
        let a = problem.sourceWeights, b = problem.targetWeights
        updateRows(&state, problem)
        state.iterations += 1
        state.marginalError = (problem.rowError(state.scaling, state.rowSums) + problem.columnError(state.scaling, state.columnTotals)) / problem.mass
        state.marginalErrors.append(state.marginalError)
        let isLast = state.epsilon == epsilon
        if isLast, state.marginalError <= tolerance {
            return Termination(.converged, "the marginal error \(state.marginalError) is at most \(tolerance)")
        }
        if case .sparse(let sparse) = problem.geometry.storage, problem.isBalanced, state.iterations >= 64,
           state.iterations.nonzeroBitCount == 1, let proof = sparse.infeasibility(a, b, potentials: state.scaling.rowPotentials(a)) {
            return Termination(.infeasible, proof)
        }
        if let end = repairColumns(&state, problem) { return end }
        if isLast, stepByNewton(&state, problem) { return nil }
        let before = andersonMemory == nil ? [] : state.scaling.columnExponents(b)
        updateColumns(&state, problem)
        if !problem.isBalanced { problem.recentre(&state) }
        if isLast, let andersonMemory {
            let image = state.scaling.columnExponents(b)
            state.scaling.setColumnExponents(
                state.anderson.next(from: before, image: image, error: state.marginalError, memory: andersonMemory), b)
        }
        state.scaling.absorbIfNeeded()
        if !isLast, state.marginalError <= max(0.01, tolerance) {
            let factor = epsilonFactor ?? 0.25
            // The last step is not a tiny one.
            let next = state.epsilon * factor
            state.scaling.setEpsilon(next < epsilon * (1 + (1 / factor - 1) / 4) ? epsilon : next, a, b)
        } else if isLast {
            state.pace.observe(state.marginalError)
        }
        return nil
    }

    /// u from Kv, and Kᵀu.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func updateRows(_ state: inout State, _ problem: TransportProblem<Scalar>) {
        let a = problem.sourceWeights, damping = problem.sourcePenalty.damping(state.epsilon), omega = state.pace.relaxation
        let rule: ScalingRule<Scalar> = omega == 1 && damping == 1 ? .divide : .power(Scalar(omega * damping))
        if storesKernel(problem.geometry), domain == .scaling || state.kernel.isAtRest(state.scaling) {
            let before = state.scaling.rowScales
            let offsets = rowOffsets(state, problem, damping)
            state.kernel.pass(
                problem.geometry, state.scaling, columnScales: state.scaling.columnScales, rule: rule, weights: a, offsets: offsets, rowSums: &state.rowSums,
                rowScales: &state.scaling.rowScales, columnTotals: &state.columnTotals)
            if state.rowSums.allSatisfy({ GibbsScaling<Scalar>.isWithinReach(Double($0)) }) { return }
            // The pass over the costs brings the shifts back.
            state.scaling.rowScales = before
        }
        let shifts = damping < 1 ? state.scaling.rowShifts : []
        for attempt in 0..<2 {
            let offsets = rowOffsets(state, problem, damping)
            problem.geometry.gibbsPass(
                scale: state.scaling.scale, rowShifts: &state.scaling.rowShifts, columnShifts: state.scaling.columnShifts,
                columnScales: state.scaling.columnScales, rule: rule, weights: a, offsets: offsets, rowSums: &state.rowSums,
                rowScales: &state.scaling.rowScales, columnTotals: &state.columnTotals)
            // Offsets belong to the shifts that they were made of.
            guard attempt == 0, damping < 1, state.scaling.rowShifts != shifts else { return }
        }
    }

    /// Whether passes may read stored exponentials.
    func storesKernel(_ geometry: Geometry<Scalar>) -> Bool {
        let bytes = Double(geometry.rows) * Double(geometry.columns) * Double(MemoryLayout<Scalar>.stride)
        return switch geometry.storage {
        case .matrix: domain == .scaling || bytes <= 0x1p26
        case .points: domain == .scaling || bytes <= 0x1p22
        case .grid, .sparse: false
        }
    }

    /// What a penalty adds to log u: −ω (1 − damping) f/ε.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func rowOffsets(_ state: State, _ problem: TransportProblem<Scalar>, _ damping: Double) -> [Scalar] {
        guard damping < 1 else { return [] }
        let (f, _) = problem.geometry.restored(state.scaling.rowPotentials(problem.sourceWeights), [])
        return f.map { Scalar(-state.pace.relaxation * (1 - damping) / Double(state.epsilon) * $0) }
    }

    /// Sets the shifts of columns anew whose sums have left the range, and takes the sums again.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func repairColumns(_ state: inout State, _ problem: TransportProblem<Scalar>) -> Termination? {
        let b = problem.targetWeights
        func isOut(_ total: Double) -> Bool { !GibbsScaling<Scalar>.isWithinReach(total) }
        // Those without mass too: their potentials are made of these sums in the end.
        guard state.columnTotals.contains(where: isOut) else { return nil }
        guard state.scaling.rowScales.allSatisfy({ $0.isFinite }) else {
            return Termination(.nonFinite, "a scale is not finite after \(state.iterations) iterations")
        }
        // Scales may be far from 1 here: their exponents belong to the shifts.
        state.scaling.absorb()
        let maxima = problem.geometry.columnExponents(state.scaling)
        for j in b.indices where b[j] > 0 && isOut(state.columnTotals[j]) {
            state.scaling.columnShifts[j] = -maxima[j].rounded()
            state.scaling.columnScales[j] = b[j]
        }
        var unused = state.rowSums, shifts = state.scaling.rowShifts
        GibbsScaling<Scalar>.silence(&shifts, problem.sourceWeights)
        problem.geometry.gibbsPass(
            scale: state.scaling.scale, rowShifts: &shifts, columnShifts: state.scaling.columnShifts,
            columnScales: state.scaling.columnScales, rule: .fixed, weights: problem.sourceWeights, offsets: [], rowSums: &unused,
            rowScales: &state.scaling.rowScales, columnTotals: &state.columnTotals)
        if let j = b.indices.first(where: { b[$0] > 0 && isOut(state.columnTotals[$0]) }) {
            return Termination(.nonFinite, "the sum of column \(j) is \(state.columnTotals[j]) after \(state.iterations) iterations")
        }
        return nil
    }

    /// v from Kᵀu, over-relaxed and damped as the rows are.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func updateColumns(_ state: inout State, _ problem: TransportProblem<Scalar>) {
        let b = problem.targetWeights, damping = problem.targetPenalty.damping(state.epsilon), omega = state.pace.relaxation
        guard omega != 1 || damping != 1 else {
            for j in b.indices { state.scaling.columnScales[j] = b[j] == 0 ? 0 : Scalar(Double(b[j]) / state.columnTotals[j]) }
            return
        }
        let ratios = b.indices.map { j in
            b[j] > 0 ? Scalar(Double(b[j]) / (state.columnTotals[j] * Double(state.scaling.columnScales[j]))) : 0
        }
        let (_, g) = damping < 1 ? problem.geometry.restored([], state.scaling.columnPotentials(b)) : ([], [])
        let offsets = g.map { Scalar(-omega * (1 - damping) / Double(state.epsilon) * $0) }
        GibbsScaling.relax(&state.scaling.columnScales, by: ratios, power: Scalar(omega * damping), offsets: offsets)
    }

    /// Solves the problem.
    ///
    /// - Parameter start: as in ``makeState(_:from:)``.
    /// - Throws: ``TransportError/epsilonBelowPrecision(epsilon:largestCost:exponentError:)``. What else can go wrong is in the status.
    public func solve(
        _ problem: TransportProblem<Scalar>, from start: (source: [Scalar], target: [Scalar])? = nil
    ) throws(TransportError) -> TransportSolution<Scalar> {
        var state = try makeState(problem, from: start)
        return solve(problem, resuming: &state)
    }

    /// Goes on with a state, which can be saved and resumed again afterwards. The limit counts from the very first iteration.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve(_ problem: TransportProblem<Scalar>, resuming state: inout State) -> TransportSolution<Scalar> {
        let clock = ContinuousClock(), begin = clock.now
        var end: Termination?
        while end == nil, state.iterations < iterationLimit { end = step(&state, problem) }
        let termination = end ?? Termination(
            .iterationLimit, "all \(iterationLimit) iterations are done; the marginal error is \(state.marginalError)")
        let duration = (clock.now - begin).components
        return problem.entropicSolution(
            state.scaling, termination, tolerance: tolerance, iterations: state.iterations, errors: state.marginalErrors,
            seconds: Double(duration.seconds) + 1e-18 * Double(duration.attoseconds))
    }
}

extension MarginalPenalty {
    /// ρ/(ρ + ε), by which an update is damped.
    func damping(_ epsilon: Scalar) -> Double {
        switch self {
        case .exact: 1
        case .kullbackLeibler(let rho): Double(rho) / (Double(rho) + Double(epsilon))
        }
    }

    /// The marginal that a potential asks for, as a part of the weight: e^(−f/ρ).
    func share(_ potential: Double) -> Double {
        switch self {
        case .exact: 1
        case .kullbackLeibler(let rho): Double.exp(-potential / Double(rho))
        }
    }
}
