import Foundation
import Kernels
import LearnedSolvers
import LinearAlgebra
import LinearSolvers
import Objectives
import Optimizers
import Randomness
import Testing

private let grid20 = evenlySpaced(1...1.95, count: 20)

/// What a decoded copy of `bandit` chooses after `rounds` rounds, and what the original does.
private func resumed<Bandit: ParameterBandit>(_ bandit: Bandit, rounds: Int = 60) throws -> (Bool, [Int]) {
    var first = bandit, random = RandomStream(seed: 8)
    func play(_ bandit: inout Bandit, _ random: inout RandomStream) -> Int {
        let context = Double.random(in: 0..<1, using: &random), arm = bandit.choose(context: context)
        bandit.observe(cost: 1 + Double(arm) + 10 * context)
        return arm
    }
    for _ in 0..<rounds { _ = play(&first, &random) }
    var second = try JSONDecoder().decode(Bandit.self, from: JSONEncoder().encode(first)), copy = random
    let a = (0..<rounds).map { _ in play(&first, &random) }, b = (0..<rounds).map { _ in play(&second, &copy) }
    return (a == b, a)
}

@Suite struct TsallisINFTests {
    /// Over costs of all sizes.
    @Test func probabilitiesSumToOneInEveryRound() {
        var bandit = TsallisINF(arms: grid20, random: RandomStream(seed: 1)), costs = RandomStream(seed: 2), worst = 0.0
        for round in 0..<3000 {
            let arm = bandit.choose()
            worst = max(worst, abs(bandit.probabilities.reduce(0, +) - 1))
            #expect(bandit.probabilities.allSatisfy { $0 > 0 })
            let size = round % 500 == 0 ? 1e4 : 100
            bandit.observe(cost: 1 + Double(arm) + size * Double.random(in: 0..<1, using: &costs))
        }
        #expect(worst < 1e-12)
    }

    @Test func equalCostsOfOneLeaveTheChoiceUniform() {
        var bandit = TsallisINF(arms: [1, 1.5, 1.9], random: RandomStream(seed: 3))
        for _ in 0..<50 {
            _ = bandit.choose()
            let isUniform = bandit.probabilities.allSatisfy { abs($0 - 1.0 / 3) < 1e-13 }
            #expect(isUniform)
            bandit.observe(cost: 1)
        }
    }

