import Kernels
import LinearAlgebra
import OptimalTransport
import Randomness
import RealModule
import Testing

/// Costs of about a part of all pairs, and marginals that a plan on them has.
private func pattern(_ n: Int, _ m: Int, part: Double, seed: UInt64) throws -> (costs: SparseMatrix<Double>, a: [Double], b: [Double]) {
    var random = RandomStream(seed: seed)
    let chance: [Double] = random.uniform(count: n * m), cost: [Double] = random.uniform(count: n * m), mass: [Double] = random.uniform(count: n * m)
    var triplets: [SparseMatrix<Double>.Triplet] = [], a = [Double](repeating: 0, count: n), b = [Double](repeating: 0, count: m), total = 0.0
    for i in 0..<n {
        for j in 0..<m where chance[i * m + j] < part || i % m == j || j % n == i {
            triplets.append(.init(row: i, column: j, value: cost[i * m + j]))
            a[i] += mass[i * m + j]
            b[j] += mass[i * m + j]
            total += mass[i * m + j]
        }
    }
    return (try SparseMatrix(rows: n, columns: m, triplets: triplets), a.map { $0 / total }, b.map { $0 / total })
}

/// The same with a cost for all pairs, which makes the others too dear.
private func filled(_ costs: SparseMatrix<Double>, _ dear: Double) -> Matrix<Double> {
    var result = Matrix<Double>(rows: costs.rows, columns: costs.columns, repeating: dear)
    for i in 0..<costs.rows { for entry in costs.row(i) { result[i, entry.column] = entry.value } }
    return result
}

