import Foundation
import Kernels
import LinearAlgebra
import Objectives
import OptimalTransport
import Randomness
import RealModule
import Testing

private func weights(_ n: Int, seed: UInt64) -> [Double] {
    var random = RandomStream(seed: seed)
    let raw: [Double] = random.uniform(count: n).map { $0 + 0.1 }
    let sum = raw.reduce(0, +)
    return raw.map { $0 / sum }
}

private func normal(_ n: Int, _ d: Int, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed)
    return Matrix(rows: n, columns: d, elements: random.normal(count: n * d))
}

/// `clusters` far groups of points, those of the target a little off those of the source.
private func clustered(_ clusters: Int, _ size: Int, seed: UInt64) throws -> TransportProblem<Double> {
    var random = RandomStream(seed: seed)
    let n = clusters * size
    let noise: [Double] = random.normal(count: 4 * n, standardDeviation: 0.01)
    func center(_ k: Int, _ j: Int) -> Double { j == 0 ? 10 * Double.cos(2 * .pi * Double(k) / Double(clusters)) : 10 * Double.sin(2 * .pi * Double(k) / Double(clusters)) }
    let x = Matrix<Double>(rows: n, columns: 2) { center($0 % clusters, $1) + noise[2 * $0 + $1] }
    let y = Matrix<Double>(rows: n, columns: 2) { center(($0 / size), $1) + 1 + noise[2 * n + 2 * $0 + $1] }
    return try TransportProblem(Geometry(from: x, to: y))
}

private func plan(_ solution: TransportSolution<Double>) throws -> LowRankPlan<Double> { try #require(solution.plan as? LowRankPlan<Double>) }

/// How far Q1 = a, R1 = b and Qᵀ1 = Rᵀ1 = h are from holding.
private func defect(_ plan: LowRankPlan<Double>, _ problem: TransportProblem<Double>) -> Double {
    let ones = [Double](repeating: 1, count: plan.rank), n = [Double](repeating: 1, count: plan.rows), m = [Double](repeating: 1, count: plan.columns)
    func far(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + abs($1.0 - $1.1) } }
    return far(plan.source.apply(ones), problem.sourceWeights) + far(plan.target.apply(ones), problem.targetWeights)
        + far(plan.source.applyAdjoint(n), plan.places) + far(plan.target.applyAdjoint(m), plan.places)
}

@Suite struct LowRankTransportTests {
    /// Check 12: products by factors equal those of the dense costs, for costs that have factors and those that have none.
    @Test(arguments: PointCost.allCases, [3, 12]) func costProducts(_ cost: PointCost, _ d: Int) throws {
        let geometry = try Geometry(from: normal(40, d, seed: 1), to: normal(70, d, seed: 2), cost: cost), c = geometry.costMatrix()
        let x = normal(70, 5, seed: 3), y = normal(40, 5, seed: 4)
        let forward = (geometry.costProduct(x) - c * x).maxNorm, back = (geometry.costProduct(y, transposed: true) - multiply(c, y, transposeA: true)).maxNorm
        #expect(forward < 1e-12 * Double(d) * 70 && back < 1e-12 * Double(d) * 70, "\(forward) \(back)")
        if let (a, b) = geometry.costFactors() {
            let error = (multiply(a, b, transposeB: true) - c).maxNorm
            #expect(error < 1e-12 * Double(d))
            #expect(a.columns == [.squaredEuclidean: d + 2, .dot: d, .cosine: d + 1][cost])
            let again = try Geometry(costFactors: a, b).costMatrix()
            #expect((again - c).maxNorm < 1e-12 * Double(d))
        } else {
            #expect(cost == .euclidean)
        }
        let matrix = try Geometry(cost: c)
        #expect(matrix.costFactors() == nil && (matrix.costProduct(x) - c * x).maxNorm < 1e-11)
    }