    /// After one round of cost 5 in which p was ½: k = 8 and 0, s = 4, η = 2/√2; x by bisection.
    @Test func secondRoundOfTwoValues() {
        var bandit = TsallisINF(arms: [1, 1.5], random: RandomStream(seed: 4))
        let arm = bandit.choose()
        bandit.observe(cost: 5)
        _ = bandit.choose()
        let eta = 2 / 2.0.squareRoot()
        func p(_ z: Double, _ x: Double) -> Double { 4 / (eta * eta * (z - x) * (z - x)) }
        var low = -10.0, high = -1e-6
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if p(2, middle) + p(0, middle) > 1 { high = middle } else { low = middle }
        }
        #expect(abs(bandit.probabilities[arm] - p(2, low)) < 1e-12 && abs(bandit.probabilities[1 - arm] - p(0, low)) < 1e-12)
    }

    /// Bernoulli costs with a gap of 0.2: regret of the order √(dT).
    @Test func regretOfIndependentCosts() {
        var total = 0.0
        for seed in 0..<8 {
            var bandit = TsallisINF(arms: [1, 2, 3, 4, 5], random: RandomStream(seed: UInt64(seed))), costs = RandomStream(seed: 100 + UInt64(seed))
            for _ in 0..<10_000 {
                let arm = bandit.choose()
                if arm != 2 { total += 0.2 / 8 }
                bandit.observe(cost: 1 + (Double.random(in: 0..<1, using: &costs) < (arm == 2 ? 0.3 : 0.5) ? 1 : 0))
            }
        }
        #expect(total / 50_000.0.squareRoot() < 3)
    }

    @Test func regretGrowsLikeALogarithm() {
        var halves = [0.0, 0.0]
        for seed in 0..<8 {
            var bandit = TsallisINF(arms: [1, 2, 3, 4, 5], random: RandomStream(seed: UInt64(seed))), costs = RandomStream(seed: 100 + UInt64(seed))
            for round in 0..<10_000 {
                let arm = bandit.choose()
                if arm != 2 { halves[round / 5000] += 0.2 }
                bandit.observe(cost: 1 + (Double.random(in: 0..<1, using: &costs) < (arm == 2 ? 0.3 : 0.5) ? 1 : 0))
            }
        }
        // √T would give 0.41.
        #expect(halves[1] < 0.3 * halves[0])
    }

    /// Each bin learns from its own contexts: the best value differs.
    @Test func binsLearnApart() {
        var bandit = BinnedTsallisINF(arms: [1, 1.9], contexts: 0...1, bins: 2, random: RandomStream(seed: 5)), wrong = 0
        for round in 0..<2000 {
            let context = round % 2 == 0 ? 0.2 : 0.9, arm = bandit.choose(context: context)
            bandit.observe(cost: (arm == 0) == (context < 0.5) ? 10 : 30)
            if round >= 1000, (arm == 0) != (context < 0.5) { wrong += 1 }
        }
        #expect(wrong < 60)
        _ = bandit.choose(context: -5)
        bandit.observe(cost: 1)
        _ = bandit.choose(context: 1)
    }

    @Test func decodedCopiesGoOnToTheSameBits() throws {
        let random = RandomStream(seed: 6)
        let (a, path) = try resumed(TsallisINF(arms: [1, 1.3, 1.7], random: random))
        let (b, _) = try resumed(BinnedTsallisINF(arms: [1, 1.3, 1.7], contexts: 0...1, random: random))
        let (c, _) = try resumed(ChebCB(arms: [1, 1.3, 1.7], contexts: 0...1, random: random))
        #expect(a && b && c && Set(path).count > 1)
    }

    @Test func misuse() async {
        await #expect(processExitsWith: .failure) { _ = TsallisINF(arms: [], random: RandomStream(seed: 1)) }
        await #expect(processExitsWith: .failure) {
            var bandit = TsallisINF(arms: [1], random: RandomStream(seed: 1))
            bandit.observe(cost: 3)
        }
        await #expect(processExitsWith: .failure) {
            var bandit = TsallisINF(arms: [1], random: RandomStream(seed: 1))
            _ = bandit.choose()
            bandit.observe(cost: .nan)
        }
        await #expect(processExitsWith: .failure) { _ = ChebCB(arms: [1], contexts: 1...1, random: RandomStream(seed: 1)) }
    }
}

@Suite struct ChebCBTests {
    /// Costs that are polynomials of degree 5 in the context are known after six rounds of each value.
    @Test func polynomialCostsAreFoundExactly() {
        let contexts = -0.5...1.5
        func cost(_ arm: Int, _ c: Double) -> Double {
            let angle = acos((c + 0.5) - 1)
            return 40 + 5 * cos(angle) + Double(arm) * (2 * cos(2 * angle) - cos(3 * angle)) + 0.5 * cos(5 * angle) - cos(4 * angle)
        }
        var bandit = ChebCB(arms: [1, 1.5, 1.9], contexts: contexts, random: RandomStream(seed: 1)), plays = [0, 0, 0]
        var draws = RandomStream(seed: 2)
        while plays.min()! < 6 {
            let c = Double.random(in: contexts, using: &draws), arm = bandit.choose(context: c)
            plays[arm] += 1
            bandit.observe(cost: cost(arm, c))
            if plays.reduce(0, +) == 4000 { break }
        }
        #expect(plays.min()! >= 6)
        for arm in 0..<3 {
            for c in stride(from: -0.5, through: 1.5, by: 0.1) {
                #expect(abs(bandit.predictedCost(arm: arm, context: c) - cost(arm, c)) < 1e-6)
            }
        }
    }

    @Test func probabilities() {
        var bandit = ChebCB(arms: grid20, contexts: 0...1, random: RandomStream(seed: 3)), costs = RandomStream(seed: 4)
        for _ in 0..<400 {
            let c = Double.random(in: 0..<1, using: &costs), arm = bandit.choose(context: c), p = bandit.probabilities
            let predictions = grid20.indices.map { bandit.predictedCost(arm: $0, context: c) }
            let best = predictions.firstIndex(of: predictions.min()!)!
            let isDistribution = abs(p.reduce(0, +) - 1) < 1e-12 && p.allSatisfy { $0 > 0 } && p[best] >= 1.0 / 20 - 1e-15
            #expect(isDistribution)
            bandit.observe(cost: 1 + Double((arm - 10) * (arm - 10)) * c + Double.random(in: 0..<5, using: &costs))
        }
    }

