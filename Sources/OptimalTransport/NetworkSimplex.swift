import Kernels
import LinearAlgebra
import Objectives

/// The exact plan, min ⟨P, C⟩ over P ≥ 0 with P1 = a and Pᵀ1 = b, by the network simplex method.
///
/// The basis is a spanning tree of sources, targets and a root that at first supplies and takes everything at a price above any cost. A
/// pivot lets the pair with the most negative reduced cost Cᵢⱼ − fᵢ − gⱼ of a list enter; the list holds the best target of some sources,
/// found by vectorised passes over rows of C in turn, and is used a few times before it is made anew (16 and 8; longer lists take fewer
/// pivots and more passes). The arc that leaves is the last that blocks on the cycle from its apex, which keeps trees strongly feasible:
/// degenerate problems end too (Cunningham 1976). Flows are integers, 2⁶⁰ of them to the mass, so that they are exact: a plan's
/// marginals miss the weights by 10⁻¹⁸ of the mass at most, and weights below that count as zero.
///
/// Costs and potentials are `Double` whatever the scalar of the problem. Potentials are optimal where a reduced cost of −10⁻¹³ of the
/// largest cost counts as zero. A point without mass gets the largest potential that the others allow.
///
/// With costs of some pairs these are the arcs, of which a pass reads the stored ones; what the pairs cannot carry stays with the root, and where
/// that is more than the rounding of the weights the run ends as `infeasible`. Reduced costs are then exact to 16 u (n + m) of the largest cost.
///
/// Differs from POT's `emd`: no limit of iterations that ends it early unless one is given, and the status says so.
///
/// - Complexity: in practice about 10 (n + m) pivots, each over a subtree; memory 8 n m bytes, or 12 for each stored pair.
public struct NetworkSimplex: Sendable {
    /// Pivots after which it ends with `iterationLimit` and a plan that may not bring all mass yet.
    public var pivotLimit: Int

    public init(pivotLimit: Int = .max) {
        require(pivotLimit >= 0, "pivot limit is \(pivotLimit); expected no negative number")
        self.pivotLimit = pivotLimit
    }

    /// - Precondition: both marginals are exact.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(_ problem: TransportProblem<Scalar>) -> TransportSolution<Scalar> {
        requireExactMarginals(problem)
        let clock = ContinuousClock(), start = clock.now
        let supply = integerWeights(problem.sourceWeights), demand = integerWeights(problem.targetWeights)
        let sources = supply.indices.filter { supply[$0] > 0 }, targets = demand.indices.filter { demand[$0] > 0 }
        let result = if case .sparse(let sparse) = problem.geometry.storage {
            BasisResult(arcTable(sparse.costs, sources, targets), sources.map { supply[$0] }, targets.map { demand[$0] }, pivotLimit)
        } else {
            BasisResult(costTable(problem.geometry, sources, targets), sources.map { supply[$0] }, targets.map { demand[$0] }, pivotLimit)
        }
        let unit = problem.sourceWeights.reduce(0) { $0 + Double($1) } / Double(massUnits)
        let entries = result.flows.map { (row: sources[$0.row], column: targets[$0.column], value: Double($0.units) * unit) }
        let termination = if !result.isOptimal {
            Termination(.iterationLimit, "the limit of \(pivotLimit) pivots was reached")
        } else if Double(result.unitsLeft) * unit > Double(Scalar.ulpOfOne) * Double(sources.count + targets.count) * problem.mass {
            Termination(.infeasible, "no plan on these pairs has the marginals: \(Double(result.unitsLeft) * unit) of the mass cannot be brought")
        } else {
            Termination(.converged, "network simplex: no pair has a negative reduced cost")
        }
        var f = [Double?](repeating: nil, count: supply.count), g = [Double?](repeating: nil, count: demand.count)
        for (k, i) in sources.enumerated() { f[i] = result.u[k] }
        for (k, j) in targets.enumerated() { g[j] = result.v[k] }
        return planSolution(
            problem, entries: entries, f, g, status: termination.status, reason: termination.reason, iterations: result.pivots, seconds: (clock.now - start) / .seconds(1))
    }
}

