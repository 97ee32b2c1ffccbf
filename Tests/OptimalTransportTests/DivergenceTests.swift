import Autodiff
import Kernels
import LinearAlgebra
import Objectives
import OptimalTransport
import Randomness
import Testing

private let x = points(9, 2, seed: 1, Double.self), y = points(7, 2, seed: 2, Double.self)
private let a = ramp(9), b = ramp(7)

/// Weights that rise evenly to a sum of 1.
private func ramp(_ n: Int) -> [Double] { (1...n).map { Double(2 * $0) / Double(n * (n + 1)) } }

@Suite struct DivergenceTests {
    /// Check 8: nothing to itself, never negative, and its two limits.
    @Test func values() throws {
        let solver = Sinkhorn<Double>(epsilon: 0.3, tolerance: 1e-13)
        let own = try SinkhornDivergence(solver).solve(TransportProblem(Geometry(from: x, to: x), from: a, to: a))
        #expect(own.hasConverged && abs(own.value) < 1e-12)
        for cost in [PointCost.squaredEuclidean, .euclidean] {
            for epsilon in [1, 0.1, 0.01] {
                let problem = try TransportProblem(Geometry(from: x, to: y, cost: cost), from: a, to: b)
                let solution = try SinkhornDivergence(Sinkhorn(epsilon: epsilon, tolerance: 1e-11)).solve(problem)
                #expect(solution.hasConverged && solution.value > 0)
            }
        }
        let far = try SinkhornDivergence(Sinkhorn<Double>(epsilon: 1e6, tolerance: 1e-14)).solve(TransportProblem(Geometry(from: x, to: y), from: a, to: b))
        let means = zip(x.applyAdjoint(a), y.applyAdjoint(b)).map { $0 - $1 }
        #expect(abs(far.value - Double.dot(means.span, means.span)) < 1e-4)
        let near = try Sinkhorn<Double>(epsilon: 1e-3, tolerance: 1e-11).solve(TransportProblem(Geometry(from: x, to: y), from: a, to: b)).get()
        let sharp = try SinkhornDivergence(Sinkhorn<Double>(epsilon: 1e-3, tolerance: 1e-11)).solve(TransportProblem(Geometry(from: x, to: y), from: a, to: b))
        #expect(abs(sharp.value - near.transportCost) < 5e-3)
    }

