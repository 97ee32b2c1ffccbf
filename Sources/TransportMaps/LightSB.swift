import Kernels
import LinearAlgebra
import Objectives
import Optimizers
import Randomness
import RealModule

/// Two samples to be bridged, and the noise of the process between.
public struct SchrodingerBridgeProblem<Scalar: KernelScalar & Real>: Sendable {
    /// Points as rows.
    public let source: Matrix<Scalar>, target: Matrix<Scalar>
    /// ε.
    public let noise: Scalar

    /// - Precondition: both have rows and equally many columns; ε is positive.
    public init(source: Matrix<Scalar>, target: Matrix<Scalar>, noise: Scalar) {
        require(source.rows > 0 && target.rows > 0 && source.columns == target.columns,
                "samples are \(source.rows)×\(source.columns) and \(target.rows)×\(target.columns); expected points with equally many coordinates")
        require(noise > 0, "noise is \(noise); expected a positive number")
        (self.source, self.target, self.noise) = (source, target, noise)
    }
}

/// Learns a ``SchrodingerBridge`` from samples: minimises E log c over the source less E log v over the target by Adam on minibatches. No simulation, no
/// second network, no inner problem.
///
/// The parameters are (ε log αₖ, rₖ, log Sₖ). A step costs two products of width 2D over batch and components and their two transposes.
///
/// Components far from the data stay where they are, so they begin at points of the target. Small ε needs many components and standardised data: exponents grow
/// as ‖x‖²/ε.
///
/// Source: Korotin, Gushchin & Burnaev 2024; defaults are those of its benchmark runs, but for the start.
public struct LightSB<Scalar: KernelScalar & Real>: Sendable {
    /// How components begin.
    public enum Initialization: Sendable, Hashable, Codable {
        /// Centres at random points of the target, Sₖ = `scale` · I, equal weights: the paper's, with 0.1 or 1.
        case targetSamples(scale: Double)
        /// The same with 0.1, then so many rounds on up to 2000 points of each sample, in each of which every component is bridged between the points that it is responsible for,
        /// as if they were two Gaussians: s = (√(ε² + 4v₀v₁) − ε)/(2v₀), r = a₁ − s a₀ for their means and variances, s at least 0.001. One component is solved by one
        /// round, if the samples are Gaussian with diagonal covariances. With hundreds of components and ε of 0.01 the paper's start was measured to be the better.
        case expectationMaximization(rounds: Int)
    }

    public let components: Int
    public let optimizer: Adam<Scalar>
    public let steps: Int
    public let batchSize: Int
    public let initialization: Initialization
    public let seed: UInt64

    /// - Parameters:
    ///   - components: K. The paper takes 50 for its benchmark, 500 for a swiss roll, 10 to 100 for single cells.
    ///   - learningRate: of Adam; the paper takes 1e-3, 3e-3 and 6e-2 for ε = 0.1, 1 and 10.
    ///   - steps: of Adam.
    ///   - batchSize: Points of each sample in a step, drawn with replacement.
    public init(
        components: Int = 50, learningRate: Schedule = 1e-3, steps: Int = 10_000, batchSize: Int = 128,
        initialization: Initialization = .expectationMaximization(rounds: 10), seed: UInt64 = 0
    ) {
        require(components >= 1 && steps >= 0 && batchSize >= 1,
                "\(components) components, \(steps) steps and batches of \(batchSize); expected at least 1, 0 and 1")
        switch initialization {
        case .targetSamples(let scale): require(scale > 0, "scale is \(scale); expected a positive number")
        case .expectationMaximization(let rounds): require(rounds >= 0, "\(rounds) rounds; expected no negative number")
        }
        (self.components, self.steps, self.batchSize, self.initialization, self.seed) = (components, steps, batchSize, initialization, seed)
        optimizer = Adam(learningRate: learningRate)
    }

    /// All that changes; a decoded copy goes on to the same bits.
    public struct State: Codable, Sendable {
        /// ε log αₖ, then rₖ, then log Sₖ.
        public internal(set) var parameters: [Scalar]
        public internal(set) var steps = 0
        /// The loss of the last batch, before its step; `nil` before the first.
        public internal(set) var batchLoss: Scalar?
        var optimizer: MomentState<Scalar>
        var random: RandomStream
    }

    /// What came out.
    public struct Solution: Sendable {
        public let bridge: SchrodingerBridge<Scalar>
        /// `iterationLimit` when all steps are done, which is the regular end; `nonFinite` with the parameters before; `cancelled`.
        public let status: SolverStatus
        public let reason: String
        public let steps: Int
        /// Over all points of both samples.
        public let loss: Scalar
    }