func requireExactMarginals<Scalar: KernelScalar>(_ problem: TransportProblem<Scalar>) {
    require(problem.isBalanced, "a marginal is relaxed; expected exact ones, which exact transport is about")
}

/// The mass in integers.
private let massUnits: Int64 = 1 << 60

/// Weights as integers that add up to ``massUnits``; the largest takes the rounding of all.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func integerWeights<Scalar: KernelScalar>(_ weights: [Scalar]) -> [Int64] {
    let sum = weights.reduce(0) { $0 + Double($1) }
    var units = weights.map { Int64((Double($0) / sum * Double(massUnits)).rounded()) }
    let largest = weights.indices.max { weights[$0] < weights[$1] }!
    units[largest] += massUnits - units.reduce(0, +)
    return units
}

/// The costs between points that have mass, in `Double`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func costTable<Scalar: KernelScalar>(_ geometry: Geometry<Scalar>, _ sources: [Int], _ targets: [Int]) -> Matrix<Double> {
    if targets.count == geometry.columns, sources.count == geometry.rows, let whole = geometry.costMatrix() as? Matrix<Double> { return whole }
    var values: [Double] = []
    values.reserveCapacity(sources.count * targets.count)
    for i in sources {
        let costs = geometry.costs(ofRows: i..<i + 1)
        for j in targets { values.append(Double(costs[0, j])) }
    }
    return Matrix(rows: sources.count, columns: targets.count, elements: values)
}

/// The costs between points that have mass and are a pair, in `Double`.
private func arcTable<Scalar: KernelScalar>(_ costs: SparseMatrix<Scalar>, _ sources: [Int], _ targets: [Int]) -> SparseMatrix<Double> {
    var places = [Int32?](repeating: nil, count: costs.columns)
    for (k, j) in targets.enumerated() { places[j] = Int32(k) }
    var offsets = [0], columns: [Int32] = [], values: [Double] = []
    for i in sources {
        for entry in costs.row(i) {
            guard let place = places[entry.column] else { continue }
            columns.append(place)
            values.append(Double(entry.value))
        }
        offsets.append(values.count)
    }
    // The order is that of a matrix that was accepted before.
    return try! SparseMatrix(rows: sources.count, columns: targets.count, rowOffsets: offsets, columnIndices: columns, values: values)
}

/// The arcs from sources to targets.
private protocol ArcCosts {
    var rows: Int { get }
    var columns: Int { get }
    /// Whether there is an arc for each pair.
    static var isComplete: Bool { get }
    /// The cost of an arc.
    subscript(row: Int, column: Int) -> Double { get }
    /// The least cost − v of a row's arcs.
    func leastArc(of row: Int, minus v: [Double]) -> (place: Int, least: Double)?
    var largest: Double { get }
}

extension Matrix<Double>: ArcCosts {
    static var isComplete: Bool { true }
    var largest: Double { Double.maxAbs(span) }
    func leastArc(of row: Int, minus v: [Double]) -> (place: Int, least: Double)? {
        let pair = Double.leastPair(of: self.row(row), minus: v.span)
        return (pair.place, pair.least)
    }
}

extension SparseMatrix<Double>: ArcCosts {
    static var isComplete: Bool { false }
    var largest: Double { Double.maxAbs(values.span) }
    func leastArc(of row: Int, minus v: [Double]) -> (place: Int, least: Double)? {
        var best: (place: Int, least: Double)?
        for k in rowOffsets[row]..<rowOffsets[row + 1] {
            let column = Int(columnIndices[k]), reduced = values[k] - v[column]
            if reduced < best?.least ?? .infinity { best = (column, reduced) }
        }
        return best
    }
}

/// What the method ends with.
private struct BasisResult {
    let isOptimal: Bool
    let u: [Double], v: [Double]
    let flows: [(row: Int, column: Int, units: Int64)]
    /// What still goes by the root.
    let unitsLeft: Int64
    let pivots: Int

