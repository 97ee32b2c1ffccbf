import Descent
import Foundation
import Workloads

/// Light Schrödinger bridges, as `peers/schrodinger_bridge.py` describes them.
enum SchrodingerBridgeCases {
    static let names: Set = ["schrodinger-bridge", "schrodinger-bridge-draws"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func number(_ key: String) throws -> Double { try numbers[key].orThrow(key) }
        func matrix(_ key: String) throws -> Matrix<Float> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        let components = Int(try number("components")), steps = Int(try number("steps")), batch = Int(try number("batch"))
        if name == "schrodinger-bridge-draws" {
            let (n, m) = (Int(try number("sources")), Int(try number("targets"))), width = max(components, 2 * batch)
            var random = RandomStream(seed: 0)
            var rows = random.sample(components, of: m).map { Float($0) } + [Float](repeating: 0, count: width - components)
            for _ in 0..<steps {
                rows += (0..<batch).map { _ in Float(random.integer(in: 0..<n)) } + (0..<batch).map { _ in Float(random.integer(in: 0..<m)) }
                rows += [Float](repeating: 0, count: width - 2 * batch)
            }
            return Case(workload: Workload(name, work: 1, .operations) {}) { [rows] in try writeNPY(rows, rows: steps + 1, columns: width, to: $0) }
        }
        let problem = SchrodingerBridgeProblem(source: try matrix("x"), target: try matrix("y"), noise: Float(try number("noise")))
        let solver = LightSB<Float>(
            components: components, learningRate: .constant(try number("rate")), steps: steps, batchSize: batch, initialization: .targetSamples(scale: 0.1))
        return Case(workload: Workload(name, work: Double(steps), .operations) {
            var state = solver.makeState(problem)
            for _ in 0..<steps { _ = solver.step(&state, problem) }
            consume(state.steps)
        }) { try writeNPY([solver.solve(problem).loss], rows: 1, columns: 1, to: $0) }
    }
}
