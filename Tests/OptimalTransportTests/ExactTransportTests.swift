import Kernels
import LinearAlgebra
import OptimalTransport
import Randomness
import Testing

/// Costs of several kinds, on which methods behave differently.
private enum Costs: String, CaseIterable, CustomTestStringConvertible {
    case uniform, nearbyPoints, shiftedPoints, fewValues, constant, offset, tiny, huge

    var testDescription: String { rawValue }

    func matrix<Scalar: KernelScalar>(_ n: Int, _ m: Int, seed: UInt64, _: Scalar.Type = Scalar.self) throws -> Matrix<Scalar> {
        var random = RandomStream(seed: seed)
        let uniform: [Double] = random.uniform(count: n * m)
        switch self {
        case .uniform: return Matrix(rows: n, columns: m, elements: uniform.map { Scalar($0) })
        case .nearbyPoints, .shiftedPoints:
            let x: Matrix<Scalar> = points(n, 2, seed: seed), y: Matrix<Scalar> = points(m, 2, seed: seed + 1)
            let moved = Matrix(rows: m, columns: 2, elements: y.elements.map { self == .nearbyPoints ? $0 : $0 / 2 + 1 })
            return try Geometry(from: x, to: moved).costMatrix()
        case .fewValues: return Matrix(rows: n, columns: m, elements: uniform.map { Scalar(($0 * 4).rounded(.down)) })
        case .constant: return Matrix(rows: n, columns: m, repeating: 3)
        case .offset: return Matrix(rows: n, columns: m, elements: uniform.map { Scalar(1000 + $0) })
        case .tiny: return Matrix(rows: n, columns: m, elements: uniform.map { Scalar($0 * 1e-30) })
        case .huge: return Matrix(rows: n, columns: m, elements: uniform.map { Scalar(-$0 * 1e30) })
        }
    }
}

/// Random weights of the mass 2, the first and every fifth zero.
private func weights(_ n: Int, seed: UInt64) -> [Double] {
    var random = RandomStream(seed: seed)
    let raw: [Double] = random.uniform(count: n)
    let kept = raw.enumerated().map { $0 % 5 == 0 && n > 1 ? 0 : $1 + 0.01 }
    let sum = kept.reduce(0, +)
    return kept.map { 2 * $0 / sum }
}

@Suite struct LinearAssignmentTests {
    /// Over all injections of the smaller side.
    private func leastCost(_ c: Matrix<Double>, _ row: Int = 0, _ taken: Set<Int> = []) -> Double {
        if c.rows > c.columns { return leastCost(c.transposed()) }
        if row == c.rows { return 0 }
        return (0..<c.columns).filter { !taken.contains($0) }.map { c[row, $0] + leastCost(c, row + 1, taken.union([$0])) }.min()!
    }

    @Test(arguments: Costs.allCases) fileprivate func agreesWithAllPermutations(_ costs: Costs) throws {
        for seed in 0..<12 as Range<UInt64> {
            let (n, m) = [(1, 1), (2, 2), (6, 6), (3, 6), (6, 4), (1, 5)][Int(seed % 6)]
            let c: Matrix<Double> = try costs.matrix(n, m, seed: seed)
            let found = LinearAssignment().solve(try Geometry(cost: c))
            let least = leastCost(c), scale = c.elements.map { abs($0) }.max()!
            #expect(abs(found.cost - least) <= 1e-12 * scale, "\(n)×\(m), seed \(seed): \(found.cost), \(least)")
        }
    }

    /// Potentials prove that no assignment costs less.
    @Test(arguments: Costs.allCases) fileprivate func potentialsProveIt(_ costs: Costs) throws {
        try prove(costs, Double.self, 1e-12)
        try prove(costs, Float.self, 1e-5)
    }

    private func prove<Scalar: KernelScalar>(_ costs: Costs, _: Scalar.Type, _ tolerance: Double) throws {
        for (n, m) in [(150, 150), (60, 130), (130, 60)] {
            let c: Matrix<Scalar> = try costs.matrix(n, m, seed: 7)
            let found = LinearAssignment().solve(try Geometry(cost: c))
            let scale = c.elements.map { abs(Double($0)) }.max()!
            let taken = found.targets.compactMap { $0 }
            #expect(taken.count == min(n, m) && Set(taken).count == taken.count)
            var sum = 0.0, isFeasible = true
            for i in 0..<n {
                let u = Double(found.sourcePotential[i])
                if let j = found.targets[i] { sum += Double(c[i, j]) }
                for j in 0..<m { isFeasible = isFeasible && u + Double(found.targetPotential[j]) <= Double(c[i, j]) + tolerance * scale }
            }
            let dual = (found.sourcePotential + found.targetPotential).reduce(0) { $0 + Double($1) }
            let larger = n < m ? found.targetPotential : n > m ? found.sourcePotential : []
            #expect(isFeasible && abs(dual - sum) <= tolerance * scale * Double(n), "\(n)×\(m): \(dual), \(sum)")
            #expect(larger.allSatisfy { $0 <= 0 })
        }
    }