    /// Check 12: the constraints hold to rounding, whatever the rank, the weights and ε; cost, marginals and products are those of the dense plan.
    @Test(arguments: [1, 2, 5, 20], [0, 0.5]) func constraints(_ rank: Int, _ epsilon: Double) throws {
        var a = weights(60, seed: 1), b = weights(45, seed: 2)
        a[3] = 0
        b[44] = 0
        let scale = a.reduce(0, +) / b.reduce(0, +)
        let problem = try TransportProblem(Geometry(from: normal(60, 3, seed: 3), to: normal(45, 3, seed: 4)), from: a, to: b.map { $0 * scale })
        let solution = LowRankSinkhorn<Double>(rank: rank, epsilon: epsilon).solve(problem), plan = try plan(solution)
        #expect(defect(plan, problem) < 1e-13 && solution.marginalError < 1e-13 && plan.rank == rank)
        #expect(solution.status == .converged, "\(solution.reason)")
        let dense = plan.dense(), c = problem.geometry.costMatrix()
        let negative = (plan.source.elements + plan.target.elements + plan.places).contains { $0 < 0 }
        #expect(!negative)
        #expect(abs(solution.transportCost - dense.multipliedElementwise(by: c).elements.reduce(0, +)) < 1e-12)
        #expect(plan.places.allSatisfy { $0 >= 0.99e-6 / Double(rank) })
        let y = normal(45, 2, seed: 5), x = y.column(0), z = normal(60, 1, seed: 6).elements
        #expect((plan.multiplied(by: y) - dense * y).maxNorm < 1e-14)
        #expect(zip(plan.apply(x), dense.apply(x)).allSatisfy { abs($0 - $1) < 1e-14 })
        #expect(zip(plan.applyAdjoint(z), dense.applyAdjoint(z)).allSatisfy { abs($0 - $1) < 1e-14 })
        let sparse = plan.sparse(above: 1e-4).dense()
        let kept = zip(sparse.elements, dense.elements).allSatisfy { $1 > 1.0001e-4 ? abs($0 - $1) < 1e-15 : $0 == 0 || abs($1 - 1e-4) < 1e-8 }
        #expect(kept)
        var entropy = 0.0
        for x in plan.source.elements + plan.target.elements + plan.places where x > 0 { entropy += x * (Double.log(x) - 1) }
        #expect(abs(solution.primalValue - (solution.transportCost + epsilon * entropy)) < 1e-12)
    }

    /// Of rank 1 the plan is the product of the weights.
    @Test func rankOne() throws {
        let problem = try TransportProblem(Geometry(from: normal(30, 2, seed: 1), to: normal(20, 2, seed: 2)), from: weights(30, seed: 3), to: weights(20, seed: 4))
        let solution = LowRankSinkhorn<Double>(rank: 1, starts: 3).solve(problem), dense = try plan(solution).dense()
        let product = Matrix<Double>(rows: 30, columns: 20) { problem.sourceWeights[$0] * problem.targetWeights[$1] }
        #expect((dense - product).maxNorm < 1e-16 && solution.status == .converged)
    }

    /// Check 12: on groups of points a rank of their number gives nearly the exact cost, a lower one does not.
    @Test func clusteredData() throws {
        let problem = try clustered(6, 20, seed: 1), exact = ExactTransport().solve(problem).transportCost
        let enough = LowRankSinkhorn<Double>(rank: 6).solve(problem), few = LowRankSinkhorn<Double>(rank: 3).solve(problem)
        // What a group's plan loses by being a product is of the size of the noise, 4 · 0.01².
        #expect(enough.transportCost - exact < 1e-3 && enough.transportCost >= exact - 1e-12, "\(enough.transportCost) \(exact)")
        #expect(few.transportCost > exact + 10)
        let random = LowRankSinkhorn<Double>(rank: 6, starts: 8, seed: 1).solve(problem)
        #expect(random.transportCost <= enough.transportCost * (1 + 1e-6) || random.transportCost - exact < 1e-3)
    }

    /// Check 12: with a rank of the exact plan's or more, the plan itself: equal weights, n of n.
    @Test func fullRank() throws {
        let problem = try TransportProblem(Geometry(from: normal(12, 2, seed: 1), to: normal(12, 2, seed: 2)))
        let exact = ExactTransport().solve(problem).transportCost
        let found = LowRankSinkhorn<Double>(rank: 12, tolerance: 1e-9, iterationLimit: 4000).solve(problem)
        #expect(found.transportCost >= exact - 1e-12 && found.transportCost < exact * 1.02 , "\(found.transportCost) \(exact)")
    }

    /// Check 12: costs fall as the rank grows, up to local optima, and stay above the exact one.
    @Test func costFallsWithTheRank() throws {
        let problem = try TransportProblem(Geometry(from: normal(120, 2, seed: 5), to: normal(120, 2, seed: 6)))
        let exact = ExactTransport().solve(problem).transportCost
        let costs = [1, 2, 4, 8, 16].map { LowRankSinkhorn<Double>(rank: $0).solve(problem).transportCost }
        #expect(zip(costs, costs.dropFirst()).allSatisfy { $1 < $0 * 1.02 } && costs.allSatisfy { $0 >= exact }, "\(costs) \(exact)")
    }

