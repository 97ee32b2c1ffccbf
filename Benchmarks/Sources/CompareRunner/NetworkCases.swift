import Descent
import Foundation
import Workloads

/// Derivatives and training steps of the networks that `peers/networks.py` describes, on its arrays.
enum NetworkCases {
    typealias T = Tensor<Float>

    static let names: Set = ["mlp-gradient", "mlp-hvp", "mlp-hvp-probes", "op-overhead", "cnn-step", "encoder-step",
                              "mlp-hessian-diagonal", "mlp-probes", "mlp-sharpness"]

    static func make(_ name: String, data: [String: String], numbers: [String: Double]) throws -> Case {
        func matrix(_ key: String) throws -> Matrix<Float> { try NPY.read(path: data[key].orThrow("data \(key)")).matrix() }
        if name == "op-overhead" {
            return chain(try matrix("x"), try matrix("a"), try matrix("b"), repeats: Int(try numbers["repeats"].orThrow("repeats")))
        }
        let p = T(try matrix("p").elements), x = T(try matrix("x"))
        let labels = try matrix("labels").elements.map { Int($0) }
        switch name {
        case "mlp-gradient":
            let network = MLPCase(x: x, labels: labels)
            let parameters = network.split(p)
            let gradient = valueAndGradient(of: network.loss)
            return tensorCase(name) { gradient(parameters).gradient } result: { flat($0) }
        case "mlp-hvp":
            let network = MLPCase(x: x, labels: labels)
            let (parameters, direction) = (network.split(p), network.split(T(try matrix("v").elements)))
            let product = hessianVectorProduct(of: network.loss)
            return tensorCase(name) { product(parameters, direction) } result: { flat($0) }
        case "mlp-hvp-probes":
            let network = MLPCase(x: x, labels: labels)
            let directions = try matrix("v")
            let rows = (0..<directions.rows).map { T(Array(directions.elements[$0 * p.count..<($0 + 1) * p.count])) }
            let products = hessianVectorProducts(of: { (p: T) in network.loss(network.split(p)) })
            return tensorCase(name, rows: rows.count) { products(p, rows) } result: { flat($0) }
        case "mlp-hessian-diagonal":
            let network = MLPCase(x: x, labels: labels), probes = Int(try numbers["probes"].orThrow("probes"))
            let objective = TensorObjective<Float>(dimension: p.count) { network.loss(network.split($0)) }
            let estimate = { try! HutchinsonDiagonal<Float>(probes: probes).estimate(HessianOperator(of: objective, at: p.elements)).values }
            return Case(workload: Workload(name, work: 1, .operations) { consume(estimate()) }) {
                try writeNPY(estimate(), rows: 1, columns: p.count, to: $0)
            }
        // The signs that the diagonal's probes are.
        case "mlp-probes":
            let probes = Int(try numbers["probes"].orThrow("probes"))
            return Case(workload: Workload(name, work: 1, .operations) {}) {
                var stream = RandomStream(seed: 0)
                let signs = (0..<probes).flatMap { _ in stream.rademacher(count: p.count) as [Float] }
                try writeNPY(signs, rows: probes, columns: p.count, to: $0)
            }
        case "mlp-sharpness":
            let network = MLPCase(x: x, labels: labels), tolerance = try numbers["tolerance"].orThrow("tolerance")
            let objective = TensorObjective<Float>(dimension: p.count) { network.loss(network.split($0)) }
            let solve = {
                Lanczos<Float>(largest: 1, relativeTolerance: tolerance).solve(HessianOperator(of: objective, at: p.elements))
            }
            return Case(workload: Workload(name, work: 1, .operations) { consume(solve()) }) {
                let solution = solve()
                try writeNPY([try solution.get().largest[0].value, Float(solution.products)], rows: 1, columns: 2, to: $0)
            }
        case "cnn-step":
            let network = CNNCase(x: x, labels: labels)
            return stepCase(name, network.split(p), rate: try numbers["rate"].orThrow("rate"), network.loss) { network.joined($0) }
        case "encoder-step":
            let network = EncoderCase(x: x, labels: labels)
            return stepCase(name, network.split(p), rate: try numbers["rate"].orThrow("rate"), network.loss) { flat($0) }
        default: throw RunnerError(text: "unknown case '\(name)'")
        }
    }

    private static func flat(_ tensors: [T]) -> [Float] { tensors.flatMap(\.elements) }

    private static func tensorCase(_ name: String, rows: Int = 1, run: @escaping () -> [T], result: @escaping ([T]) -> [Float]) -> Case {
        Case(workload: Workload(name, work: 1, .operations) { consume(run()) }) {
            let elements = result(run())
            try writeNPY(elements, rows: rows, columns: elements.count / rows, to: $0)
        }
    }

