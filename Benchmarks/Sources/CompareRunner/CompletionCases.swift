import Descent
import Foundation
import Workloads

/// Sweeps of matrix completion and steps of matrix sensing, as `peers/completion.py` describes them.
enum CompletionCases {
    static let names: Set = ["completion-sweep", "sensing-step", "robust-step"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func number(_ key: String) throws -> Int { Int(try numbers[key].orThrow(key)) }
        func matrix(_ key: String) throws -> Matrix<Float> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        if name != "completion-sweep" { return step(robust: name == "robust-step", size: try number("size"), count: try number("count")) }

        let left = try matrix("left"), right = try matrix("right"), places = try matrix("places"), values = try matrix("values").elements
        let problem = try MatrixCompletion<Float>(rows: left.rows, columns: right.rows, observations: values.indices.map {
            .init(row: Int(places[0, $0]), column: Int(places[1, $0]), value: values[$0])
        })
        let methods: [InnerRegression] = [.automatic, .exact, .sketched(), .conjugateGradients()]
        let solver = AlternatingMinimization<Float>(
            rank: left.columns, regression: methods[try number("method")], regularization: Float(try numbers["regularization"].orThrow("regularization")))
        let start = solver.makeState(problem, from: left.elements + right.elements), sweeps = try number("sweeps")
        // Two passes over the observations at least: operations are not comparable between methods.
        return Case(workload: Workload(name, work: Double(2 * problem.count * left.columns * 4), .bytes) {
            var state = start
            _ = solver.step(&state, problem)
            consume(state.value)
        }) { path in
            var state = start
            for _ in 0..<sweeps { _ = solver.step(&state, problem) }
            if let choice = state.choices.first { note("\(choice.reason); \(state.counts.rejected) given up") }
            try writeNPY(state.iterate, rows: left.rows + right.rows, columns: left.columns, to: path)
        }
    }

    /// A step with `count` Gaussian measurements of a square matrix, whose reading is its work.
    private static func step(robust: Bool, size: Int, count: Int) -> Case {
        let measure = GaussianMeasurements<Double>(rows: size, columns: size, count: count, deviation: 1)
        let problem = MatrixSensing(measure, of: Matrix.diagonal((0..<size).map { $0 < 3 ? 1 : 0 }))
        var random = RandomStream(seed: 1)
        let start: [Double] = random.normal(count: size * 6, mean: 0, standardDeviation: 0.1)
        let work = Double(8 * count * size * size)
        if robust {
            let solver = SubgradientMethod<Double>(steps: .constant(1e-3)), state = Box(solver.makeState(problem, from: start))
            return Case(workload: Workload("robust-step", work: work, .bytes) { _ = solver.step(&state.value, problem) }) { _ in
                throw RunnerError(text: "a step has no result")
            }
        }
        let solver = SymmetricFactorDescent<Double>(stepSize: 1e-9), state = Box(solver.makeState(problem, from: start))
        return Case(workload: Workload("sensing-step", work: work, .bytes) { _ = solver.step(&state.value, problem) }) { _ in
            throw RunnerError(text: "a step has no result")
        }
    }

    private final class Box<Value> {
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    private static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
