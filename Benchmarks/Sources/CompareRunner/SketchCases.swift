import Descent
import Foundation
import Workloads

/// Transforms, sketches and least squares, as `peers/fwht.py`, `peers/sketch.py` and `peers/least_squares.py` describe them.
enum SketchCases {
    static let names: Set = [
        "fwht-f32", "fwht-f64", "dct-f32", "dct-f64", "fwht-columns", "sketch-count", "sketch-sparse", "sketch-gaussian", "residual-pullback",
        "least-squares",
    ]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func number(_ key: String) throws -> Int { Int(try numbers[key].orThrow(key)) }
        func matrix(_ key: String) throws -> Matrix<Double> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        switch name {
        case "fwht-f32": return try transform(Float.self, number("n")) { Float.hadamard(&$0) }
        case "fwht-f64": return try transform(Double.self, number("n")) { Double.hadamard(&$0) }
        case "dct-f32":
            let plan = CosineTransform<Float>(length: try number("n"), normalization: .unnormalized)
            return try transform(Float.self, number("n")) { plan.typeII(&$0) }
        case "dct-f64":
            let plan = CosineTransform<Double>(length: try number("n"), normalization: .unnormalized)
            return try transform(Double.self, number("n")) { plan.typeII(&$0) }
        case "fwht-columns":
            let (rows, columns) = (try number("rows"), try number("columns"))
            return transform(Double.self, rows * columns) { Double.hadamardRows(rows: rows, columns: columns, &$0) }
        case "sketch-count", "sketch-sparse", "sketch-gaussian":
            let a = try matrix("a"), d = try number("rows")
            let distribution: any SketchDistribution = switch name {
            case "sketch-count": SparseSignEmbedding.countSketch
            case "sketch-sparse": SparseSignEmbedding()
            default: GaussianSketch()
            }
            let s = distribution.sample(Double.self, rows: d, columns: a.rows, random: RandomStream(seed: 1))
            return Case(workload: Workload(name, work: Double(8 * a.elements.count), .bytes) { consume(s.apply(to: a)) }) { path in
                // Lengths that a sketch keeps: the Frobenius norm.
                let norm = s.apply(to: a).frobeniusNorm
                try writeNPY([Float(norm)], rows: 1, columns: 1, to: path)
            }
        case "residual-pullback":
            let a = try matrix("a"), x = try matrix("x").elements, b = try matrix("b").elements
            let r = Buffer(b), g = Buffer(x)
            return Case(workload: Workload(name, work: Double(8 * a.elements.count), .bytes) {
                r.modify { r in
                    g.modify { g in
                        var residual = r.mutableSpan, pulled = g.mutableSpan
                        a.residualPullback(x.span, b.span, into: &residual, pulled: &pulled)
                    }
                }
            }) { try writeNPY(g.elements.map { Float($0) }, rows: 1, columns: g.elements.count, to: $0) }
        case "least-squares":
            let a = try matrix("a"), b = try matrix("b").elements, result = Buffer([Double](repeating: 0, count: a.columns))
            let run = {
                let x = (try? RandomizedLeastSquares().solve(a, b))?.solution ?? []
                result.modify { $0 = x }
            }
            return Case(workload: Workload(name, work: Double(8 * a.elements.count), .bytes, run: run)) { path in
                let bytes = NPY.write(NumericArray(result.elements, shape: [1, result.elements.count]))
                try Data(bytes).write(to: URL(fileURLWithPath: path))
            }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }

    /// In place on numbers that stay zero, so that repetitions do not overflow; the result is that of 0, 1, …, 16, 0, 1, ….
    private static func transform<T: KernelScalar>(
        _: T.Type, _ count: Int, _ run: @escaping (inout MutableSpan<T>) -> Void
    ) -> Case {
        let x = Buffer([T](repeating: 0, count: count))
        return Case(workload: Workload("", work: Double(2 * count * MemoryLayout<T>.size), .bytes) {
            x.modify {
                var span = $0.mutableSpan
                run(&span)
            }
        }) { path in
            var numbers = (0..<count).map { T($0 % 17) }
            var span = numbers.mutableSpan
            run(&span)
            try writeNPY(numbers.map { Float($0) }, rows: 1, columns: count, to: path)
        }
    }
}
