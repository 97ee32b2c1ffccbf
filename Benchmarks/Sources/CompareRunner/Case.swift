import Descent
import Foundation
import Workloads

/// Timed work on given data, with its result for the check that both sides agree.
struct Case {
    let workload: Workload
    /// Writes the result of the last run as NPY.
    let write: (String) throws -> Void

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func matrix(_ key: String) throws -> Matrix<Float> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        if let roofline = Roofline(rawValue: name) {
            return Case(workload: roofline.workload) { _ in throw RunnerError(text: "a roofline has no result") }
        }
        switch name {
        // ±1 matrices, A packed on the fly.
        case "xnor-pack":
            let a = try matrix("a"), b = PackedBinaryMatrix(BinaryMatrix(signsOf: try matrix("b")))
            let work = 2 * Double(a.rows) * Double(b.rows) * Double(a.columns)
            let c = Buffer([Int32](repeating: 0, count: a.rows * b.rows))
            let run = {
                c.modify { c in
                    var span = c.mutableSpan
                    xnorProduct(signsOf: a, b, into: &span)
                }
            }
            return Case(workload: Workload(name, work: work, .operations, run: run)) {
                try writeNPY(c.elements.map { Float($0) }, rows: a.rows, columns: b.rows, to: $0)
            }
        // Both operands already bits, result into a buffer of the caller's: what hamming rivals do.
        case "xnor":
            let a = BinaryMatrix(signsOf: try matrix("a")), b = PackedBinaryMatrix(BinaryMatrix(signsOf: try matrix("b")))
            let work = 2 * Double(a.rows) * Double(b.rows) * Double(a.columns)
            let c = Buffer([Int32](repeating: 0, count: a.rows * b.rows))
            let run = {
                c.modify { c in
                    var span = c.mutableSpan
                    xnorProduct(a, b, into: &span)
                }
            }
            return Case(workload: Workload(name, work: work, .operations, run: run)) {
                try writeNPY(c.elements.map { Float($0) }, rows: a.rows, columns: b.rows, to: $0)
            }
        case "pack-scaled":
            let count = Int(try numbers["rows"].orThrow("rows")), columns = Int(try numbers["columns"].orThrow("columns"))
            let x = Matrix<Float>(rows: count, columns: columns, elements: (0..<count * columns).map { $0 % 3 == 0 ? -1 : 0.5 })
            let words = BinaryKernels.words(forColumns: columns)
            let bits = Buffer([UInt64](repeating: 0, count: count * words)), scale = Buffer([Float](repeating: 0, count: count))
            let work = Double(count * columns * 4 + count * words * 8)
            return Case(workload: Workload(name, work: work, .bytes) {
                bits.modify { bits in
                    scale.modify { scale in
                        var b = bits.mutableSpan, s = scale.mutableSpan
                        _ = BinaryKernels.packSigns(
                            rows: count, columns: columns, of: x.elements.span, stride: columns, into: &b, stride: words, scale: &s)
                    }
                }
            }) { try writeNPY(scale.elements, rows: 1, columns: count, to: $0) }
        case let name where BinaryNetworkCases.names.contains(name): return try BinaryNetworkCases.make(name, data: data, numbers: numbers)
        case let name where NetworkCases.names.contains(name): return try NetworkCases.make(name, data: data, numbers: numbers)
        case let name where PoissonCases.names.contains(name): return try PoissonCases.make(name, data: data, numbers: numbers)
        case let name where OptimizerCases.names.contains(name): return try OptimizerCases.make(name, data: data, numbers: numbers)
        case let name where LearnedSolverCases.names.contains(name): return try LearnedSolverCases.make(name, data: data, numbers: numbers)
        case let name where ExactTransportCases.names.contains(name): return try ExactTransportCases.make(name, data: data, numbers: numbers)
        case let name where SketchCases.names.contains(name): return try SketchCases.make(name, data: data, numbers: numbers)
        case let name where CompletionCases.names.contains(name): return try CompletionCases.make(name, data: data, numbers: numbers)
        case let name where ConstrainedCases.names.contains(name): return try ConstrainedCases.make(name, data: data, numbers: numbers)
        case let name where TransportCases.names.contains(name): return try TransportCases.make(name, data: data, numbers: numbers)
        case let name where SchrodingerBridgeCases.names.contains(name): return try SchrodingerBridgeCases.make(name, data: data, numbers: numbers)
        default: return try VectorCases.make(name, data: data, numbers: numbers)
        }
    }
}

/// Writes numbers as an NPY matrix of f4.
func writeNPY(_ elements: [Float], rows: Int, columns: Int, to path: String) throws {
    let bytes = NPY.write(NumericArray(elements, shape: [rows, columns]))
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}
