import Kernels
import LinearAlgebra
import OptimalTransport
import RealModule
import Testing

/// The ways to the same potentials.
private enum Variant: String, CaseIterable, CustomTestStringConvertible {
    case scaling, logarithmic, points, stabilised, epsilonSteps, symmetric, overRelaxed, anderson, newton, grid, sparse

    var testDescription: String { rawValue }
}

@Suite struct VariantTests {
    /// Check 6, on the points of a 5×4 grid.
    @Test(arguments: Variant.allCases) fileprivate func potentialsAgree(_ variant: Variant) throws {
        try check(variant, Double.self, tolerance: 1e-13) { _ in 1e-9 }
        try check(variant, Float.self, tolerance: 1e-6) { 1e-4 * $0 }
    }

    private func check<Scalar: KernelScalar>(_ variant: Variant, _: Scalar.Type, tolerance: Double, bound: (Double) -> Double) throws {
        let places = Matrix<Scalar>(rows: 20, columns: 2) { Scalar($1 == 0 ? $0 / 4 : $0 % 4) / 4 }
        let points = try Geometry(from: places, to: places), matrix = try Geometry(cost: points.costMatrix())
        let a: [Scalar] = positiveWeights(20, seed: 1), b: [Scalar] = variant == .symmetric ? a : positiveWeights(20, seed: 2)
        let masses = [a, b].map { $0.reduce(0.0) { $0 + Double($1) } }
        let exact = try TransportProblem(
            Geometry(cost: matrix.costMatrix().map { Double($0) }), from: a.map { Double($0) }, to: b.map { Double($0) * (masses[0] / masses[1]) })
        // A small ε: products of exponentials leave the range of Float, and Newton's steps come in.
        for part in [1, Scalar.ulpOfOne > 1e-10 ? 0.2 : 0.02] {
            let epsilon = part * Double(matrix.meanCost())
            // Plain iterations, which are too slow where a measure goes to itself.
            let reference = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-13, relaxation: variant == .symmetric ? nil : 1, epsilonFactor: 1).solve(exact).get()
            func solver(_ relaxation: Double? = nil, _ factor: Scalar? = 1, _ domain: Sinkhorn<Scalar>.Domain = .logarithmic, _ memory: Int? = nil) -> Sinkhorn<Scalar> {
                Sinkhorn(epsilon: Scalar(epsilon), tolerance: tolerance, relaxation: relaxation, epsilonFactor: factor, domain: domain, andersonMemory: memory)
            }
            func solution(_ geometry: Geometry<Scalar>, _ solver: Sinkhorn<Scalar>) throws -> TransportSolution<Scalar> {
                let problem = try TransportProblem(geometry, from: a, to: b)
                return try variant == .symmetric ? solver.solveSymmetric(problem) : solver.solve(problem)
            }
            let found = switch variant {
            case .scaling: try solution(matrix, solver(1, 1, .scaling))
            case .logarithmic: try solution(matrix, solver(1))
            case .points: try solution(points, solver(1))
            case .stabilised: try solution(matrix, solver(nil, 1, .scaling))
            case .epsilonSteps: try solution(matrix, solver(1, 0.5))
            case .symmetric: try solution(matrix, solver())
            case .overRelaxed: try solution(matrix, solver(1.3))
            case .anderson: try solution(matrix, solver(nil, 1, .logarithmic, 5))
            case .newton: try solution(matrix, solver())
            case .grid: try solution(Geometry(grid: [GridAxis(count: 5, spacing: 0.25), GridAxis(count: 4, spacing: 0.25)]), solver(1))
            case .sparse:
                try solution(Geometry(sparseCost: SparseMatrix(
                    rows: 20, columns: 20, rowOffsets: Array(stride(from: 0, through: 400, by: 20)),
                    columnIndices: (0..<400).map { Int32($0 % 20) }, values: matrix.costMatrix().elements)), solver(1))
            }
            #expect(found.status == .converged, "\(part): \(found.reason)")
            let difference = potentialDifference(found, reference)
            #expect(difference < bound(epsilon), "\(Scalar.self) \(part): \(difference)")
        }
    }

    /// Check 17 at its size: costs from points as costs in a matrix, in few and many dimensions.
    @Test(arguments: [1, 2, 3, 10, 64, 300]) func streamingAtThousand(_ d: Int) throws {
        let x: Matrix<Double> = OptimalTransportTests.points(1000, d, seed: 3), y: Matrix<Double> = OptimalTransportTests.points(1000, d, seed: 4)
        let online = try Geometry(from: x, to: y), dense = try Geometry(cost: online.costMatrix()), mean = dense.meanCost()
        for part in [1, 1e-2, 1e-4] {
            let solver = Sinkhorn<Double>(epsilon: part * mean, tolerance: 0, iterationLimit: 8, relaxation: 1, epsilonFactor: 1)
            let first = try solver.solve(TransportProblem(online)), second = try solver.solve(TransportProblem(dense))
            #expect(potentialDifference(first, second) < 1e-12 * mean, "\(part)")
            #expect(abs(first.transportCost - second.transportCost) < 1e-11 * mean, "\(part)")
        }
    }

    /// Plain iterations take far more than Anderson's; both end at the same potentials. A cap of 1 is reported.
    @Test func anderson() throws {
        let geometry = try Geometry(from: OptimalTransportTests.points(60, 2, seed: 5, Double.self), to: OptimalTransportTests.points(50, 2, seed: 6, Double.self))
        for part in [0.1, 0.02] {
            let epsilon = part * geometry.meanCost(), problem = try TransportProblem(geometry)
            let plain = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-9, relaxation: 1, epsilonFactor: 1).solve(problem).get()
            let mixed = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-9, epsilonFactor: 1, andersonMemory: 5).solve(problem).get()
            #expect(mixed.iterations < plain.iterations * 2 / 3, "\(mixed.iterations) of \(plain.iterations)")
            #expect(abs(mixed.primalValue - plain.primalValue) < 1e-8)
            let relaxed = try TransportProblem(geometry, to: [Double](repeating: 0.03, count: 50), sourcePenalty: .kullbackLeibler(2), targetPenalty: .kullbackLeibler(5))
            let loose = try Sinkhorn<Double>(epsilon: epsilon, tolerance: 1e-9, andersonMemory: 4).solve(relaxed).get()
            #expect(abs(loose.dualityGap) < 1e-8)
        }
        // A step that raised the error is given up for the plain one before it, which does not.
        let steps = try Sinkhorn<Double>(epsilon: 0.005 * geometry.meanCost(), tolerance: 1e-8, epsilonFactor: 1, andersonMemory: 3).solve(TransportProblem(geometry)).get()
        let errors = steps.marginalErrors, rises = (1..<errors.count - 1).filter { errors[$0] > errors[$0 - 1] }
        let returns = rises.allSatisfy { errors[$0 + 1] <= errors[$0 - 1] * (1 + 1e-9) }
        #expect(!rises.isEmpty && returns)
        let capped = try Sinkhorn<Double>(epsilon: 0.1, iterationLimit: 1, andersonMemory: 3).solve(TransportProblem(geometry))
        #expect(capped.status == .iterationLimit)
    }

    /// Relaxed marginals are over-relaxed and have Newton's steps too: fewer iterations than plain ones, the same end, also of one relaxed
    /// side and far from balance.
    @Test func acceleratedUnbalanced() throws {
        let geometry = try Geometry(from: OptimalTransportTests.points(60, 2, seed: 7, Double.self), to: OptimalTransportTests.points(70, 2, seed: 8, Double.self))
        let mean = geometry.meanCost()
        for (source, target) in [(MarginalPenalty.kullbackLeibler(10 * mean), MarginalPenalty.kullbackLeibler(3 * mean)), (.exact, .kullbackLeibler(mean)),
                                 (.kullbackLeibler(mean), .exact), (.kullbackLeibler(1e4 * mean), .kullbackLeibler(1e3 * mean))] {
            for part in [0.05, 0.005] {
                let problem = try TransportProblem(
                    geometry, from: positiveWeights(60, seed: 9).map { 1.5 * $0 }, to: positiveWeights(70, seed: 10).map { (target == .exact ? 1.5 : 1) * $0 },
                    sourcePenalty: source, targetPenalty: target)
                let plain = try Sinkhorn<Double>(epsilon: part * mean, tolerance: 1e-9, relaxation: 1).solve(problem).get()
                let fast = try Sinkhorn<Double>(epsilon: part * mean, tolerance: 1e-9).solve(problem).get()
                #expect(abs(fast.dualityGap) < 1e-7 && abs(fast.dualValue - plain.dualValue) < 1e-7 * mean)
                // Near balance the last steps are within rounding of the value, and may be given up for slower ones.
                let isNearBalance = source == .kullbackLeibler(1e4 * mean)
                #expect(fast.iterations <= plain.iterations / (part > 0.01 ? 4 : isNearBalance ? 12 : 20), "\(source) \(target) \(part): \(fast.iterations) of \(plain.iterations)")
            }
        }
    }
}
