import Autodiff
import BinarizedNetworks
import BinaryAlgebra
import Kernels
import LinearAlgebra
import NeuralNetworks
import Optimizers
import Randomness
import Testing

@Suite struct BinarizerTests {
    @Test func thresholdsAndTies() {
        let x = Tensor<Double>([-2, -1, -0.3, -0.0, 0, 0.3, 1, 1.5, .nan])
        #expect(x.signBinarized().elements == [-1, -1, -1, 1, 1, 1, 1, 1, -1])
        #expect(x.boolBinarized().elements == [0, 0, 0, 1, 1, 1, 1, 1, 0])
        #expect(x.signBinarized(ties: .torchSign).elements == [-1, -1, -1, 0, 0, 1, 1, 1, -1])
        #expect(x.boolBinarized(ties: .torchSign).elements == [0, 0, 0, 0, 0, 1, 1, 1, 0])
    }

    @Test func straightThroughWithinTheUnitInterval() {
        let x = Tensor<Double>([-1.01, -1, -0.3, 0, 0.3, 1, 1.01]), g = Tensor<Double>([1, 2, 3, 4, 5, 6, 7])
        func pulled(_ f: @escaping (Tensor<Double>) -> Tensor<Double>) -> [Double] { gradient(of: { (f($0) * g).sum() })(x).elements }
        let closed: [Double] = [0, 2, 3, 4, 5, 6, 0]
        #expect(pulled { $0.signBinarized() } == closed)
        #expect(pulled { $0.boolBinarized() } == closed)
        // The released code: clamp for signs, an open interval for attention weights.
        #expect(pulled { $0.signBinarized(ties: .torchSign) } == closed)
        #expect(pulled { $0.boolBinarized(ties: .torchSign) } == [0, 0, 3, 4, 5, 0, 0])
        #expect(jvp(of: { $0.boolBinarized() })(x, g).tangent.elements == closed)
    }

    /// α sign(W − μ), and the derivative 1[|C| ≤ 1] followed by the centring, element by element.
    @Test func weightsAreCentredScaledAndPulledBack() {
        let w: Tensor<Double> = normal([5, 3], seed: 1), g: Tensor<Double> = normal([5, 3], seed: 2)
        for (isRows, forward, pulled) in [
            (false, w.binarizedColumns(), gradient(of: { ($0.binarizedColumns() * g).sum() })(w)),
            (true, w.binarizedRows(), gradient(of: { ($0.binarizedRows() * g).sum() })(w)),
        ] {
            let groups = isRows ? 5 : 3, length = isRows ? 3 : 5
            for group in 0..<groups {
                func at(_ t: Tensor<Double>, _ i: Int) -> Double { isRows ? t[group, i] : t[i, group] }
                let all = 0..<length
                let mean = all.map { at(w, $0) }.reduce(0, +) / Double(length)
                let scale = all.map { abs(at(w, $0)) }.reduce(0, +) / Double(length)
                let masked = all.map { abs(at(w, $0) - mean) <= 1 ? at(g, $0) : 0 }
                let centre = masked.reduce(0, +) / Double(length)
                for i in all {
                    #expect(abs(at(forward, i) - (at(w, i) >= mean ? scale : -scale)) < 1e-15)
                    #expect(abs(at(pulled, i) - (masked[i] - centre)) < 1e-14)
                }
            }
        }
    }

    /// W → c W keeps the bits and scales α; a constant added to an output's weights keeps the bits and changes α.
    @Test func scalingAndShiftingWeights() {
        // Multiples of 1/1024, so that shifts are exact.
        let w = Tensor<Double>(shape: [8, 4], elements: (normal([32], seed: 3) as Tensor<Double>).elements.map { ($0 * 1024).rounded() / 1024 })
        let plain = w.binarizedColumns(), scaled = (4 * w).binarizedColumns(), shifted = (w + 0.5).binarizedColumns()
        #expect(scaled == 4 * plain)
        #expect(zip(shifted.elements, plain.elements).allSatisfy { ($0 > 0) == ($1 > 0) })
        #expect(shifted != plain)
    }

