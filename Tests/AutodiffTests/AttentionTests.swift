import Autodiff
import Kernels
import Testing

private let bias: [Double] = (0..<12).map { Double(($0 * 5) % 7) / 3 - 1 }

private func additive<Scalar: KernelScalar>(_ shape: [Int]) -> AttentionMask<Scalar> {
    .additive(Tensor(shape: shape, elements: bias.prefix(shape.reduce(1, *)).map { Scalar($0) }))
}

private let cases: [DifferentiableCase] = [
    DifferentiableCase("attention", [[3, 2], [4, 2], [4, 3]], { attention($0[0], $0[1], $0[2]) }, { attention($0[0], $0[1], $0[2]) }),
    DifferentiableCase(
        "attention in batches and tiles", [[2, 2, 3, 2], [2, 2, 4, 2], [2, 2, 4, 1]], { attention($0[0], $0[1], $0[2], scale: 0.3, tile: 2).squared() },
        { attention($0[0], $0[1], $0[2], scale: 0.3, tile: 2).squared() }),
    DifferentiableCase(
        "causal attention", [[2, 3, 2], [2, 4, 2], [2, 4, 2]], { attention($0[0], $0[1], $0[2], mask: .causal, tile: 2) },
        { attention($0[0], $0[1], $0[2], mask: .causal, tile: 2) }),
    DifferentiableCase(
        "masked attention", [[2, 3, 2], [2, 2, 2], [2, 2, 2]], { attention($0[0], $0[1], $0[2], mask: additive([2, 3, 2])) },
        { attention($0[0], $0[1], $0[2], mask: additive([2, 3, 2])) }),
    DifferentiableCase(
        "attention with heads", [[2, 3, 4], [2, 2, 4], [2, 2, 6]], { attention($0[0], $0[1], $0[2], heads: 2, mask: additive([2, 1, 3, 2])) },
        { attention($0[0], $0[1], $0[2], heads: 2, mask: additive([2, 1, 3, 2])) }),
    DifferentiableCase(
        "self-attention", [[2, 3, 12]], { selfAttention($0[0], heads: 2).squared() }, { selfAttention($0[0], heads: 2).squared() }),
    DifferentiableCase(
        "causal self-attention in tiles", [[4, 6]], { selfAttention($0[0], heads: 1, mask: .causal, tile: 2) },
        { selfAttention($0[0], heads: 1, mask: .causal, tile: 2) }),
]

@Suite struct AttentionTests {
    @Test(arguments: cases) func derivativesInDouble(_ test: DifferentiableCase) { checkDerivatives(test, Double.self) }

    @Test(arguments: cases) func derivativesInFloat(_ test: DifferentiableCase) { checkDerivatives(test, Float.self) }

    @Test(arguments: cases) func forwardIsAdjointToReverse(_ test: DifferentiableCase) { checkAdjoint(test) }

    @Test(arguments: cases) func thirdOrder(_ test: DifferentiableCase) { checkThirdOrder(test) }

    /// The composition of matrix products and soft-max, with the mask as a tensor.
    private func composed<Scalar: KernelScalar>(
        _ x: [Tensor<Scalar>], _ mask: Tensor<Scalar>, _ scale: Scalar
    ) -> Tensor<Scalar> {
        matmul((scale * matmul(x[0], x[1], transposeB: true) + mask).softmax(), x[2])
    }

    private func check<Scalar: KernelScalar>(
        _ name: String, _ mask: AttentionMask<Scalar>?, _ tensor: Tensor<Scalar>, leading: [Int] = [2, 3], n: Int = 7, m: Int = 9
    ) {
        let x: [Tensor<Scalar>] = [randomTensor(leading + [n, 4], seed: 1), randomTensor(leading + [m, 4], seed: 2), randomTensor(leading + [m, 5], seed: 3)]
        let g: Tensor<Scalar> = randomTensor(leading + [n, 5], seed: 4)
        let (value, pullback) = vjp(of: { composed($0, tensor, 0.5) })(x)
        let gradients = pullback(g)
        for tile in [nil, 1, 2, 3, 7, 100] as [Int?] {
            let (y, pull) = vjp(of: { attention($0[0], $0[1], $0[2], mask: mask, tile: tile) })(x)
            expectClose(y, value, "\(name), tile \(tile ?? 0)")
            for (a, b) in zip(pull(g), gradients) { expectClose(a, b, roundings: 256, "\(name), gradient, tile \(tile ?? 0)") }
        }
    }