    /// The auction's prices leave little to the paths: passes over rows grow with n, not with n².
    @Test func passesAreFew() throws {
        for costs in [Costs.uniform, .nearbyPoints, .shiftedPoints] {
            for n in [250, 1000] {
                let c: Matrix<Double> = try costs.matrix(n, n, seed: 3)
                let scans = LinearAssignment().solve(try Geometry(cost: c)).rowScans
                #expect(scans < 80 * n, "\(costs), \(n): \(scans)")
            }
        }
    }
}

@Suite struct NetworkSimplexTests {
    /// Over all bases: sets of n + m − 1 pairs that leave the weights no choice, found by peeling leaves.
    private func leastCost(_ c: Matrix<Double>, _ a: [Double], _ b: [Double]) -> Double {
        let pairs = (0..<a.count).flatMap { i in (0..<b.count).map { (i, $0) } }
        var best = Double.infinity
        for mask in 0..<(1 << pairs.count) where mask.nonzeroBitCount == a.count + b.count - 1 {
            var left = a, wanted = b, open = pairs.indices.filter { mask >> $0 & 1 == 1 }, cost = 0.0, isFeasible = true
            while let k = open.firstIndex(where: { k in
                open.count { pairs[$0].0 == pairs[k].0 } == 1 || open.count { pairs[$0].1 == pairs[k].1 } == 1
            }) {
                let pair = open[k], (i, j) = pairs[pair]
                let flow = open.count { pairs[$0].0 == i } == 1 ? left[i] : wanted[j]
                open.remove(at: k)
                isFeasible = isFeasible && flow >= -1e-12
                left[i] -= flow
                wanted[j] -= flow
                cost += flow * c[i, j]
            }
            if isFeasible, open.isEmpty, (left + wanted).allSatisfy({ abs($0) < 1e-12 }) { best = min(best, cost) }
        }
        return best
    }

    @Test(arguments: Costs.allCases) fileprivate func agreesWithAllBases(_ costs: Costs) throws {
        for seed in 0..<6 as Range<UInt64> {
            let (n, m) = [(3, 3), (2, 4), (3, 4)][Int(seed % 3)]
            let c: Matrix<Double> = try costs.matrix(n, m, seed: seed)
            let a = weights(n, seed: seed), b = weights(m, seed: seed + 50)
            let found = try NetworkSimplex().solve(TransportProblem(Geometry(cost: c), from: a, to: b)).get()
            let least = leastCost(c, a, b), scale = c.elements.map { abs($0) }.max()!
            #expect(abs(found.transportCost - least) <= 1e-12 * scale, "\(n)×\(m), seed \(seed): \(found.transportCost), \(least)")
        }
    }

