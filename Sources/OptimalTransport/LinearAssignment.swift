import Kernels
import LinearAlgebra

/// Each source to a target of its own at the least total cost: min Σᵢ C(i, σ(i)) over injective σ.
///
/// As Jonker and Volgenant (1987) have it, rows bid for columns whose prices start at the columns' minima, and those that still have no
/// target take one along a shortest augmenting path (Dijkstra's method on reduced costs). A bid and a step of a path are a vectorised
/// pass over a row of costs each. Where the bids leave more than a twentieth of the rows, as they do on points, paths would be long:
/// then an auction with ε-scaling (Bertsekas 1988) finds prices near the optimum first, with ε from a quarter of the range of costs down
/// to their mean above the least divided by n, by 5 each round. The end is exact, so the result is optimal to the rounding of sums of costs.
///
/// Differs from SciPy's `linear_sum_assignment`: costs must be finite; for the largest total negate them. Without the auction such methods are slow on
/// clouds of points, where each path passes over most rows.
///
/// - Complexity: O(n² m) at worst; about 40 passes over a row of costs for each source in practice.
public struct LinearAssignment: Sendable {
    public init() {}

    /// Assigns each source a target; with more sources than targets each target a source.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(_ geometry: Geometry<Scalar>) -> Assignment<Scalar> {
        if case .sparse = geometry.storage { require(false, "costs of some pairs only; expected costs of all") }
        let c = geometry.costMatrix()
        guard c.rows > c.columns else { return solve(c) }
        let flipped: Assignment<Scalar> = solve(c.transposed())
        var targets = [Int?](repeating: nil, count: c.rows)
        for (j, i) in flipped.targets.enumerated() { targets[i!] = j }
        return Assignment(targets: targets, cost: flipped.cost, sourcePotential: flipped.targetPotential,
                          targetPotential: flipped.sourcePotential, rowScans: flipped.rowScans)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func solve<Scalar: KernelScalar>(_ c: Matrix<Scalar>) -> Assignment<Scalar> {
        var search = AssignmentSearch(c)
        if c.columns > 1 {
            if c.rows == c.columns { search.startFromColumnMinima() }
            search.bidWithoutMargin()
            // Where bids leave this many, as they do on points, paths would be long.
            if c.rows == c.columns, search.targets.count(where: { $0 < 0 }) > c.rows / 20 {
                search.auction()
                search.bidWithoutMargin()
            }
        }
        for i in 0..<c.rows where search.targets[i] < 0 { search.augment(from: i) }
        var cost = 0.0
        let u = (0..<c.rows).map { i in
            cost += Double(c[i, search.targets[i]])
            return c[i, search.targets[i]] - search.v[search.targets[i]]
        }
        return Assignment(targets: search.targets, cost: Scalar(cost), sourcePotential: u, targetPotential: search.v, rowScans: search.scans)
    }
}

/// What ``LinearAssignment`` finds.
public struct Assignment<Scalar: KernelScalar>: Sendable {
    /// The target of each source; `nil` for those that are left over when there are more sources than targets.
    public let targets: [Int?]
    /// Σ C(i, σ(i)).
    public let cost: Scalar
    /// u and v with uᵢ + vⱼ ≤ Cᵢⱼ, equal on the assignment: its proof of being optimal. Of the larger side, v ≤ 0, and 0 where nothing goes.
    public let sourcePotential: [Scalar]
    /// v, see ``sourcePotential``.
    public let targetPotential: [Scalar]
    /// How often a row of costs was passed over.
    public let rowScans: Int
}

/// The state of a search: prices, and who has what.
private struct AssignmentSearch<Scalar: KernelScalar> {
    private let c: Matrix<Scalar>
    /// The potentials of the columns: prices with the opposite sign.
    var v: [Scalar]
    var targets: [Int]
    private var owners: [Int]
    var scans = 0

    init(_ c: Matrix<Scalar>) {
        self.c = c
        v = Array(repeating: 0, count: c.columns)
        targets = Array(repeating: -1, count: c.rows)
        owners = Array(repeating: -1, count: c.columns)
    }