    private func checkAll<Scalar: KernelScalar>(_ type: Scalar.Type) {
        check("no mask", nil, Tensor<Scalar>(0))
        // 1/√4 is the default scale. Nine keys, seven queries: query i sees keys up to i + 2.
        func causal(_ n: Int, _ m: Int) -> Tensor<Scalar> {
            Tensor(shape: [n, m], elements: (0..<n * m).map { $0 % m > $0 / m + m - n ? -.infinity : 0 })
        }
        check("causal", .causal, causal(7, 9))
        check("causal, one batch", .causal, causal(8, 8), leading: [], n: 8, m: 8)
        for shape in [[], [9], [7, 1], [7, 9], [3, 7, 9], [3, 1, 9], [2, 1, 7, 9], [2, 3, 1, 1], [2, 3, 7, 9]] {
            let mask: Tensor<Scalar> = randomTensor(shape, seed: 5)
            check("mask of shape \(shape)", .additive(mask), mask)
        }
        check("one query", nil, Tensor<Scalar>(0), leading: [1], n: 1, m: 3)
    }

    @Test func agreesWithCompositionInDouble() { checkAll(Double.self) }

    @Test func agreesWithCompositionInFloat() { checkAll(Float.self) }

    /// Heads side by side against heads as an axis.
    private func checkHeads<Scalar: KernelScalar>(_ batches: [Int], n: Int, m: Int, heads: Int, d: Int, e: Int, _ mask: AttentionMask<Scalar>?) {
        let axes = batches.count, swapped = Array(0..<axes) + [axes + 1, axes, axes + 2]
        func byHeads(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            x.reshaped(batches + [x.shape[axes], heads, x.shape[axes + 1] / heads]).transposed(swapped)
        }
        func sideBySide(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            x.transposed(swapped).reshaped(batches + [x.shape[axes + 1], heads * x.shape[axes + 2]])
        }
        let x: [Tensor<Scalar>] = [
            randomTensor(batches + [n, heads * d], seed: 9), randomTensor(batches + [m, heads * d], seed: 10),
            randomTensor(batches + [m, heads * e], seed: 11),
        ]
        let g: Tensor<Scalar> = randomTensor(batches + [n, heads * e], seed: 12)
        let (value, pullback) = vjp(of: { sideBySide(attention(byHeads($0[0]), byHeads($0[1]), byHeads($0[2]), mask: mask)) })(x)
        let gradients = pullback(g)
        for tile in [nil, 1, 3] as [Int?] {
            let name = "\(heads) heads, tile \(tile ?? 0)"
            let (y, pull) = vjp(of: { attention($0[0], $0[1], $0[2], heads: heads, mask: mask, tile: tile) })(x)
            expectClose(y, value, name)
            for (a, b) in zip(pull(g), gradients) { expectClose(a, b, roundings: 256, "\(name), gradient") }
            guard n == m, d == e else { continue }
            let (own, pullOwn) = vjp(of: { selfAttention($0, heads: heads, mask: mask, tile: tile) })(concatenated(x, alongAxis: -1))
            expectClose(own, value, "\(name), packed")
            expectClose(pullOwn(g), concatenated(gradients, alongAxis: -1), roundings: 256, "\(name), packed, gradient")
        }
    }

