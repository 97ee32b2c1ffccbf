import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// −D(α, β) or −S(α) of a regularised transport problem, to be minimised.
///
///     D(α, β) = ⟨α, a⟩ + ⟨β, b⟩ − Σⱼ Ω*(α + βⱼ 1 − cⱼ)          Ω*(s) = max over t ≥ 0 of ⟨s, t⟩ − Ω(t)
///     S(α)    = ⟨α, a⟩ − Σⱼ Ω*_bⱼ(α − cⱼ)                      Ω*_b(s): the same over t ≥ 0 with Σ t = b
///
/// The column of the plan that attains Ω* is the gradient's: ∂D/∂α = a − Σⱼ tⱼ, ∂D/∂βⱼ = bⱼ − Σ tⱼ. With the largest entries
/// x₁ ≥ x₂ ≥ … of s, k of them or all:
///
///     quadratic, k-sparse: t = [x − τ]₊ / γ;  dual: τ = 0, Ω* = Σ [x]₊² / 2γ;   semi-dual: Σ [x − τ]₊ = γ b, Ω*_b = b τ + Σ [x − τ]₊² / 2γ
///     entropic:            dual: t = exp(s/γ − 1), Ω* = γ Σ t;                 semi-dual: t = b softmax(s/γ), Ω*_b = γ b (log Σ exp(s/γ) − log b)
///
/// Variables are α and, for the dual, β after it, of the points that have mass. One evaluation is one pass over the costs, column by
/// column; plans are not formed, nor are costs of points stored. Source: Blondel, Seguy & Rolet 2018; Liu, Puigcerver & Blondel 2023.
public struct SmoothDual<Scalar: KernelScalar>: Objective {
    public let problem: TransportProblem<Scalar>
    public let regularizer: TransportRegularizer
    /// γ.
    public let gamma: Scalar
    public let formulation: TransportFormulation
    /// The points that have mass; the others take no part.
    public let sources: [Int], targets: [Int]
    let a: [Scalar], b: [Scalar]
    /// From targets to sources: its rows are the columns cⱼ.
    private let columns: Geometry<Scalar>

    /// - Precondition: γ > 0, k ≥ 1; both marginals are exact.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init(_ problem: TransportProblem<Scalar>, _ regularizer: TransportRegularizer, gamma: Scalar, formulation: TransportFormulation) {
        requireExactMarginals(problem)
        require(gamma > 0 && gamma.isFinite, "gamma is \(gamma); expected a finite number above 0")
        if case .sparsityConstrained(let k) = regularizer { require(k >= 1, "at most \(k) entries a column; expected at least 1") }
        sources = problem.sourceWeights.indices.filter { problem.sourceWeights[$0] > 0 }
        targets = problem.targetWeights.indices.filter { problem.targetWeights[$0] > 0 }
        a = sources.map { problem.sourceWeights[$0] }
        b = targets.map { problem.targetWeights[$0] }
        columns = problem.geometry.transposed(sources: sources, targets: targets)
        (self.problem, self.regularizer, self.gamma, self.formulation) = (problem, regularizer, gamma, formulation)
    }

    public var dimension: Int { a.count + (formulation == .dual ? b.count : 0) }

    /// Whether there are points, those with a tied k-th place, without a gradient.
    var hasKinks: Bool { if case .sparsityConstrained(let k) = regularizer { k < a.count } else { false } }

    public func value(at x: Span<Scalar>) -> Scalar {
        var unused = [Scalar](repeating: 0, count: dimension)
        var span = unused.mutableSpan
        return valueAndGradient(at: x, gradient: &span)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        let alpha = x.extracting(0..<a.count)
        var value = 0.0
        for i in a.indices {
            value -= Double(alpha[i]) * Double(a[i])
            gradient[i] = -a[i]
        }
        var masses = [Scalar](repeating: 0, count: b.count)
        var sent = gradient._mutatingExtracting(0..<a.count)
        forEachColumn(x) { j, cost, column in
            value += column.conjugate
            if formulation == .dual { value += Double(column.threshold) * Double(b[j]) }
            masses[j] = Scalar(column.mass)
            column.add(alpha, cost, into: &sent)
        }
        if formulation == .dual { for j in b.indices { gradient[a.count + j] = masses[j] - b[j] } }
        return Scalar(value)
    }

    /// The positive entries of the plan at a point, β of the targets that have mass, and in how many columns the k-th place is tied: there
    /// another plan is as good.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func plan(at x: Span<Scalar>) -> (entries: [(row: Int, column: Int, value: Double)], beta: [Scalar], ties: Int) {
        let alpha = x.extracting(0..<a.count)
        var entries: [(row: Int, column: Int, value: Double)] = [], beta: [Scalar] = [], ties = 0
        forEachColumn(x) { j, cost, column in
            beta.append(-column.threshold)
            ties += column.isTied ? 1 : 0
            column.forEach(alpha, cost) { entries.append((sources[$0], targets[j], Double($1))) }
        }
        return (entries, beta, ties)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func forEachColumn(_ x: Span<Scalar>, _ body: (Int, Span<Scalar>, borrowing SmoothColumn<Scalar>) -> Void) {
        let alpha = x.extracting(0..<a.count)
        var column = SmoothColumn(regularizer, gamma: gamma, rows: a.count)
        columns.forEachTile { range, tile in
            for j in range {
                let first = (j - range.lowerBound) * a.count, cost = tile.extracting(first..<first + a.count)
                column.prepare(alpha, cost)
                if formulation == .dual { column.evaluate(alpha, cost, threshold: -x[a.count + j]) } else { column.evaluate(alpha, cost, mass: b[j]) }
                body(j, cost, column)
            }
        }
    }
}

