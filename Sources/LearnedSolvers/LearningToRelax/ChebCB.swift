import Kernels
import LinearAlgebra
import Randomness
import RealModule

/// ChebCB: a bandit that sees a number c before each round, and models the cost of each value as a polynomial in it.
///
/// With fⱼ(c) = Tⱼ(2 (c − a)/(b − a) − 1), j < m, on the contexts [a, b], the model of arm i is 1 + s θᵢᵀf(c). A round plays by inverse gaps: with ŷᵢ = θᵢᵀf,
///
///     pᵢ = 1/(d + η (ŷᵢ − min ŷ)) for all but the least, and the rest for that.
///
/// θᵢ fits (cost − 1)/s over the rounds of i by least squares (the shortest such θ), subject to |θᵢ₀| ≤ K/s and |θᵢⱼ| ≤ 2 (b − a) L/(s j), with K the largest
/// cost, L = (largest − least cost)/(b − a), s = 2 K + 4 (b − a) L (1 + ln m), and
///
///     η = 2 t √(d t/(R − ρ + 2 α² t)),   α = (π + (2/π) ln(2 m + 1)) (b − a) L/(2 s (m + 1)),
///
/// R the squared error of all predictions so far in units of s, ρ the squared residual of the last fit that met its bounds.
///
/// The source keeps predictions in the units of their own round; here they are rescaled with s, so that R is an error.
///
/// Source: Khodak et al. 2024, Algorithm 3 (inverse gaps: Foster & Rakhlin 2020); the form of η with its factor t is that of the paper's experiments.
///
/// - Complexity: O(d m + m³) a round; O(d m³) when a cost larger or smaller than all before comes.
public struct ChebCB: ParameterBandit {
    public let arms: [Double]
    public let contexts: ClosedRange<Double>
    /// m: the degree is one less.
    public let terms: Int
    /// p of the last choice.
    public private(set) var probabilities: [Double]
    private var fits: [Fit]
    private var features: [Double], predictions: [Double]
    private var rounds = 0, largest = 0.0, least = Double.infinity
    private var scale = 0.0, rate = 0.0
    /// Σ (prediction − cost + 1)², in iterations.
    private var squaredError = 0.0
    private var played: Int?
    private var random: RandomStream

    /// The rounds of one arm, as normal equations.
    private struct Fit: Codable, Sendable {
        var gram: [Double], moments: [Double]
        var squares = 0.0, count = 0
        /// In iterations: s θ.
        var coefficients: [Double]

        init(_ m: Int) {
            gram = [Double](repeating: 0, count: m * m)
            (moments, coefficients) = ([Double](repeating: 0, count: m), [Double](repeating: 0, count: m))
        }

        /// One more round.
        mutating func add(_ loss: Double, at features: [Double]) {
            let m = moments.count
            for i in 0..<m {
                for j in 0..<m { gram[i * m + j] += features[i] * features[j] }
                moments[i] += features[i] * loss
            }
            squares += loss * loss
            count += 1
        }

        /// The shortest least-squares coefficients, or those within the bounds where they break one.
        ///
        /// - Returns: the squared residual in the second case.
        mutating func solve(largest: Double, range: Double) -> Double? {
            solveFreely()
            func bound(_ j: Int) -> Double { j == 0 ? largest : 2 * range / Double(j) }
            guard coefficients.indices.contains(where: { abs(coefficients[$0]) > bound($0) }) else { return nil }
            coefficients = boxConstrainedLeastSquares(gram: gram, moments: moments, bounds: coefficients.indices.map(bound))
            let m = moments.count
            var residual = squares
            for i in 0..<m {
                var product = 0.0
                for j in 0..<m { product += gram[i * m + j] * coefficients[j] }
                residual += coefficients[i] * (product - 2 * moments[i])
            }
            return max(residual, 0)
        }

