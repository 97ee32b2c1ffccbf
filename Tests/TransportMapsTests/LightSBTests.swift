import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Randomness
import RealModule
import Testing
import TransportMaps

@Suite struct LightSBTests {
    /// A source N(0, I) and a target drawn from the plan of a known bridge.
    static func problem(dimension d: Int, noise: Double, count: Int, seed: UInt64) -> (truth: SchrodingerBridge<Double>, problem: SchrodingerBridgeProblem<Double>) {
        var random = RandomStream(seed: seed)
        var means = Matrix<Double>(rows: 5, columns: d, elements: random.normal(count: 5 * d))
        for k in 0..<5 {
            let length = Double.nrm2(means.row(k))
            for j in 0..<d { means[k, j] *= 5 / length }
        }
        let variances = Matrix<Double>(rows: 5, columns: d, elements: (random.uniform(count: 5 * d) as [Double]).map { 0.5 + 1.5 * $0 })
        let truth = SchrodingerBridge(noise: noise, potentialWeights: [0.2, 0.2, 0.2, 0.2, 0.2], means: means, variances: variances)
        let source = Matrix<Double>(rows: count, columns: d, elements: random.normal(count: count * d))
        let other = Matrix<Double>(rows: count, columns: d, elements: random.normal(count: count * d))
        return (truth, SchrodingerBridgeProblem(source: source, target: truth.samplePlan(from: other, random: &random), noise: noise))
    }

    /// Check 6: the gradient against central differences; the weights' part adds up to 0.
    @Test func gradient() {
        let bridge = randomBridge(components: 4, dimension: 3, noise: 0.7, seed: 1)
        var random = RandomStream(seed: 2)
        let x = Matrix<Double>(rows: 30, columns: 3, elements: random.normal(count: 90)), y = Matrix<Double>(rows: 20, columns: 3, elements: random.normal(count: 60))
        let solver = LightSB<Double>(components: 4)
        let (loss, gradient) = solver.lossAndGradient(bridge, source: x, target: y)
        #expect(abs(loss - bridge.loss(source: x, target: y)) < 1e-13)
        func moved(_ i: Int, _ h: Double) -> Double {
            var weights = bridge.logWeights, centers = bridge.centers, scales = bridge.scales
            if i < 4 { weights[i] += h / 0.7 } else if i < 16 { centers[(i - 4) / 3, (i - 4) % 3] += h } else { scales[(i - 16) / 3, (i - 16) % 3] *= .exp(h) }
            return SchrodingerBridge(noise: 0.7, logWeights: weights, centers: centers, scales: scales).loss(source: x, target: y)
        }
        for i in 0..<28 {
            let h = 1e-3, difference = (8 * (moved(i, h) - moved(i, -h)) - (moved(i, 2 * h) - moved(i, -2 * h))) / (12 * h)
            #expect(abs(gradient[i] - difference) < 1e-9, "\(i): \(gradient[i]) \(difference)")
        }
        #expect(abs(gradient[..<4].reduce(0, +)) < 1e-13)
    }

    /// Check 7: at the truth the loss is least, also among small changes of it.
    @Test func truthMinimisesTheLoss() {
        let (truth, problem) = Self.problem(dimension: 2, noise: 1, count: 20_000, seed: 3)
        let least = truth.loss(source: problem.source, target: problem.target)
        for seed in 0..<10 as Range<UInt64> {
            var random = RandomStream(seed: seed, stream: 5)
            let noise: [Double] = random.normal(count: 10, standardDeviation: 0.3)
            let centers = truth.centers + Matrix(rows: 5, columns: 2, elements: noise)
            let other = SchrodingerBridge(noise: 1, logWeights: truth.logWeights, centers: centers, scales: truth.scales)
            #expect(other.loss(source: problem.source, target: problem.target) > least)
        }
    }