    /// p ← p − rate · gradient, again and again; the result is that of one step from the beginning.
    private static func stepCase(
        _ name: String, _ start: [T], rate: Double, _ loss: @escaping ([T]) -> T, result: @escaping ([T]) -> [Float]
    ) -> Case {
        let gradient = valueAndGradient(of: loss)
        func step(_ p: inout [[Float]]) {
            let g = gradient(zip(p, start).map { T(shape: $1.shape, elements: $0) }).gradient
            for i in p.indices {
                var span = p[i].mutableSpan
                Float.axpy(-Float(rate), g[i].elements.span, &span)
            }
        }
        var parameters = start.map(\.elements)
        return Case(workload: Workload(name, work: 1, .operations) { step(&parameters) }) {
            var once = start.map(\.elements)
            step(&once)
            let elements = result(zip(once, start).map { T(shape: $1.shape, elements: $0) })
            try writeNPY(elements, rows: 1, columns: elements.count, to: $0)
        }
    }

    private static func chain(_ x: Matrix<Float>, _ a: Matrix<Float>, _ b: Matrix<Float>, repeats: Int) -> Case {
        let inputs = [x, a, b].map { T($0.elements) }
        let gradient = valueAndGradient(of: { (p: [T]) in
            var y = p[0]
            for _ in 0..<repeats { y = y * p[1] + p[2] }
            return y.sum()
        })
        return tensorCase("op-overhead", rows: 3) { gradient(inputs).gradient } result: { flat($0) }
    }
}

/// Arrays of the given shapes, one after the other in `p`, without a copy.
private func parts(_ p: Tensor<Float>, _ shapes: [[Int]]) -> [Tensor<Float>] {
    var start = 0
    return shapes.map { shape in
        defer { start += shape.reduce(1, *) }
        return p.part(from: start, shape: shape)
    }
}

private func dense(_ widths: Int...) -> [[Int]] { zip(widths, widths.dropFirst()).flatMap { [[$0, $1], [$1]] } }

private struct MLPCase {
    let x: Tensor<Float>, labels: [Int]

    func split(_ p: Tensor<Float>) -> [Tensor<Float>] { parts(p, dense(784, 512, 512, 10)) }

    func loss(_ p: [Tensor<Float>]) -> Tensor<Float> {
        let first = affine(x, p[0], p[1]).tanh()
        return crossEntropy(affine(affine(first, p[2], p[3]).tanh(), p[4], p[5]), labels: labels)
    }
}

/// Our images have their channels last: filters and the first dense layer are reordered on the way in and out.
private struct CNNCase {
    let x: Tensor<Float>, labels: [Int]

    func split(_ p: Tensor<Float>) -> [Tensor<Float>] {
        var p = parts(p, [[16, 1, 3, 3], [16], [32, 16, 3, 3], [32]] + dense(2048, 128, 10))
        for i in [0, 2] { p[i] = p[i].transposed([2, 3, 1, 0]) }
        p[4] = p[4].reshaped([32, 64, 128]).transposed([1, 0, 2]).reshaped([2048, 128])
        return p
    }

    func joined(_ p: [Tensor<Float>]) -> [Float] {
        var p = p
        for i in [0, 2] { p[i] = p[i].transposed([3, 2, 0, 1]) }
        p[4] = p[4].reshaped([64, 32, 128]).transposed([1, 0, 2])
        return p.flatMap(\.elements)
    }

    func loss(_ p: [Tensor<Float>]) -> Tensor<Float> {
        var y = x.reshaped([-1, 8, 8, 1])
        for i in [0, 2] { y = (conv2D(y, p[i], padding: .same) + p[i + 1]).relu() }
        y = affine(y.reshaped([y.shape[0], 2048]), p[4], p[5]).relu()
        return crossEntropy(affine(y, p[6], p[7]), labels: labels)
    }
}

private struct EncoderCase {
    static let blocks = 4, width = 128, heads = 4, hidden = 512, length = 64
    let x: Tensor<Float>, labels: [Int]

    func split(_ p: Tensor<Float>) -> [Tensor<Float>] {
        let w = Self.width, norm = [[w], [w]]
        let block = norm + dense(w, 3 * w) + dense(w, w) + norm + dense(w, Self.hidden, w)
        return parts(p, (0..<Self.blocks).flatMap { _ in block } + norm + dense(w, 10))
    }

    func loss(_ p: [Tensor<Float>]) -> Tensor<Float> {
        let (w, l) = (Self.width, Self.length), n = x.shape[0] / l
        var y = x
        for first in stride(from: 0, to: 12 * Self.blocks, by: 12) {
            let q = Array(p[first..<first + 12])
            let qkv = affine(layerNorm(y, q[0], q[1]), q[2], q[3]).reshaped([n, l, 3 * w])
            let mixed = selfAttention(qkv, heads: Self.heads).reshaped([n * l, w])
            y = y + affine(mixed, q[4], q[5])
            y = y + affine(affine(layerNorm(y, q[6], q[7]), q[8], q[9]).gelu(), q[10], q[11])
        }
        let q = Array(p.suffix(4))
        return crossEntropy(affine(layerNorm(y, q[0], q[1]).reshaped([n, l, w]).mean(alongAxes: [1]), q[2], q[3]), labels: labels)
    }
}
