import Foundation
import Kernels
import LinearAlgebra
import Randomness
import RealModule
import Testing
import TransportMaps

/// The bridge of a given potential: plan, drift, process.
@Suite struct SchrodingerBridgeTests {
    /// Check 3: ∫ exp(xy/ε) v(y) dy = c(x), and the plan's density integrates to 1, by the trapezoidal rule in one dimension.
    @Test func normaliserIsTheIntegral() {
        let bridge = randomBridge(components: 4, dimension: 1, noise: 0.3, seed: 1), n = 20_000, step = 60.0 / Double(n)
        let y = Matrix<Double>(rows: n + 1, columns: 1) { i, _ in -30 + Double(i) * step }
        let v = bridge.logPotential(at: y)
        for x in [-2.0, 0, 0.7, 3] {
            let sum = (0...n).reduce(0.0) { $0 + Double.exp(x * y[$1, 0] / 0.3 + v[$1]) } * step
            let c = bridge.logNormalizer(at: [[x]])[0]
            #expect(abs(Double.log(sum) - c) < 1e-9, "\(x)")
            let density = bridge.logPlan(from: Matrix(rows: n + 1, columns: 1, repeating: x), to: y)
            let total = density.reduce(0.0) { $0 + Double.exp($1) } * step
            #expect(abs(total - 1) < 1e-9)
            // Moments of the density are those in closed form.
            let first = (0...n).reduce(0.0) { $0 + Double.exp(density[$1]) * y[$1, 0] } * step
            let second = (0...n).reduce(0.0) { $0 + Double.exp(density[$1]) * y[$1, 0] * y[$1, 0] } * step
            #expect(abs(first - bridge.barycentricProjection(of: [[x]])[0, 0]) < 1e-8)
            #expect(abs(second - first * first - bridge.conditionalCovariance(at: [x])[0, 0]) < 1e-7)
        }
    }

    /// The drift of the paper, singular at t = 1: −x/(1 − t) + ε∇ log Σ αₖ exp(…), by its own gradient.
    private func paperDrift(_ b: SchrodingerBridge<Double>, _ x: [Double], _ t: Double) -> [Double] {
        let e = b.noise, d = b.dimension
        var scores: [Double] = [], gradients: [[Double]] = []
        for k in 0..<b.componentCount {
            var score = b.logWeights[k], gradient: [Double] = []
            for j in 0..<d {
                let s = b.scales[k, j], r = b.centers[k, j], a = t / (e * (1 - t)) + 1 / (e * s), h = x[j] / (e * (1 - t)) + r / (s * e)
                score += -Double.log(s) / 2 - Double.log(a) / 2 - r * r / (2 * s * e) + h * h / (2 * a)
                gradient.append(h / a / (e * (1 - t)))
            }
            scores.append(score)
            gradients.append(gradient)
        }
        let top = scores.max()!, w = scores.map { Double.exp($0 - top) }, total = w.reduce(0, +)
        return (0..<d).map { j in -x[j] / (1 - t) + e * (0..<scores.count).reduce(0) { $0 + w[$1] / total * gradients[$1][j] } }
    }

