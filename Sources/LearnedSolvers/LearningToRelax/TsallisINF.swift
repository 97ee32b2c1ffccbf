import Kernels
import Randomness

/// Tsallis-INF: the bandit whose regret is optimal for independent and for adversarial costs, without contexts.
///
/// With kᵢ the sum of (cost − 1)/p over the rounds in which i was played with probability p, s the mean of cost − 1 over all rounds (1 before the
/// first), and η = 2/√t, round t draws from
///
///     pᵢ = 4 (η (kᵢ/s − x))⁻²,   x < min kᵢ/s such that Σ pᵢ = 1.
///
/// A cost below 1 counts as 1. Regret to the best value is O(√(d T)) for d values and T rounds, and O(log T) where the costs are independent.
///
/// Differs from the implementation that came with "Learning to Relax": there x is sought by Newton's method from −1, which after some hundred rounds lies too
/// far left, and the probabilities no longer sum to 1. Here it begins at the right end of the bracket, from which it falls monotonously.
///
/// Source: Zimmert & Seldin 2021; Khodak et al. 2024, Algorithm 1.
///
/// - Complexity: O(d) a round, in 5 to 8 passes.
public struct TsallisINF: ParameterBandit {
    public let arms: [Double]
    /// p of the last choice.
    public private(set) var probabilities: [Double]
    private var losses: [Double]
    private var sum = 0.0, rounds = 0
    private var gaps: [Double]
    private var played: Int?
    private var random: RandomStream

    /// - Parameter arms: at least one value.
    public init(arms: [Double], random: RandomStream) {
        requireArms(arms)
        (self.arms, self.random) = (arms, random)
        probabilities = arms.map { _ in 1 / Double(arms.count) }
        (losses, gaps) = (arms.map { _ in 0 }, arms.map { _ in 0 })
    }

    public mutating func choose(context: Double = 0) -> Int {
        let scale = sum > 0 ? sum / Double(rounds) : 1, rate = 2 / Double(rounds + 1).squareRoot()
        // With y = η (min k/s − x)/2 ≥ 1 and aᵢ = η (kᵢ − min k)/(2 s), pᵢ = (aᵢ + y)⁻².
        var least = losses[0]
        for loss in losses { least = min(least, loss) }
        let factor = rate / (2 * scale)
        for i in losses.indices { gaps[i] = factor * (losses[i] - least) }
        var y = 1.0
        while true {
            // Σ p is convex and falling in y, and at least 1 at y = 1: each step stays left of the root.
            var total = 0.0, slope = 0.0
            for i in gaps.indices {
                let root = 1 / (gaps[i] + y)
                probabilities[i] = root * root
                total += probabilities[i]
                slope += 2 * probabilities[i] * root
            }
            let next = y + (total - 1) / slope
            if total - 1 < 1e-13 || next <= y { break }
            y = next
        }
        let arm = draw(probabilities, &random)
        played = arm
        return arm
    }

    public mutating func observe(cost: Double) {
        let arm = requireCost(cost, of: played), loss = max(cost - 1, 0)
        losses[arm] += loss / probabilities[arm]
        sum += loss
        rounds += 1
        played = nil
    }
}

/// Tsallis-INF with contexts: an interval in equal bins, and a learner for each ("TsallisINF-CB" in Khodak et al. 2024).
public struct BinnedTsallisINF: ParameterBandit {
    public let arms: [Double]
    public let contexts: ClosedRange<Double>
    public private(set) var bins: [TsallisINF]
    private var current = 0

    /// - Parameters:
    ///   - contexts: contexts beyond it fall into the first or the last bin.
    ///   - bins: 5 in the paper's experiments with shifts, 6 in those with heat.
    public init(arms: [Double], contexts: ClosedRange<Double>, bins: Int = 5, random: RandomStream) {
        require(bins >= 1, "\(bins) bins; expected at least 1")
        requireContexts(contexts)
        (self.arms, self.contexts) = (arms, contexts)
        self.bins = (0..<bins).map { TsallisINF(arms: arms, random: random.substream(UInt64($0))) }
    }

    public mutating func choose(context: Double) -> Int {
        require(!context.isNaN, "context is NaN; expected a number")
        let place = (context - contexts.lowerBound) / (contexts.upperBound - contexts.lowerBound) * Double(bins.count)
        current = Int(min(max(place, 0), Double(bins.count - 1)))
        return bins[current].choose()
    }

    public mutating func observe(cost: Double) { bins[current].observe(cost: cost) }
}

func requireContexts(_ range: ClosedRange<Double>) {
    require(range.lowerBound < range.upperBound && (range.upperBound - range.lowerBound).isFinite,
            "contexts from \(range.lowerBound) to \(range.upperBound); expected a finite interval of positive length")
}
