import Kernels
import LinearAlgebra
import Randomness
import RealModule

/// A Schrödinger bridge between two distributions on ℝᴰ whose potential is a mixture of K Gaussians, v(x) = Σₖ αₖ N(x | rₖ, ε Sₖ) with diagonal Sₖ.
///
/// Of all processes with the two marginals it is the one nearest to Brownian motion of variance ε; its ends are the entropic plan for the cost ½‖x − y‖² with
/// the regularisation ε. Everything about it is in closed form:
///
/// | | |
/// |---|---|
/// | plan | π(y \| x) = Σₖ wₖ(x) N(y \| rₖ + Sₖ x, ε Sₖ), w = softmaxₖ(log αₖ + (xᵀSₖx + 2rₖᵀx)/(2ε)) |
/// | normaliser | log c(x), the log-sum-exp of the same bracket |
/// | drift | g(x, t) = Σₖ softmax(e)ₖ ((Sₖ − I)x + rₖ)/mₖ, mₖ = (1 − t) + t Sₖ, finite for t from 0 to 1 |
///
/// with eₖ = log αₖ + Σ_d (−½ log mₖ + ((sₖ − 1)x² + 2xrₖ − t rₖ²)/(2εmₖ)). This form of the drift is the paper's algebraically, without its terms in 1/(1 − t), which
/// cancel and lose digits in single precision near t = 1.
///
/// Points are rows of matrices. Scaling all αₖ changes nothing. For the cost ‖x − y‖², without the half, ε is half of the regularisation there.
///
/// Source: Korotin, Gushchin & Burnaev 2024 (LightSB).
public struct SchrodingerBridge<Scalar: KernelScalar & Real>: Sendable, Hashable, Codable {
    /// ε.
    public let noise: Scalar
    /// log αₖ.
    public let logWeights: [Scalar]
    /// rₖ, a row for each component.
    public let centers: Matrix<Scalar>
    /// The diagonals of Sₖ, a row for each component.
    public let scales: Matrix<Scalar>

    /// - Precondition: ε and all scales are positive; a weight for each row of two matrices of equal shape, with at least one row.
    public init(noise: Scalar, logWeights: [Scalar], centers: Matrix<Scalar>, scales: Matrix<Scalar>) {
        require(noise > 0, "noise is \(noise); expected a positive number")
        require(!logWeights.isEmpty && logWeights.count == centers.rows && centers.rows == scales.rows && centers.columns == scales.columns,
                "\(logWeights.count) weights, centers \(centers.rows)×\(centers.columns), scales \(scales.rows)×\(scales.columns); expected K, K×D and K×D")
        require(scales.elements.allSatisfy { $0 > 0 }, "a scale is not positive")
        (self.noise, self.logWeights, self.centers, self.scales) = (noise, logWeights, centers, scales)
    }

    /// The bridge from any source whose ordinary potential is the mixture φ(x) = Σₖ aₖ N(x | mₖ, Σₖ) with diagonal Σₖ: v(x) = exp(−‖x‖²/2ε) φ(x), that is
    /// Sₖ = (I + εΣₖ⁻¹)⁻¹, rₖ = εSₖΣₖ⁻¹mₖ and αₖ ∝ aₖ N(mₖ | 0, Σₖ + εI).
    public init(noise: Scalar, potentialWeights: [Scalar], means: Matrix<Scalar>, variances: Matrix<Scalar>) {
        let k = means.rows, d = means.columns
        require(potentialWeights.count == k && potentialWeights.allSatisfy { $0 > 0 }, "\(potentialWeights.count) weights for \(k) means; expected a positive one for each")
        let scales = variances.map { $0 / ($0 + noise) }
        let centers = Matrix<Scalar>(rows: k, columns: d) { i, j in noise * means[i, j] / (variances[i, j] + noise) }
        let logWeights = (0..<k).map { i in
            (0..<d).reduce(Scalar.log(potentialWeights[i])) { sum, j in
                let v = variances[i, j] + noise
                return sum - (means[i, j] * means[i, j] / v + .log(2 * .pi * v)) / 2
            }
        }
        self.init(noise: noise, logWeights: logWeights, centers: centers, scales: scales)
    }

    /// K and D.
    public var componentCount: Int { centers.rows }
    public var dimension: Int { centers.columns }

    // MARK: - The plan

    /// log c(x) of each row.
    public func logNormalizer(at x: Matrix<Scalar>) -> [Scalar] { logSumExp(planScores(x)) }

