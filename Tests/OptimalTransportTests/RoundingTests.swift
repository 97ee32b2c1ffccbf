import Kernels
import LinearAlgebra
import OptimalTransport
import Testing

@Suite struct RoundingTests {
    /// Check 16: the plan has the marginals to rounding and no negative entry, and its cost keeps to the bound.
    private func check<Scalar: KernelScalar>(_ solution: TransportSolution<Scalar>, _ label: String, ulps: Double = 8) throws {
        let rounded = solution.rounded(), dense = rounded.dense(), problem = solution.problem
        let a = problem.sourceWeights, b = problem.targetWeights, u = Double(Scalar.ulpOfOne)
        var rows = [Double](repeating: 0, count: a.count), columns = [Double](repeating: 0, count: b.count), before = rows, after = columns, cost = 0.0
        let c = problem.geometry.costMatrix(), old = solution.plan.dense()
        for i in a.indices {
            for j in b.indices {
                rows[i] += Double(dense[i, j])
                columns[j] += Double(dense[i, j])
                before[i] += Double(old[i, j])
                after[j] += Double(old[i, j])
                cost += Double(dense[i, j]) * Double(c[i, j])
            }
        }
        let error = zip(rows, a).reduce(0) { $0 + abs($1.0 - Double($1.1)) } + zip(columns, b).reduce(0) { $0 + abs($1.0 - Double($1.1)) }
        #expect(error <= ulps * u, "\(label): \(error)")
        #expect(dense.elements.allSatisfy { $0 >= 0 }, "\(label)")
        let missed = zip(before, a).reduce(0) { $0 + abs($1.0 - Double($1.1)) } + zip(after, b).reduce(0) { $0 + abs($1.0 - Double($1.1)) }
        let largest = Double(c.maxNorm)
        #expect(cost <= Double(solution.transportCost) + 2 * missed * largest + 8 * u * largest, "\(label)")
        let moved = zip(dense.elements, old.elements).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) }
        #expect(moved <= 2 * missed + 8 * u, "\(label): \(moved) for \(missed)")
        #expect(cost >= Double(ExactTransport().solve(problem).transportCost) - 8 * u * largest, "\(label)")
        #expect(abs(Double(rounded.transportCost) - cost) <= 16 * u * largest, "\(label)")
        let y: Matrix<Scalar> = points(b.count, 2, seed: 3), x: [Scalar] = (0..<a.count).map { Scalar($0) / 10 }
        #expect(Double((rounded.multiplied(by: y) - dense * y).maxNorm) < 20 * u)
        let agrees = zip(rounded.applyAdjoint(x), dense.applyAdjoint(x)).allSatisfy { abs(Double($0 - $1)) < 100 * u }
            && zip(rounded.apply(y.column(0)), dense.apply(y.column(0))).allSatisfy { abs(Double($0 - $1)) < 20 * u }
        #expect(agrees, "\(label)")
        #expect(rounded.sparse(above: 1e-3).entryCount == dense.elements.count { $0 > 1e-3 })
    }

    @Test func marginalsAndCost() throws {
        let x: Matrix<Double> = points(30, 2, seed: 1), y: Matrix<Double> = points(25, 2, seed: 2), far: Matrix<Double> = points(25, 12, seed: 3)
        var a: [Double] = positiveWeights(30, seed: 4)
        let b: [Double] = positiveWeights(25, seed: 5)
        (a[0], a[1]) = (0, a[0] + a[1])
        for limit in [1, 3, 1000] {
            let solver = Sinkhorn<Double>(epsilon: 0.05, tolerance: 1e-9, iterationLimit: limit)
            try check(solver.solve(TransportProblem(Geometry(from: x, to: y), from: a, to: b)), "points, \(limit)")
            try check(solver.solve(TransportProblem(Geometry(from: far, to: far), from: b)), "products, \(limit)")
            let axes = [GridAxis<Double>(count: 5), GridAxis<Double>(cost: points(6, 5, seed: 6))]
            // Products of matrices and exponentials of sums round exponents of some hundreds differently.
            try check(solver.solve(TransportProblem(Geometry(grid: axes), from: a, to: b)), "grid, \(limit)", ulps: 100)
            let single = Sinkhorn<Float>(epsilon: 0.05, tolerance: 1e-4, iterationLimit: limit)
            try check(single.solve(TransportProblem(Geometry(from: x.map { Float($0) }, to: y.map { Float($0) }))), "Float, \(limit)")
        }
        // A plan with ties misses its marginals.
        let tied = SmoothTransport<Double>(.sparsityConstrained(atMost: 1), gamma: 1).solve(try TransportProblem(Geometry(from: x, to: y), from: a, to: b))
        #expect(tied.marginalError > 1e-3)
        try check(tied, "sparse plan")
    }
}
