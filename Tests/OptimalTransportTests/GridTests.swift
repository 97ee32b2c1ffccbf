import Datasets
import Kernels
import LinearAlgebra
import OptimalTransport
import Randomness
import RealModule
import Testing

func positiveWeights<Scalar: KernelScalar>(_ n: Int, seed: UInt64, _: Scalar.Type = Scalar.self) -> [Scalar] {
    var random = RandomStream(seed: seed)
    let raw: [Double] = random.uniform(count: n).map { $0 + 0.05 }
    let sum = raw.reduce(0, +)
    return raw.map { Scalar($0 / sum) }
}

private func randomAxis(_ n: Int, _ m: Int, seed: UInt64) -> GridAxis<Double> {
    var random = RandomStream(seed: seed)
    return GridAxis(cost: Matrix(rows: n, columns: m, elements: random.uniform(count: n * m)))
}

/// The largest difference of f + g.
func potentialDifference<S: KernelScalar, T: KernelScalar>(_ x: TransportSolution<S>, _ y: TransportSolution<T>) -> Double {
    let shift = Double(x.sourcePotential[0]) - Double(y.sourcePotential[0])
    let f = zip(x.sourcePotential, y.sourcePotential).map { abs(Double($0) - Double($1) - shift) }.max()!
    let g = zip(x.targetPotential, y.targetPotential).map { abs(Double($0) - Double($1) + shift) }.max()!
    return f + g
}

@Suite struct GridTests {
    /// Grids of one to three axes, of unlike sizes, with places, a circle and any costs.
    static let grids: [[GridAxis<Double>]] = [
        [GridAxis(count: 12, spacing: 1.0 / 12), GridAxis(count: 12, spacing: 1.0 / 12)],
        [randomAxis(12, 10, seed: 1), GridAxis(from: [0, 0.1, 0.5, 0.7], to: [0.2, 0.3, 0.9, 1, 1.2, -0.4])],
        [GridAxis(count: 5, spacing: 0.2, isPeriodic: true), randomAxis(3, 6, seed: 2), randomAxis(7, 4, seed: 3)],
        [randomAxis(30, 40, seed: 4)],
    ]

