import Descent
import Foundation
import Workloads

/// Entropic transport, as `peers/sinkhorn.py` describes it.
enum TransportCases {
    static let names: Set = ["sinkhorn-iteration", "sinkhorn-iteration-f64", "sinkhorn-points", "sinkhorn-solve", "sinkhorn-batch", "low-rank-transport", "sinkhorn-uniform"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func number(_ key: String) throws -> Double { try numbers[key].orThrow(key) }
        func matrix(_ key: String) throws -> Matrix<Float> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        switch name {
        case "sinkhorn-iteration":
            return try iterations(name, TransportProblem(Geometry(cost: matrix("cost"))), number("epsilon"), Int(number("iterations")))
        case "sinkhorn-iteration-f64":
            let cost = try matrix("cost").map { Double($0) }
            return try iterations(name, TransportProblem(Geometry(cost: cost)), number("epsilon"), Int(number("iterations")))
        case "sinkhorn-points":
            return try iterations(
                name, TransportProblem(Geometry(from: matrix("x"), to: matrix("y"))), number("epsilon"), Int(number("iterations")))
        case "sinkhorn-solve":
            let problem = try TransportProblem(Geometry(cost: matrix("cost")))
            let solver = Sinkhorn<Float>(epsilon: Float(try number("epsilon")), tolerance: try number("tolerance"))
            let result = Buffer([Float](repeating: 0, count: 3))
            return Case(workload: Workload(name, work: Double(problem.geometry.rows * problem.geometry.columns), .operations) {
                guard let solution = try? solver.solve(problem) else { return }
                result.modify { $0 = [solution.transportCost, solution.marginalError, solution.status == .converged ? 1 : 0] }
            }) { try writeNPY(result.elements, rows: 1, columns: 3, to: $0) }
        case "sinkhorn-batch":
            let (count, size) = (Int(try number("problems")), Int(try number("size")))
            var random = RandomStream(seed: 1)
            let problems = try (0..<count).map { _ in
                try TransportProblem(Geometry(
                    from: Matrix<Float>(rows: size, columns: 3, elements: random.normal(count: 3 * size)),
                    to: Matrix<Float>(rows: size, columns: 3, elements: random.normal(count: 3 * size))))
            }
            let solver = Sinkhorn<Float>(epsilon: 0.3, tolerance: 1e-5), isTogether = try number("together") == 1
            return Case(workload: Workload(name, work: Double(count * size * size), .operations) {
                if isTogether { consume(try? solver.solve(problems)) } else { for problem in problems { consume(try? solver.solve(problem)) } }
            }) { try writeNPY([0], rows: 1, columns: 1, to: $0) }
        case "low-rank-transport":
            let x = try matrix("x"), y = try matrix("y"), problem = try TransportProblem(Geometry(from: x, to: y))
            let solver = LowRankSinkhorn<Float>(rank: Int(try number("rank")))
            let result = Buffer([Float](repeating: 0, count: 3))
            return Case(workload: Workload(name, work: Double(x.rows + y.rows), .operations) {
                let solution = solver.solve(problem)
                result.modify { $0 = [solution.transportCost, solution.marginalError, solution.status == .converged ? 1 : 0] }
            }) { try writeNPY(result.elements, rows: 1, columns: 3, to: $0) }
        case "sinkhorn-uniform":
            let (n, d) = (Int(try number("points")), Int(try number("dimension"))), isMultiscale = try number("multiscale") == 1
            var random = RandomStream(seed: 1)
            let x = Matrix<Float>(rows: n, columns: d, elements: random.uniform(count: n * d))
            let y = Matrix<Float>(rows: n, columns: d, elements: random.uniform(count: n * d))
            let problem = try TransportProblem(Geometry(from: x, to: y)), tolerance = try number("tolerance")
            // The mean of ‖x − y‖² over the unit cube is d/6.
            let epsilon = Float(try number("share") * Double(d) / 6), result = Buffer([Float](repeating: 0, count: 5))
            return Case(workload: Workload(name, work: Double(n) * Double(n), .operations) {
                var solution: TransportSolution<Float>?, skipped = 0.0
                if isMultiscale {
                    let found = try? MultiscaleSinkhorn(epsilon: epsilon, tolerance: tolerance).solve(problem)
                    (solution, skipped) = (found?.transport, found?.skippedShare ?? 0)
                } else {
                    solution = try? Sinkhorn(epsilon: epsilon, tolerance: tolerance).solve(problem)
                }
                guard let solution else { return }
                result.modify {
                    $0 = [solution.dualValue, solution.marginalError, solution.status == .converged ? 1 : 0, Float(solution.iterations), Float(skipped)]
                }
            }) { try writeNPY(result.elements, rows: 1, columns: 5, to: $0) }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }

    /// Plain iterations at a fixed ε; the result is ⟨P, C⟩ after them.
    private static func iterations<T: KernelScalar>(_ name: String, _ problem: TransportProblem<T>, _ epsilon: Double, _ count: Int) throws -> Case {
        let solver = Sinkhorn<T>(epsilon: T(epsilon), tolerance: 0, iterationLimit: count, relaxation: 1, epsilonFactor: 1)
        // The first iterations find the range; from there on each costs the same.
        var first = try solver.makeState(problem)
        for _ in 0..<3 { _ = solver.step(&first, problem) }
        let begin = first
        let pairs = Double(problem.geometry.rows * problem.geometry.columns)
        return Case(workload: Workload(name, work: Double(count) * pairs, .operations) {
            var state = begin
            for _ in 0..<count { _ = solver.step(&state, problem) }
            consume(state.iterations)
        }) { path in
            var state = try solver.makeState(problem)
            let solution = solver.solve(problem, resuming: &state)
            try writeNPY([Float(solution.transportCost)], rows: 1, columns: 1, to: path)
        }
    }
}