    /// Costs as a matrix, with entries of any size and sign, and a step far too large: finite plans, costs that never rise.
    @Test(arguments: [1e-30, 1, 1e30]) func anyScale(_ scale: Double) throws {
        let c = scale * normal(30, 25, seed: 7)
        let problem = try TransportProblem(Geometry(cost: c), from: weights(30, seed: 8), to: weights(25, seed: 9))
        for gamma in [10, 1e4] {
            let solver = LowRankSinkhorn<Double>(rank: 4, stepSize: gamma)
            var state = solver.makeState(problem)
            let found = solver.solve(problem, resuming: &state), plan = try plan(found)
            #expect(found.transportCost.isFinite && defect(plan, problem) < 1e-13, "\(found.reason)")
            #expect(zip(state.objectives, state.objectives.dropFirst()).allSatisfy { $1 <= $0 })
            let product = zip(problem.sourceWeights, 0..<30).reduce(0) { sum, row in sum + (0..<25).reduce(0) { $0 + row.0 * problem.targetWeights[$1] * c[row.1, $1] } }
            #expect(found.transportCost < product - 0.1 * scale)
        }
        let flat = try TransportProblem(Geometry(cost: Matrix(rows: 5, columns: 6, repeating: scale)))
        let any = LowRankSinkhorn<Double>(rank: 3).solve(flat)
        #expect(any.status == .converged && abs(any.transportCost - scale) <= 1e-12 * scale)
    }