/// One column tⱼ of a plan, never formed: with x = α − cⱼ, t = [x − τ]₊ / γ over all or the k largest, or exp((x − τ)/γ − 1).
private struct SmoothColumn<Scalar: KernelScalar> {
    private let gamma: Scalar
    private let form: Form
    /// The k + 1 largest x in their order, or exp((x − max x)/γ) of all for entropic plans.
    private var values: [Scalar] = []
    /// Where the largest are.
    private var places: [Int32] = []
    /// max x.
    private var largest: Scalar = 0
    /// exp((max x − τ)/γ − 1), by which the entropic values are to be multiplied.
    private var factor: Scalar = 1

    /// τ; −βⱼ.
    private(set) var threshold: Scalar = 0
    /// Ω*(x − τ 1), and b τ more for a given mass b.
    private(set) var conjugate = 0.0
    /// Σ t.
    private(set) var mass = 0.0

    private enum Form { case all, largest(Int), entropic }

    init(_ regularizer: TransportRegularizer, gamma: Scalar, rows: Int) {
        self.gamma = gamma
        switch regularizer {
        case .sparsityConstrained(let k) where k < rows:
            form = .largest(k)
            values = Array(repeating: 0, count: k + 1)
            places = Array(repeating: 0, count: k + 1)
        case .entropic:
            form = .entropic
            values = Array(repeating: 0, count: rows)
        default: form = .all
        }
    }