    /// Check 10: the loss above its minimum is the mean divergence of the plans, both by Monte Carlo.
    @Test func excessLossIsTheDivergenceOfPlans() {
        let (truth, problem) = Self.problem(dimension: 2, noise: 0.5, count: 100_000, seed: 4)
        var centers = truth.centers
        for k in 0..<5 { centers[k, 0] += 0.2 }
        let other = SchrodingerBridge(noise: 0.5, logWeights: truth.logWeights, centers: centers, scales: truth.scales)
        var random = RandomStream(seed: 6)
        let ends = truth.samplePlan(from: problem.source, random: &random)
        // Over one and the same pairs, so that the difference of losses has the noise of the marginals alone.
        let a = truth.logPlan(from: problem.source, to: ends), b = other.logPlan(from: problem.source, to: ends)
        let divergence = zip(a, b).map { $0 - $1 }, kl = mean(divergence)
        let excess = other.loss(source: problem.source, target: problem.target) - truth.loss(source: problem.source, target: problem.target)
        let deviation = (mean(divergence.map { ($0 - kl) * ($0 - kl) }) / 100_000).squareRoot()
        #expect(kl > 0.01 && abs(excess - kl) < 6 * deviation, "\(excess) \(kl) ± \(deviation)")
    }

    /// One component finds the Gaussian bridge: by one round of re-estimation, and by Adam from a bad start.
    @Test func gaussianCase() throws {
        var random = RandomStream(seed: 7)
        let source = try gaussian(20_000, mean: [1, -1], covariance: .diagonal([1.5, 0.3]), random: &random)
        let target = try gaussian(20_000, mean: [0, 3], covariance: .diagonal([0.2, 2]), random: &random)
        let problem = SchrodingerBridgeProblem(source: source, target: target, noise: 0.4)
        func variances(_ x: Matrix<Double>) -> Matrix<Double> { .diagonal(covariance(x).diagonal) }
        let exact = try GaussianSchrodingerBridge(source: ([1, -1], .diagonal([1.5, 0.3])), target: ([0, 3], .diagonal([0.2, 2])), noise: 0.4)
        let restimated = LightSB<Double>(components: 1, steps: 0, initialization: .expectationMaximization(rounds: 1)).solve(problem)
        #expect(restimated.steps == 0)
        // 2000 points: a relative error of the variances of about √(2/2000), ten of them.
        #expect(distance(restimated.bridge.scales, rows([exact.slope.diagonal])) < 0.2 && distance(restimated.bridge.centers, rows([exact.offset])) < 0.3)
        let learned = LightSB<Double>(components: 1, learningRate: .constant(1e-2), steps: 3000, initialization: .targetSamples(scale: 0.1)).solve(problem)
        #expect(distance(learned.bridge.scales, rows([exact.slope.diagonal])) < 0.15 && distance(learned.bridge.centers, rows([exact.offset])) < 0.2, "\(learned.bridge)")
        #expect(learned.status == .iterationLimit)
    }

    /// On few points the round is exact, to rounding: the moments of the sample.
    @Test func oneRoundIsTheClosedForm() throws {
        var random = RandomStream(seed: 8)
        let source = Matrix<Double>(rows: 50, columns: 1, elements: random.normal(count: 50)), target = Matrix<Double>(rows: 70, columns: 1, elements: random.normal(count: 70, mean: 3, standardDeviation: 2))
        let solution = LightSB<Double>(components: 1, steps: 0, initialization: .expectationMaximization(rounds: 1)).solve(.init(source: source, target: target, noise: 0.5))
        let a = covariance(source)[0, 0] * 49 / 50, b = covariance(target)[0, 0] * 69 / 70
        let s = ((0.25 + 4 * a * b).squareRoot() - 0.5) / (2 * a)
        #expect(abs(solution.bridge.scales[0, 0] - s) < 1e-12)
        #expect(abs(solution.bridge.centers[0, 0] - (columnMean(target)[0] - s * columnMean(source)[0])) < 1e-12)
        // The gradient vanishes there.
        let gradient = LightSB<Double>(components: 1).lossAndGradient(solution.bridge, source: source, target: target).gradient
        #expect(gradient.allSatisfy { abs($0) < 1e-11 }, "\(gradient)")
    }

    /// Training comes near the truth: the excess loss goes to zero, and rounds of re-estimation are a better start.
    @Test func learnsAMixture() {
        let (truth, problem) = Self.problem(dimension: 2, noise: 1, count: 20_000, seed: 9)
        let least = truth.loss(source: problem.source, target: problem.target)
        func excess(_ initialization: LightSB<Double>.Initialization, steps: Int) -> Double {
            LightSB<Double>(components: 20, learningRate: 3e-3, steps: steps, initialization: initialization).solve(problem).loss - least
        }
        let paper = excess(.targetSamples(scale: 1), steps: 0), rounds = excess(.expectationMaximization(rounds: 10), steps: 0)
        #expect(rounds < 0.5 * paper, "\(rounds) \(paper)")
        let learned = excess(.expectationMaximization(rounds: 10), steps: 1500)
        // On the sample itself a fit may be below the truth by about parameters/(2 count).
        #expect(learned < 0.02 && learned > -0.02, "\(learned)")
    }

