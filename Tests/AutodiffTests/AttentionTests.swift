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
    }
}
