import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Randomness
import RealModule
import Testing
import TransportMaps

/// A bridge with random full Sₖ.
private func fullBridge(components k: Int, dimension d: Int, noise: Double, seed: UInt64) throws -> FullCovarianceSchrodingerBridge<Double> {
    var random = RandomStream(seed: seed)
    return FullCovarianceSchrodingerBridge(
        noise: noise, logWeights: random.normal(count: k, standardDeviation: 0.5), centers: Matrix(rows: k, columns: d, elements: random.normal(count: k * d)),
        factors: try (0..<k).map { try Cholesky(0.3 * randomCovariance(d, seed: seed + UInt64($0))).lower })
}

private func normal(_ n: Int, _ d: Int, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed)
    return Matrix(rows: n, columns: d, elements: random.normal(count: n * d))
}

@Suite struct FullCovarianceTests {
    /// With diagonal Sₖ everything is that of the diagonal bridge.
    @Test func diagonalIsASpecialCase() throws {
        let diagonal = randomBridge(components: 4, dimension: 3, noise: 0.7, seed: 1), full = FullCovarianceSchrodingerBridge(diagonal)
        let x = normal(20, 3, seed: 2)
        #expect(zip(full.logNormalizer(at: x), diagonal.logNormalizer(at: x)).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(zip(full.logPotential(at: x), diagonal.logPotential(at: x)).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(distance(full.barycentricProjection(of: x), diagonal.barycentricProjection(of: x)) < 1e-12)
        #expect(distance(full.conditionalCovariance(at: [1, 2, -1]), diagonal.conditionalCovariance(at: [1, 2, -1])) < 1e-12)
        for t in [0, 0.4, 1] { #expect(distance(try full.drift(at: x, time: t), diagonal.drift(at: x, time: t)) < 1e-11) }
        var a = RandomStream(seed: 3), b = RandomStream(seed: 3)
        #expect(distance(full.samplePlan(from: x, random: &a), diagonal.samplePlan(from: x, random: &b)) < 1e-12)
    }

    /// A common rotation of the points turns centers and Sₖ, and with them all that comes out.
    @Test func rotation() throws {
        let bridge = try fullBridge(components: 3, dimension: 2, noise: 0.5, seed: 4), c = Double.cos(0.7), s = Double.sin(0.7)
        let turn = rows([[c, s], [-s, c]])
        let turned = FullCovarianceSchrodingerBridge(
            noise: 0.5, logWeights: bridge.logWeights, centers: bridge.centers * turn,
            factors: try bridge.scales.map { try Cholesky(turn.transposed() * $0 * turn).lower })
        let x = normal(30, 2, seed: 5), y = x * turn
        #expect(zip(bridge.logNormalizer(at: x), turned.logNormalizer(at: y)).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(zip(bridge.logPotential(at: x), turned.logPotential(at: y)).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(distance(bridge.barycentricProjection(of: x) * turn, turned.barycentricProjection(of: y)) < 1e-12)
        #expect(distance(try bridge.drift(at: x, time: 0.3) * turn, try turned.drift(at: y, time: 0.3)) < 1e-11)
    }

    /// Check 5: at time 0 the drift is the way to the mean end.
    @Test func driftAtTheStart() throws {
        let bridge = try fullBridge(components: 5, dimension: 3, noise: 0.4, seed: 6), x = normal(10, 3, seed: 7)
        #expect(distance(try bridge.drift(at: x, time: 0), bridge.barycentricProjection(of: x) - x) < 1e-12)
    }

    /// Check 6: the gradient against central differences.
    @Test func gradient() throws {
        let bridge = try fullBridge(components: 3, dimension: 2, noise: 0.7, seed: 8)
        let x = normal(30, 2, seed: 9), y = normal(20, 2, seed: 10), solver = FullCovarianceLightSB<Double>(components: 3)
        let (loss, gradient) = solver.lossAndGradient(bridge, source: x, target: y)
        #expect(abs(loss - bridge.loss(source: x, target: y)) < 1e-13)
        func moved(_ i: Int, _ h: Double) -> Double {
            var weights = bridge.logWeights, centers = bridge.centers, factors = bridge.factors
            if i < 3 { weights[i] += h / 0.7 } else if i < 9 { centers[(i - 3) / 2, (i - 3) % 2] += h } else {
                let k = (i - 9) / 4, row = (i - 9) % 4 / 2, column = (i - 9) % 2
                if row == column { factors[k][row, row] *= .exp(h) } else { factors[k][row, column] += h }
            }
            return FullCovarianceSchrodingerBridge(noise: 0.7, logWeights: weights, centers: centers, factors: factors).loss(source: x, target: y)
        }
        for i in 0..<21 {
            let h = 3e-4, difference = (8 * (moved(i, h) - moved(i, -h)) - (moved(i, 2 * h) - moved(i, -2 * h))) / (12 * h)
            #expect(abs(gradient[i] - difference) < 1e-9, "\(i): \(gradient[i]) \(difference)")
        }
    }

    /// Check 1 with full covariances: at the Gaussian bridge of the samples' moments the gradient of one component vanishes; Adam comes there from a bad
    /// start, which diagonal Sₖ cannot.
    @Test func gaussianClosedForm() throws {
        var random = RandomStream(seed: 11)
        let source = try gaussian(5000, mean: [1, -1], covariance: rows([[1.5, -0.6], [-0.6, 0.5]]), random: &random)
        let target = try gaussian(4000, mean: [0, 3], covariance: rows([[0.8, 0.7], [0.7, 1]]), random: &random)
        let problem = SchrodingerBridgeProblem(source: source, target: target, noise: 0.4)
        let exact = try GaussianSchrodingerBridge(
            source: (columnMean(source), (4999.0 / 5000) * covariance(source)), target: (columnMean(target), (3999.0 / 4000) * covariance(target)), noise: 0.4)
        let best = FullCovarianceSchrodingerBridge(
            noise: 0.4, logWeights: [0], centers: rows([exact.offset]), factors: [try Cholesky(exact.slope).lower])
        let gradient = FullCovarianceLightSB<Double>(components: 1).lossAndGradient(best, source: source, target: target).gradient
        #expect(gradient.allSatisfy { abs($0) < 1e-10 }, "\(gradient)")
        let x = normal(5, 2, seed: 12)
        #expect(distance(best.barycentricProjection(of: x), exact.barycentricProjection(of: x)) < 1e-12)
        for t in [0, 0.3, 0.9] { #expect(distance(try best.drift(at: x, time: t), try exact.drift(at: x, time: t)) < 1e-11) }
        let learned = FullCovarianceLightSB<Double>(components: 1, learningRate: .cosine(from: 1e-2, steps: 3000), steps: 3000, batchSize: 256).solve(problem)
        #expect(distance(learned.bridge.scales[0], exact.slope) < 0.05 && learned.loss - best.loss(source: source, target: target) < 1e-3, "\(learned.loss)")
        let diagonal = LightSB<Double>(components: 1, learningRate: .cosine(from: 1e-2, steps: 3000), steps: 3000, initialization: .targetSamples(scale: 0.1)).solve(problem)
        #expect(diagonal.loss > learned.loss + 0.05)
        // From a start that is the end, it stays.
        let again = FullCovarianceLightSB<Double>(components: 1, steps: 0).solve(problem, from: best)
        #expect(again.bridge.noise == 0.4 && distance(again.bridge.scales[0], exact.slope) < 1e-12)
    }

    /// Check 8: paths end where the plan ends, up to O(1/n); sampled ends have the moments of the plan.
    @Test func pathsAndSamples() throws {
        let bridge = try fullBridge(components: 2, dimension: 2, noise: 0.5, seed: 13)
        let point = [0.4, -0.2], start = Matrix<Double>(rows: 20_000, columns: 2) { point[$1 + 0 * $0] }
        var random = RandomStream(seed: 14)
        let ends = bridge.samplePlan(from: start, random: &random), walked = try bridge.simulate(from: start, steps: 100, random: &random)[100]
        let mean = bridge.barycentricProjection(of: rows([point])), spread = bridge.conditionalCovariance(at: point)
        // 20000 samples: five deviations of a mean, and of a covariance.
        let scale = spread.maxNorm, allowed = 5 * (scale / 20_000).squareRoot()
        #expect(distance(rows([columnMean(ends)]), mean) < 2 * allowed && distance(covariance(ends), spread) < 10 * scale / 20_000.0.squareRoot() * 5)
        #expect(distance(rows([columnMean(walked)]), mean) < 2 * allowed + 0.05 && distance(covariance(walked), spread) < 0.25 * scale)
    }

    @Test func endsAreSaid() throws {
        let problem = SchrodingerBridgeProblem(source: normal(100, 2, seed: 15), target: normal(90, 2, seed: 16), noise: 0.5)
        let solver = FullCovarianceLightSB<Double>(components: 3, steps: 20, batchSize: 16, seed: 2), whole = solver.solve(problem)
        #expect(whole.status == .iterationLimit && whole.steps == 20)
        var state = solver.makeState(problem)
        for _ in 0..<7 { #expect(solver.step(&state, problem) == nil) }
        state = try JSONDecoder().decode(FullCovarianceLightSB<Double>.State.self, from: JSONEncoder().encode(state))
        #expect(solver.solve(problem, resuming: &state).bridge == whole.bridge)
        var bad = problem.target
        for i in 0..<90 { bad[i, 1] = .nan }
        let nan = FullCovarianceLightSB<Double>(components: 3, steps: 5).solve(.init(source: problem.source, target: bad, noise: 0.5))
        #expect(nan.status == .nonFinite && !nan.reason.isEmpty)
        let single = FullCovarianceLightSB<Float>(components: 2, steps: 20).solve(
            .init(source: problem.source.map { Float($0) }, target: problem.target.map { Float($0) }, noise: 0.5))
        #expect(single.loss.isFinite)
    }
}