    private func checkHeadsOf<Scalar: KernelScalar>(_ type: Scalar.Type) {
        let mask: Tensor<Scalar> = randomTensor([3, 4, 5], seed: 13), perBatch: Tensor<Scalar> = randomTensor([2, 1, 1, 5], seed: 14)
        checkHeads([2], n: 4, m: 5, heads: 3, d: 2, e: 4, AttentionMask<Scalar>?.none)
        checkHeads([2], n: 4, m: 5, heads: 3, d: 2, e: 4, .additive(mask))
        checkHeads([2], n: 4, m: 5, heads: 3, d: 2, e: 4, .additive(perBatch))
        checkHeads([], n: 7, m: 7, heads: 2, d: 3, e: 3, AttentionMask<Scalar>.causal)
        checkHeads([2, 2], n: 7, m: 7, heads: 1, d: 3, e: 3, AttentionMask<Scalar>?.none)
        // More weights than operands: none are kept.
        checkHeads([3], n: 20, m: 20, heads: 2, d: 2, e: 2, AttentionMask<Scalar>?.none)
    }

    @Test func headsSideBySide() {
        checkHeadsOf(Float.self)
        checkHeadsOf(Double.self)
        #expect(selfAttention(Tensor<Float>.zeros([0, 3, 12]), heads: 2).shape == [0, 3, 4])
    }

    /// 20000 queries and keys: the scores would take 1.6 GB, a tile of 32 takes 2.6 MB.
    @Test func longSequencesInTiles() {
        let n = 20_000
        let q: Tensor<Float> = randomTensor([n, 4], seed: 6), k: Tensor<Float> = randomTensor([n, 4], seed: 7)
        let y = attention(q, k, .ones([n, 1]), tile: 32)
        #expect(y.shape == [n, 1] && y.elements.allSatisfy { abs($0 - 1) <= 1e-5 })
        let v: Tensor<Float> = randomTensor([n, 2], seed: 8)
        let g = attention(q.slice(0, 19_000..<19_005), k, v), whole = attention(q, k, v, tile: 64)
        expectClose(whole.slice(0, 19_000..<19_005), g)
    }

    @Test func queriesThatSeeNothingAttendEqually() {
        let v = Tensor<Double>(shape: [2, 1], elements: [1, 3])
        let y = attention(Tensor<Double>.ones([1, 2]), .ones([2, 2]), v, mask: .additive(Tensor(shape: [1, 2], repeating: -.infinity)))
        #expect(y.elements == [2])
        #expect(attention(Tensor<Double>.zeros([0, 2]), .ones([2, 2]), v).shape == [0, 1])
    }

    @Test func misuseIsNamed() async {
        let lengths = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = attention(Tensor<Float>.zeros([3, 2]), .zeros([4, 5]), .zeros([4, 1]))
        }
        #expect(message(of: lengths).contains("queries [3, 2], keys [4, 5] and values [4, 1]: queries of length 2, keys of length 5"))
        let causal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = attention(Tensor<Float>.zeros([5, 2]), .zeros([4, 2]), .zeros([4, 1]), mask: .causal)
        }
        #expect(message(of: causal).contains("causal mask of 5 queries and 4 keys"))
        let mask = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = attention(Tensor<Float>.zeros([5, 2]), .zeros([4, 2]), .zeros([4, 1]), mask: .additive(.zeros([2, 5, 4])))
        }
        #expect(message(of: mask).contains("mask of shape [2, 5, 4]; expected one that broadcasts to [5, 4]"))
        let traced = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = gradient(of: { (m: Tensor<Float>) in attention(.zeros([1, 1]), .zeros([2, 1]), .zeros([2, 1]), mask: .additive(m)).sum() })(.zeros([1, 2]))
        }
        #expect(message(of: traced).contains("the mask is being differentiated; expected a constant"))
        let heads = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = attention(Tensor<Float>.zeros([3, 4]), .zeros([3, 4]), .zeros([3, 6]), heads: 4)
        }
        #expect(message(of: heads).contains("values [3, 6] with 4 heads; expected lengths that they divide"))
        let packed = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = selfAttention(Tensor<Float>.zeros([3, 8]), heads: 2)
        }
        #expect(message(of: packed).contains("self-attention of shape [3, 8] with 2 heads; expected a last axis that 3 · 2 divides"))
    }
}
