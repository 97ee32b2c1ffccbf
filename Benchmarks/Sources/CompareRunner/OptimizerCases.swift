import Descent
import Foundation
import Workloads

/// Fused steps of optimisers on one flat array, as `peers/optimizer_step.py` describes them.
enum OptimizerCases {
    static let names: Set = ["step-sgd", "step-momentum", "step-adam", "step-adamw", "step-lion", "step-exadam", "step-adahessian"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func array(_ key: String) throws -> [Float] {
            let matrix: Matrix<Float> = try NPY.read(path: data[key].orThrow("data \(key)")).matrix()
            return matrix.elements
        }
        let x = try array("x"), g = try array("g"), rate = Schedule.constant(try numbers["rate"].orThrow("rate"))
        switch name {
        case "step-sgd": return stepCase(SGD(learningRate: rate), x, g, streams: 3)
        case "step-momentum": return stepCase(SGD(learningRate: rate, momentum: 0.9), x, g, streams: 5)
        case "step-adam": return stepCase(Adam(learningRate: rate), x, g, streams: 7)
        case "step-adamw": return stepCase(AdamW(learningRate: rate), x, g, streams: 7)
        case "step-lion": return stepCase(Lion(learningRate: rate), x, g, streams: 5)
        case "step-exadam": return stepCase(EXAdam(learningRate: rate), x, g, streams: 7)
        case "step-adahessian":
            let optimizer = AdaHessian<Float>(learningRate: rate), diagonal = g.map { $0 * $0 }
            let state = Box(optimizer.initialState(like: x))
            return stepCase(x, g.count, streams: 8) { optimizer.step(&$0, gradient: g, hessianDiagonal: diagonal, state: &state.value) }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }

    private static func stepCase<O: Optimizer<Float>>(_ optimizer: O, _ x: [Float], _ g: [Float], streams: Int) -> Case {
        let state = Box(optimizer.initialState(like: x))
        let timed = stepCase(x, g.count, streams: streams) { optimizer.step(&$0, gradient: g, state: &state.value) }
        return Case(workload: timed.workload) {
            var once = x, fresh = optimizer.initialState(like: x)
            for _ in 0..<3 { optimizer.step(&once, gradient: g, state: &fresh) }
            try writeNPY(once, rows: 1, columns: once.count, to: $0)
        }
    }

    private static func stepCase(_ x: [Float], _ n: Int, streams: Int, _ step: @escaping (inout [Float]) -> Void) -> Case {
        let parameters = Buffer(x)
        return Case(workload: Workload("", work: Double(4 * streams * n), .bytes) { parameters.modify(step) }) { _ in
            throw RunnerError(text: "no result")
        }
    }

    /// A state that a closure may change.
    private final class Box<Value> {
        var value: Value
        init(_ value: Value) { self.value = value }
    }
}
