import Kernels
import Randomness

/// A learner that picks one of a few values of a parameter, round by round, and is told the cost of that one alone.
///
/// A cost is a count of iterations: at least 1, or 0 for a system that was solved before the first.
///
/// ```swift
/// let arm = bandit.choose(context: shift)
/// bandit.observe(cost: iterations(with: bandit.arms[arm]))
/// ```
///
/// A decoded copy goes on to the same bits.
public protocol ParameterBandit: Codable, Sendable {
    /// The values to choose from.
    var arms: [Double] { get }

    /// The index of the value for this round, drawn by the learner's probabilities. `context` is what is known of the system; learners without
    /// contexts do not read it.
    mutating func choose(context: Double) -> Int

    /// The cost of the last choice.
    ///
    /// - Precondition: a finite cost ≥ 0, and a choice that has not been answered yet.
    mutating func observe(cost: Double)
}

func requireArms(_ arms: [Double]) { require(!arms.isEmpty, "no values to choose from; expected at least one") }

func requireCost(_ cost: Double, of played: Int?) -> Int {
    require(cost >= 0 && cost.isFinite, "cost is \(cost); expected a finite number ≥ 0")
    require(played != nil, "a cost without a choice; expected one choice before each")
    return played!
}

/// An index drawn by probabilities that sum to 1 but for rounding.
func draw(_ probabilities: [Double], _ random: inout RandomStream) -> Int {
    var rest = Double(random.next() >> 11) * 0x1p-53
    for i in probabilities.indices {
        rest -= probabilities[i]
        if rest < 0 { return i }
    }
    return probabilities.lastIndex { $0 > 0 } ?? 0
}

/// `count` values from `range`'s lower end to its upper one in equal steps: the paper's grid is 20 from 1 to 1.95.
public func evenlySpaced(_ range: ClosedRange<Double>, count: Int) -> [Double] {
    require(count >= 2, "\(count) values; expected at least 2")
    return (0..<count).map { range.lowerBound + (range.upperBound - range.lowerBound) * Double($0) / Double(count - 1) }
}