    /// Check 4, against the paper's form; and the values stay finite at the end.
    @Test func driftIsThePapers() {
        for noise in [0.1, 1, 10] {
            let bridge = randomBridge(components: 5, dimension: 3, noise: noise, seed: 2)
            var random = RandomStream(seed: 3)
            let x = Matrix<Double>(rows: 6, columns: 3, elements: random.normal(count: 18))
            for t in [0, 0.3, 0.7, 0.99] {
                let g = bridge.drift(at: x, time: t)
                for i in 0..<6 {
                    let expected = paperDrift(bridge, (0..<3).map { x[i, $0] }, t)
                    for j in 0..<3 { #expect(abs(g[i, j] - expected[j]) < 1e-8 * (1 + abs(expected[j])), "ε \(noise), t \(t)") }
                }
            }
            #expect(bridge.drift(at: x, time: 1).elements.allSatisfy { $0.isFinite })
        }
    }

    /// Check 4, by the definition: ε∇ log ∫ N(y | x, (1 − t)εI) exp(‖y‖²/2ε) v(y) dy, integrated in one dimension.
    @Test func driftIsTheGradientOfTheIntegral() {
        let bridge = randomBridge(components: 3, dimension: 1, noise: 0.5, seed: 4), n = 20_000, step = 40.0 / Double(n)
        let y = Matrix<Double>(rows: n + 1, columns: 1) { i, _ in -20 + Double(i) * step }, v = bridge.logPotential(at: y)
        func logIntegral(_ x: Double, _ t: Double) -> Double {
            let variance = (1 - t) * 0.5
            let exponents = (0...n).map { i in -(y[i, 0] - x) * (y[i, 0] - x) / (2 * variance) + y[i, 0] * y[i, 0] / (2 * 0.5) + v[i] }
            let top = exponents.max()!
            return top + .log(exponents.reduce(0) { $0 + Double.exp($1 - top) } * step)
        }
        for t in [0.0, 0.3, 0.7] {
            for x in [-1.0, 0.4] {
                let h = 1e-4, slope = 0.5 * (logIntegral(x + h, t) - logIntegral(x - h, t)) / (2 * h)
                #expect(abs(slope - bridge.drift(at: [[x]], time: t)[0, 0]) < 1e-6)
            }
        }
    }

    /// Check 5: at t = 0 the drift points to the barycentre.
    @Test func driftAtTheStart() {
        let bridge = randomBridge(components: 6, dimension: 4, noise: 0.2, seed: 5)
        var random = RandomStream(seed: 6)
        let x = Matrix<Double>(rows: 9, columns: 4, elements: random.normal(count: 36))
        #expect(distance(bridge.drift(at: x, time: 0), bridge.barycentricProjection(of: x) - x) < 1e-12)
        // At t = 1 it is the score of v exp(‖x‖²/2ε): weights αₖ N(x | rₖ, εsₖ).
        let w = bridge.responsibilities(at: x), g = bridge.drift(at: x, time: 1)
        for i in 0..<9 {
            for j in 0..<4 {
                let expected = (0..<6).reduce(0.0) { $0 + w[i, $1] * ((bridge.scales[$1, j] - 1) * x[i, j] + bridge.centers[$1, j]) / bridge.scales[$1, j] }
                #expect(abs(g[i, j] - expected) < 1e-11 * (1 + abs(expected)))
            }
        }
    }

    /// Check 7: the plan of a mixture φ is that of Bayes, in the paper's family, whatever the source.
    @Test func recoversTheMixtureOfAPotential() {
        var random = RandomStream(seed: 7)
        let k = 3, d = 2, noise = 0.4, weights = [0.2, 0.5, 0.3]
        let means = Matrix<Double>(rows: k, columns: d, elements: random.normal(count: 6, standardDeviation: 2))
        let variances = Matrix<Double>(rows: k, columns: d, elements: (random.uniform(count: 6) as [Double]).map { 0.5 + $0 })
        let bridge = SchrodingerBridge(noise: noise, potentialWeights: weights, means: means, variances: variances)
        for x in [[0.3, -0.7], [2, 1], [-4, 0]] {
            let posterior = (0..<k).map { i in
                (0..<d).reduce(weights[i]) { product, j in
                    let v = variances[i, j] + noise, gap = x[j] - means[i, j]
                    return product * Double.exp(-gap * gap / (2 * v)) / v.squareRoot()
                }
            }
            let total = posterior.reduce(0, +), w = bridge.planWeights(at: rows([x]))
            for i in 0..<k {
                #expect(abs(w[0, i] - posterior[i] / total) < 1e-13)
                for j in 0..<d {
                    let c = 1 / (1 / noise + 1 / variances[i, j]), centre = c * (means[i, j] / variances[i, j] + x[j] / noise)
                    #expect(abs(noise * bridge.scales[i, j] - c) < 1e-14)
                    #expect(abs(bridge.centers[i, j] + bridge.scales[i, j] * x[j] - centre) < 1e-13)
                }
            }
        }
    }

    /// Check 11: weights scale freely; a shift of both samples moves the centres by (I − S)v.
    @Test func invariances() {
        let bridge = randomBridge(components: 4, dimension: 3, noise: 0.3, seed: 8), v = [0.5, -2, 1]
        var random = RandomStream(seed: 9)
        let x = Matrix<Double>(rows: 5, columns: 3, elements: random.normal(count: 15)), y = Matrix<Double>(rows: 5, columns: 3, elements: random.normal(count: 15))
        let scaled = SchrodingerBridge(noise: 0.3, logWeights: bridge.logWeights.map { $0 + 7 }, centers: bridge.centers, scales: bridge.scales)
        #expect(abs(bridge.loss(source: x, target: y) - scaled.loss(source: x, target: y)) < 1e-11)
        #expect(distance(bridge.drift(at: x, time: 0.4), scaled.drift(at: x, time: 0.4)) < 1e-11)
        // The shifted potential: rₖ + (I − Sₖ)v, and weights that take up what the shift of x adds.
        let moved = Matrix<Double>(rows: 5, columns: 3) { x[$0, $1] + v[$1] }
        let centers = Matrix<Double>(rows: 4, columns: 3) { bridge.centers[$0, $1] + (1 - bridge.scales[$0, $1]) * v[$1] }
        let logWeights = (0..<4).map { k in
            (0..<3).reduce(bridge.logWeights[k]) { sum, j in
                let s = bridge.scales[k, j], r = bridge.centers[k, j]
                // (s x² + 2 r x) of x = x′ − v, less (s x′² + 2 r′ x′), is a constant and terms in x′ that all components share.
                return sum + (s * v[j] * v[j] - 2 * r * v[j]) / (2 * 0.3)
            }
        }
        let shifted = SchrodingerBridge(noise: 0.3, logWeights: logWeights, centers: centers, scales: bridge.scales)
        let before = bridge.planWeights(at: x), after = shifted.planWeights(at: moved)
        #expect(distance(before, after) < 1e-11)
        let from = bridge.barycentricProjection(of: x), to = shifted.barycentricProjection(of: moved)
        #expect(distance(Matrix<Double>(rows: 5, columns: 3) { from[$0, $1] + v[$1] }, to) < 1e-11)
        #expect(distance(bridge.drift(at: x, time: 0.6), shifted.drift(at: moved, time: 0.6)) < 1e-10)
    }

    /// Check 8: the ends of Euler's paths have the plan's moments, with an error that halves with the step; and check 9 at a time between.
    @Test func processAgreesWithThePlan() {
        let bridge = randomBridge(components: 3, dimension: 2, noise: 0.5, seed: 10), count = 20_000
        var random = RandomStream(seed: 11)
        let x = Matrix<Double>(rows: count, columns: 2, elements: [Double](repeating: 0.4, count: 2 * count))
        let mean = bridge.barycentricProjection(of: [[0.4, 0.4]]), spread = bridge.conditionalCovariance(at: [0.4, 0.4])
        func errors(_ sample: Matrix<Double>) -> (mean: Double, covariance: Double) {
            (distance(rows([columnMean(sample)]), mean), distance(covariance(sample), spread))
        }
        let deviation = spread.trace.squareRoot(), tolerance = 5 * deviation / Double(count).squareRoot()
        let plan = errors(bridge.samplePlan(from: x, random: &random))
        #expect(plan.mean < tolerance && plan.covariance < 3 * deviation * tolerance)
        let end = bridge.simulate(from: x, steps: 200, random: &random)
        #expect(end.count == 201)
        let paths = errors(end[200])
        #expect(paths.mean < tolerance + 0.01 && paths.covariance < 3 * deviation * tolerance + 0.02)
        // A coarse step is visibly off.
        let coarse = errors(bridge.simulate(from: x, steps: 2, random: &random)[2])
        #expect(coarse.covariance > 2 * paths.covariance)
        // Half way.
        let middle = bridge.sampleMarginal(from: x, time: 0.5, random: &random), path = end[100]
        #expect(distance(rows([columnMean(middle)]), rows([columnMean(path)])) < 2 * tolerance + 0.01)
        #expect(distance(covariance(middle), covariance(path)) < 6 * deviation * tolerance + 0.02)
        let start = bridge.sampleMarginal(from: x, time: 0, random: &random)
        #expect(start == x)
    }

    @Test func sameSeedSameBits() {
        let bridge = randomBridge(components: 3, dimension: 2, noise: 0.5, seed: 10), x = Matrix<Double>(rows: 7, columns: 2, repeating: 0.1)
        func run(_ seed: UInt64) -> [Matrix<Double>] {
            var random = RandomStream(seed: seed)
            return bridge.simulate(from: x, steps: 3, random: &random)
        }
        #expect(run(1) == run(1))
        #expect(run(1) != run(2))
    }

    /// Single precision near the end of time, where the paper's form loses digits.
    @Test func singlePrecisionDrift() {
        let double = randomBridge(components: 5, dimension: 2, noise: 0.01, seed: 12)
        let single = SchrodingerBridge<Float>(
            noise: 0.01, logWeights: double.logWeights.map { Float($0) }, centers: double.centers.map { Float($0) }, scales: double.scales.map { Float($0) })
        let a = double.drift(at: [[0.3, -0.2]], time: 0.999), b = single.drift(at: [[0.3, -0.2]], time: 0.999)
        for j in 0..<2 { #expect(abs(a[0, j] - Double(b[0, j])) < 2e-2 * (1 + abs(a[0, j]))) }
    }

    /// Far from the data, and for tiny noise, nothing overflows.
    @Test func extremes() {
        let bridge = randomBridge(components: 4, dimension: 2, noise: 1e-3, seed: 13), far = rows([[100, -100], [0, 0]])
        #expect(bridge.logNormalizer(at: far).allSatisfy { $0.isFinite } && bridge.logPotential(at: far).allSatisfy { $0.isFinite })
        for t in [0, 0.5, 1] { #expect(bridge.drift(at: far, time: t).elements.allSatisfy { $0.isFinite }) }
        let nan = bridge.drift(at: rows([[.nan, 0]]), time: 0.5)
        #expect(nan.elements.contains { $0.isNaN })
        let data = try? JSONEncoder().encode(bridge)
        let again = data.flatMap { try? JSONDecoder().decode(SchrodingerBridge<Double>.self, from: $0) }
        #expect(again == bridge)
    }
}

/// The Gaussian case.
@Suite struct GaussianSchrodingerBridgeTests {
    /// Check 2: one dimension.
    @Test(arguments: [0.01, 0.5, 10.0]) func oneDimension(_ noise: Double) throws {
        let (a, b) = (1.3, 0.4)
        let bridge = try GaussianSchrodingerBridge(source: ([0.5], [[a]]), target: ([-1], [[b]]), noise: noise)
        let expected = ((noise * noise + 4 * a * b).squareRoot() - noise) / (2 * a)
        #expect(abs(bridge.slope[0, 0] - expected) < 1e-13 && abs(bridge.offset[0] - (-1 - expected * 0.5)) < 1e-13)
    }

    /// Check 1: S is symmetric and maps the source onto the target: S A S + ε S = B; small noise gives the map of optimal transport.
    @Test func marginalsAreMet() throws {
        for noise in [1e-6, 0.3, 5] {
            let a = randomCovariance(4, seed: 1), b = randomCovariance(4, seed: 2)
            let bridge = try GaussianSchrodingerBridge(source: ([1, 2, 3, 4], a), target: ([0, -1, 0, 1], b), noise: noise)
            #expect(distance(bridge.slope, bridge.slope.transposed()) == 0)
            #expect(distance(bridge.slope * a * bridge.slope + noise * bridge.slope, b) < 1e-10 * b.frobeniusNorm)
            let end = bridge.marginal(at: 1), start = bridge.marginal(at: 0)
            #expect(distance(end.covariance, b) < 1e-10 * b.frobeniusNorm && distance(rows([end.mean]), [[0, -1, 0, 1]]) < 1e-12)
            #expect(distance(start.covariance, a) < 1e-12 * a.frobeniusNorm && distance(rows([start.mean]), [[1, 2, 3, 4]]) < 1e-12)
            // Time reversed it is the bridge from B to A, with the same covariances on the way.
            let back = try GaussianSchrodingerBridge(source: ([0, -1, 0, 1], b), target: ([1, 2, 3, 4], a), noise: noise)
            #expect(distance(bridge.marginal(at: 0.3).covariance, back.marginal(at: 0.7).covariance) < 1e-9 * b.frobeniusNorm)
        }
    }

    /// A rotation of both Gaussians rotates slope and offset.
    @Test func rotations() throws {
        var random = RandomStream(seed: 4)
        let q = try QR(Matrix<Double>(rows: 3, columns: 3, elements: random.normal(count: 9))).q()
        let a = randomCovariance(3, seed: 3), b = randomCovariance(3, seed: 4), m0 = [1.0, 0, 2], m1 = [0.0, 1, -1]
        let plain = try GaussianSchrodingerBridge(source: (m0, a), target: (m1, b), noise: 0.7)
        let turned = try GaussianSchrodingerBridge(
            source: (q * m0, q * a * q.transposed()), target: (q * m1, q * b * q.transposed()), noise: 0.7)
        #expect(distance(turned.slope, q * plain.slope * q.transposed()) < 1e-11)
        #expect(distance(rows([turned.offset]), rows([q * plain.offset])) < 1e-11)
    }

    /// A mixture of one component is the Gaussian bridge; drifts agree at all times; paths end in the target.
    @Test func oneComponentIsTheGaussianBridge() throws {
        let a = Matrix<Double>.diagonal([1.5, 0.3]), b = Matrix<Double>.diagonal([0.2, 2])
        let gaussian = try GaussianSchrodingerBridge(source: ([1, -1], a), target: ([0, 3], b), noise: 0.4)
        let mixture = SchrodingerBridge(
            noise: 0.4, logWeights: [0], centers: rows([gaussian.offset]), scales: rows([gaussian.slope.diagonal]))
        let x = rows([[0.3, 0.2], [-2, 1]])
        for t in [0, 0.5, 1] {
            let exact = try gaussian.drift(at: x, time: t)
            #expect(distance(exact, mixture.drift(at: x, time: t)) < 1e-12)
        }
        #expect(distance(gaussian.barycentricProjection(of: x), mixture.barycentricProjection(of: x)) < 1e-13)
        var random = RandomStream(seed: 5)
        let start = try TransportMapsTests.gaussian(20_000, mean: [1, -1], covariance: a, random: &random)
        let middle = gaussian.marginal(at: 0.5), sample = mixture.sampleMarginal(from: start, time: 0.5, random: &random)
        #expect(distance(covariance(sample), middle.covariance) < 0.06 && distance(rows([columnMean(sample)]), rows([middle.mean])) < 0.04)
    }

    @Test func badCovariances() {
        #expect(throws: LinearAlgebraError.self) {
            try GaussianSchrodingerBridge(source: ([0, 0], [[1, 2], [2, 1]]), target: ([0, 0], [[1, 0], [0, 1]]), noise: 1.0)
        }
        #expect(throws: LinearAlgebraError.self) {
            try GaussianSchrodingerBridge(source: ([0], [[.nan]]), target: ([0], [[1]]), noise: 1.0)
        }
    }

    @Test func buresWasserstein() throws {
        let a = randomCovariance(3, seed: 5), b = randomCovariance(3, seed: 6)
        // Commuting covariances: Σ (√λ − √μ)²/2.
        let simple: Double = try buresWassersteinSquared(([0, 3], .diagonal([4, 1])), ([0, 0], .diagonal([1, 9])))
        #expect(abs(simple - (9 + 1 + 4) / 2) < 1e-12)
        let zero: Double = try buresWassersteinSquared(([1, 2, 3], a), ([1, 2, 3], a))
        #expect(zero < 1e-7)
        // The cost of the map of optimal transport, which the bridge is for small noise: ½E‖x − Sx − r‖².
        let map = try GaussianSchrodingerBridge(source: ([1, 0, 0], a), target: ([0, 2, 0], b), noise: 1e-9)
        let difference = Matrix<Double>.identity(3) - map.slope
        let cost = (difference * a * difference.transposed()).trace / 2 + 2.5
        let bures: Double = try buresWassersteinSquared(([1, 0, 0], a), ([0, 2, 0], b))
        #expect(abs(bures - cost) < 1e-6)
        let flat: Double = try buresWassersteinSquared(([0, 0], .zeros(rows: 2, columns: 2)), ([0, 0], .diagonal([1, 1])))
        #expect(abs(flat - 1) < 1e-12)
    }
}
