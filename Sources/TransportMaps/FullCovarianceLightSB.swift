import Kernels
import LinearAlgebra
import Objectives
import Optimizers
import Randomness
import RealModule

/// Learns a ``FullCovarianceSchrodingerBridge`` from samples, as ``LightSB`` does one with diagonal Sₖ.
///
/// The parameters are (ε log αₖ, rₖ, Lₖ) with the logarithms of Lₖ's diagonal in place of it. With w of the plan and γ of the potential, means over batches,
///
///     ∂/∂rₖ = E[wₖ x]/ε − Sₖ⁻¹ E[γₖ (y − rₖ)]/ε,   ∂/∂Sₖ = E[wₖ x xᵀ]/2ε − Sₖ⁻¹ E[γₖ (y − rₖ)(y − rₖ)ᵀ] Sₖ⁻¹/2ε + E[γₖ] Sₖ⁻¹/2
///
/// It begins at points of the target with Sₖ = `scale` · I, as the paper does, or from a given bridge, such as a diagonal one that is learned already.
///
/// Differs from the released code: Sₖ by its Cholesky factor instead of a rotation and eigenvalues.
///
/// Source: Korotin, Gushchin & Burnaev 2024.
///
/// - Complexity: a step is O(B K D² + K D³) for batches of B points.
public struct FullCovarianceLightSB<Scalar: KernelScalar & Real>: Sendable {
    public let components: Int
    public let optimizer: Adam<Scalar>
    public let steps: Int
    public let batchSize: Int
    public let scale: Scalar
    public let seed: UInt64

    /// - Parameters:
    ///   - components: K.
    ///   - learningRate: of Adam.
    ///   - steps: of Adam.
    ///   - batchSize: points of each sample in a step, drawn with replacement.
    ///   - scale: of the first Sₖ; the paper has 0.1 and 1.
    public init(components: Int = 10, learningRate: Schedule = 1e-3, steps: Int = 10_000, batchSize: Int = 128, scale: Scalar = 0.1, seed: UInt64 = 0) {
        require(components >= 1 && steps >= 0 && batchSize >= 1,
                "\(components) components, \(steps) steps and batches of \(batchSize); expected at least 1, 0 and 1")
        require(scale > 0, "scale is \(scale); expected a positive number")
        (self.components, self.steps, self.batchSize, self.scale, self.seed) = (components, steps, batchSize, scale, seed)
        optimizer = Adam(learningRate: learningRate)
    }

    /// All that changes; a decoded copy goes on to the same bits.
    public struct State: Codable, Sendable {
        /// ε log αₖ, then rₖ, then Lₖ row by row with logarithms on the diagonal.
        public internal(set) var parameters: [Scalar]
        public internal(set) var steps = 0
        /// The loss of the last batch, before its step; `nil` before the first.
        public internal(set) var batchLoss: Scalar?
        var optimizer: MomentState<Scalar>
        var random: RandomStream
    }

    /// What came out.
    public struct Solution: Sendable {
        public let bridge: FullCovarianceSchrodingerBridge<Scalar>
        /// `iterationLimit` when all steps are done, which is the regular end; `nonFinite` with the parameters before.
        public let status: SolverStatus
        public let reason: String
        public let steps: Int
        /// Over all points of both samples.
        public let loss: Scalar
    }

    /// - Parameter start: the bridge to begin with, of as many components.
    public func makeState(_ problem: SchrodingerBridgeProblem<Scalar>, from start: FullCovarianceSchrodingerBridge<Scalar>? = nil) -> State {
        var random = RandomStream(seed: seed)
        let k = components, d = problem.target.columns, count = problem.target.rows
        let chosen = k <= count ? random.sample(k, of: count) : (0..<k).map { _ in random.integer(in: 0..<count) }
        let bridge = start ?? FullCovarianceSchrodingerBridge(SchrodingerBridge(
            noise: problem.noise, logWeights: [Scalar](repeating: -.log(Scalar(k)), count: k),
            centers: Matrix(rows: k, columns: d) { problem.target[chosen[$0], $1] }, scales: Matrix(rows: k, columns: d, repeating: scale)))
        require(bridge.componentCount == k && bridge.dimension == d && bridge.noise == problem.noise,
                "a start of \(bridge.componentCount) components in \(bridge.dimension) dimensions, noise \(bridge.noise); expected \(k), \(d) and \(problem.noise)")
        var parameters = bridge.logWeights.map { $0 * problem.noise } + bridge.centers.elements
        for factor in bridge.factors {
            var elements = factor
            for j in 0..<d { elements[j, j] = .log(factor[j, j]) }
            parameters += elements.elements
        }
        return State(parameters: parameters, optimizer: optimizer.initialState(like: parameters), random: random)
    }

