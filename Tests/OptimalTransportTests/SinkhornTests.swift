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

private func toy(_ n: Int = 14, _ m: Int = 17, seed: UInt64 = 1, cost: PointCost = .squaredEuclidean) throws -> TransportProblem<Double> {
    let geometry = try Geometry(from: points(n, 2, seed: seed, Double.self), to: points(m, 2, seed: seed + 1, Double.self), cost: cost)
    return try TransportProblem(geometry, from: weights(n, seed: seed + 2), to: weights(m, seed: seed + 3))
}

/// The plain iteration by its formulas, on logarithms.
private func reference(_ problem: TransportProblem<Double>, _ epsilon: Double, iterations: Int) -> (f: [Double], g: [Double], plan: Matrix<Double>) {
    let c = problem.geometry.costMatrix(), a = problem.sourceWeights, b = problem.targetWeights
    var f = [Double](repeating: 0, count: a.count), g = [Double](repeating: 0, count: b.count)
    func logSum(_ terms: [Double]) -> Double {
        let most = terms.max()!
        return most + Double.log(terms.reduce(0) { $0 + Double.exp($1 - most) })
    }
    for _ in 0..<iterations {
        for i in a.indices { f[i] = -epsilon * logSum(b.indices.map { Double.log(b[$0]) + (g[$0] - c[i, $0]) / epsilon }) }
        for j in b.indices { g[j] = -epsilon * logSum(a.indices.map { Double.log(a[$0]) + (f[$0] - c[$0, j]) / epsilon }) }
    }
    return (f, g, Matrix(rows: a.count, columns: b.count) { i, j in a[i] * b[j] * Double.exp((f[i] + g[j] - c[i, j]) / epsilon) })
}

private func marginals(_ p: Matrix<Double>) -> ([Double], [Double]) {
    (p.apply([Double](repeating: 1, count: p.columns)), p.applyAdjoint([Double](repeating: 1, count: p.rows)))
}

private func distance(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + abs($1.0 - $1.1) } }

/// The largest difference of f + g, which does not depend on the constant.
private func difference(_ x: ([Double], [Double]), _ y: ([Double], [Double])) -> Double {
    let shift = x.0[0] - y.0[0]
    let rows = zip(x.0, y.0).map { abs($0 - $1 - shift) }.max()!, columns = zip(x.1, y.1).map { abs($0 - $1 + shift) }.max()!
    return max(rows, columns)
}