    /// y, and the derivatives of the bi-linear layer, by sums.
    @Test func bilinearLayerEqualsItsFormula() {
        let x: Tensor<Double> = normal([4, 6], seed: 1), w: Tensor<Double> = normal([6, 3], seed: 2), b: Tensor<Double> = normal([3], seed: 3)
        let g: Tensor<Double> = normal([4, 3], seed: 4)
        let network = Network(BinaryDense<Double>(6, 3))
        let start = w.elements + b.elements
        let y = network(x, Tensor(start)), signs = w.binarizedColumns()
        for t in 0..<4 {
            for o in 0..<3 {
                var sum = 0.0
                for k in 0..<6 { sum += x[t, k] >= 0 ? signs[k, o] : -signs[k, o] }
                #expect(abs(y[t, o] - (sum + b[o])) < 1e-14)
            }
        }
        let gradients = gradient(of: { (operands: [Tensor<Double>]) in (network(operands[0], operands[1]) * g).sum() })([x, Tensor(start)])
        for t in 0..<4 {
            for k in 0..<6 {
                let sum = g[t, 0] * signs[k, 0] + g[t, 1] * signs[k, 1] + g[t, 2] * signs[k, 2]
                #expect(abs(gradients[0][t, k] - (abs(x[t, k]) <= 1 ? sum : 0)) < 1e-14)
            }
        }
        for o in 0..<3 {
            let mean = (0..<6).map { w[$0, o] }.reduce(0, +) / 6
            let masked = (0..<6).map { (k: Int) -> Double in
                var sum = 0.0
                for t in 0..<4 { sum += x[t, k] >= 0 ? g[t, o] : -g[t, o] }
                return abs(w[k, o] - mean) <= 1 ? sum : 0
            }
            let centre = masked.reduce(0, +) / 6
            for k in 0..<6 { #expect(abs(gradients[1][k * 3 + o] - (masked[k] - centre)) < 1e-14) }
            let summed = g[0, o] + g[1, o] + g[2, o] + g[3, o]
            #expect(abs(gradients[1][18 + o] - summed) < 1e-14)
        }
    }

    /// ⟨J v, g⟩ = ⟨v, Jᵀ g⟩ for both forms, so that forward and reverse mode are of one rule.
    @Test func forwardAndReverseModeAgree() {
        func check<Body: Layer<Double>>(_ body: Body, _ shape: [Int]) -> Double {
            let network = Network(body)
            let x: Tensor<Double> = normal(shape, seed: 5), p = Tensor(parameters(network, seed: 6, noise: 0.3))
            let dx: Tensor<Double> = normal(shape, seed: 7), dp: Tensor<Double> = normal([p.count], seed: 8)
            let (y, tangent) = jvp(of: { (operands: [Tensor<Double>]) in network(operands[0], operands[1]) })([x, p], [dx, dp])
            let g: Tensor<Double> = normal(y.shape, seed: 9)
            let adjoint = gradient(of: { (operands: [Tensor<Double>]) in (network(operands[0], operands[1]) * g).sum() })([x, p])
            let left = (tangent * g).sum().scalar, right = (adjoint[0] * dx).sum().scalar + (adjoint[1] * dp).sum().scalar
            return abs(left - right) / max(1, abs(left))
        }
        #expect(check(BinaryDense<Double>(6, 3), [4, 6]) < 1e-13)
        #expect(check(BinaryConv2D<Double>(2, 3, window: (3, 3), stride: (2, 1)), [2, 5, 4, 2]) < 1e-13)
    }

    /// Beyond the image nothing counts.
    @Test func convolutionEqualsItsFormula() {
        let layer = BinaryConv2D<Double>(2, 3, window: (3, 3))
        let network = Network(layer), p = parameters(network, seed: 1, noise: 0.2)
        let x: Tensor<Double> = normal([2, 4, 5, 2], seed: 2)
        let w = Tensor(shape: [3, 3, 2, 3], elements: Array(p[..<54])).binarizedColumns()
        let y = network(x, Tensor(p))
        #expect(y.shape == [2, 4, 5, 3])
        for n in 0..<2 {
            for i in 0..<4 {
                for j in 0..<5 {
                    for f in 0..<3 {
                        var sum = p[54 + f]
                        for a in 0..<3 where 0..<4 ~= i + a - 1 {
                            for b in 0..<3 where 0..<5 ~= j + b - 1 {
                                for c in 0..<2 { sum += x[n, i + a - 1, j + b - 1, c] >= 0 ? w[a, b, c, f] : -w[a, b, c, f] }
                            }
                        }
                        #expect(abs(y[n, i, j, f] - sum) < 1e-13)
                    }
                }
            }
        }
    }

    /// Packed layers give the bits of the trained ones, for shapes at and off the word boundary; no rows and one input included.
    @Test func packedDenseIsTheTrainedLayer() throws {
        for (rows, inputs, outputs) in [(1, 1, 1), (5, 63, 17), (7, 64, 16), (3, 65, 5), (129, 100, 33), (2, 768, 20), (0, 10, 4)] {
            let layer = BinaryDense<Float>(inputs, outputs), network = Network(layer)
            let p = parameters(network, seed: UInt64(inputs), noise: 0.1)
            let x: Tensor<Float> = normal([rows, inputs], seed: 3)
            let packed = try PackedDense(layer, parameters: p)
            #expect(Tensor(packed(x.matrix)) == network(x, Tensor(p)), "\(rows)×\(inputs)×\(outputs)")
            let before = Threads.count
            Threads.count = 2
            #expect(Tensor(packed(x.matrix)) == network(x, Tensor(p)), "\(rows)×\(inputs)×\(outputs), two threads")
            Threads.count = before
        }
        let layer = BinaryDense<Float>(4, 2)
        #expect(throws: BinarizedNetworkError.notFinite(parameter: "weight")) {
            try PackedDense(layer, parameters: [.nan] + [Float](repeating: 1, count: 9))
        }
        #expect(throws: BinarizedNetworkError.self) {
            try PackedDense(BinaryDense<Float>(4, 2, ties: .torchSign), parameters: [Float](repeating: 1, count: 10))
        }
    }

    @Test func packedConvolutionIsTheTrainedLayer() throws {
        for (padding, stride, window) in [
            (WindowPadding.same, (1, 1), (3, 3)), (.same, (2, 2), (3, 3)), (.valid, (1, 2), (2, 3)),
            (.explicit(top: 2, bottom: 0, left: 1, right: 3), (1, 1), (3, 2)),
        ] {
            let layer = BinaryConv2D<Float>(7, 19, window: window, stride: stride, padding: padding), network = Network(layer)
            let p = parameters(network, seed: 4, noise: 0.1)
            let x: Tensor<Float> = normal([3, 6, 5, 7], seed: 5)
            let packed = try PackedConv2D(layer, parameters: p)
            #expect(packed(x) == network(x, Tensor(p)))
        }
    }

    /// Networks of binary layers learn: the signs' gradients point the right way.
    @Test func binaryPerceptronLearnsAMajority() throws {
        struct Binary: Module {
            let first = BinaryDense<Float>(15, 128), second = Dense<Float>(128, 2), norm = LayerNorm<Float>(128)
            func declareParameters(_ declaration: inout ParameterDeclaration) {
                declaration.add("first", first)
                declaration.add("norm", norm)
                declaration.add("second", second)
            }
            func callAsFunction(_ x: Tensor<Float>, _ pass: ForwardPass<Float>) -> Tensor<Float> {
                second(norm(first(x, pass.part("first")), pass.part("norm")), pass.part("second"))
            }
        }
        let x: Tensor<Float> = normal([600, 15], seed: 1)
        let labels = (0..<600).map { row in (0..<15).count { x[row, $0] >= 0 } >= 8 ? 1 : 0 }
        let data = LabeledTensors(x, labels: labels)
        let trainer = Trainer(Network(Binary()), loss: .crossEntropy(), optimizer: Adam<Float>(learningRate: 0.005), batchSize: 50, seed: 1)
        var state = trainer.makeState()
        try trainer.train(&state, on: data, epochs: 40)
        let accuracy = trainer.evaluate(state, on: data).accuracy!
        #expect(accuracy > 0.9)
    }
}