    init(_ costs: some ArcCosts, _ supply: [Int64], _ demand: [Int64], _ pivotLimit: Int) {
        var basis = TransportBasis(costs, supply: supply, demand: demand)
        isOptimal = basis.optimize(pivotLimit: pivotLimit)
        (u, v, flows, unitsLeft, pivots) = (basis.u, basis.v, basis.flows, basis.unitsLeft, basis.pivots)
    }
}

/// A spanning tree with flows on its arcs, and the potentials in which these have no reduced cost.
private struct TransportBasis<Costs: ArcCosts> {
    private struct Node {
        var parent: Int32 = -1, firstChild: Int32 = -1, next: Int32 = -1, previous: Int32 = -1, depth: Int32 = 1
        /// Whether the arc to the parent leads up.
        var isUp: Bool
        /// What flows along it.
        var units: Int64
    }

    private let c: Costs
    /// Potentials of rows and columns.
    var u: [Double], v: [Double]
    /// Rows, columns and the root.
    private var nodes: [Node]
    private var root: Int { nodes.count - 1 }
    private let tolerance: Double
    private(set) var pivots = 0
    private var candidates: [(row: Int, column: Int)] = []
    private var nextRow = 0
    private var uses = 0

    init(_ c: Costs, supply: [Int64], demand: [Int64]) {
        self.c = c
        let largest = c.largest
        // Two of these are more than a pair costs, or a way over all points where pairs are missing, so that the root is left wherever
        // it can be.
        let price = (largest > 0 ? largest : 1) * (Costs.isComplete ? 2 : Double(c.rows + c.columns))
        tolerance = max(1e-13 * largest, Costs.isComplete ? 0 : 16 * Double.ulpOfOne * price)
        u = Array(repeating: price, count: c.rows)
        v = Array(repeating: price, count: c.columns)
        nodes = supply.map { Node(isUp: true, units: $0) } + demand.map { Node(isUp: false, units: $0) } + [Node(isUp: true, units: 0)]
        nodes[root].depth = 0
        for x in 0..<root { attach(x, to: root) }
    }

    private mutating func attach(_ x: Int, to parent: Int) {
        let sibling = nodes[parent].firstChild
        nodes[x].parent = Int32(parent)
        nodes[x].previous = -1
        nodes[x].next = sibling
        if sibling >= 0 { nodes[Int(sibling)].previous = Int32(x) }
        nodes[parent].firstChild = Int32(x)
    }

    private mutating func detach(_ x: Int) {
        let (previous, next) = (nodes[x].previous, nodes[x].next)
        if previous >= 0 { nodes[Int(previous)].next = next } else { nodes[Int(nodes[x].parent)].firstChild = next }
        if next >= 0 { nodes[Int(next)].previous = previous }
    }

    /// Pivots until no pair has a negative reduced cost; false if the limit came first.
    mutating func optimize(pivotLimit: Int) -> Bool {
        while true {
            let before = pivots
            while let (row, column, reduced) = entering() {
                if pivots == pivotLimit { return false }
                pivots += 1
                pivot(row, column, reduced)
            }
            settle()
            if pivots == before { return true }
        }
    }

    /// Potentials from the costs of the tree alone, without what the shifts rounded.
    private mutating func settle() {
        var stack = [root]
        while let x = stack.popLast() {
            var child = nodes[x].firstChild
            while child >= 0 {
                let y = Int(child)
                if x != root { if y < c.rows { u[y] = c[y, x - c.rows] - v[x - c.rows] } else { v[y - c.rows] = c[x, y - c.rows] - u[x] } }
                stack.append(y)
                child = nodes[y].next
            }
        }
    }