    /// A transport to itself halves its error at least each time, also at a small ε, and agrees with the iteration that does not know of it.
    @Test func symmetric() throws {
        let problem = try TransportProblem(Geometry(from: x, to: x), from: a, to: a)
        for epsilon in [1, 0.01] {
            let solver = Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-12)
            let half = try solver.solveSymmetric(problem).get(), plain = try solver.solve(problem).get()
            #expect(abs(half.primalValue - plain.primalValue) < 1e-11 && half.sourcePotential == half.targetPotential)
            #expect(half.iterations < 60)
        }
        let relaxed = try TransportProblem(
            Geometry(from: x, to: x), from: a, to: a, sourcePenalty: .kullbackLeibler(2), targetPenalty: .kullbackLeibler(2))
        let solver = Sinkhorn<Double>(epsilon: 0.1, tolerance: 1e-12)
        #expect(try abs(solver.solveSymmetric(relaxed).get().dualValue - solver.solve(relaxed).get().dualValue) < 1e-11)
        let pair = try SinkhornDivergence(solver).solve(TransportProblem(
            Geometry(from: x, to: y), from: a, to: b.map { 2 * $0 }, sourcePenalty: .kullbackLeibler(2), targetPenalty: .kullbackLeibler(2)))
        #expect(pair.hasConverged && pair.value > 0)
    }

    /// Check 11: gradients of value and divergence by points and weights, for each cost, against differences of values.
    @Test(arguments: PointCost.allCases) func gradients(_ cost: PointCost) throws {
        let solver = Sinkhorn<Double>(epsilon: 0.4, tolerance: 1e-13)
        let weights = Tensor(a), targets = Tensor(y), targetWeights = Tensor(b)
        for isDivergence in [false, true] {
            let objective = TensorObjective<Double>(dimension: 18) { points in
                let points = points.part(from: 0, shape: [9, 2])
                return isDivergence ? sinkhornDivergence(from: points, weights, to: targets, targetWeights, cost: cost, solver: solver)
                    : entropicTransport(from: points, weights, to: targets, targetWeights, cost: cost, solver: solver)
            }
            let check = checkGradient(of: objective, at: x.elements)
            let passed = check.passed
            #expect(passed, "\(cost) \(check.message)")
            // Weights, along a change that keeps the mass.
            let along = TensorObjective<Double>(dimension: 1) { t in
                var direction = [Double](repeating: 0, count: 9)
                (direction[1], direction[6]) = (0.01, -0.01)
                let moved = weights + t * Tensor(direction)
                return isDivergence ? sinkhornDivergence(from: Tensor(x), moved, to: targets, targetWeights, cost: cost, solver: solver)
                    : entropicTransport(from: Tensor(x), moved, to: targets, targetWeights, cost: cost, solver: solver)
            }
            let weightCheck = checkGradient(of: along, at: [0.1])
            let weightsPassed = weightCheck.passed
            #expect(weightsPassed, "\(cost) \(weightCheck.message)")
        }
        // Moving all points together changes no distance: the gradients' sum is 0. Products of matrices give the same gradients.
        let wide: Matrix<Double> = points(9, 12, seed: 3), other: Matrix<Double> = points(7, 12, seed: 4)
        let solution = try Sinkhorn<Double>(epsilon: 2, tolerance: 1e-13).solve(TransportProblem(Geometry(from: wide, to: other, cost: cost))).get()
        let (gradient, back) = solution.pointGradients()
        if cost == .squaredEuclidean || cost == .euclidean {
            for k in 0..<12 { #expect(abs(gradient.column(k).reduce(0, +) + back.column(k).reduce(0, +)) < 1e-12) }
        }
        var moved = wide
        let h = 1e-5
        moved[4, 7] += h
        let up = try Sinkhorn<Double>(epsilon: 2, tolerance: 1e-13).solve(TransportProblem(Geometry(from: moved, to: other, cost: cost))).get().dualValue
        moved[4, 7] -= 2 * h
        let down = try Sinkhorn<Double>(epsilon: 2, tolerance: 1e-13).solve(TransportProblem(Geometry(from: moved, to: other, cost: cost))).get().dualValue
        #expect(abs(gradient[4, 7] - (up - down) / (2 * h)) < 1e-8)
    }

    /// Potentials by the implicit function theorem against differences.
    @Test(arguments: PointCost.allCases) func implicitGradients(_ cost: PointCost) throws {
        let solver = Sinkhorn<Double>(epsilon: 0.5, tolerance: 1e-14)
        var random = RandomStream(seed: 5)
        var weights: [Double] = random.normal(count: 16)
        // A loss that does not depend on the constant.
        let excess = weights[..<9].reduce(0, +) - weights[9...].reduce(0, +)
        weights[0] -= excess
        let loss = Tensor(weights)
        let objective = TensorObjective<Double>(dimension: 32) { points in
            (entropicPotentials(from: points.part(from: 0, shape: [9, 2]), to: points.part(from: 18, shape: [7, 2]), cost: cost, solver: solver) * loss).sum()
        }
        let check = checkGradient(of: objective, at: x.elements + y.elements)
        let passed = check.passed
        #expect(passed, "\(cost) \(check.message)")
    }

    @Test func batches() throws {
        let problems = try (0..<20).map { seed in
            try TransportProblem(Geometry(from: points(20, 2, seed: UInt64(seed), Float.self), to: points(25, 2, seed: UInt64(seed) + 50, Float.self)))
        }
        let solver = Sinkhorn<Float>(epsilon: 0.1, tolerance: 1e-5)
        let together = try solver.solve(problems)
        for (problem, solution) in zip(problems, together) {
            let alone = try solver.solve(problem)
            #expect(alone.sourcePotential == solution.sourcePotential && solution.status == .converged)
        }
        #expect(throws: TransportError.self) { try Sinkhorn<Float>(epsilon: 1e-9).solve(problems) }
    }
}
