import Kernels
import LinearAlgebra
import Objectives
import Randomness
import RealModule

/// Transport over plans of low rank, by mirror descent.
///
///     min ⟨C, P⟩ + ε Σ X (ln X − 1) over X = Q, R, h       P = Q diag(1/h) Rᵀ,   Q1 = a, R1 = b,   Qᵀ1 = Rᵀ1 = h ≥ floor
///
/// An iteration takes the gradients ∇Q = C R diag(1/h), ∇R = Cᵀ Q diag(1/h), ∇h = −diag(Qᵀ C R)/h², moves the logarithms of Q, R and h against
/// them, and projects onto the constraints in the Kullback-Leibler divergence, by some rounds of Dykstra's and Newton's steps in 2r variables. All of it
/// is done on logarithms: there is no step so large that it gives NaN. What the projection leaves of the constraints is rounded away (Altschuler
/// et al. 2017), so that plans are exact at any time and their cost bounds that of the optimal plan from above.
///
/// The step is γ over the largest difference within the gradients; it is halved when the objective rises, and such an iteration is not taken. The
/// problem is not convex: a run ends in a local optimum. The first one starts from k-means clusters of both measures, which an exact plan between the
/// clusters joins; others from random factors. Of all starts the best is kept.
///
/// Of rank 1 there is one plan, a bᵀ. The plan is a ``LowRankPlan``; there are no potentials.
///
/// Differs from POT and OTT-JAX: γ is over the size of the gradients, not its square, so that the unit of costs does not matter; the entropies are
/// those of the objective above in an exact mirror step, where OTT-JAX takes their gradient besides; the objective never rises.
///
/// Source: Scetbon, Cuturi & Peyré 2021.
///
/// - Complexity: an iteration is O((n + m) r s) for costs of rank s (see ``Geometry/costFactors()``), O((n + m) r) for each of Dykstra's
///   rounds and O((n + m) r² + r³) for Newton's steps, in O((n + m)(r + s)) memory.
public struct LowRankSinkhorn<Scalar: KernelScalar>: Sendable {
    /// r.
    public let rank: Int
    public let epsilon: Scalar
    public let floor: Double
    public let stepSize: Double
    public let starts: Int
    public let tolerance: Double
    public let iterationLimit: Int
    public let seed: UInt64

    /// - Parameters:
    ///   - rank: r, at least 1.
    ///   - epsilon: ε; with 0 plans are as sharp as the rank allows.
    ///   - floor: the least hₖ, as a part of the mass over r. POT has 1e-10 of the mass.
    ///   - stepSize: γ; 10 as in OTT-JAX.
    ///   - starts: how many; the first from k-means, the others random.
    ///   - tolerance: a run has converged when ten iterations lower the objective by less than this part of it.
    ///   - iterationLimit: of each start.
    ///   - seed: of clusters and random factors.
    /// - Precondition: 0 ≤ floor < 1; positive γ; ε, tolerance and limit not negative; at least one start.
    public init(
        rank: Int, epsilon: Scalar = 0, floor: Double = 1e-6, stepSize: Double = 10, starts: Int = 1, tolerance: Double = 1e-4,
        iterationLimit: Int = 1000, seed: UInt64 = 0
    ) {
        require(rank >= 1, "rank is \(rank); expected at least 1")
        require(epsilon >= 0 && epsilon.isFinite, "epsilon is \(epsilon); expected a finite number, not negative")
        require(floor >= 0 && floor < 1, "floor is \(floor); expected a number in [0, 1)")
        require(stepSize > 0 && stepSize.isFinite, "step size is \(stepSize); expected a finite number above 0")
        require(starts >= 1, "\(starts) starts; expected at least 1")
        require(tolerance >= 0, "tolerance is \(tolerance); expected no negative number")
        require(iterationLimit >= 0, "iteration limit is \(iterationLimit); expected no negative number")
        (self.rank, self.epsilon, self.floor, self.stepSize, self.starts) = (rank, epsilon, floor, stepSize, starts)
        (self.tolerance, self.iterationLimit, self.seed) = (tolerance, iterationLimit, seed)
    }