    /// The pair of the list with the most negative reduced cost, the list made anew where it is worn out or has none.
    private mutating func entering() -> (row: Int, column: Int, reduced: Double)? {
        let (c, u, v, tolerance) = (c, u, v, tolerance)
        var best: (row: Int, column: Int, reduced: Double)?
        func consider(_ row: Int, _ column: Int, _ reduced: Double) -> Bool {
            if reduced < best?.reduced ?? -tolerance { best = (row, column, reduced) }
            return reduced < -tolerance
        }
        if uses < 8 {
            uses += 1
            candidates.removeAll { !consider($0.row, $0.column, c[$0.row, $0.column] - u[$0.row] - v[$0.column]) }
            if best != nil { return best }
        }
        uses = 0
        candidates.removeAll(keepingCapacity: true)
        for _ in 0..<c.rows where candidates.count < 16 {
            if let arc = c.leastArc(of: nextRow, minus: v), consider(nextRow, arc.place, arc.least - u[nextRow]) {
                candidates.append((nextRow, arc.place))
            }
            nextRow = nextRow + 1 == c.rows ? 0 : nextRow + 1
        }
        return best
    }

    private mutating func pivot(_ row: Int, _ column: Int, _ reduced: Double) {
        let source = row, target = c.rows + column
        // Up from both ends to the apex. Flow will go round from the apex down to the source and from the target up; what it works against
        // blocks. Of equal arcs the last on this way leaves: on the source's side the first found, on the target's the last.
        var p = source, q = target, least = Int64.max, leaving = -1, isSourceSide = false
        while p != q {
            if nodes[p].depth >= nodes[q].depth {
                if nodes[p].isUp, nodes[p].units < least { (least, leaving, isSourceSide) = (nodes[p].units, p, true) }
                p = Int(nodes[p].parent)
            } else {
                if !nodes[q].isUp, nodes[q].units <= least { (least, leaving, isSourceSide) = (nodes[q].units, q, false) }
                q = Int(nodes[q].parent)
            }
        }
        let apex = p
        var x = source
        while x != apex {
            nodes[x].units += nodes[x].isUp ? -least : least
            x = Int(nodes[x].parent)
        }
        x = target
        while x != apex {
            nodes[x].units += nodes[x].isUp ? least : -least
            x = Int(nodes[x].parent)
        }
        // The part below the leaving arc hangs from the entering one: the arcs on the way turn round.
        let inside = isSourceSide ? source : target
        var parent = isSourceSide ? target : source, isUp = isSourceSide, units = least
        x = inside
        while true {
            let above = Int(nodes[x].parent), wasUp = nodes[x].isUp, before = nodes[x].units
            detach(x)
            attach(x, to: parent)
            nodes[x].isUp = isUp
            nodes[x].units = units
            if x == leaving { break }
            (parent, x, isUp, units) = (x, above, !wasUp, before)
        }
        shift(inside, by: isSourceSide ? reduced : -reduced)
    }

    /// Adds to the potentials of the rows below `top` and takes from those of the columns; sets depths.
    private mutating func shift(_ top: Int, by change: Double) {
        var x = top, depth = nodes[Int(nodes[top].parent)].depth + 1
        while true {
            if x < c.rows { u[x] += change } else { v[x - c.rows] -= change }
            nodes[x].depth = depth
            if nodes[x].firstChild >= 0 {
                x = Int(nodes[x].firstChild)
                depth += 1
                continue
            }
            while nodes[x].next < 0 {
                if x == top { return }
                x = Int(nodes[x].parent)
                depth -= 1
            }
            if x == top { return }
            x = Int(nodes[x].next)
        }
    }

    /// What flows from sources by the root.
    var unitsLeft: Int64 { (0..<c.rows).reduce(0) { Int(nodes[$1].parent) == root ? $0 + nodes[$1].units : $0 } }

    /// What flows between sources and targets.
    var flows: [(row: Int, column: Int, units: Int64)] {
        (0..<root).compactMap { x in
            let parent = Int(nodes[x].parent)
            guard parent != root, nodes[x].units > 0 else { return nil }
            return (min(x, parent), max(x, parent) - c.rows, nodes[x].units)
        }
    }
}
