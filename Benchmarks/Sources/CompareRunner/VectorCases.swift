import Descent
import Foundation
import Workloads

/// Vector kernels, and the plain Swift loops that they are compared with.
enum VectorCases {
    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        let parts = name.split(separator: "-", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw RunnerError(text: "unknown case '\(name)'") }
        switch parts[0] {
        case "map": return try map(parts[1], data, VectorWorkloads.kernels)
        case "libm": return try map(parts[1], data, VectorWorkloads.plainLoops)
        case "stream":
            let n = Int(try numbers["n"].orThrow("n"))
            guard let make = VectorWorkloads.streams[parts[1]] else { throw RunnerError(text: "unknown case '\(name)'") }
            return Case(workload: make(n)) { _ in throw RunnerError(text: "no result") }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }

    private static func map(
        _ function: String, _ data: [String: String], _ table: [String: @Sendable ([Float], inout [Float]) -> Void]
    ) throws -> Case {
        guard let run = table[function] else { throw RunnerError(text: "unknown function '\(function)'") }
        let x: Matrix<Float> = try NPY.read(path: data["x"].orThrow("data x")).matrix()
        let source = x.elements, target = Buffer([Float](repeating: 0, count: x.elements.count))
        return Case(workload: Workload(function, work: Double(x.elements.count), .elements) {
            target.modify { run(source, &$0) }
        }) {
            try writeNPY(target.elements, rows: 1, columns: target.elements.count, to: $0)
        }
    }
}