@Suite struct SinkhornTests {
    /// Check 1 and 6: marginals, equal values, and the plain iteration's potentials, whatever the route.
    @Test(arguments: [(nil, nil), (1.0, nil), (1.4, 1), (nil, 0.5)] as [(Double?, Double?)]) func routesAgree(_ relaxation: Double?, _ factor: Double?) throws {
        let problem = try toy(), epsilon = 0.2
        let solver = Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-13, relaxation: relaxation, epsilonFactor: factor)
        let solution = try solver.solve(problem).get()
        let (f, g, plan) = reference(problem, epsilon, iterations: 3000)
        #expect(difference((solution.sourcePotential, solution.targetPotential), (f, g)) < 1e-10)
        let dense = solution.plan.dense()
        #expect((dense - plan).maxNorm < 1e-12)
        let (rows, columns) = marginals(dense)
        #expect(distance(rows, problem.sourceWeights) < 1e-12 && distance(columns, problem.targetWeights) < 1e-12)
        #expect(abs(solution.dualityGap) < 1e-12)
        let cost = (dense.multipliedElementwise(by: problem.geometry.costMatrix())).elements.reduce(0, +)
        #expect(abs(solution.transportCost - cost) < 1e-13)
        var divergence = 0.0
        for i in 0..<14 {
            for j in 0..<17 {
                let product = problem.sourceWeights[i] * problem.targetWeights[j]
                divergence += dense[i, j] * Double.log(dense[i, j] / product) - dense[i, j] + product
            }
        }
        #expect(abs(solution.primalValue - (cost + epsilon * divergence)) < 1e-12)
    }

    /// Check 3 and 4: plain iterations fall by σ₂²; over-relaxed ones need at most 40 % of them.
    @Test func rates() throws {
        let problem = try toy(), epsilon = 0.05
        let plain = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-12, relaxation: 1, epsilonFactor: 1).solve(problem).get()
        let p = plain.plan.dense()
        let scaled = Matrix(rows: p.rows, columns: p.columns) { i, j in
            p[i, j] / (problem.sourceWeights[i] * problem.targetWeights[j]).squareRoot()
        }
        let sigma = try SVD(scaled).singularValues[1], errors = plain.marginalErrors
        let rate = Double.root(errors[errors.count - 20] / errors[errors.count - 60], 40)
        #expect(abs(rate - sigma * sigma) < 0.01 * sigma * sigma)
        let best = 2 / (1 + (1 - sigma * sigma).squareRoot())
        let relaxed = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-12, relaxation: best, epsilonFactor: 1).solve(problem).get()
        #expect(sigma < 0.9 || relaxed.iterations <= plain.iterations * 4 / 10, "\(relaxed.iterations) of \(plain.iterations)")
        let adaptive = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-12, epsilonFactor: 1).solve(problem).get()
        #expect(adaptive.iterations <= plain.iterations / 2, "\(adaptive.iterations) of \(plain.iterations)")
        #expect(abs(relaxed.primalValue - plain.primalValue) < 1e-11 && abs(adaptive.primalValue - plain.primalValue) < 1e-11)
    }

    /// The relaxation that the rate asks for is found: at a large ε, where Newton's steps do not come first.
    @Test func relaxationFromTheRate() throws {
        let problem = try toy(), solver = Sinkhorn<Double>(epsilon: 2, tolerance: 1e-12, epsilonFactor: 1)
        let p = try Sinkhorn<Double>(epsilon: 2, tolerance: 1e-12, relaxation: 1, epsilonFactor: 1).solve(problem).get().plan.dense()
        let scaled = Matrix(rows: p.rows, columns: p.columns) { i, j in
            p[i, j] / (problem.sourceWeights[i] * problem.targetWeights[j]).squareRoot()
        }
        let sigma = try SVD(scaled).singularValues[1], best = 2 / (1 + (1 - sigma * sigma).squareRoot())
        var state = try solver.makeState(problem), found = 1.0
        while state.iterations < 60, solver.step(&state, problem) == nil { found = max(found, state.relaxation) }
        #expect(abs(found - best) < 0.02, "\(found) for \(best)")
    }

    /// Check 10: where the error is small, a step of Newton's squares it; few are needed however small ε is.
    @Test func newton() throws {
        let geometry = try Geometry(from: points(120, 2, seed: 4, Double.self), to: points(120, 2, seed: 5, Double.self))
        let problem = try TransportProblem(geometry)
        let solution = try Sinkhorn<Double>(epsilon: 0.004 * geometry.meanCost(), tolerance: 1e-10, iterationLimit: 400).solve(problem).get()
        #expect(abs(solution.dualityGap) < 1e-8)
        let (rows, columns) = marginals(solution.plan.dense())
        #expect(distance(rows, problem.sourceWeights) + distance(columns, problem.targetWeights) < 2e-10)
    }

    /// Check 2: Gaussians on a line against their closed form.
    @Test func gaussians() throws {
        let count = 401, sigma2 = 0.5
        func gaussian(_ mean: Double, _ variance: Double) -> (Matrix<Double>, [Double]) {
            let x = (0..<count).map { mean + variance.squareRoot() * (Double($0) / Double(count - 1) * 14 - 7) }
            let raw = x.map { Double.exp(-($0 - mean) * ($0 - mean) / (2 * variance)) }, sum = raw.reduce(0, +)
            return (Matrix(rows: count, columns: 1, elements: x), raw.map { $0 / sum })
        }
        let (x, a) = gaussian(0.3, 0.7), (y, b) = gaussian(-0.9, 1.6)
        let problem = try TransportProblem(Geometry(from: x, to: y), from: a, to: b)
        let value = try Sinkhorn<Double>(epsilon: 2 * sigma2, tolerance: 1e-12).solve(problem).get().primalValue
        let d = (4 * 0.7 * 1.6 + sigma2 * sigma2).squareRoot()
        let expected = 1.2 * 1.2 + 0.7 + 1.6 - d + sigma2 * (1 - Double.log(2 * sigma2)) + sigma2 * Double.log(d + sigma2)
        #expect(abs(value - expected) < 1e-9)
    }

    /// Check 5: between the product of the measures and the exact plan.
    @Test func limitsOfEpsilon() throws {
        let problem = try toy(6, 6, seed: 9), uniform = try TransportProblem(problem.geometry)
        let loose = try Sinkhorn<Double>(epsilon: 1e6).solve(problem).get()
        let product = problem.sourceWeights[2] * problem.targetWeights[3]
        #expect(abs(loose.plan.dense()[2, 3] - product) < 1e-5 * product)
        // The exact value by all permutations.
        let c = problem.geometry.costMatrix()
        var best = Double.infinity
        func permute(_ order: [Int], _ left: [Int], _ cost: Double) {
            if left.isEmpty { best = min(best, cost / 6) }
            for j in left { permute(order + [j], left.filter { $0 != j }, cost + c[order.count, j]) }
        }
        permute([], Array(0..<6), 0)
        var last = Double.infinity
        for epsilon in [0.5, 0.05, 0.005, 0.0005] {
            let cost = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-10).solve(uniform).get().transportCost
            #expect(cost >= best - 1e-9 && cost - best <= epsilon * Double.log(6) + 1e-9 && cost <= last + 1e-9)
            last = cost
        }
    }

    /// Check 7.
    @Test func shiftsAndScales() throws {
        let problem = try toy(), epsilon = 0.3, solver = Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-13)
        let value = try solver.solve(problem).get().primalValue
        let r = weights(14, seed: 31), s = weights(17, seed: 32), c = problem.geometry.costMatrix()
        let moved = Matrix(rows: 14, columns: 17) { i, j in c[i, j] + 100 * r[i] - 50 * s[j] }
        let a = problem.sourceWeights, b = problem.targetWeights
        let expected = value + zip(r, a).reduce(0) { $0 + 100 * $1.0 * $1.1 } - zip(s, b).reduce(0) { $0 + 50 * $1.0 * $1.1 }
        let shifted = try solver.solve(TransportProblem(Geometry(cost: moved), from: a, to: b)).get().primalValue
        #expect(abs(shifted - expected) < 1e-10)
        for factor in [1e-12, 1e12] {
            let scaled = try TransportProblem(Geometry(cost: factor * c), from: a, to: b)
            let other = try Sinkhorn<Double>(epsilon: factor * epsilon, tolerance: 1e-13).solve(scaled).get().primalValue
            #expect(abs(other / factor - value) < 1e-10)
        }
    }

    /// Check 9: a Dirac to a Dirac, and the way to the balanced problem.
    @Test func unbalanced() throws {
        for (a, b, cost) in [(1.0, 1.0, 0.7), (2, 0.5, 1.9)] {
            let (epsilon, rho) = (0.2, 1.5), geometry = try Geometry(cost: [[cost]] as Matrix<Double>)
            let problem = try TransportProblem(
                geometry, from: [a], to: [b], sourcePenalty: .kullbackLeibler(rho), targetPenalty: .kullbackLeibler(rho))
            let solution = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-14).solve(problem).get()
            let mass = Double.pow(a * b, (epsilon + rho) / (epsilon + 2 * rho)) * Double.exp(-cost / (epsilon + 2 * rho))
            #expect(abs(solution.plan.dense()[0, 0] - mass) < 1e-12)
            #expect(abs(solution.dualityGap) < 1e-12)
        }
        for cost in PointCost.allCases {
            let balanced = try toy(cost: cost)
            let problem = try TransportProblem(
                balanced.geometry, from: balanced.sourceWeights, to: balanced.targetWeights.map { 3 * $0 },
                sourcePenalty: .kullbackLeibler(0.8), targetPenalty: .kullbackLeibler(2))
            let solution = try Sinkhorn<Double>(epsilon: 0.1, tolerance: 1e-12).solve(problem).get()
            #expect(abs(solution.dualityGap) < 1e-10, "\(cost)")
            let (rows, _) = marginals(solution.plan.dense())
            let asked = zip(problem.sourceWeights, solution.sourcePotential).map { $0 * Double.exp(-$1 / 0.8) }
            #expect(distance(rows, asked) < 1e-11)
            let stiff = try TransportProblem(
                balanced.geometry, from: balanced.sourceWeights, to: balanced.targetWeights,
                sourcePenalty: .kullbackLeibler(1e5), targetPenalty: .kullbackLeibler(1e5))
            let near = try Sinkhorn<Double>(epsilon: 0.3, tolerance: 1e-9).solve(stiff).get()
            let exact = try Sinkhorn<Double>(epsilon: 0.3, tolerance: 1e-9).solve(balanced).get()
            #expect(abs(near.primalValue - exact.primalValue) < 1e-3)
            #expect(near.iterations < 4000)
        }
    }

    /// Check 17: points by coordinates, points by products and matrices are one problem, in both precisions.
    @Test(arguments: [1, 2, 3, 10, 64]) func pointsAndMatrices(_ d: Int) throws {
        for cost in PointCost.allCases {
            for part in [1, 1e-2] {
                let x: Matrix<Double> = points(60, d, seed: 6), y: Matrix<Double> = points(50, d, seed: 7)
                let online = try Geometry(from: x, to: y, cost: cost), dense = try Geometry(cost: online.costMatrix())
                let mean = dense.costMatrix().elements.map { abs($0) }.reduce(0, +) / 3000
                let solver = Sinkhorn<Double>(epsilon: part * mean, tolerance: 1e-10)
                let first = try solver.solve(TransportProblem(online)).get(), second = try solver.solve(TransportProblem(dense)).get()
                #expect(abs(first.primalValue - second.primalValue) < 1e-9 * mean)
                #expect(abs(first.transportCost - second.transportCost) < 1e-8 * mean)
                #expect((first.plan.dense() - second.plan.dense()).maxNorm < 1e-9)
                let single = try Geometry(from: x.map { Float($0) }, to: y.map { Float($0) }, cost: cost)
                let rough = try Sinkhorn<Float>(epsilon: Float(part * mean), tolerance: 2e-6).solve(TransportProblem(single)).get()
                // The dual value feels the error of the marginals in second order only.
                #expect(abs(Double(rough.dualValue) - second.dualValue) < 1e-4 * part * mean, "\(cost) \(d) \(part)")
            }
        }
    }

    /// The stored kernel takes the same steps, also where its potentials have to be absorbed.
    @Test func scalingDomain() throws {
        let matrix = try Geometry(cost: toy(30, 40).geometry.costMatrix())
        for epsilon in [0.5, 0.01, 0.001] {
            let problem = try TransportProblem(matrix, from: weights(30, seed: 41), to: weights(40, seed: 42))
            let log = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-10).solve(problem).get()
            let scaling = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-10, domain: .scaling).solve(problem).get()
            #expect(abs(log.primalValue - scaling.primalValue) < 1e-9 && (log.plan.dense() - scaling.plan.dense()).maxNorm < 1e-9)
            let single = try TransportProblem(Geometry(cost: matrix.costMatrix().map { Float($0) }))
            let rough = try Sinkhorn<Float>(epsilon: Float(epsilon), tolerance: 1e-5, domain: .scaling).solve(single).get()
            let exact = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-10).solve(TransportProblem(matrix)).get()
            #expect(abs(Double(rough.transportCost) - exact.transportCost) < 1e-4)
        }
    }

    /// A part of the mass, against the best of all choices of points at a small ε: of unequal masses, and with costs below 0, of which more mass
    /// would cost less.
    @Test(arguments: [0.0, 20]) func partial(_ discount: Double) throws {
        let costs = try toy(4, 6, seed: 50).geometry.costMatrix().map { $0 - discount }, geometry = try Geometry(cost: costs), c = costs
        let quarter = [Double](repeating: 0.25, count: 4), more = [Double](repeating: 0.25, count: 6)
        let problem = try TransportProblem.partial(geometry, from: quarter, to: more, mass: 0.5)
        let solution = try Sinkhorn<Double>(epsilon: 2e-3, tolerance: 1e-9).solve(problem).get()
        let plan = solution.plan.dense().submatrix(rows: 0..<4, columns: 0..<6)
        #expect(abs(plan.elements.reduce(0, +) - 0.5) < 1e-8)
        var best = Double.infinity
        for i in 0..<4 { for k in 0..<i { for j in 0..<6 { for l in 0..<6 where l != j { best = min(best, (c[i, j] + c[k, l]) / 4) } } } }
        let cost = plan.multipliedElementwise(by: c).elements.reduce(0, +)
        #expect(cost >= best - 1e-7 && cost < best + 0.01)
        let exact = ExactTransport().solve(problem)
        #expect(abs(exact.transportCost - best) < 1e-12)
        #expect(throws: TransportError.negativeWeight(.target, index: 0, value: -1)) {
            try TransportProblem.partial(geometry, from: quarter, to: [-1, 1, 1, 1, 0, 0], mass: 0.1)
        }
    }

    @Test func plansWithoutTheMatrix() throws {
        let solution = try Sinkhorn<Double>(epsilon: 0.1, tolerance: 1e-10).solve(toy(cost: .euclidean)).get()
        let dense = solution.plan.dense(), x: [Double] = weights(17, seed: 8).map { $0 - 0.05 }, y = weights(14, seed: 9).map { $0 - 0.05 }
        #expect(zip(solution.plan.apply(x), dense.apply(x)).allSatisfy { abs($0 - $1) < 1e-15 })
        #expect(zip(solution.plan.applyAdjoint(y), dense.applyAdjoint(y)).allSatisfy { abs($0 - $1) < 1e-15 })
        let targets: Matrix<Double> = points(17, 3, seed: 10)
        #expect((solution.plan.multiplied(by: targets) - dense * targets).maxNorm < 1e-15)
        let map = solution.barycentricMap(of: targets)
        #expect(abs(map[3, 1] * solution.problem.sourceWeights[3] - (dense * targets)[3, 1]) < 1e-10)
        let sparse = solution.plan.sparse(above: 1e-3)
        #expect(sparse.entryCount == dense.elements.count { $0 > 1e-3 })
        #expect((sparse.dense() - dense).maxNorm <= 1e-3)
    }

    @Test func edges() throws {
        // One point each; weights of zero; equal points; costs that are all equal.
        let one = try TransportProblem(Geometry(cost: [[3.0]] as Matrix<Double>))
        #expect(try abs(Sinkhorn<Double>(epsilon: 0.1).solve(one).get().transportCost - 3) < 1e-12)
        let problem = try toy()
        var a = problem.sourceWeights, b = problem.targetWeights
        (a[0], b[5], b[6]) = (0, 0, 0)
        let (massA, massB) = (a.reduce(0, +), b.reduce(0, +))
        let holes = try TransportProblem(problem.geometry, from: a.map { $0 / massA }, to: b.map { $0 / massB })
        for epsilon in [1, 0.01] {
            let solution = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-11).solve(holes).get(), dense = solution.plan.dense()
            #expect((0..<17).allSatisfy { dense[0, $0] == 0 } && (0..<14).allSatisfy { dense[$0, 5] == 0 })
            // The potential of a point without mass is what an update makes of it.
            let c = problem.geometry.costMatrix()
            let sum = (0..<17).reduce(0.0) { $0 + holes.targetWeights[$1] * Double.exp((solution.targetPotential[$1] - c[0, $1]) / epsilon) }
            #expect(abs(solution.sourcePotential[0] + epsilon * Double.log(sum)) < 1e-9)
        }
        let same = Matrix<Double>(rows: 5, columns: 2, repeating: 1)
        let equal = try Sinkhorn<Double>(epsilon: 1e-3).solve(TransportProblem(Geometry(from: same, to: same))).get()
        #expect(abs(equal.plan.dense()[1, 2] - 0.04) < 1e-12 && equal.transportCost == 0)
        let capped = try Sinkhorn<Double>(epsilon: 0.01, iterationLimit: 1).solve(problem)
        #expect(capped.status == .iterationLimit && capped.iterations == 1)
        #expect(throws: NotConvergedError.self) { try capped.get() }
    }

    /// An ε that the precision cannot resolve is an error; one that it can is solved in `Float` too.
    @Test func smallEpsilon() throws {
        let x: Matrix<Float> = points(80, 2, seed: 11), y: Matrix<Float> = points(80, 2, seed: 12)
        let geometry = try Geometry(from: x, to: y), problem = try TransportProblem(geometry)
        #expect(throws: TransportError.self) { try Sinkhorn<Float>(epsilon: 1e-7 * geometry.maxCost()).solve(problem) }
        let small = try Sinkhorn<Float>(epsilon: 1e-4 * geometry.meanCost(), tolerance: 1e-5).solve(problem)
        #expect(small.status == .converged && small.primalValue.isFinite)
        // From potentials far off, sums of rows and columns leave the range and come back.
        let far = (source: (0..<80).map { Float($0) * 3 - 100 }, target: (0..<80).map { 200 - Float($0) * 4 })
        let back = try Sinkhorn<Float>(epsilon: 1e-2 * geometry.meanCost(), tolerance: 1e-5).solve(problem, from: far).get()
        let cold = try Sinkhorn<Float>(epsilon: 1e-2 * geometry.meanCost(), tolerance: 1e-5).solve(problem).get()
        #expect(abs(back.primalValue - cold.primalValue) < 1e-4)
    }

    @Test func warmStartAndResumption() throws {
        let problem = try toy(40, 40, seed: 20), solver = Sinkhorn<Double>(epsilon: 0.01, tolerance: 1e-10)
        let cold = try solver.solve(problem).get()
        let warm = try solver.solve(problem, from: (cold.sourcePotential, cold.targetPotential)).get()
        #expect(warm.iterations <= 3)
        // Saved at any iteration and resumed: the same bits.
        for stop in [1, 7, cold.iterations - 2] {
            var state = try solver.makeState(problem)
            while state.iterations < stop { _ = solver.step(&state, problem) }
            let encoder = JSONEncoder(), decoder = JSONDecoder()
            encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "+", negativeInfinity: "-", nan: "n")
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "+", negativeInfinity: "-", nan: "n")
            var again = try decoder.decode(Sinkhorn<Double>.State.self, from: encoder.encode(state))
            let resumed = solver.solve(problem, resuming: &again)
            #expect(resumed.sourcePotential == cold.sourcePotential && resumed.iterations == cold.iterations)
        }
    }
}