    /// What changes during a run from one start.
    public struct State: Sendable, Codable {
        /// The plan, whose marginals are exact to rounding.
        public internal(set) var plan: LowRankPlan<Scalar>
        /// ⟨C, P⟩ with the entropies.
        public internal(set) var objective: Double
        /// ⟨C, P⟩.
        public internal(set) var transportCost: Double
        public internal(set) var iterations = 0
        /// Rounds of the projections, in all iterations.
        public internal(set) var rounds: Int
        /// γ of the next iteration.
        public internal(set) var stepSize: Double
        /// ``objective`` after each iteration.
        public internal(set) var objectives: [Double] = []
        /// Logarithms of the factors, before they were rounded.
        var source: LowRankFactor<Scalar>, target: LowRankFactor<Scalar>, logPlaces: [Double]
        /// C R diag(1/h).
        var gradient: Matrix<Scalar>
        /// ln v of the last projection by its γ: near the end they hardly change.
        var multipliers: ProjectionScales
    }

    /// The state of a start before its first iteration.
    ///
    /// - Parameter start: 0 for k-means, others for random factors.
    /// - Precondition: both marginals are exact.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(_ problem: TransportProblem<Scalar>, start: Int = 0) -> State {
        requireExactMarginals(problem)
        var random = RandomStream(seed: seed, stream: UInt64(start))
        let places = [Double](repeating: Double.log(problem.mass / Double(rank)), count: rank)
        let n = problem.geometry.rows, m = problem.geometry.columns
        let source, target: Matrix<Scalar>, logPlaces: [Double]
        if start == 0, rank > 1 {
            (source, target, logPlaces) = clusters(problem, &random)
        } else {
            source = Matrix(rows: n, columns: rank, elements: random.normal(count: n * rank))
            target = Matrix(rows: m, columns: rank, elements: random.normal(count: m * rank))
            logPlaces = places
        }
        let none = [Double](repeating: 0, count: rank)
        return projected(
            problem, LowRankFactor(source), LowRankFactor(target), logPlaces, stepSize: stepSize, start: ProjectionScales(source: none, target: none))
    }

    /// One iteration.
    ///
    /// - Returns: `nil` to go on, or why the run ends.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ problem: TransportProblem<Scalar>) -> Termination? {
        guard state.objective.isFinite else { return Termination(.nonFinite, "the objective is \(state.objective)") }
        let plan = state.plan
        let share = plan.source.dividedByColumn(plan.places)
        var forward = state.gradient, back = problem.geometry.costProduct(share, transposed: true)
        // −∇h is the mean cost of what passes a place.
        let pull = plan.placeCosts(state.gradient)
        let least = pull.min()!, size = max(Double(forward.subtractRowMinima()), Double(back.subtractRowMinima()), pull.max()! - least)
        guard size > 0 else { return Termination(.converged, "the cost is the same whatever the plan") }
        let gamma = state.stepSize / size, damping = 1 / (1 + Double(epsilon) * gamma)
        let logPlaces = (0..<rank).map { damping * (state.logPlaces[$0] + gamma * (pull[$0] - least)) }
        let trial = projected(
            problem, state.source.moved(along: forward, by: gamma, damping: damping), state.target.moved(along: back, by: gamma, damping: damping),
            logPlaces, stepSize: state.stepSize, start: state.multipliers.scaled(by: damping * gamma))
        state.iterations += 1
        state.rounds += trial.rounds
        state.multipliers = trial.multipliers.scaled(by: 1 / (damping * gamma))
        if trial.objective <= state.objective {
            (state.plan, state.objective, state.transportCost, state.gradient) = (trial.plan, trial.objective, trial.transportCost, trial.gradient)
            (state.source, state.target, state.logPlaces) = (trial.source, trial.target, trial.logPlaces)
            state.stepSize = min(stepSize, state.stepSize * 1.2)
        } else {
            state.stepSize /= 2
        }
        state.objectives.append(state.objective)
        let count = state.objectives.count
        if count > 10, state.objectives[count - 11] - state.objective <= tolerance * abs(state.objective) {
            return Termination(.converged, "ten iterations lowered the objective \(state.objective) by at most \(tolerance) of it")
        }
        return nil
    }

    /// Solves the problem from all starts.
    ///
    /// - Precondition: both marginals are exact.
    public func solve(_ problem: TransportProblem<Scalar>) -> TransportSolution<Scalar> {
        let clock = ContinuousClock(), begin = clock.now
        var best: (state: State, end: Termination)?
        for start in 0..<(rank == 1 ? 1 : starts) {
            var state = makeState(problem, start: start)
            let end = run(&state, problem)
            if best == nil || state.objective < best!.state.objective { best = (state, end) }
        }
        return solution(problem, best!.state, best!.end, seconds: (clock.now - begin) / .seconds(1))
    }

    /// Goes on with a state, which can be saved and resumed again afterwards. The limit counts from the very first iteration.
    public func solve(_ problem: TransportProblem<Scalar>, resuming state: inout State) -> TransportSolution<Scalar> {
        let clock = ContinuousClock(), begin = clock.now
        let end = run(&state, problem)
        return solution(problem, state, end, seconds: (clock.now - begin) / .seconds(1))
    }

    private func run(_ state: inout State, _ problem: TransportProblem<Scalar>) -> Termination {
        while state.iterations < iterationLimit { if let end = step(&state, problem) { return end } }
        return Termination(.iterationLimit, "all \(iterationLimit) iterations are done; the objective is \(state.objective)")
    }

    private func solution(
        _ problem: TransportProblem<Scalar>, _ state: State, _ end: Termination, seconds: Double
    ) -> TransportSolution<Scalar> {
        let plan = state.plan
        let sent = plan.apply([Scalar](repeating: 1, count: plan.columns)), received = plan.applyAdjoint([Scalar](repeating: 1, count: plan.rows))
        let error = zip(sent, problem.sourceWeights).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) }
            + zip(received, problem.targetWeights).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) }
        return TransportSolution(
            problem: problem, plan: plan, sourcePotential: [], targetPotential: [], transportCost: Scalar(state.transportCost),
            primalValue: Scalar(state.objective), dualValue: .nan, marginalError: Scalar(error), status: end.status, reason: end.reason,
            iterations: state.iterations, seconds: seconds)
    }

    /// Logarithms of factors that take k-means clusters of both measures for places, with a tenth of the mass spread over all.
    private func clusters(
        _ problem: TransportProblem<Scalar>, _ random: inout RandomStream
    ) -> (source: Matrix<Scalar>, target: Matrix<Scalar>, logPlaces: [Double]) {
        let geometry = problem.geometry, a = problem.sourceWeights, b = problem.targetWeights
        let (x, y) = geometry.features(&random)
        let fromLabels = kMeans(x, weights: a, count: rank, random: &random), toLabels = kMeans(y, weights: b, count: rank, random: &random)
        func sums(_ labels: [Int], _ weights: [Scalar]) -> [Double] {
            var sums = [Double](repeating: 0, count: rank)
            for i in labels.indices { sums[labels[i]] += Double(weights[i]) }
            return sums
        }
        let from = sums(fromLabels, a), to = sums(toLabels, b)
        // Mean costs between clusters, and the exact plan for them.
        var shares = Matrix<Scalar>.zeros(rows: b.count, columns: rank)
        for j in b.indices where b[j] > 0 { shares[j, toLabels[j]] = Scalar(Double(b[j]) / to[toLabels[j]]) }
        let images = geometry.costProduct(shares)
        var costs = Matrix<Scalar>.zeros(rows: rank, columns: rank)
        for i in a.indices where a[i] > 0 {
            let share = Scalar(Double(a[i]) / from[fromLabels[i]]), row = images.row(i)
            for l in 0..<rank { costs[fromLabels[i], l] += share * row[l] }
        }
        let mass = problem.mass, spread = 0.1
        func logarithm(_ share: Double) -> Scalar { Scalar(Double.log((1 - spread) * share + spread / Double(rank))) }
        var target = Matrix<Scalar>(rows: b.count, columns: rank, repeating: logarithm(0)), source = Matrix(rows: a.count, columns: rank, repeating: logarithm(0))
        for i in a.indices { source[i, fromLabels[i]] = logarithm(1) }
        if let coarse = try? TransportProblem(Geometry(cost: costs), from: from.map { Scalar($0) }, to: to.map { Scalar($0) }) {
            let plan = ExactTransport().solve(coarse).plan.dense()
            for j in b.indices where b[j] > 0 {
                for k in 0..<rank { target[j, k] = logarithm(Double(plan[k, toLabels[j]]) / to[toLabels[j]]) }
            }
        }
        return (source, target, from.map { Double.log((1 - spread) * $0 + spread * mass / Double(rank)) })
    }

    /// The state of factors that are projected onto the constraints.
    private func projected(
        _ problem: TransportProblem<Scalar>, _ source: LowRankFactor<Scalar>, _ target: LowRankFactor<Scalar>, _ logPlaces: [Double], stepSize: Double,
        start: ProjectionScales
    ) -> State {
        let a = problem.sourceWeights, b = problem.targetWeights, mass = problem.mass
        var source = source, target = target
        let projection = LowRankProjection(
            &source, &target, a, b, from: start, logPlaces: logPlaces, logFloor: Double.log(floor * mass / Double(rank)), tolerance: (Scalar.ulpOfOne > 1e-10 ? 1e-5 : 1e-8) * mass)
        // Places are where both factors put them, to rounding.
        let places = projection.logPlaces.map { Double.exp($0) }, total = places.reduce(0, +)
        let h = places.map { Scalar($0 * (mass / total)) }
        let plan = LowRankPlan(source: source.rounded(a, projection.scales.source, h), target: target.rounded(b, projection.scales.target, h), places: h)
        let gradient = problem.geometry.costProduct(plan.target.dividedByColumn(h))
        let cost = Double(Scalar.dot(plan.source.span, gradient.span))
        var entropies = 0.0
        if epsilon > 0 { entropies = Double(epsilon) * (negativeEntropy(plan.source.span) + negativeEntropy(plan.target.span) + negativeEntropy(h.span)) }
        (source, target) = (source.absorbing(projection.scales.source), target.absorbing(projection.scales.target))
        return State(
            plan: plan, objective: cost + entropies, transportCost: cost, rounds: projection.rounds, stepSize: stepSize, source: source,
            target: target, logPlaces: projection.logPlaces, gradient: gradient, multipliers: projection.scales)
    }
}

