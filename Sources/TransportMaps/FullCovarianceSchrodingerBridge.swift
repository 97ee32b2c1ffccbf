import Kernels
import LinearAlgebra
import Randomness
import RealModule

/// A ``SchrodingerBridge`` whose components have full Sₖ: v(x) = Σₖ αₖ N(x | rₖ, ε Sₖ). Few of them follow correlations for which diagonal ones need many.
///
/// The closed forms are those of ``SchrodingerBridge`` with matrices, the drift g(x, t) = Σₖ softmax(e)ₖ M⁻¹((Sₖ − I)x + rₖ) for M = (1 − t)I + tSₖ and
/// eₖ = log αₖ − ½ log det M + (xᵀM⁻¹(Sₖ − I)x + 2rₖᵀM⁻¹x − t rₖᵀM⁻¹rₖ)/(2ε).
///
/// Source: Korotin, Gushchin & Burnaev 2024 (LightSB), which has Sₖ by a rotation and eigenvalues; here by its Cholesky factor.
///
/// - Complexity: O(K D²) for each point, and O(K D³) more for a call.
public struct FullCovarianceSchrodingerBridge<Scalar: KernelScalar & Real>: Sendable, Hashable, Codable {
    /// ε.
    public let noise: Scalar
    /// log αₖ.
    public let logWeights: [Scalar]
    /// rₖ, a row for each component.
    public let centers: Matrix<Scalar>
    /// Lₖ with Sₖ = Lₖ Lₖᵀ: lower triangles with a positive diagonal.
    public let factors: [Matrix<Scalar>]

    /// - Precondition: ε is positive; as many weights as rows of the centers and factors, at least one; factors are D × D with a positive diagonal. What is
    ///   above the diagonal does not count.
    public init(noise: Scalar, logWeights: [Scalar], centers: Matrix<Scalar>, factors: [Matrix<Scalar>]) {
        let d = centers.columns
        require(noise > 0, "noise is \(noise); expected a positive number")
        require(!logWeights.isEmpty && logWeights.count == centers.rows && factors.count == centers.rows,
                "\(logWeights.count) weights, \(centers.rows) centers and \(factors.count) factors; expected equally many, at least 1")
        for factor in factors {
            require(factor.rows == d && factor.columns == d, "a factor is \(factor.rows)×\(factor.columns); expected \(d)×\(d)")
            require((0..<d).allSatisfy { factor[$0, $0] > 0 }, "a factor has a diagonal that is not positive")
        }
        (self.noise, self.logWeights, self.centers) = (noise, logWeights, centers)
        self.factors = factors.map { factor in Matrix(rows: d, columns: d) { $0 >= $1 ? factor[$0, $1] : 0 } }
    }

    /// The same bridge as one with diagonal Sₖ.
    public init(_ bridge: SchrodingerBridge<Scalar>) {
        let d = bridge.dimension
        self.init(
            noise: bridge.noise, logWeights: bridge.logWeights, centers: bridge.centers,
            factors: (0..<bridge.componentCount).map { k in .diagonal((0..<d).map { bridge.scales[k, $0].squareRoot() }) })
    }

    /// K and D.
    public var componentCount: Int { centers.rows }
    public var dimension: Int { centers.columns }

    /// Sₖ.
    public var scales: [Matrix<Scalar>] { factors.map { multiply($0, $0, transposeB: true) } }

    // MARK: - The plan

    /// log c(x) of each row.
    public func logNormalizer(at x: Matrix<Scalar>) -> [Scalar] { logSumExp(planScores(x)) }

    /// wₖ(x): a row for each point, a column for each component.
    public func planWeights(at x: Matrix<Scalar>) -> Matrix<Scalar> { softmax(planScores(x)) }

    /// log v(y) of each row.
    public func logPotential(at y: Matrix<Scalar>) -> [Scalar] { logSumExp(potentialScores(y)) }

    /// The posterior of the components of v at each row.
    public func responsibilities(at y: Matrix<Scalar>) -> Matrix<Scalar> { softmax(potentialScores(y)) }

    /// E log c over the source less E log v over the target, as ``SchrodingerBridge/loss(source:target:)``.
    public func loss(source: Matrix<Scalar>, target: Matrix<Scalar>) -> Scalar {
        logNormalizer(at: source).reduce(0, +) / Scalar(source.rows) - logPotential(at: target).reduce(0, +) / Scalar(target.rows)
    }

    /// The mean of the plan from each point, Σₖ wₖ(x)(rₖ + Sₖ x).
    public func barycentricProjection(of x: Matrix<Scalar>) -> Matrix<Scalar> { mixture(planWeights(at: x), x, scales, centers) }

    /// The covariance of the plan from one point, D × D.
    public func conditionalCovariance(at x: [Scalar]) -> Matrix<Scalar> {
        let point = Matrix(rows: 1, columns: dimension, elements: x)
        let w = planWeights(at: point).elements, mean = barycentricProjection(of: point).elements
        var result = Matrix<Scalar>.zeros(rows: dimension, columns: dimension)
        for (k, scale) in scales.enumerated() {
            let image = scale * x, offset = (0..<dimension).map { centers[k, $0] + image[$0] - mean[$0] }
            result.addOuterProduct(offset.span, offset.span, scale: w[k])
            result.add(scale, scale: w[k] * noise)
        }
        return result
    }