    public func makeState(_ problem: SchrodingerBridgeProblem<Scalar>) -> State {
        var random = RandomStream(seed: seed)
        let (k, d) = (components, problem.target.columns)
        let scale: Scalar = if case .targetSamples(let scale) = initialization { Scalar(scale) } else { 0.1 }
        let count = problem.target.rows
        // Without replacement as far as there are points.
        let chosen = k <= count ? random.sample(k, of: count) : (0..<k).map { _ in random.integer(in: 0..<count) }
        var bridge = SchrodingerBridge(
            noise: problem.noise, logWeights: [Scalar](repeating: -.log(Scalar(k)), count: k), centers: rows(problem.target, chosen),
            scales: Matrix(rows: k, columns: d, repeating: scale))
        if case .expectationMaximization(let rounds) = initialization {
            func part(_ x: Matrix<Scalar>) -> Matrix<Scalar> { x.rows <= 2000 ? x : rows(x, random.sample(2000, of: x.rows)) }
            let source = part(problem.source), target = part(problem.target)
            for _ in 0..<rounds { bridge = reestimated(bridge, source, target) }
        }
        let parameters = bridge.logWeights.map { $0 * problem.noise } + bridge.centers.elements + bridge.scales.elements.map { .log($0) }
        return State(parameters: parameters, optimizer: optimizer.initialState(like: parameters), random: random)
    }

    /// The bridge of a state.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func bridge(_ state: State, _ problem: SchrodingerBridgeProblem<Scalar>) -> SchrodingerBridge<Scalar> {
        let (k, d) = (components, problem.source.columns), p = state.parameters
        return SchrodingerBridge(
            noise: problem.noise, logWeights: p[..<k].map { $0 / problem.noise },
            centers: Matrix(rows: k, columns: d, elements: Array(p[k..<k + k * d])),
            scales: Matrix(rows: k, columns: d, elements: p[(k + k * d)...].map { max(.exp($0), .leastNormalMagnitude) }))
    }

    /// One step of Adam on a batch.
    ///
    /// - Returns: `nil` to go on, or why the run ends; the parameters are then those before the step.
    public func step(_ state: inout State, _ problem: SchrodingerBridgeProblem<Scalar>) -> Termination? {
        func batch(_ x: Matrix<Scalar>) -> Matrix<Scalar> { rows(x, (0..<batchSize).map { _ in state.random.integer(in: 0..<x.rows) }) }
        let source = batch(problem.source), target = batch(problem.target)
        let (loss, gradient) = lossAndGradient(bridge(state, problem), source: source, target: target)
        state.batchLoss = loss
        guard loss.isFinite, Scalar.nrm2(gradient.span).isFinite else {
            return Termination(.nonFinite, "the loss of a batch is \(loss) after \(state.steps) steps")
        }
        optimizer.step(&state.parameters, gradient: gradient, state: &state.optimizer)
        state.steps += 1
        return nil
    }

    /// Learns from the start, all steps.
    ///
    /// - Parameter proceeds: asked after every 100 steps; `false` ends the run as `cancelled`.
    public func solve(_ problem: SchrodingerBridgeProblem<Scalar>, proceeds: (State) -> Bool = { _ in true }) -> Solution {
        var state = makeState(problem)
        return solve(problem, resuming: &state, proceeds: proceeds)
    }

    /// Goes on with a state until all steps are done, counted from the very first.
    public func solve(
        _ problem: SchrodingerBridgeProblem<Scalar>, resuming state: inout State, proceeds: (State) -> Bool = { _ in true }
    ) -> Solution {
        var end: Termination?
        while end == nil, state.steps < steps {
            end = step(&state, problem)
            if end == nil, state.steps % 100 == 0, !proceeds(state) { end = Termination(.cancelled, "cancelled after \(state.steps) steps") }
        }
        let bridge = bridge(state, problem), loss = bridge.loss(source: problem.source, target: problem.target)
        if end == nil, !loss.isFinite { end = Termination(.nonFinite, "the loss over all points is \(loss)") }
        let termination = end ?? Termination(.iterationLimit, "all \(steps) steps are done")
        return Solution(bridge: bridge, status: termination.status, reason: termination.reason, steps: state.steps, loss: loss)
    }

    /// The loss of a bridge on samples, and its gradient in (ε log αₖ, rₖ, log Sₖ).
    public func lossAndGradient(
        _ bridge: SchrodingerBridge<Scalar>, source: Matrix<Scalar>, target: Matrix<Scalar>
    ) -> (loss: Scalar, gradient: [Scalar]) {
        let w = bridge.planWeights(at: source), gamma = bridge.responsibilities(at: target)
        let pulled = multiply(w, squaresAndValues(source), transposeA: true), drawn = multiply(gamma, squaresAndValues(target), transposeA: true)
        return (bridge.loss(source: source, target: target),
                gradient(bridge.noise, bridge.centers, bridge.scales, sums(w), pulled, source.rows, sums(gamma), drawn, target.rows))
    }
}