    @Test func statesAndEnds() throws {
        let problem = try TransportProblem(Geometry(from: normal(40, 2, seed: 10), to: normal(50, 2, seed: 11)))
        let one = LowRankSinkhorn<Double>(rank: 3, iterationLimit: 1).solve(problem)
        #expect(one.status == .iterationLimit && one.iterations == 1 && one.marginalError < 1e-13)
        let solver = LowRankSinkhorn<Double>(rank: 3, tolerance: 0, iterationLimit: 25, seed: 4), whole = solver.solve(problem)
        var state = solver.makeState(problem)
        for _ in 0..<9 { #expect(solver.step(&state, problem) == nil) }
        state = try JSONDecoder().decode(LowRankSinkhorn<Double>.State.self, from: JSONEncoder().encode(state))
        let resumed = solver.solve(problem, resuming: &state)
        #expect(resumed.transportCost == whole.transportCost && resumed.iterations == whole.iterations)
        #expect(try plan(resumed).source == plan(whole).source && state.rounds > 0)
        // More places than points, and points that are all one.
        for rank in [1, 7] {
            let tiny = try TransportProblem(Geometry(from: normal(1, 2, seed: 1), to: normal(3, 2, seed: 2)))
            #expect(try defect(plan(LowRankSinkhorn(rank: rank).solve(tiny)), tiny) < 1e-14)
            let same = try TransportProblem(Geometry(from: Matrix<Double>(rows: 9, columns: 2, repeating: 1), to: Matrix(rows: 4, columns: 2, repeating: 1)))
            #expect(LowRankSinkhorn<Double>(rank: rank).solve(same).transportCost.magnitude < 1e-14)
        }
    }

    @Test func single() throws {
        let x = normal(60, 3, seed: 12), y = normal(70, 3, seed: 13)
        let double = LowRankSinkhorn<Double>(rank: 5).solve(try TransportProblem(Geometry(from: x, to: y)))
        let single = LowRankSinkhorn<Float>(rank: 5).solve(try TransportProblem(Geometry(from: x.map { Float($0) }, to: y.map { Float($0) })))
        #expect(single.status == .converged && single.marginalError < 1e-5 && abs(Double(single.transportCost) - double.transportCost) < 0.03 * double.transportCost)
    }

    /// Places find their mass: groups of unequal weight, from random factors that give all places the same.
    @Test func placesMove() throws {
        let shares = [0.6, 0.3, 0.1], n = 30
        let noise = normal(2 * n, 2, seed: 16), centers = Matrix(rows: 3, columns: 2, elements: [0, 0, 10, 0, 0, 10])
        func cloud(_ first: Int) -> Matrix<Double> { Matrix(rows: n, columns: 2) { centers[$0 % 3, $1] + 0.01 * noise[first + $0, $1] } }
        let a = (0..<n).map { 3 * shares[$0 % 3] / Double(n) }, problem = try TransportProblem(Geometry(from: cloud(0), to: cloud(n)), from: a, to: a)
        let solver = LowRankSinkhorn<Double>(rank: 3, tolerance: 1e-8)
        let best = (1...8).map { start in
            var state = solver.makeState(problem, start: start)
            return solver.solve(problem, resuming: &state)
        }.min { $0.transportCost < $1.transportCost }!
        let places = try plan(best).places.sorted()
        #expect(best.transportCost < 1e-3 && zip(places, [0.1, 0.3, 0.6]).allSatisfy { abs($0 - $1) < 1e-6 }, "\(best.transportCost) \(places)")
    }

    /// With ε the end is a stationary point of the objective: ∇Q + ε ln Q = f 1ᵀ + 1 φᵀ, the same of R with ψ, and ∇h + ε ln h = −φ − ψ up to a constant.
    @Test func endsAreStationary() throws {
        let n = 40, m = 30, r = 3, epsilon = 0.3
        let geometry = try Geometry(from: normal(n, 2, seed: 19), to: normal(m, 2, seed: 20).map { $0 * $0 })
        let problem = try TransportProblem(geometry, from: weights(n, seed: 21), to: weights(m, seed: 22))
        let solver = LowRankSinkhorn<Double>(rank: r, epsilon: epsilon, tolerance: 1e-13, iterationLimit: 3000)
        let plan = try plan(solver.solve(problem)), h = plan.places
        let q = plan.source, t = plan.target
        let forward = geometry.costProduct(Matrix(rows: m, columns: r) { t[$0, $1] / h[$1] })
        let back = geometry.costProduct(Matrix(rows: n, columns: r) { q[$0, $1] / h[$1] }, transposed: true)
        /// What a column has more than the first, and how far that is from the same in all rows.
        func offsets(_ gradient: Matrix<Double>, _ factor: Matrix<Double>) -> (means: [Double], spread: Double) {
            var means = [Double](repeating: 0, count: r), spread = 0.0
            for k in 0..<r {
                let each = (0..<factor.rows).map { i in
                    gradient[i, k] - gradient[i, 0] + epsilon * (Double.log(factor[i, k]) - Double.log(factor[i, 0]))
                }
                means[k] = each.reduce(0, +) / Double(each.count)
                spread = max(spread, each.map { abs($0 - means[k]) }.max()!)
            }
            return (means, spread)
        }
        let phi = offsets(forward, q), psi = offsets(back, t)
        #expect(phi.spread < 1e-2 && psi.spread < 1e-2, "\(phi) \(psi)")
        func slope(_ k: Int) -> Double { -(0..<n).reduce(0.0) { $0 + q[$1, k] * forward[$1, k] } / h[k] + epsilon * Double.log(h[k]) }
        for k in 1..<r {
            let left = slope(k) - slope(0), right = -phi.means[k] - psi.means[k]
            #expect(abs(left - right) < 2e-2, "\(k): \(left) \(right)")
        }
    }

    /// Projections need few rounds: Newton's steps end them.
    @Test func roundsAreFew() throws {
        let x = normal(300, 3, seed: 17), y = normal(300, 3, seed: 18).map { $0 + 1 }
        let double = try TransportProblem(Geometry(from: x, to: y)), single = try TransportProblem(Geometry(from: x.map { Float($0) }, to: y.map { Float($0) }))
        for start in 0..<2 {
            let first = LowRankSinkhorn<Double>(rank: 10, iterationLimit: 50), second = LowRankSinkhorn<Float>(rank: 10, iterationLimit: 50)
            var a = first.makeState(double, start: start), b = second.makeState(single, start: start)
            _ = first.solve(double, resuming: &a)
            _ = second.solve(single, resuming: &b)
            #expect(a.rounds <= 10 * a.iterations && b.rounds <= 10 * b.iterations, "\(a.rounds) of \(a.iterations), \(b.rounds) of \(b.iterations)")
        }
    }

    /// Memory is linear: the plan alone would be 20 GB.
    @Test func manyPoints() throws {
        let n = 50_000, problem = try TransportProblem(Geometry(from: normal(n, 3, seed: 14), to: normal(n, 3, seed: 15).map { 0.5 * $0 + 1 }))
        let found = LowRankSinkhorn<Double>(rank: 4, iterationLimit: 3).solve(problem), product = LowRankSinkhorn<Double>(rank: 1).solve(problem)
        #expect(found.marginalError < 1e-10 && found.transportCost < 0.9 * product.transportCost, "\(found.marginalError) \(found.transportCost) \(product.transportCost)")
    }
}