    /// Check 12: conditional means are those of a discrete entropic plan.
    @Test func agreesWithSinkhorn() {
        let (_, problem) = Self.problem(dimension: 2, noise: 1, count: 300, seed: 10)
        let n = 300, x = problem.source, y = problem.target
        let cost = Matrix<Double>(rows: n, columns: n) { i, j in
            let a = x[i, 0] - y[j, 0], b = x[i, 1] - y[j, 1]
            return (a * a + b * b) / 2
        }
        var f = [Double](repeating: 0, count: n), g = f
        func logSumExp(_ values: [Double]) -> Double {
            let top = values.max()!
            return top + .log(values.reduce(0) { $0 + Double.exp($1 - top) })
        }
        for _ in 0..<300 {
            for i in 0..<n { f[i] = -logSumExp((0..<n).map { g[$0] - cost[i, $0] }) }
            for j in 0..<n { g[j] = -logSumExp((0..<n).map { f[$0] - cost[$0, j] }) }
        }
        let plan = Matrix<Double>(rows: n, columns: n) { .exp(f[$0] + g[$1] - cost[$0, $1]) }
        let means = Matrix<Double>(rows: n, columns: 2) { i, j in
            let total = (0..<n).reduce(0.0) { $0 + plan[i, $1] }
            return (0..<n).reduce(0.0) { $0 + plan[i, $1] * y[$1, j] } / total
        }
        let bridge = LightSB<Double>(components: 50, learningRate: 3e-3, steps: 2000).solve(problem).bridge
        let learned = bridge.barycentricProjection(of: x), deviation = covariance(y).trace.squareRoot()
        let error = distance(learned, means) / Double(n).squareRoot()
        #expect(error < 0.1 * deviation, "\(error) of \(deviation)")
    }

    @Test func resumesToTheSameBits() throws {
        let (_, problem) = Self.problem(dimension: 3, noise: 1, count: 500, seed: 11)
        let solver = LightSB<Double>(components: 6, steps: 40, batchSize: 32, seed: 3), whole = solver.solve(problem)
        var state = solver.makeState(problem)
        for _ in 0..<17 { #expect(solver.step(&state, problem) == nil) }
        state = try JSONDecoder().decode(LightSB<Double>.State.self, from: JSONEncoder().encode(state))
        let resumed = solver.solve(problem, resuming: &state)
        #expect(resumed.bridge == whole.bridge && resumed.steps == 40)
        let other = LightSB<Double>(components: 6, steps: 40, batchSize: 32, seed: 4).solve(problem)
        #expect(other.bridge != whole.bridge)
    }

    @Test func endsAreSaid() {
        let (_, problem) = Self.problem(dimension: 2, noise: 1, count: 200, seed: 12)
        let one = LightSB<Double>(components: 3, steps: 1).solve(problem)
        #expect(one.status == .iterationLimit && one.steps == 1)
        let cancelled = LightSB<Double>(components: 3, steps: 1000).solve(problem) { $0.steps < 200 }
        #expect(cancelled.status == .cancelled && cancelled.steps == 200)
        var bad = problem.target
        bad[7, 1] = .nan
        let nan = LightSB<Double>(components: 3, steps: 500, initialization: .targetSamples(scale: 1)).solve(
            .init(source: problem.source, target: bad, noise: 1))
        #expect(nan.status == .nonFinite && !nan.reason.isEmpty)
        let single = LightSB<Float>(components: 5, learningRate: 3e-3, steps: 200).solve(
            .init(source: problem.source.map { Float($0) }, target: problem.target.map { Float($0) }, noise: 1))
        #expect(single.loss.isFinite && single.status == .iterationLimit)
        // More components than points.
        let few = LightSB<Double>(components: 9, steps: 5).solve(.init(source: [[0, 0], [1, 1]], target: [[2, 2], [3, 4]], noise: 0.5))
        #expect(few.loss.isFinite)
    }
}