    /// One value, so that every round is its own; close contexts and costs that jump make the free fit break its bounds. By another method: L-BFGS-B.
    @Test(arguments: [4, 7, 30])
    func boundedFits(rounds: Int) {
        struct Fit: BoundedObjective {
            let features: [[Double]], losses: [Double], bounds: Bounds<Double>
            var dimension: Int { 6 }
            func value(at x: Span<Double>) -> Double {
                var g = [Double](repeating: 0, count: 6), span = g.mutableSpan
                return valueAndGradient(at: x, gradient: &span)
            }
            func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
                var sum = 0.0
                for j in 0..<6 { gradient[j] = 0 }
                for (f, loss) in zip(features, losses) {
                    var rest = -loss
                    for j in 0..<6 { rest += f[j] * x[j] }
                    sum += rest * rest / 2
                    for j in 0..<6 { gradient[j] += rest * f[j] }
                }
                return sum
            }
        }
        var bandit = ChebCB(arms: [1], contexts: 0...1, random: RandomStream(seed: 5)), draws = RandomStream(seed: 6)
        var features: [[Double]] = [], losses: [Double] = []
        for _ in 0..<rounds {
            let c = Double.random(in: 0.4..<0.6, using: &draws), cost = Double.random(in: 1..<100, using: &draws)
            _ = bandit.choose(context: c)
            bandit.observe(cost: cost)
            features.append((0..<6).map { cos(Double($0) * acos(2 * c - 1)) })
            losses.append(cost - 1)
        }
        let largest = losses.max()! + 1, range = losses.max()! - losses.min()!
        let limit = [largest] + (1..<6).map { 2 * range / Double($0) }
        let fit = Fit(features: features, losses: losses, bounds: Bounds(lower: limit.map(-), upper: limit))
        let solution = LBFGSB().solve(fit, from: [Double](repeating: 0, count: 6), stopping: .gradientNorm(atMost: 1e-8))
        #expect(solution.iterate.indices.contains { abs(abs(solution.iterate[$0]) - limit[$0]) < 1e-6 }, "a bound must bind")
        // The value of the sum of squares is unique; with four rounds the coefficients need not be.
        let value = losses.indices.reduce(0.0) { sum, i in
            let c = (cos(acos(features[i][1])) + 1) / 2, rest = bandit.predictedCost(arm: 0, context: c) - 1 - losses[i]
            return sum + rest * rest / 2
        }
        #expect(value <= solution.value * (1 + 1e-6) + 1e-6 && value >= solution.value * (1 - 1e-6) - 1e-6)
    }

    /// The best value turns from the first to the last along the contexts.
    @Test func followsTheContext() {
        var bandit = ChebCB(arms: evenlySpaced(1...1.9, count: 10), contexts: 0...1, random: RandomStream(seed: 7)), draws = RandomStream(seed: 8), regret = 0.0
        for round in 0..<2000 {
            let c = Double.random(in: 0..<1, using: &draws), arm = bandit.choose(context: c)
            func cost(_ arm: Int) -> Double { 20 + 100 * (Double(arm) / 9 - c) * (Double(arm) / 9 - c) }
            if round >= 1000 { regret += (cost(arm) - (0..<10).map(cost).min()!) / 1000 }
            bandit.observe(cost: cost(arm) + Double.random(in: -1..<1, using: &draws))
        }
        // A fixed value loses 8.3 on average.
        #expect(regret < 1.5)
    }
}

@Suite struct RelaxationTunerTests {
    /// Plays its values in turn and keeps what it is told.
    struct Probe: ParameterBandit {
        var arms: [Double]
        var costs: [Double] = [], contexts: [Double] = []
        mutating func choose(context: Double) -> Int {
            contexts.append(context)
            return costs.count % arms.count
        }
        mutating func observe(cost: Double) { costs.append(cost) }
    }