    /// What does not depend on τ.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func prepare(_ alpha: Span<Scalar>, _ cost: Span<Scalar>) {
        if case .largest = form { return Self.takeLargest(alpha, cost, &values, &places) }
        largest = -Scalar.leastPair(of: cost, minus: alpha).least
        if case .entropic = form { Self.takeExponentials(alpha, cost, largest, gamma, &values) }
    }

    private static func takeLargest(_ alpha: Span<Scalar>, _ cost: Span<Scalar>, _ values: inout [Scalar], _ places: inout [Int32]) {
        var value = values.mutableSpan, place = places.mutableSpan
        _ = Scalar.largest(of: alpha, minus: cost, values: &value, places: &place)
    }

    private static func takeExponentials(
        _ alpha: Span<Scalar>, _ cost: Span<Scalar>, _ largest: Scalar, _ gamma: Scalar, _ values: inout [Scalar]
    ) {
        var value = values.mutableSpan
        Scalar.subtract(alpha, cost, into: &value)
        for i in value.indices { value[i] = (value[i] - largest) / gamma }
        Scalar.exp(&value)
    }

    /// For a given τ.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func evaluate(_ alpha: Span<Scalar>, _ cost: Span<Scalar>, threshold tau: Scalar) {
        threshold = tau
        switch form {
        case .all:
            let excess = Scalar.excess(of: alpha, minus: cost, over: tau)
            set(excess.sum, excess.sumOfSquares)
        case .largest(let k):
            var sum = 0.0, squares = 0.0, count = 0
            while count < k, values[count] > tau {
                let e = Double(values[count] - tau)
                sum += e
                squares += e * e
                count += 1
            }
            set(sum, squares)
        case .entropic:
            factor = Scalar(Double.exp(Double(largest - tau) / Double(gamma) - 1))
            mass = Double(factor) * Double(Scalar.sum(values.span))
            conjugate = Double(gamma) * mass
        }
    }

    private mutating func set(_ sum: Double, _ sumOfSquares: Double) {
        mass = sum / Double(gamma)
        conjugate = sumOfSquares / (2 * Double(gamma))
    }

    /// For the τ that gives Σ t = b.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func evaluate(_ alpha: Span<Scalar>, _ cost: Span<Scalar>, mass b: Scalar) {
        let target = Double(gamma) * Double(b)
        var tau: Scalar
        switch form {
        case .all:
            // Σ [x − τ]₊ is convex and falls: Newton's steps from the left of its root stay there, and end when no x lies between two.
            tau = largest - Scalar(target)
            while true {
                let excess = Scalar.excess(of: alpha, minus: cost, over: tau)
                let next = tau + Scalar((excess.sum - target) / Double(excess.count))
                guard excess.count > 0, next > tau else { break }
                tau = next
            }
        case .largest(let k):
            // τ is the largest of the thresholds for which the first r are above it. Relative to the first, so that Float keeps its digits.
            var sum = 0.0, best = -Double.infinity
            for r in 0..<k {
                sum += Double(values[r] - values[0])
                best = max(best, (sum - target) / Double(r + 1))
            }
            tau = values[0] + Scalar(best)
        case .entropic:
            tau = largest + gamma * Scalar(Double.log(Double(Scalar.sum(values.span)) / Double(b)) - 1)
        }
        evaluate(alpha, cost, threshold: tau)
        conjugate += Double(b) * Double(tau)
    }

    /// Adds t to y.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func add(_ alpha: Span<Scalar>, _ cost: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        switch form {
        case .all: Scalar.addExcess(of: alpha, minus: cost, over: threshold, times: 1 / gamma, into: &y)
        case .largest: forEach(alpha, cost) { y[$0] += $1 }
        case .entropic: Scalar.axpy(factor, values.span, &y)
        }
    }

    /// The positive entries of t.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func forEach(_ alpha: Span<Scalar>, _ cost: Span<Scalar>, _ body: (Int, Scalar) -> Void) {
        switch form {
        case .all: for i in alpha.indices where alpha[i] - cost[i] > threshold { body(i, (alpha[i] - cost[i] - threshold) / gamma) }
        case .largest(let k): for r in 0..<k where values[r] > threshold { body(Int(places[r]), (values[r] - threshold) / gamma) }
        case .entropic: for i in values.indices where values[i] > 0 { body(i, values[i] * factor) }
        }
    }

    /// Whether the last value that is taken equals one that is left out, to 1 part in 1000 of the first above τ.
    var isTied: Bool {
        guard case .largest(let k) = form, values[k - 1] > threshold else { return false }
        return values[k - 1] - values[k] <= (values[0] - threshold) / 1000
    }
}
