import Descent
import Foundation
import Workloads

/// The direction network in two dimensions: a forward pass on one residual, and a training step on a batch.
enum LearnedSolverCases {
    static let names: Set = ["direction-forward", "direction-gemm", "direction-step"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func matrix(_ key: String) throws -> Matrix<Float> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        let x = try matrix("x"), size = Int(Double(x.columns).squareRoot()), batch = x.rows
        let network = Network(DirectionNetwork<Float>(dimensions: 2)), p = Tensor(try matrix("p").elements)
        let input = Tensor(x).reshaped([batch, size, size, 1])
        // Eight convolutions of 16 channels on the grid, six on one of a quarter of its places; the first and the dense layer.
        let places = Double(batch * size * size), work = 2 * places * (8 * 2304 + 6 * 2304 / 4 + 144 + 16)
        switch name {
        case "direction-forward":
            return Case(workload: Workload(name, work: work, .operations) { consume(network(input, p)) }) {
                try writeNPY(network(input, p).elements, rows: batch, columns: size * size, to: $0)
            }
        // The same products as matrices, of patches that are there already.
        case "direction-gemm":
            func product(_ rows: Int) -> () -> Void {
                let a = Matrix<Float>(rows: rows, columns: 144, elements: [Float](repeating: 0.5, count: rows * 144))
                let w = Matrix<Float>(rows: 144, columns: 16, elements: [Float](repeating: 0.5, count: 144 * 16))
                return { consume(a * w) }
            }
            let fine = product(batch * size * size), coarse = product(batch * size * size / 4)
            return Case(workload: Workload(name, work: work, .operations) {
                for _ in 0..<8 { fine() }
                for _ in 0..<6 { coarse() }
            }) { _ in throw RunnerError(text: "no result") }
        case "direction-step":
            let loss = DirectionLoss(PoissonOperator<Float>(Grid(rows: size, columns: size)))
            let step = { valueAndGradient(of: { (q: Tensor<Float>) in loss(network(input, q), input) })(p) }
            return Case(workload: Workload(name, work: 3 * work, .operations) { consume(step()) }) {
                try writeNPY(step().gradient.elements, rows: 1, columns: p.count, to: $0)
            }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }
}