@Suite struct SparseCostTests {
    @Test func costs() throws {
        let (costs, a, b) = try pattern(9, 12, part: 0.3, seed: 1), geometry = try Geometry(sparseCost: costs)
        #expect(geometry.rows == 9 && geometry.columns == 12)
        let all = geometry.costMatrix(), dense = filled(costs, .infinity)
        #expect(all == dense)
        let agrees = (0..<9).allSatisfy { i in (0..<12).allSatisfy { geometry[i, $0] == dense[i, $0] } }
        #expect(agrees)
        #expect(abs(geometry.meanCost() - costs.values.reduce(0, +) / Double(costs.entryCount)) < 1e-15 && geometry.maxCost() == costs.values.max()!)
        #expect(throws: TransportError.nonFiniteCost(row: 1, column: 0)) {
            try Geometry(sparseCost: SparseMatrix(rows: 2, columns: 2, rowOffsets: [0, 1, 2], columnIndices: [1, 0], values: [1.0, .nan]))
        }
        #expect(throws: TransportError.empty(rows: 0, columns: 3)) {
            try Geometry(sparseCost: SparseMatrix<Double>(rows: 0, columns: 3, rowOffsets: [0], columnIndices: [], values: []))
        }
        #expect(throws: TransportError.nonFiniteCost(row: 0, column: (0..<12).first { dense[0, $0] == .infinity }!)) {
            try Geometry(cost: all)
        }
        _ = try TransportProblem(geometry, from: a, to: b)
    }

    /// Over the entries as over all pairs of which the others are too dear; both scalars, large and small ε.
    @Test(arguments: [1.0, 0.05, 0.002]) func patternIsItsMatrix(_ epsilon: Double) throws {
        for part in [0.2, 1] {
            let (costs, a, b) = try pattern(40, 30, part: part, seed: 2)
            let sparse = try TransportProblem(Geometry(sparseCost: costs), from: a, to: b)
            let dense = try TransportProblem(Geometry(cost: filled(costs, 1500 * epsilon + 1)), from: a, to: b)
            let solver = Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-10)
            let one = try solver.solve(sparse).get(), other = try solver.solve(dense).get()
            #expect(abs(one.primalValue - other.primalValue) < 1e-9 && abs(one.transportCost - other.transportCost) < 1e-9)
            #expect(abs(one.dualityGap) < 1e-9)
            let plan = try #require(one.plan as? SparseMatrix<Double>)
            #expect(plan.rowOffsets == costs.rowOffsets && plan.columnIndices == costs.columnIndices)
            #expect((plan.dense() - other.plan.dense()).maxNorm < 1e-9)
            let single = try TransportProblem(
                Geometry(sparseCost: SparseMatrix<Float>(rows: 40, columns: 30, rowOffsets: costs.rowOffsets, columnIndices: costs.columnIndices, values: costs.values.map { Float($0) })),
                from: a.map { Float($0) }, to: b.map { Float($0) })
            let rough = try Sinkhorn<Float>(epsilon: Float(epsilon), tolerance: 1e-5).solve(single).get()
            #expect(abs(Double(rough.dualValue) - one.dualValue) < 1e-5)
            // Damped, with marginals that no plan has.
            let relaxed = try TransportProblem(Geometry(sparseCost: costs), to: b.map { 2 * $0 }, sourcePenalty: .kullbackLeibler(1), targetPenalty: .kullbackLeibler(0.3))
            let loose = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-10).solve(relaxed).get()
            #expect(abs(loose.dualityGap) < 1e-9)
        }
    }

    /// From potentials far off, sums of rows and columns leave the range and come back.
    @Test func farStart() throws {
        let (costs, a, b) = try pattern(40, 30, part: 0.2, seed: 2)
        let problem = try TransportProblem(Geometry(sparseCost: costs), from: a, to: b)
        let single = try TransportProblem(
            Geometry(sparseCost: SparseMatrix<Float>(rows: 40, columns: 30, rowOffsets: costs.rowOffsets, columnIndices: costs.columnIndices, values: costs.values.map { Float($0) })),
            from: a.map { Float($0) }, to: b.map { Float($0) })
        let cold = try Sinkhorn<Double>(epsilon: 0.05, tolerance: 1e-9).solve(problem).get()
        let far = (source: (0..<40).map { Double($0) * 3 - 100 }, target: (0..<30).map { 200 - 4 * Double($0) })
        let warm = try Sinkhorn<Double>(epsilon: 0.05, tolerance: 1e-9).solve(problem, from: far).get()
        let rough = try Sinkhorn<Float>(epsilon: 0.05, tolerance: 1e-5).solve(
            single, from: (far.source.map { Float($0) }, far.target.map { Float($0) })).get()
        #expect(abs(warm.primalValue - cold.primalValue) < 1e-8 && abs(Double(rough.dualValue) - cold.dualValue) < 1e-4)
    }

    /// The arcs of a graph: as the complete graph of which the other arcs are too dear, which no flow takes.
    @Test func simplexOverArcs() throws {
        for seed in 3..<9 as Range<UInt64> {
            let (n, m) = seed % 2 == 0 ? (30, 45) : (25, 25)
            let (costs, a, b) = try pattern(n, m, part: [0, 0.05, 0.3][Int(seed % 3)], seed: seed)
            let found = try NetworkSimplex().solve(TransportProblem(Geometry(sparseCost: costs), from: a, to: b)).get()
            let complete = try NetworkSimplex().solve(TransportProblem(Geometry(cost: filled(costs, 1e3)), from: a, to: b)).get()
            #expect(abs(found.transportCost - complete.transportCost) < 1e-10)
            #expect(abs(found.dualityGap) < 1e-12 && found.marginalError < 1e-14)
            let isFeasible = (0..<n).allSatisfy { i in
                costs.row(i).allSatisfy { found.sourcePotential[i] + found.targetPotential[$0.column] <= $0.value + 1e-11 }
            }
            #expect(isFeasible)
            let entropic = try Sinkhorn<Double>(epsilon: 1e-3, tolerance: 1e-8).solve(TransportProblem(Geometry(sparseCost: costs), from: a, to: b))
            #expect(entropic.status == .converged, "\(entropic.reason)")
            #expect(entropic.transportCost > found.transportCost - 1e-7 && entropic.transportCost < found.transportCost + 1e-3 * Double.log(1350))
            let exact = ExactTransport().solve(try TransportProblem(Geometry(sparseCost: costs), from: a, to: b))
            #expect(exact.transportCost == found.transportCost)
        }
    }

    /// A chain in which every source must give way to the next: the only plan costs more than many a detour by a root that is too cheap.
    @Test func longChain() throws {
        let k = 40
        var triplets: [SparseMatrix<Double>.Triplet] = []
        for i in 0..<k { triplets += [.init(row: i, column: i, value: 0), .init(row: i, column: i + 1, value: 1)] }
        let geometry = try Geometry(sparseCost: SparseMatrix(rows: k, columns: k + 1, triplets: triplets))
        let problem = try TransportProblem(geometry, from: [2] + [Double](repeating: 1, count: k - 1), to: [Double](repeating: 1, count: k + 1))
        let found = NetworkSimplex().solve(problem)
        #expect(found.status == .converged && abs(found.transportCost - Double(k)) < 1e-12, "\(found.reason)")
    }

    @Test func whatNoPlanHas() throws {
        // Sources 0 and 1 reach target 0 alone, which takes less than they hold.
        let costs = try SparseMatrix<Double>(rows: 3, columns: 3, rowOffsets: [0, 1, 2, 5], columnIndices: [0, 0, 0, 1, 2], values: [1, 2, 1, 1, 3])
        let geometry = try Geometry(sparseCost: costs), problem = try TransportProblem(geometry)
        let entropic = try Sinkhorn<Double>(epsilon: 0.1).solve(problem)
        #expect(entropic.status == .infeasible && entropic.reason.contains("2 sources"), "\(entropic.reason)")
        #expect(entropic.primalValue.isFinite && entropic.marginalError > 0.1)
        let exact = NetworkSimplex().solve(problem)
        #expect(exact.status == .infeasible && exact.reason.contains("0.333"), "\(exact.reason)")
        for relaxation in [1, 1.5] {
            let capped = try Sinkhorn<Double>(epsilon: 0.1, iterationLimit: 50, relaxation: relaxation).solve(problem)
            #expect(capped.status == .iterationLimit)
        }
        let single = try Geometry(sparseCost: SparseMatrix<Float>(rows: 3, columns: 3, rowOffsets: [0, 1, 2, 5], columnIndices: [0, 0, 0, 1, 2], values: [1, 2, 1, 1, 3]))
        #expect(try Sinkhorn<Float>(epsilon: 0.1).solve(TransportProblem(single)).status == .infeasible)
        // What just fits is brought, though its entry (2, 0) must vanish, which iterations near as 1/t alone.
        let tight = try TransportProblem(geometry, from: [0.2, 0.3, 0.5], to: [0.5, 0.25, 0.25])
        let forced = NetworkSimplex().solve(tight)
        #expect(forced.status == .converged && abs(forced.transportCost - (0.2 + 0.6 + 0.25 + 0.75)) < 1e-15)
        let slow = try Sinkhorn<Double>(epsilon: 0.1, tolerance: 1e-3).solve(tight)
        #expect(slow.status == .converged && abs(slow.transportCost - forced.transportCost) < 1e-2)
        // No partner at all, or none with mass.
        let gap = try Geometry(sparseCost: SparseMatrix<Double>(rows: 2, columns: 2, rowOffsets: [0, 2, 2], columnIndices: [0, 1], values: [1, 1]))
        #expect(throws: TransportError.noPartner(.source, index: 1)) { try TransportProblem(gap) }
        #expect(throws: TransportError.noPartner(.source, index: 0)) { try TransportProblem(geometry, to: [0, 0.5, 0.5]) }
        #expect(throws: TransportError.noPartner(.target, index: 1)) { try TransportProblem(geometry, from: [0.5, 0.5, 0]) }
        let lonely = try Sinkhorn<Double>(epsilon: 0.1).solve(TransportProblem(gap, from: [1, 0])).get()
        #expect(abs(lonely.transportCost - 1) < 1e-6 && lonely.sourcePotential[1] == 0 && lonely.primalValue.isFinite)
        #expect(throws: TransportError.self) { try TransportProblem.partial(gap, from: [1, 0], to: [0.5, 0.5], mass: 0.5) }
    }

    /// A band of pairs between 20 000 points each: neither memory nor work for the other 4·10⁸ pairs.
    @Test func largeGraph() throws {
        let n = 20_000
        var offsets = [0], columns: [Int32] = [], values: [Double] = []
        for i in 0..<n {
            for j in max(0, i - 3)...min(n - 1, i + 3) {
                columns.append(Int32(j))
                values.append(Double((i - j) * (i - j)))
            }
            offsets.append(values.count)
        }
        let geometry = try Geometry(sparseCost: SparseMatrix(rows: n, columns: n, rowOffsets: offsets, columnIndices: columns, values: values))
        let solution = try Sinkhorn<Double>(epsilon: 1).solve(TransportProblem(geometry)).get()
        let plan = try #require(solution.plan as? SparseMatrix<Double>)
        #expect(plan.entryCount == values.count && solution.marginalError < 1e-6)
        #expect(abs(plan[n / 2, n / 2 + 1] / plan[n / 2, n / 2] - Double.exp(-1)) < 1e-6)
    }
}