    /// wₖ(x): a row for each point, a column for each component.
    public func planWeights(at x: Matrix<Scalar>) -> Matrix<Scalar> { softmax(planScores(x)) }

    /// log v(y) of each row.
    public func logPotential(at y: Matrix<Scalar>) -> [Scalar] { logSumExp(potentialScores(y)) }

    /// The posterior of the components of v at each row.
    public func responsibilities(at y: Matrix<Scalar>) -> Matrix<Scalar> { softmax(potentialScores(y)) }

    /// E log c over the source less E log v over the target. It falls short of its minimum over all potentials by the mean divergence of the plans,
    /// E KL(π*(· | x) ‖ π(· | x)).
    public func loss(source: Matrix<Scalar>, target: Matrix<Scalar>) -> Scalar {
        logNormalizer(at: source).reduce(0, +) / Scalar(source.rows) - logPotential(at: target).reduce(0, +) / Scalar(target.rows)
    }

    /// log π(y | x), row by row.
    public func logPlan(from x: Matrix<Scalar>, to y: Matrix<Scalar>) -> [Scalar] {
        require(x.rows == y.rows, "\(x.rows) points and \(y.rows) ends; expected equally many")
        let c = logNormalizer(at: x), v = logPotential(at: y)
        return (0..<x.rows).map { i in Scalar.dot(x.row(i), y.row(i)) / noise + v[i] - c[i] }
    }

    /// The mean of the plan from each point, Σₖ wₖ(x)(rₖ + Sₖ x): the transport map.
    public func barycentricProjection(of x: Matrix<Scalar>) -> Matrix<Scalar> {
        let w = planWeights(at: x)
        var result = (w * scales).multipliedElementwise(by: x)
        result.add(w * centers)
        return result
    }

    /// The covariance of the plan from one point, D × D.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func conditionalCovariance(at x: [Scalar]) -> Matrix<Scalar> {
        let point = Matrix(rows: 1, columns: dimension, elements: x)
        let w = planWeights(at: point).elements, mean = barycentricProjection(of: point).elements
        var result = Matrix<Scalar>.zeros(rows: dimension, columns: dimension)
        for k in 0..<componentCount {
            let offset = (0..<dimension).map { centers[k, $0] + scales[k, $0] * x[$0] - mean[$0] }
            result.addOuterProduct(offset.span, offset.span, scale: w[k])
            for j in 0..<dimension { result[j, j] += w[k] * noise * scales[k, j] }
        }
        return result
    }

    /// An end for each point, drawn from the plan.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func samplePlan(from x: Matrix<Scalar>, random: inout RandomStream) -> Matrix<Scalar> {
        let w = planWeights(at: x), uniform: [Scalar] = random.uniform(count: x.rows)
        var noises: [Scalar] = random.normal(count: x.rows * dimension)
        for i in 0..<x.rows {
            var k = 0, sum = w[i, 0]
            while sum < uniform[i], k + 1 < componentCount {
                k += 1
                sum += w[i, k]
            }
            for j in 0..<dimension {
                let s = scales[k, j], place = i * dimension + j
                noises[place] = centers[k, j] + s * x[i, j] + (noise * s).squareRoot() * noises[place]
            }
        }
        return Matrix(rows: x.rows, columns: dimension, elements: noises)
    }

    // MARK: - The process

    /// g(x, t) of each row.
    ///
    /// - Precondition: t lies in 0...1.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func drift(at x: Matrix<Scalar>, time t: Scalar) -> Matrix<Scalar> {
        require(t >= 0 && t <= 1, "time is \(t); expected a number from 0 to 1")
        let m = scales.map { 1 - t + t * $0 }, k = componentCount, d = dimension
        let quadratic = Matrix<Scalar>(rows: k, columns: d) { (scales[$0, $1] - 1) / m[$0, $1] }
        let linear = Matrix<Scalar>(rows: k, columns: d) { centers[$0, $1] / m[$0, $1] }
        let offsets = (0..<k).map { i in
            (0..<d).reduce(logWeights[i]) { $0 - Scalar.log(m[i, $1]) / 2 - t * centers[i, $1] * linear[i, $1] / (2 * noise) }
        }
        let w = softmax(quadraticScores(x, quadratic, linear, factor: 1 / (2 * noise), offsets))
        var result = (w * quadratic).multipliedElementwise(by: x)
        result.add(w * linear)
        return result
    }

    /// A place at time t for each starting point, by the plan and a Brownian bridge: exact, without steps.
    ///
    /// - Precondition: t lies in 0...1.
    public func sampleMarginal(from x: Matrix<Scalar>, time t: Scalar, random: inout RandomStream) -> Matrix<Scalar> {
        require(t >= 0 && t <= 1, "time is \(t); expected a number from 0 to 1")
        var result = t * samplePlan(from: x, random: &random)
        result.add(x, scale: 1 - t)
        result.add(Matrix(rows: x.rows, columns: dimension, elements: random.normal(count: x.rows * dimension)), scale: (t * (1 - t) * noise).squareRoot())
        return result
    }

    /// Paths dX = g dt + √ε dW by Euler and Maruyama: the points at the times 0, 1/n, …, 1. The weak error is O(1/n).
    ///
    /// - Parameter steps: n, at least 1.
    public func simulate(from x: Matrix<Scalar>, steps: Int, random: inout RandomStream) -> [Matrix<Scalar>] {
        require(steps >= 1, "\(steps) steps; expected at least 1")
        var path = [x]
        let step = 1 / Scalar(steps)
        for n in 0..<steps {
            var next = path[n]
            next.add(drift(at: next, time: Scalar(n) * step), scale: step)
            next.add(Matrix(rows: x.rows, columns: dimension, elements: random.normal(count: x.rows * dimension)), scale: (noise * step).squareRoot())
            path.append(next)
        }
        return path
    }

    // MARK: - Scores

    /// The bracket of the plan's weights.
    func planScores(_ x: Matrix<Scalar>) -> Matrix<Scalar> {
        quadraticScores(x, scales, centers, factor: 1 / (2 * noise), logWeights)
    }

    /// log αₖ + log N(y | rₖ, ε Sₖ).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func potentialScores(_ y: Matrix<Scalar>) -> Matrix<Scalar> {
        let k = componentCount, d = dimension
        let inverse = scales.map { -1 / $0 }
        let linear = Matrix<Scalar>(rows: k, columns: d) { centers[$0, $1] / scales[$0, $1] }
        let offsets = (0..<k).map { i in
            (0..<d).reduce(logWeights[i]) {
                $0 - (Scalar.log(2 * .pi * noise * scales[i, $1]) + centers[i, $1] * linear[i, $1] / noise) / 2
            }
        }
        return quadraticScores(y, inverse, linear, factor: 1 / (2 * noise), offsets)
    }
}