    /// An end for each point, drawn from the plan.
    public func samplePlan(from x: Matrix<Scalar>, random: inout RandomStream) -> Matrix<Scalar> {
        let d = dimension, w = planWeights(at: x), uniform: [Scalar] = random.uniform(count: x.rows), scales = scales
        let noises = Matrix<Scalar>(rows: x.rows, columns: d, elements: random.normal(count: x.rows * d))
        var result = Matrix<Scalar>.zeros(rows: x.rows, columns: d)
        for i in 0..<x.rows {
            var k = 0, sum = w[i, 0]
            while sum < uniform[i], k + 1 < componentCount {
                k += 1
                sum += w[i, k]
            }
            let image = scales[k] * Array(x.elements[i * d..<(i + 1) * d]), moved = factors[k] * Array(noises.elements[i * d..<(i + 1) * d])
            for j in 0..<d { result[i, j] = centers[k, j] + image[j] + noise.squareRoot() * moved[j] }
        }
        return result
    }

    // MARK: - The process

    /// g(x, t) of each row.
    ///
    /// - Precondition: t lies in 0...1.
    /// - Throws: `LinearAlgebraError` where rounding makes a component's M not positive definite, or a number is not finite.
    public func drift(at x: Matrix<Scalar>, time t: Scalar) throws(LinearAlgebraError) -> Matrix<Scalar> {
        require(t >= 0 && t <= 1, "time is \(t); expected a number from 0 to 1")
        let d = dimension
        var quadratic: [Matrix<Scalar>] = [], linear = centers, offsets = logWeights
        for (k, scale) in scales.enumerated() {
            var m = t * scale, ahead = scale
            for j in 0..<d {
                m[j, j] += 1 - t
                ahead[j, j] -= 1
            }
            let factor = try Cholesky(m)
            quadratic.append(try factor.solve(ahead))
            let pull = try factor.solve((0..<d).map { centers[k, $0] })
            for j in 0..<d {
                offsets[k] -= Scalar.log(factor.lower[j, j]) + t * centers[k, j] * pull[j] / (2 * noise)
                linear[k, j] = pull[j]
            }
        }
        let w = softmax(scores(x, quadratic, linear, factor: 1 / (2 * noise), offsets))
        return mixture(w, x, quadratic, linear)
    }

    /// Paths dX = g dt + √ε dW by Euler and Maruyama: the points at the times 0, 1/n, …, 1.
    ///
    /// - Parameter steps: n, at least 1.
    /// - Throws: as ``drift(at:time:)``.
    public func simulate(from x: Matrix<Scalar>, steps: Int, random: inout RandomStream) throws(LinearAlgebraError) -> [Matrix<Scalar>] {
        require(steps >= 1, "\(steps) steps; expected at least 1")
        var path = [x]
        let step = 1 / Scalar(steps)
        for n in 0..<steps {
            var next = path[n]
            next.add(try drift(at: next, time: Scalar(n) * step), scale: step)
            next.add(Matrix(rows: x.rows, columns: dimension, elements: random.normal(count: x.rows * dimension)), scale: (noise * step).squareRoot())
            path.append(next)
        }
        return path
    }

    // MARK: - Scores

    private func planScores(_ x: Matrix<Scalar>) -> Matrix<Scalar> { scores(x, scales, centers, factor: 1 / (2 * noise), logWeights) }

    /// log αₖ + log N(y | rₖ, ε Sₖ).
    private func potentialScores(_ y: Matrix<Scalar>) -> Matrix<Scalar> {
        let d = dimension
        var result = Matrix<Scalar>.zeros(rows: y.rows, columns: componentCount)
        for k in 0..<componentCount {
            // ‖L⁻¹(y − r)‖².
            var offset = y
            for i in 0..<y.rows {
                var row = offset.mutableRow(i)
                for j in 0..<d { row[j] -= centers[k, j] }
            }
            let white = multiply(offset, inverseFactor(k), transposeB: true)
            var constant = logWeights[k] - Scalar(d) / 2 * Scalar.log(2 * Scalar.pi * noise)
            for j in 0..<d { constant -= Scalar.log(factors[k][j, j]) }
            for i in 0..<y.rows { result[i, k] = constant - Scalar.dot(white.row(i), white.row(i)) / (2 * noise) }
        }
        return result
    }

    /// Lₖ⁻¹, by forward substitution.
    func inverseFactor(_ k: Int) -> Matrix<Scalar> {
        let d = dimension, l = factors[k]
        var inverse = Matrix<Scalar>.zeros(rows: d, columns: d)
        for j in 0..<d {
            inverse[j, j] = 1 / l[j, j]
            for i in j + 1..<max(d, j + 1) {
                var sum: Scalar = 0
                for p in j..<i { sum += l[i, p] * inverse[p, j] }
                inverse[i, j] = -sum / l[i, i]
            }
        }
        return inverse
    }
}

/// factor · (xᵀQₖx + 2 lₖ·x) + oₖ for each row of x and each k.
private func scores<Scalar: KernelScalar>(
    _ x: Matrix<Scalar>, _ quadratic: [Matrix<Scalar>], _ linear: Matrix<Scalar>, factor: Scalar, _ offsets: [Scalar]
) -> Matrix<Scalar> {
    var result = multiply(x, linear, transposeB: true)
    for k in quadratic.indices {
        let image = x * quadratic[k]
        for i in 0..<x.rows { result[i, k] = factor * (Scalar.dot(image.row(i), x.row(i)) + 2 * result[i, k]) + offsets[k] }
    }
    return result
}

/// Σₖ wₖ (Qₖ x + lₖ) for each row.
private func mixture<Scalar: KernelScalar>(
    _ w: Matrix<Scalar>, _ x: Matrix<Scalar>, _ quadratic: [Matrix<Scalar>], _ linear: Matrix<Scalar>
) -> Matrix<Scalar> {
    var result = w * linear
    for k in quadratic.indices {
        let image = multiply(x, quadratic[k], transposeB: true)
        for i in 0..<x.rows {
            var row = result.mutableRow(i)
            Scalar.axpy(w[i, k], image.row(i), &row)
        }
    }
    return result
}