    /// Feasible on both sides, and nothing flows where the potentials leave room.
    private func check<Scalar: KernelScalar>(_ found: TransportSolution<Scalar>, _ tolerance: Double, _ label: String) throws {
        let problem = found.problem, c = problem.geometry.costMatrix()
        let scale = c.elements.map { abs(Double($0)) }.max()!, mass = problem.sourceWeights.reduce(0) { $0 + Double($1) }
        let plan = try #require(found.plan as? SparseMatrix<Scalar>)
        var isFeasible = true, isTight = true
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                isFeasible = isFeasible && Double(found.sourcePotential[i]) + Double(found.targetPotential[j]) <= Double(c[i, j]) + tolerance * scale
            }
            for k in plan.rowOffsets[i]..<plan.rowOffsets[i + 1] {
                let j = Int(plan.columnIndices[k])
                let room = Double(c[i, j]) - Double(found.sourcePotential[i]) - Double(found.targetPotential[j])
                isTight = isTight && plan.values[k] > 0 && abs(room) <= tolerance * scale
            }
        }
        #expect(isFeasible && isTight, "\(label)")
        #expect(found.status == .converged, "\(label): \(found.reason)")
        #expect(Double(found.marginalError) <= tolerance * mass, "\(label): \(found.marginalError)")
        #expect(abs(Double(found.dualityGap)) <= 10 * tolerance * scale * mass, "\(label): \(found.dualityGap)")
        #expect(plan.values.count <= c.rows + c.columns - 1, "\(label)")
    }

    @Test(arguments: Costs.allCases) fileprivate func potentialsProveIt(_ costs: Costs) throws {
        for (n, m) in [(1, 1), (1, 7), (7, 1), (80, 80), (90, 40)] {
            let a = weights(n, seed: 1), b = weights(m, seed: 2)
            let c: Matrix<Double> = try costs.matrix(n, m, seed: 11)
            try check(NetworkSimplex().solve(TransportProblem(Geometry(cost: c), from: a, to: b)), 1e-11, "\(costs) \(n)×\(m)")
            let small: Matrix<Float> = try costs.matrix(n, m, seed: 11)
            let problem = try TransportProblem(Geometry(cost: small), from: a.map { Float($0) }, to: b.map { Float($0) })
            try check(NetworkSimplex().solve(problem), 3e-6, "\(costs) \(n)×\(m) Float")
            // Equal weights: most pivots move nothing.
            try check(NetworkSimplex().solve(TransportProblem(Geometry(cost: c))), 1e-11, "\(costs) \(n)×\(m), equal weights")
        }
    }

    @Test func agreesWithAssignmentAndWithOrderOnALine() throws {
        let x: Matrix<Double> = points(120, 3, seed: 5), y: Matrix<Double> = points(120, 3, seed: 6)
        for cost in PointCost.allCases {
            let problem = try TransportProblem(Geometry(from: x, to: y, cost: cost))
            let simplex = NetworkSimplex().solve(problem), assignment = ExactTransport().solve(problem)
            #expect(assignment.reason.hasPrefix("assignment"))
            #expect(abs(simplex.transportCost - assignment.transportCost) <= 1e-13)
            try check(assignment, 1e-12, "\(cost)")
        }
        for cost in [PointCost.euclidean, .squaredEuclidean] {
            for (n, m) in [(60, 80), (1, 9), (9, 1), (33, 33)] {
                let p: Matrix<Double> = points(n, 1, seed: 8), q: Matrix<Double> = points(m, 1, seed: 9)
                // Some points twice.
                let twice = Matrix(rows: m, columns: 1, elements: q.elements.indices.map { q.elements[$0 / 2] })
                let problem = try TransportProblem(Geometry(from: p, to: twice, cost: cost), from: weights(n, seed: 3), to: weights(m, seed: 4))
                let simplex = NetworkSimplex().solve(problem), line = ExactTransport().solve(problem)
                #expect(line.reason.hasPrefix("points on a line"))
                #expect(abs(simplex.transportCost - line.transportCost) <= 1e-12, "\(cost) \(n)×\(m)")
                try check(line, 1e-12, "\(cost) \(n)×\(m) on a line")
            }
        }
    }

    /// C + r1ᵀ + 1sᵀ costs ⟨r, a⟩ + ⟨s, b⟩ more.
    @Test func sumsOfRowsAndColumnsChangeNoPlan() throws {
        let c: Matrix<Double> = try Costs.uniform.matrix(30, 50, seed: 1)
        let a = weights(30, seed: 2), b = weights(50, seed: 3)
        let moved = Matrix(rows: 30, columns: 50, elements: c.elements.enumerated().map { $1 + Double($0 / 50) * 0.3 - Double($0 % 50) * 0.1 })
        let first = try NetworkSimplex().solve(TransportProblem(Geometry(cost: c), from: a, to: b))
        let second = try NetworkSimplex().solve(TransportProblem(Geometry(cost: moved), from: a, to: b))
        let more = zip(a, 0...).reduce(0) { $0 + $1.0 * Double($1.1) * 0.3 } - zip(b, 0...).reduce(0) { $0 + $1.0 * Double($1.1) * 0.1 }
        #expect(abs(second.transportCost - first.transportCost - more) <= 1e-12)
        let plans = (first.plan as? SparseMatrix<Double>, second.plan as? SparseMatrix<Double>)
        let columns = (try #require(plans.0).columnIndices, try #require(plans.1).columnIndices)
        #expect(columns.0 == columns.1)
    }

    @Test func aLimitOfPivotsIsReported() throws {
        let c: Matrix<Double> = try Costs.uniform.matrix(20, 20, seed: 1)
        let problem = try TransportProblem(Geometry(cost: c), from: weights(20, seed: 2), to: weights(20, seed: 3))
        let found = NetworkSimplex(pivotLimit: 1).solve(problem)
        #expect(found.status == .iterationLimit && found.iterations == 1 && found.marginalError > 0.1)
        #expect(found.reason.contains("1 pivots"))
    }
}