/// factor · Σ_d (qₖ x² + 2 lₖ x) + oₖ for each row of x and each k: one product of width 2D.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func quadraticScores<Scalar: KernelScalar>(
    _ x: Matrix<Scalar>, _ quadratic: Matrix<Scalar>, _ linear: Matrix<Scalar>, factor: Scalar, _ offsets: [Scalar]
) -> Matrix<Scalar> {
    let k = quadratic.rows, d = quadratic.columns
    require(x.columns == d, "points have \(x.columns) coordinates; expected \(d)")
    var elements: [Scalar] = []
    elements.reserveCapacity(2 * k * d)
    for i in 0..<k {
        for j in 0..<d { elements.append(factor * quadratic[i, j]) }
        for j in 0..<d { elements.append(2 * factor * linear[i, j]) }
    }
    var scores = multiply(squaresAndValues(x), Matrix(rows: k, columns: 2 * d, elements: elements), transposeB: true)
    var span = scores.mutableSpan
    Scalar.addRow(rows: x.rows, columns: k, &span, offsets.span)
    return scores
}

/// [x², x], row by row.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func squaresAndValues<Scalar: KernelScalar>(_ x: Matrix<Scalar>) -> Matrix<Scalar> {
    let d = x.columns
    var elements: [Scalar] = []
    elements.reserveCapacity(2 * x.rows * d)
    for i in 0..<x.rows {
        let row = x.row(i)
        for j in 0..<d { elements.append(row[j] * row[j]) }
        for j in 0..<d { elements.append(row[j]) }
    }
    return Matrix(rows: x.rows, columns: 2 * d, elements: elements)
}

func softmax<Scalar: KernelScalar>(_ scores: Matrix<Scalar>) -> Matrix<Scalar> {
    var result = scores
    let (rows, columns) = (scores.rows, scores.columns)
    var span = result.mutableSpan
    Scalar.softmax(rows: rows, columns: columns, of: &span, stride: columns)
    return result
}

func logSumExp<Scalar: KernelScalar>(_ scores: Matrix<Scalar>) -> [Scalar] {
    var result = [Scalar](repeating: 0, count: scores.rows)
    var span = result.mutableSpan
    Scalar.logSumExp(rows: scores.rows, columns: scores.columns, of: scores.span, stride: scores.columns, into: &span)
    return result
}