        /// By Cholesky where there are rounds enough, by the eigenvectors that carry something elsewhere.
        private mutating func solveFreely() {
            let m = moments.count
            if count >= m {
                coefficients = moments
                if choleskySolve(gram, &coefficients) { return }
            }
            guard let eigen = try? SymmetricEigen(Matrix(rows: m, columns: m, elements: gram)) else { return }
            coefficients = [Double](repeating: 0, count: m)
            for k in 0..<m where eigen.values[k] > 1e-12 * Double(count) {
                var share = 0.0
                for j in 0..<m { share += eigen.vectors[j, k] * moments[j] }
                for j in 0..<m { coefficients[j] += eigen.vectors[j, k] * share / eigen.values[k] }
            }
        }
    }

    /// - Parameters:
    ///   - contexts: [a, b]; a context beyond it is taken as its nearer end.
    ///   - terms: m. Default: 6, the paper's.
    public init(arms: [Double], contexts: ClosedRange<Double>, terms: Int = 6, random: RandomStream) {
        requireArms(arms)
        requireContexts(contexts)
        require(terms >= 1, "\(terms) terms; expected at least 1")
        (self.arms, self.contexts, self.terms, self.random) = (arms, contexts, terms, random)
        probabilities = arms.map { _ in 1 / Double(arms.count) }
        fits = arms.map { _ in Fit(terms) }
        (features, predictions) = ([Double](repeating: 0, count: terms), arms.map { _ in 0 })
    }

    /// What the model expects of arm `arm` at `context`; 1 before its first round.
    public func predictedCost(arm: Int, context: Double) -> Double {
        var f = features
        chebyshev(context, &f)
        return 1 + zip(fits[arm].coefficients, f).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private func chebyshev(_ context: Double, _ f: inout [Double]) {
        require(!context.isNaN, "context is NaN; expected a number")
        let c = min(max(context, contexts.lowerBound), contexts.upperBound)
        let x = 2 * (c - contexts.lowerBound) / (contexts.upperBound - contexts.lowerBound) - 1
        f[0] = 1
        if terms > 1 { f[1] = x }
        for j in 2..<max(2, terms) { f[j] = 2 * x * f[j - 1] - f[j - 2] }
    }

    public mutating func choose(context: Double) -> Int {
        chebyshev(context, &features)
        var best = 0
        for i in arms.indices {
            var y = 0.0
            for j in 0..<terms { y += fits[i].coefficients[j] * features[j] }
            predictions[i] = y
            if y < predictions[best] { best = i }
        }
        let count = Double(arms.count), perIteration = scale > 0 ? rate / scale : 0
        var rest = 1.0
        for i in arms.indices where i != best {
            probabilities[i] = 1 / (count + perIteration * (predictions[i] - predictions[best]))
            rest -= probabilities[i]
        }
        probabilities[best] = rest
        let arm = draw(probabilities, &random)
        played = arm
        return arm
    }

    public mutating func observe(cost: Double) {
        let arm = requireCost(cost, of: played), loss = max(cost - 1, 0), m = Double(terms)
        played = nil
        rounds += 1
        squaredError += (predictions[arm] - loss) * (predictions[arm] - loss)
        fits[arm].add(loss, at: features)
        let isRecord = cost > largest || cost < least
        (largest, least) = (max(largest, cost), min(least, cost))
        let range = largest - least
        scale = 2 * largest + 4 * range * (1 + Double.log(m))
        var clipped = 0.0
        if isRecord {
            for i in fits.indices where fits[i].count > 0 { clipped = fits[i].solve(largest: largest, range: range) ?? clipped }
        } else {
            clipped = fits[arm].solve(largest: largest, range: range) ?? 0
        }
        let alpha = (Double.pi + 2 / .pi * Double.log(2 * m + 1)) * range / (2 * scale * (m + 1)), t = Double(rounds)
        let error = (squaredError - clipped) / (scale * scale) + 2 * alpha * alpha * t
        // No error and no range: the predictions are exact so far.
        rate = scale > 0 ? 2 * t * (Double(arms.count) * t / max(error, 1e-12)).squareRoot() : 0
    }
}