    @Test func costs() throws {
        let geometry = try Geometry(grid: Self.grids[2]), axes = Self.grids[2].map(\.cost)
        let c = geometry.costMatrix()
        var sum = 0.0, worst = 0.0
        for i in 0..<105 {
            for j in 0..<120 {
                let expected = axes[0][i / 21, j / 24] + axes[1][i / 7 % 3, j / 4 % 6] + axes[2][i % 7, j % 4]
                worst = max(worst, abs(c[i, j] - expected), abs(geometry[i, j] - expected))
                sum += expected
            }
        }
        #expect(worst < 1e-15 && geometry.rows == 105 && geometry.columns == 120)
        #expect(abs(geometry.meanCost() - sum / (105 * 120)) < 1e-13 && abs(geometry.maxCost() - c.elements.max()!) < 1e-15)
        let circle = GridAxis<Double>(count: 5, spacing: 2, isPeriodic: true).cost
        #expect(circle[0, 4] == 4 && circle[4, 0] == 4 && circle[0, 2] == 16 && circle[3, 1] == 16)
        let steps = GridAxis<Double>(periodicCosts: [0, 1, 5]).cost
        #expect(steps[0, 1] == 1 && steps[1, 0] == 5 && steps[2, 0] == 1)
        #expect(throws: TransportError.nonFiniteGridCost(axis: 1, row: 0, column: 1)) {
            try Geometry(grid: [GridAxis(count: 2), GridAxis(cost: [[0, Double.nan]])])
        }
        #expect(throws: TransportError.empty(rows: 0, columns: 0)) { try Geometry(grid: [GridAxis<Double>(count: 0)]) }
    }

    /// Check 13: what comes of a grid is what comes of its matrix of costs, by products of matrices (large ε) and in the log domain.
    @Test(arguments: grids.indices) func gridIsItsMatrix(_ k: Int) throws {
        let grid = try Geometry(grid: Self.grids[k]), matrix = try Geometry(cost: grid.costMatrix())
        let a: [Double] = positiveWeights(grid.rows, seed: 5), b: [Double] = positiveWeights(grid.columns, seed: 6)
        for part in [1, 0.05, 3e-4] {
            let epsilon = part * grid.meanCost()
            // As many iterations of the same steps, so that nothing but the passes differs.
            let plain = Sinkhorn<Double>(epsilon: epsilon, tolerance: 0, iterationLimit: 10, relaxation: 1, epsilonFactor: 1)
            let first = try plain.solve(TransportProblem(grid, from: a, to: b)), second = try plain.solve(TransportProblem(matrix, from: a, to: b))
            // The potentials of a pass agree to the rounding of exponents of size C/ε.
            #expect(potentialDifference(first, second) < max(1e-12, 1e-15 / part) * grid.meanCost(), "\(part)")
            #expect((first.plan.dense() - second.plan.dense()).maxNorm < 1e-12)
            let solver = Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-9)
            let one = try solver.solve(TransportProblem(grid, from: a, to: b)).get(), other = try solver.solve(TransportProblem(matrix, from: a, to: b)).get()
            #expect(abs(one.primalValue - other.primalValue) < 1e-9 && abs(one.transportCost - other.transportCost) < 1e-8)
            #expect(abs(one.dualityGap) < 1e-8 * grid.meanCost())
        }
    }

    @Test func plansWithoutPairs() throws {
        for epsilon in [0.2, 0.001] {
            let grid = try Geometry(grid: Self.grids[1])
            let problem = try TransportProblem(grid, from: positiveWeights(48, seed: 7), to: positiveWeights(60, seed: 8))
            let solution = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-8).solve(problem).get(), dense = solution.plan.dense()
            let x: [Double] = positiveWeights(60, seed: 9).map { $0 - 0.02 }, y: [Double] = positiveWeights(48, seed: 10).map { $0 - 0.02 }
            #expect(zip(solution.plan.apply(x), dense.apply(x)).allSatisfy { abs($0 - $1) < 1e-16 })
            #expect(zip(solution.plan.applyAdjoint(y), dense.applyAdjoint(y)).allSatisfy { abs($0 - $1) < 1e-16 })
            let labels: Matrix<Double> = points(60, 3, seed: 11)
            #expect((solution.plan.multiplied(by: labels) - dense * labels).maxNorm < 1e-14)
            let map = solution.barycentricMap(of: labels)
            #expect(abs(map[3, 1] * problem.sourceWeights[3] - (dense * labels)[3, 1]) < 1e-8)
            let cost = dense.multipliedElementwise(by: grid.costMatrix()).elements.reduce(0, +)
            #expect(abs(solution.transportCost - cost) < 1e-14)
            #expect(solution.plan.sparse(above: 1e-4).entryCount == dense.elements.count { $0 > 1e-4 })
        }
    }

    /// Check 13: circular convolutions by Fourier transforms on one and two axes, symmetric or not, against the costs as a matrix.
    @Test func fourier() throws {
        var random = RandomStream(seed: 12)
        let uneven: [Double] = random.uniform(count: 300)
        let grids: [[GridAxis<Double>]] = [
            [GridAxis(count: 400, spacing: 1.0 / 400, isPeriodic: true)], [GridAxis(periodicCosts: uneven)],
            [GridAxis(count: 4, spacing: 0.25, isPeriodic: true), GridAxis(periodicCosts: Array(uneven[..<255]))],
            [GridAxis(periodicCosts: Array(uneven[..<255])), GridAxis(count: 3, spacing: 0.3, isPeriodic: true)],
        ]
        for axes in grids {
            let grid = try Geometry(grid: axes), matrix = try Geometry(cost: grid.costMatrix())
            let a: [Double] = positiveWeights(grid.rows, seed: 13), b: [Double] = positiveWeights(grid.columns, seed: 14)
            for epsilon in [1, 0.05, 0.002] {
                let plain = Sinkhorn<Double>(epsilon: epsilon, tolerance: 0, iterationLimit: 8, relaxation: 1, epsilonFactor: 1)
                let first = try plain.solve(TransportProblem(grid, from: a, to: b)), second = try plain.solve(TransportProblem(matrix, from: a, to: b))
                // Convolutions are taken to 1e-12 of each sum.
                #expect(potentialDifference(first, second) < 1e-11)
            }
        }
    }

    @Test func unbalancedAndDivergence() throws {
        let axes = Self.grids[0], grid = try Geometry(grid: axes)
        let matrix = try Geometry(cost: grid.costMatrix())
        let a: [Double] = positiveWeights(144, seed: 15), b: [Double] = positiveWeights(144, seed: 16).map { 2 * $0 }
        for (source, target) in [(MarginalPenalty.kullbackLeibler(0.5), MarginalPenalty<Double>.kullbackLeibler(0.2)), (.exact, .kullbackLeibler(1))] {
            let solver = Sinkhorn<Double>(epsilon: 0.01, tolerance: 1e-11)
            let one = try solver.solve(TransportProblem(grid, from: a, to: b, sourcePenalty: source, targetPenalty: target)).get()
            let other = try solver.solve(TransportProblem(matrix, from: a, to: b, sourcePenalty: source, targetPenalty: target)).get()
            #expect(abs(one.dualValue - other.dualValue) < 1e-9 && abs(one.dualityGap) < 1e-9)
        }
        // The same points as points.
        let places = Matrix<Double>(rows: 144, columns: 2) { Double($1 == 0 ? $0 / 12 : $0 % 12) / 12 }
        let solver = SinkhornDivergence(Sinkhorn<Double>(epsilon: 0.02, tolerance: 1e-11)), half = b.map { $0 / 2 }
        let one = try solver.solve(TransportProblem(grid, from: a, to: half)), other = try solver.solve(TransportProblem(Geometry(from: places, to: places), from: a, to: half))
        #expect(one.hasConverged && abs(one.value - other.value) < 1e-9)
        let same = try solver.solve(TransportProblem(grid, from: a, to: a))
        #expect(abs(same.value) < 1e-11)
    }

    /// `Float`, zeros among the weights, exact and smooth solvers through rows of costs.
    @Test func otherSolvers() throws {
        let digits = try Dataset<Float>.digits()
        func image(_ k: Int) -> [Float] {
            let row = (0..<64).map { digits.features[k, $0] }, sum = row.reduce(0, +)
            return row.map { $0 / sum }
        }
        let axis = GridAxis<Float>(count: 8, spacing: 0.125), grid = try Geometry(grid: [axis, axis]), matrix = try Geometry(cost: grid.costMatrix())
        let (a, b) = (image(0), image(1))
        for epsilon in [0.1, 0.01, 0.001] as [Float] {
            let solver = Sinkhorn<Float>(epsilon: epsilon, tolerance: 1e-5)
            let one = try solver.solve(TransportProblem(grid, from: a, to: b)), other = try solver.solve(TransportProblem(matrix, from: a, to: b))
            #expect(one.status == .converged, "\(one.reason)")
            #expect(other.status == .converged, "\(other.reason)")
            #expect(abs(one.dualValue - other.dualValue) < 1e-5 && one.primalValue.isFinite)
        }
        let problem = try TransportProblem(grid, from: a, to: b), dense = try TransportProblem(matrix, from: a, to: b)
        #expect(abs(ExactTransport().solve(problem).transportCost - ExactTransport().solve(dense).transportCost) < 1e-7)
        let smooth = SmoothTransport<Float>(.quadratic, gamma: 10)
        #expect(abs(smooth.solve(problem).dualValue - smooth.solve(dense).dualValue) < 1e-5)
        let even = try TransportProblem(grid)
        let whole = try TransportProblem(matrix)
        #expect(abs(smooth.solve(even).dualValue - smooth.solve(whole).dualValue) < 1e-5)
    }

    /// An ε at which the sums of two Gaussians far apart leave the range of any product of numbers.
    @Test func smallEpsilon() throws {
        let n = 64, axis = GridAxis<Double>(count: n, spacing: 1.0 / 64), grid = try Geometry(grid: [axis])
        func bump(_ mean: Double) -> [Double] {
            let raw = (0..<n).map { Double.exp(-32 * (Double($0) / 64 - mean) * (Double($0) / 64 - mean)) + 1e-6 }, sum = raw.reduce(0, +)
            return raw.map { $0 / sum }
        }
        let places = Matrix<Double>(rows: n, columns: 1, elements: (0..<n).map { Double($0) / 64 })
        let exact = ExactTransport().solve(try TransportProblem(Geometry(from: places, to: places), from: bump(0.2), to: bump(0.8))).transportCost
        let solution = try Sinkhorn<Double>(epsilon: 2e-4, tolerance: 1e-8).solve(TransportProblem(grid, from: bump(0.2), to: bump(0.8))).get()
        #expect(solution.transportCost >= exact - 1e-8 && solution.transportCost < exact + 2e-4 * Double.log(64))
    }
}