    /// The bridge of a state.
    public func bridge(_ state: State, _ problem: SchrodingerBridgeProblem<Scalar>) -> FullCovarianceSchrodingerBridge<Scalar> {
        let k = components, d = problem.source.columns, p = state.parameters
        let factors = (0..<k).map { component in
            let first = k + k * d + component * d * d
            var factor = Matrix(rows: d, columns: d, elements: Array(p[first..<first + d * d]))
            for j in 0..<d { factor[j, j] = max(.exp(factor[j, j]), .leastNormalMagnitude) }
            return factor
        }
        return FullCovarianceSchrodingerBridge(
            noise: problem.noise, logWeights: p[..<k].map { $0 / problem.noise }, centers: Matrix(rows: k, columns: d, elements: Array(p[k..<k + k * d])), factors: factors)
    }

    /// One step of Adam on a batch.
    ///
    /// - Returns: `nil` to go on, or why the run ends; the parameters are then those before the step.
    public func step(_ state: inout State, _ problem: SchrodingerBridgeProblem<Scalar>) -> Termination? {
        func batch(_ x: Matrix<Scalar>) -> Matrix<Scalar> {
            let chosen = (0..<batchSize).map { _ in state.random.integer(in: 0..<x.rows) }
            return Matrix(rows: batchSize, columns: x.columns) { x[chosen[$0], $1] }
        }
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
    /// - Parameter start: as in ``makeState(_:from:)``.
    public func solve(_ problem: SchrodingerBridgeProblem<Scalar>, from start: FullCovarianceSchrodingerBridge<Scalar>? = nil) -> Solution {
        var state = makeState(problem, from: start)
        return solve(problem, resuming: &state)
    }

    /// Goes on with a state until all steps are done, counted from the very first.
    public func solve(_ problem: SchrodingerBridgeProblem<Scalar>, resuming state: inout State) -> Solution {
        var end: Termination?
        while end == nil, state.steps < steps { end = step(&state, problem) }
        let bridge = bridge(state, problem), loss = bridge.loss(source: problem.source, target: problem.target)
        if end == nil, !loss.isFinite { end = Termination(.nonFinite, "the loss over all points is \(loss)") }
        let termination = end ?? Termination(.iterationLimit, "all \(steps) steps are done")
        return Solution(bridge: bridge, status: termination.status, reason: termination.reason, steps: state.steps, loss: loss)
    }

    /// The loss of a bridge on samples, and its gradient in the parameters of ``State``.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func lossAndGradient(
        _ bridge: FullCovarianceSchrodingerBridge<Scalar>, source: Matrix<Scalar>, target: Matrix<Scalar>
    ) -> (loss: Scalar, gradient: [Scalar]) {
        let w = bridge.planWeights(at: source), gamma = bridge.responsibilities(at: target), noise = bridge.noise
        let k = bridge.componentCount, d = bridge.dimension, a = 1 / Scalar(source.rows), b = 1 / Scalar(target.rows)
        var gradient = [Scalar](repeating: 0, count: k + k * d + k * d * d)
        for component in 0..<k {
            let pulled = weighted(source, w, component, center: nil)
            let drawn = weighted(target, gamma, component, center: (0..<d).map { bridge.centers[component, $0] })
            let inverse = bridge.inverseFactor(component), factor = bridge.factors[component]
            let precision = multiply(inverse, inverse, transposeA: true)
            gradient[component] = (a * pulled.mass - b * drawn.mass) / noise
            let pull = precision * drawn.first
            for j in 0..<d { gradient[k + component * d + j] = (a * pulled.first[j] - b * pull[j]) / noise }
            var slope = (a / noise) * pulled.second
            slope.add(precision * drawn.second * precision, scale: -b / noise)
            slope.add(precision, scale: b * drawn.mass)
            // Half of 2 ∂/∂S · L is in the factor that is left out above.
            let byFactor = slope * factor, start = k + k * d + component * d * d
            for i in 0..<d {
                for j in 0..<i { gradient[start + i * d + j] = byFactor[i, j] }
                gradient[start + i * d + i] = byFactor[i, i] * factor[i, i]
            }
        }
        return (bridge.loss(source: source, target: target), gradient)
    }

    /// Σ wᵢₖ, Σ wᵢₖ (xᵢ − c) and Σ wᵢₖ (xᵢ − c)(xᵢ − c)ᵀ.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func weighted(
        _ x: Matrix<Scalar>, _ w: Matrix<Scalar>, _ component: Int, center: [Scalar]?
    ) -> (mass: Scalar, first: [Scalar], second: Matrix<Scalar>) {
        var moved = x
        if let center {
            for i in 0..<x.rows {
                var row = moved.mutableRow(i)
                for j in row.indices { row[j] -= center[j] }
            }
        }
        var scaled = moved, mass: Scalar = 0, first = [Scalar](repeating: 0, count: x.columns)
        for i in 0..<x.rows {
            let weight = w[i, component]
            mass += weight
            var row = scaled.mutableRow(i)
            for j in row.indices {
                row[j] *= weight
                first[j] += row[j]
            }
        }
        return (mass, first, multiply(moved, scaled, transposeA: true))
    }
}