    @Test(arguments: [true, false])
    func costsAreIterations(isSOR: Bool) throws {
        let method: RelaxationTuner<Probe>.Method = isSOR ? .sor : .ssorConjugateGradients
        var tuner = RelaxationTuner(Probe(arms: [1, 1.5, 1.8]), method: method), systems = ShiftedLaplacians(.low, random: RandomStream(seed: 1))
        for round in 0..<6 {
            let system = systems.next()
            let (solution, relaxation) = tuner.solve(system.matrix, system.rightHandSide, context: system.shift)
            #expect(relaxation == tuner.bandit.arms[round % 3] && solution.status == .converged)
            #expect(tuner.bandit.costs.last == Double(solution.iterations) && tuner.bandit.contexts.last == system.shift)
            let exact = try Cholesky(system.matrix.sparse().dense()).solve(system.rightHandSide)
            let error = zip(solution.iterate, exact).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(error < 1e-6)
        }
    }

    @Test func whatDoesNotConvergeCostsTheLimit() {
        var tuner = RelaxationTuner(Probe(arms: [1]), iterationLimit: 5), systems = ShiftedLaplacians(.high, random: RandomStream(seed: 2))
        let system = systems.next()
        #expect(tuner.solve(system.matrix, system.rightHandSide).solution.status == .iterationLimit && tuner.bandit.costs == [5])
        let nan = [Double](repeating: .nan, count: 100)
        #expect(tuner.solve(system.matrix, nan).solution.status == .nonFinite && tuner.bandit.costs == [5, 5])
    }

    /// 1500 systems: each learner ends below what its first hundred rounds cost, and the one with contexts below the best fixed factor of five.
    @Test func learnersLearn() {
        var systems = ShiftedLaplacians(.high, random: RandomStream(seed: 3))
        let sequence = (0..<1500).map { _ in systems.next() }
        func run<Bandit: ParameterBandit>(_ bandit: Bandit) -> (first: Double, last: Double) {
            var tuner = RelaxationTuner(bandit), costs: [Double] = []
            for s in sequence { costs.append(Double(tuner.solve(s.matrix, s.rightHandSide, context: s.shift).solution.iterations)) }
            return (costs[..<100].reduce(0, +) / 100, costs[750...].reduce(0, +) / 750)
        }
        let tsallis = run(TsallisINF(arms: grid20, random: RandomStream(seed: 4)))
        let chebyshev = run(ChebCB(arms: grid20, contexts: ShiftedLaplacians.contexts, random: RandomStream(seed: 5)))
        let fixed = [1, 1.2, 1.4, 1.6, 1.8].map { omega in
            sequence[750...].reduce(0.0) {
                $0 + Double(RelaxationTuner<Probe>.solve($1.matrix, $1.rightHandSide, relaxation: omega, method: .sor).iterations) / 750
            }
        }.min()!
        #expect(tsallis.last < 0.8 * tsallis.first && chebyshev.last < 0.8 * fixed)
    }
}

@Suite struct RelaxationBoundTests {
    /// Means of 100 systems, right-hand sides of the truncated normal distribution; and every count below its bound with τ = 0.17.
    @Test func sweepsOfTheTenByTenGrid() {
        let a = PoissonOperator<Double>(Grid(rows: 10, columns: 10)), beta = a.jacobiRadius
        let best = SuccessiveOverRelaxation.optimalRelaxation(jacobiRadius: beta)
        for (omega, stated) in [(1, 188.0), (1.2, 119), (1.4, 75), (best, 38), (1.6, 40), (1.8, 86), (1.9, 177)] {
            let rho = SuccessiveOverRelaxation.spectralRadius(relaxation: omega, jacobiRadius: beta)
            var random = RandomStream(seed: 9), sum = 0.0, largest = 0
            for _ in 0..<100 {
                var b: [Double]
                repeat { b = random.normal(count: 100, standardDeviation: 1) } while Double.nrm2(b.span) > 10
                let count = RelaxationTuner<TsallisINF>.solve(a, b, relaxation: omega, method: .sor).iterations
                sum += Double(count) / 100
                largest = max(largest, count)
            }
            #expect(abs(sum / stated - 1) < 0.04, "ω = \(omega): \(sum)")
            #expect(Double(largest) <= RelaxationBounds.sweeps(spectralRadius: rho, slack: 0.17), "ω = \(omega)")
        }
    }