@Suite struct HoleTests {
    /// Points without mass, far nearer to some sources than any point with mass is, at an ε at which the kernel overflows there.
    @Test func weightsOfZeroAtSmallEpsilon() throws {
        let x: Matrix<Double> = points(40, 2, seed: 1)
        var a = [Double](repeating: 0, count: 40), b = a
        for i in 0..<40 { if x[i, 0] < -0.5 { a[i] = 1 } else if x[i, 0] > 0.5 { b[i] = 1 } }
        a = a.map { $0 / a.reduce(0, +) }
        b = b.map { $0 / b.reduce(0, +) }
        func check<Scalar: KernelScalar>(_ epsilon: Scalar, _ tolerance: Double, _: Scalar.Type) throws {
            let places = x.map { Scalar($0) }, solver = Sinkhorn<Scalar>(epsilon: epsilon, tolerance: tolerance)
            let (a, b) = (a.map { Scalar($0) }, b.map { Scalar($0) })
            let rows = a.indices.filter { a[$0] > 0 }, columns = b.indices.filter { b[$0] > 0 }
            let geometry = try Geometry(from: places, to: places)
            let kept = try TransportProblem(
                Geometry(cost: Matrix(rows: rows.count, columns: columns.count) { geometry[rows[$0], columns[$1]] }),
                from: rows.map { a[$0] }, to: columns.map { b[$0] })
            let small = try solver.solve(kept).get()
            for geometry in [geometry, try Geometry(cost: geometry.costMatrix())] {
                let whole = try solver.solve(TransportProblem(geometry, from: a, to: b)).get()
                let c = geometry.costMatrix()
                #expect(abs(Double(whole.dualValue - small.dualValue)) < 10 * tolerance)
                #expect(whole.sourcePotential.allSatisfy { $0.isFinite } && whole.targetPotential.allSatisfy { $0.isFinite })
                // Where no mass is, the potential is a soft minimum of Cᵢⱼ − gⱼ.
                let most = rows.map { Double.log(Double(a[$0])) * Double(epsilon) }.min()!
                for i in a.indices where a[i] == 0 {
                    let least = columns.map { Double(c[i, $0]) - Double(whole.targetPotential[$0]) }.min()!
                    let isNear = Double(whole.sourcePotential[i]) >= least - 1e-5 && Double(whole.sourcePotential[i]) <= least - most + 1e-5
                    #expect(isNear)
                }
                for j in b.indices where b[j] == 0 {
                    let least = rows.map { Double(c[$0, j]) - Double(whole.sourcePotential[$0]) }.min()!
                    let isNear = Double(whole.targetPotential[j]) >= least - 1e-5 && Double(whole.targetPotential[j]) <= least - most + 1e-5
                    #expect(isNear)
                }
                let own = try solver.solveSymmetric(TransportProblem(geometry, from: a, to: a)).get()
                #expect(own.dualValue.isFinite)
            }
        }
        try check(2e-3, 1e-8, Double.self)
        try check(0.02, 1e-5, Float.self)
    }
}