/// Σ x (ln x − 1).
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func negativeEntropy<Scalar: KernelScalar>(_ x: Span<Scalar>) -> Double {
    var sum = 0.0
    for i in x.indices where x[i] > 0 { sum += Double(x[i]) * (Double.log(Double(x[i])) - 1) }
    return sum
}

extension LowRankPlan {
    /// diag(Qᵀ C R)/h², given C R diag(1/h).
    fileprivate func placeCosts(_ gradient: Matrix<Scalar>) -> [Double] {
        var sums = [Double](repeating: 0, count: rank)
        for i in 0..<rows {
            let q = source.row(i), g = gradient.row(i)
            for k in 0..<rank { sums[k] += Double(q[k] * g[k]) }
        }
        return (0..<rank).map { sums[$0] / Double(places[$0]) }
    }
}

extension Matrix {
    /// A diag(1/h).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate func dividedByColumn(_ h: [Scalar]) -> Matrix {
        var result = self
        let inverse = h.map { 1 / $0 }
        var span = result.mutableSpan
        Scalar.multiplyRow(rows: rows, columns: columns, self.span, inverse.span, into: &span)
        return result
    }

    /// Takes the least element of each row out of it.
    ///
    /// - Returns: the largest that is left.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    fileprivate mutating func subtractRowMinima() -> Scalar {
        var largest: Scalar = 0
        for i in 0..<rows {
            var row = mutableRow(i)
            var least = row[0]
            for k in row.indices { least = Swift.min(least, row[k]) }
            for k in row.indices {
                row[k] -= least
                largest = Swift.max(largest, row[k])
            }
        }
        return largest
    }
}

extension Geometry {
    /// What k-means clusters: the points, or costs to and from up to 32 points where there is a matrix of them only.
    fileprivate func features(_ random: inout RandomStream) -> (Matrix<Scalar>, Matrix<Scalar>) {
        if case .points(let clouds) = storage, clouds.cost != .dot { return clouds.prepared }
        let targets = random.sample(min(columns, 32), of: columns), sources = random.sample(min(rows, 32), of: rows)
        var chosenTargets = Matrix<Scalar>.zeros(rows: columns, columns: targets.count)
        for (k, j) in targets.enumerated() { chosenTargets[j, k] = 1 }
        var chosenSources = Matrix<Scalar>.zeros(rows: rows, columns: sources.count)
        for (k, i) in sources.enumerated() { chosenSources[i, k] = 1 }
        return (costProduct(chosenTargets), costProduct(chosenSources, transposed: true))
    }
}