    /// κ(M⁻¹A) ≤ the bound, close to it, and the iterations below theirs.
    @Test(arguments: [0, 0.5])
    func ssor(shift: Double) throws {
        let a = PoissonOperator<Double>(Grid(rows: 10, columns: 10), shift: shift), dense = a.sparse().dense()
        let bounds = try RelaxationBounds.SSOR(dense)
        let stated: [(Double, Double, Double)] = [(2 * 2.0.squareRoot() - 2, 9.38, 9.58), (1, 6.89, 7.17), (1.3, 4.24, 4.75), (1.5, 3.28, 4.05), (1.7, 3.38, 4.40), (1.9, 7.99, 10.26)]
        for (i, (omega, condition, bound)) in stated.enumerated() {
            let m = try SSORPreconditioner(a, relaxation: omega), half = try Cholesky(dense).lower
            // The spectrum of M⁻¹A is that of GᵀM⁻¹G.
            var columns = Matrix<Double>.zeros(rows: 100, columns: 100)
            for j in 0..<100 {
                var y = [Double](repeating: 0, count: 100), span = y.mutableSpan
                let column = (0..<100).map { half[$0, j] }
                m.apply(column.span, into: &span)
                for k in 0..<100 { columns[k, j] = y[k] }
            }
            let values = try SymmetricEigen.values(of: multiply(half, columns, transposeA: true))
            let measured = values[99] / values[0]
            #expect(values[0] > 0 && values[99] < 1 + 1e-12 && measured <= bounds.conditionBound(relaxation: omega) * (1 + 1e-10))
            var random = RandomStream(seed: 10)
            let b: [Double] = random.normal(count: 100, standardDeviation: 1)
            let iterations = RelaxationTuner<TsallisINF>.solve(a, b, relaxation: omega, method: .ssorConjugateGradients).iterations
            #expect(Double(iterations) <= bounds.iterations(relaxation: omega))
            if shift == 0 {
                let found = bounds.conditionBound(relaxation: omega)
                #expect(abs(measured - condition) < 0.006 && abs(found - bound) < 0.006, "ω = \(omega): \(measured), bound \(found)")
                #expect(abs(iterations - [17, 15, 13, 13, 15, 19][i]) <= 1)
                #expect(abs(bounds.iterations(relaxation: omega) - [32, 28, 22, 20, 21, 34][i]) <= 1)
            }
        }
    }
}

@Suite struct RelaxationSequenceTests {
    @Test(arguments: [(ShiftedLaplacians.Spread.high, 1.0 / 16), (.low, 1.0 / 48)])
    func shifts(spread: ShiftedLaplacians.Spread, variance: Double) {
        var systems = ShiftedLaplacians(spread, size: 3, random: RandomStream(seed: 1))
        let draws = (0..<4000).map { _ in systems.next() }, beta = draws.map { ($0.shift + 0.15) / 0.6 }
        let mean = beta.reduce(0, +) / 4000, spreadFound = beta.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
        #expect(abs(mean - 0.25) < 5 * (variance / 4000).squareRoot() && abs(spreadFound / variance - 1) < 0.1)
        let isTruncated = draws.allSatisfy { Double.nrm2($0.rightHandSide.span) <= 3 && $0.matrix.shift == $0.shift }
        #expect(isTruncated)
    }

    /// Two temperatures that differ by sin πx sin πy differ after a step by (1 − q)/(1 + q) of it, q = κ Δt/2 · (8/h²) sin²(πh/2).
    @Test func heatDampsItsFirstMode() throws {
        let n = 9, h = 0.1
        var one = HeatSequence(size: n)
        for _ in 0..<700 { one.advance(to: one.temperature) }
        var two = one
        let mode = (0..<n * n).map { sin(.pi * h * Double($0 % n + 1)) * sin(.pi * h * Double($0 / n + 1)) }
        two.advance(to: zip(one.temperature, mode).map { $0 + $1 })
        one.advance(to: one.temperature)
        let (a, first, kappa) = one.system(), second = two.system().rightHandSide
        let solver = try Cholesky(a.sparse().dense())
        let x = try solver.solve(first), y = try solver.solve(second)
        let q = kappa * 1e-3 / 2 * 8 / (h * h) * sin(.pi * h / 2) * sin(.pi * h / 2), factor = (1 - q) / (1 + q)
        #expect(kappa > 9 && abs(HeatSequence.conductivity(0.25) - 0.1) < 1e-15 && abs(HeatSequence.conductivity(0.75) - 10) < 1e-13)
        let worst = mode.indices.reduce(0.0) { max($0, abs(y[$1] - x[$1] - factor * mode[$1])) }
        #expect(worst < 1e-10)
        #expect(HeatSequence(size: 3).temperature[4] == 1 && HeatSequence(size: 3).temperature[0] == 0)
    }
}