/// Σ over rows.
private func sums<Scalar: KernelScalar>(_ x: Matrix<Scalar>) -> [Scalar] {
    var result = [Scalar](repeating: 0, count: x.columns)
    var span = result.mutableSpan
    Scalar.columnSums(rows: x.rows, columns: x.columns, of: x.span, into: &span)
    return result
}

/// Some rows of a matrix.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func rows<Scalar: KernelScalar>(_ x: Matrix<Scalar>, _ indices: [Int]) -> Matrix<Scalar> {
    var elements: [Scalar] = []
    elements.reserveCapacity(indices.count * x.columns)
    for i in indices { elements.append(contentsOf: x.elements[i * x.columns..<(i + 1) * x.columns]) }
    return Matrix(rows: indices.count, columns: x.columns, elements: elements)
}

/// From weighted sums of [x², x] over n points of the source and m of the target.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func gradient<Scalar: KernelScalar>(
    _ noise: Scalar, _ centers: Matrix<Scalar>, _ scales: Matrix<Scalar>, _ w: [Scalar], _ pulled: Matrix<Scalar>, _ n: Int, _ gamma: [Scalar],
    _ drawn: Matrix<Scalar>, _ m: Int
) -> [Scalar] {
    let k = centers.rows, d = centers.columns, a = 1 / Scalar(n), b = 1 / Scalar(m)
    var result = [Scalar](repeating: 0, count: k + 2 * k * d)
    for i in 0..<k {
        result[i] = (a * w[i] - b * gamma[i]) / noise
        for j in 0..<d {
            let r = centers[i, j], s = scales[i, j], y = drawn[i, d + j], square = drawn[i, j] - 2 * r * y + r * r * gamma[i]
            result[k + i * d + j] = (a * pulled[i, d + j] - b * (y - r * gamma[i]) / s) / noise
            result[k + k * d + i * d + j] = a * s * pulled[i, j] / (2 * noise) - b * (square / (2 * noise * s) - gamma[i] / 2)
        }
    }
    return result
}

/// One round: every component becomes the Gaussian bridge between the points that it is responsible for.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func reestimated<Scalar: KernelScalar & Real>(
    _ bridge: SchrodingerBridge<Scalar>, _ source: Matrix<Scalar>, _ target: Matrix<Scalar>
) -> SchrodingerBridge<Scalar> {
    let w = bridge.planWeights(at: source), gamma = bridge.responsibilities(at: target), noise = bridge.noise
    let pulled = multiply(w, squaresAndValues(source), transposeA: true), drawn = multiply(gamma, squaresAndValues(target), transposeA: true)
    let mass = sums(w).map { $0 / Scalar(source.rows) }, pull = sums(gamma).map { $0 / Scalar(target.rows) }
    var centers = bridge.centers, scales = bridge.scales, logWeights = bridge.logWeights
    let d = bridge.dimension
    for k in 0..<bridge.componentCount {
        // A component without points stays as it is.
        let n = mass[k] * Scalar(source.rows), m = pull[k] * Scalar(target.rows)
        guard n > 1, m > 1 else { continue }
        for j in 0..<d {
            let a0 = pulled[k, d + j] / n, a1 = drawn[k, d + j] / m
            let v0 = max(pulled[k, j] / n - a0 * a0, 0), v1 = max(drawn[k, j] / m - a1 * a1, 0)
            // The same as (√(ε² + 4v₀v₁) − ε)/(2v₀), without cancellation.
            let s = max(2 * v1 / ((noise * noise + 4 * v0 * v1).squareRoot() + noise), 1e-3)
            scales[k, j] = s
            centers[k, j] = a1 - s * a0
        }
        // So that the mean weight over the source becomes that over the target, for the new centre and scale.
        let moved = (0..<d).reduce(Scalar(0)) { sum, j in
            let a0 = pulled[k, d + j] / n
            return sum + (scales[k, j] - bridge.scales[k, j]) * a0 * a0 + 2 * (centers[k, j] - bridge.centers[k, j]) * a0
        }
        logWeights[k] += .log(pull[k] / mass[k]) - moved / (2 * noise)
    }
    return SchrodingerBridge(noise: noise, logWeights: logWeights, centers: centers, scales: scales)
}
