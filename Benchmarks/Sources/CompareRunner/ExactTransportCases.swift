import Descent
import Foundation
import Workloads

/// Exact and sparsity-constrained transport, as `peers/exact_transport.py` and `peers/sparse_transport.py` describe them.
enum ExactTransportCases {
    static let names: Set = ["assignment-f32", "assignment-f64", "exact-transport", "sparse-transport"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func number(_ key: String) throws -> Double { try numbers[key].orThrow(key) }
        func matrix<T: KernelScalar>(_ key: String) throws -> Matrix<T> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        switch name {
        case "assignment-f32": return assignment(try Geometry(cost: matrix("c") as Matrix<Float>))
        case "assignment-f64": return assignment(try Geometry(cost: matrix("c") as Matrix<Double>))
        case "exact-transport":
            let problem = try TransportProblem(Geometry(cost: matrix("c") as Matrix<Double>), from: matrix("a").elements, to: matrix("b").elements)
            return timed(problem.geometry.rows) { [ExactTransport().solve(problem).transportCost] }
        // The dual value at the end, and the marginal error.
        case "sparse-transport":
            let problem = try TransportProblem(Geometry(cost: matrix("c") as Matrix<Double>), from: matrix("a").elements, to: matrix("b").elements)
            let solver = SmoothTransport(.sparsityConstrained(atMost: Int(try number("k"))), gamma: try number("gamma"),
                                         formulation: try number("semi") != 0 ? .semiDual : .dual, tolerance: 1e-6)
            return timed(problem.geometry.rows) {
                let solution = solver.solve(problem)
                return [solution.dualValue, solution.marginalError]
            }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }

    private static func assignment<T: KernelScalar>(_ geometry: Geometry<T>) -> Case {
        timed(geometry.rows) { [Double(LinearAssignment().solve(geometry).cost)] }
    }

    private static func timed(_ elements: Int, _ run: @escaping () -> [Double]) -> Case {
        let result = Buffer<Double>([])
        return Case(workload: Workload("", work: Double(elements), .elements) { result.modify { $0 = run() } }) { path in
            let numbers = result.elements
            try Data(NPY.write(NumericArray(numbers, shape: [1, numbers.count]))).write(to: URL(fileURLWithPath: path))
        }
    }
}