    /// Row i takes column j; the row that had it.
    private mutating func give(_ j: Int, to i: Int) -> Int? {
        let before = owners[j]
        owners[j] = i
        targets[i] = j
        guard before >= 0 else { return nil }
        targets[before] = -1
        return before
    }

    private mutating func clear() {
        for i in targets.indices { targets[i] = -1 }
        for j in owners.indices { owners[j] = -1 }
    }

    /// vⱼ = minᵢ Cᵢⱼ.
    mutating func startFromColumnMinima() {
        var least = Array(c.elements.prefix(c.columns))
        for i in 1..<c.rows {
            let before = least
            var minima = least.mutableSpan
            Scalar.minimum(before.span, c.row(i), into: &minima)
        }
        v = least
    }

    /// Prices that an ε-optimal assignment has, for a small ε; the assignment itself is dropped.
    mutating func auction() {
        let n = c.rows
        var least = Scalar.infinity, largest = -Scalar.infinity, sum = 0.0
        for x in c.elements { (least, largest) = (Swift.min(least, x), Swift.max(largest, x)) }
        for i in 0..<n { sum += Double(Scalar.sum(c.row(i))) }
        let mean = Scalar(sum / Double(n * n)) - least
        // Below the rounding of a price a bid would change nothing.
        let last = Swift.max(mean / Scalar(n), 16 * Swift.max(abs(least), abs(largest)).ulp)
        var epsilon = (largest - least) / 4
        for j in v.indices { v[j] = 0 }
        while epsilon > last {
            epsilon = Swift.max(epsilon / 5, last)
            clear()
            var waiting = Array((0..<n).reversed()), bids = 0
            // Wars over few columns end here; the paths finish what they leave.
            while let i = waiting.popLast(), bids < 20 * n {
                let pair = Scalar.leastPair(of: c.row(i), minus: v.span)
                bids += 1
                v[pair.place] -= pair.second - pair.least + epsilon
                if let displaced = give(pair.place, to: i) { waiting.append(displaced) }
            }
            scans += bids
        }
        clear()
    }

    /// Augmenting row reduction: rows bid as far as the second best allows, so that uᵢ + vⱼ ≤ Cᵢⱼ stays true and equal where assigned.
    mutating func bidWithoutMargin() {
        var free = Array(0..<c.rows)
        for _ in 0..<2 {
            var left: [Int] = [], bids = 0
            for start in free {
                var next: Int? = start
                while let i = next {
                    let pair = Scalar.leastPair(of: c.row(i), minus: v.span)
                    let j = pair.place, lowered = v[j] - (pair.second - pair.least)
                    bids += 1
                    next = nil
                    if lowered < v[j] {
                        v[j] = lowered
                        guard let displaced = give(j, to: i) else { continue }
                        // Each bid lowers a price, but for costs of many equal values by little.
                        if bids < 4 * c.rows { next = displaced } else { left.append(displaced) }
                    } else if owners[j] < 0 {
                        _ = give(j, to: i)
                    } else {
                        left.append(i)
                    }
                }
            }
            scans += bids
            free = left
        }
    }

    /// A shortest path over reduced costs from row r to a column without an owner, along which columns change hands.
    mutating func augment(from r: Int) {
        var open = v, distance = [Scalar](repeating: .infinity, count: v.count), from = [Int32](repeating: 0, count: v.count)
        var done: [(column: Int, distance: Scalar)] = []
        var row = r, base: Scalar = 0, end = 0, length: Scalar = 0
        while true {
            var d = distance.mutableSpan, f = from.mutableSpan
            let nearest = Scalar.relax(c.row(row), minus: open.span, plus: base, row: row, into: &d, from: &f)
            end = nearest
            scans += 1
            length = distance[end]
            if owners[end] < 0 { break }
            done.append((end, length))
            (open[end], distance[end]) = (-.infinity, .infinity)
            row = owners[end]
            base = length - (c[row, end] - v[end])
        }
        for (j, reached) in done { v[j] += reached - length }
        while true {
            let i = Int(from[end]), before = targets[i]
            owners[end] = i
            targets[i] = end
            if i == r { return }
            end = before
        }
    }
}
