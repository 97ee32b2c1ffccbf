import Autodiff
import BinarizedNetworks
import BinaryAlgebra
import Kernels
import LinearAlgebra
import NeuralNetworks
import Randomness
import Testing

private func bits(_ rows: Int, _ columns: Int, _ random: inout RandomStream) -> BinaryMatrix {
    BinaryMatrix(rows: rows, columns: columns) { _, _ in random.nextUInt64() >> 63 == 1 }
}

@Suite struct AttentionTests {
    static let lengths = [1, 5, 63, 64, 65, 100, 768]

    /// The table of products: ±1·±1, 0/1·±1, 0/1·0/1, and 8-bit numbers by their bit planes.
    @Test(arguments: lengths) func productsEqualIntegerSums(_ k: Int) {
        var random = RandomStream(seed: UInt64(k))
        let a = bits(6, k, &random), b = bits(9, k, &random), packed = PackedBinaryMatrix(b)
        let q = (0..<6 * k).map { _ in Int32(Int8(truncatingIfNeeded: random.nextUInt64())) }
        let planes = (0..<8).map { plane in BinaryMatrix(rows: 6, columns: k) { q[$0 * k + $1] >> Int32(plane) & 1 == 1 } }
        let signs = xnorProduct(a, packed), mixed = andProduct(a, packed, as: .signs), counts = andProduct(a, packed, as: .zeroOne)
        let planeCounts = planes.map { andProduct($0, packed, as: .zeroOne) }
        for i in 0..<6 {
            for j in 0..<9 {
                var (sum, mixedSum, count, wide) = (Int32(0), Int32(0), Int32(0), Int32(0))
                for p in 0..<k {
                    let y: Int32 = b[j, p] ? 1 : -1
                    sum += (a[i, p] ? 1 : -1) * y
                    mixedSum += a[i, p] ? y : 0
                    count += a[i, p] && b[j, p] ? 1 : 0
                    wide += q[i * k + p] * y
                }
                #expect(signs[i, j] == sum && mixed[i, j] == mixedSum && counts[i, j] == count)
                // 2 Σ wₖ popcount(qₖ and b) − Σ q, the highest weight being −128.
                var weighted: Int32 = 0, sum8: Int32 = 0
                for plane in 0..<8 { weighted += planeCounts[plane][i, j] * (plane == 7 ? -128 : Int32(1) << Int32(plane)) }
                for p in 0..<k { sum8 += q[i * k + p] }
                let byPlanes = 2 * weighted - sum8
                #expect(byPlanes == wide)
            }
        }
    }

    /// The bitwise-affine product: A′B + 1B is even, and half of it is AB.
    @Test func bitwiseAffineProduct() {
        var random = RandomStream(seed: 3)
        let a = bits(11, 130, &random), b = PackedBinaryMatrix(bits(7, 130, &random))
        let ones = BinaryMatrix(rows: 11, columns: 130) { _, _ in true }
        let sums = zip(xnorProduct(a, b).elements, xnorProduct(ones, b).elements).map { $0 + $1 }
        #expect(sums.allSatisfy { $0 % 2 == 0 })
        #expect(sums.map { $0 >> 1 } == andProduct(a, b, as: .signs).elements)
    }

    /// Scores of random signs follow the centred binomial law, and what bool and the gradient's mask keep of it.
    @Test func scoresFollowTheBinomialLaw() {
        let count = 300, width = 64
        let queries: Tensor<Double> = normal([1, 1, count, width], seed: 1), keys: Tensor<Double> = normal([1, 1, count, width], seed: 2)
        // Rows of one Gram matrix are not independent; blocks of fresh keys are.
        var counts = [Double](repeating: 0, count: width + 1)
        for seed in 0..<20 {
            let q: Tensor<Double> = normal([count, 1, width], seed: 100 + UInt64(seed)), k: Tensor<Double> = normal([count, 1, width], seed: 200 + UInt64(seed))
            for score in (q.signBinarized() * k.signBinarized()).sum(alongAxes: [2]).elements { counts[(Int(score) + width) / 2] += 1 }
        }
        let total = Double(20 * count)
        var law = [Double](repeating: 0, count: width + 1)
        law[0] = 0x1p-64
        for i in 1...width { law[i] = law[i - 1] * Double(width - i + 1) / Double(i) }
        let inner = law.indices.filter { law[$0] * total >= 20 }
        let rest = total - inner.map { counts[$0] }.reduce(0, +), restLaw = total * (1 - inner.map { law[$0] }.reduce(0, +))
        var statistic = (rest - restLaw) * (rest - restLaw) / restLaw
        for i in inner { statistic += (counts[i] - law[i] * total) * (counts[i] - law[i] * total) / (law[i] * total) }
        // Mean `inner.count`, six standard deviations.
        let freedom = Double(inner.count), limit: Double = freedom + 6 * (2 * freedom).squareRoot()
        #expect(statistic < limit)
        #expect(abs(law[32] - 0.09935) < 1e-5)
        let density = law[32...].reduce(0, +), strict = law[33...].reduce(0, +)
        #expect(abs(density - 0.5497) < 5e-5 && abs(strict - 0.4503) < 5e-5)
        #expect(abs(binaryEntropy(density) - 0.9929) < 5e-5 && abs(binaryEntropy(strict) - 0.9929) < 5e-5)
        let closed = law[28...36].reduce(0, +), open = law[29...35].reduce(0, +)
        #expect(abs(closed - 0.7396) < 5e-5 && abs(open - 0.6183) < 5e-5)
        // The layer itself; the share of n² scores has a deviation below 1/√n.
        let weights = BinaryAttention.biAttention.weights(queries: queries, keys: keys)
        let share = weights.mean().scalar
        let tolerance: Double = 2.5 / Double(count).squareRoot()
        #expect(abs(share - density) < tolerance)
        let torch = BinaryAttention.biAttention.weights(queries: queries, keys: keys, ties: .torchSign).mean().scalar
        #expect(abs(share - torch - law[32]) < 0.02)
    }

    @Test func signOfSoftmaxIsAllOnes() {
        let q: Tensor<Double> = normal([1, 2, 9, 16], seed: 1, deviation: 5), k: Tensor<Double> = normal([1, 2, 9, 16], seed: 2, deviation: 5)
        #expect(BinaryAttention.signSoftmax.weights(queries: q, keys: k).elements.allSatisfy { $0 == 1 })
        #expect(binaryEntropy(1) == 0 && binaryEntropy(0) == 0 && binaryEntropy(0.5) == 1 && binaryEntropy(.nan).isNaN && binaryEntropy(2).isNaN)
        let shifted = BinaryAttention.signSoftmaxShift.weights(queries: q, keys: k)
        #expect(Set(shifted.elements) == [-1, 1])
    }

    /// The median of a soft-max of N(0, 1) scores: k τ → e^(−1/2), and τ falls with k.
    @Test func medianOfSoftmaxNearsItsLimit() {
        func median(_ k: Int) -> Double {
            let rows = 200_000 / k
            let x: Tensor<Double> = normal([rows, k], seed: UInt64(k))
            let sorted = x.softmax().elements.sorted()
            return sorted[sorted.count / 2]
        }
        let (short, long) = (median(64), median(512))
        #expect(abs(64 * short - 0.618) < 0.01 && abs(512 * long - 0.609) < 0.01 && long < short)
        #expect(abs(BinaryAttention.medianOfSoftmax(length: 1) - 0.6065) < 5e-5)
    }

    /// E|Φ(X) − Φ(sign X)| = 0.1417: how often the sign turns the direction of an error.
    @Test func directionOfErrorsAtOneBit() {
        let x: Tensor<Double> = normal([400_000], seed: 1), t: Tensor<Double> = normal([400_000], seed: 2)
        let share = directionMismatch(latent: x, binarized: x.signBinarized(), teacher: t)
        // Five standard deviations, and the last digit of the law.
        let bound: Double = 5 * (0.1417 * 0.8583 / 400_000).squareRoot() + 5e-5
        #expect(abs(share - 0.1417) < bound)
        #expect(directionMismatch(latent: x, binarized: x, teacher: t) == 0)
    }

    /// What a masked token holds changes nothing, in training as in the packed encoder.
    @Test(arguments: BinaryAttention.allCases) func maskedTokensChangeNothing(_ attention: BinaryAttention) {
        let network = Network(BinaryEncoder<Float>(configuration(), attention: attention))
        let p = Tensor(parameters(network, seed: 1, noise: 0.2))
        let mask = [[true, true, false, true, false]]
        let a = network(TokenBatch([[3, 7, 1, 9, 2]], isPresent: mask), p), b = network(TokenBatch([[3, 7, 20, 9, 11]], isPresent: mask), p)
        func kept(_ t: Tensor<Float>) -> [Tensor<Float>] { [0, 1, 3].map { t.slice(1, $0..<$0 + 1) } }
        let same = kept(a) == kept(b)
        // A soft-max that is 0 has a sign all the same: the baselines leak what is masked.
        #expect(same == (attention == .biAttention))
        let unmasked = network(TokenBatch([[3, 7, 1, 9, 2]]), p) == network(TokenBatch([[3, 7, 20, 9, 11]]), p)
        #expect(!unmasked)
    }

    /// Without places the order of tokens does not matter.
    @Test func permutingTokensPermutesTheOutput() {
        let network = Network(BinaryEncoder<Float>(configuration()))
        var p = parameters(network, seed: 1, noise: 0.2)
        for i in network.layout.blocks.first(where: { $0.name == "positions.weight" })!.range { p[i] = 0 }
        let order = [3, 0, 4, 2, 1], sequence = [5, 9, 1, 14, 20]
        let plain = network(TokenBatch([sequence]), Tensor(p)), permuted = network(TokenBatch([order.map { sequence[$0] }]), Tensor(p))
        for (i, source) in order.enumerated() { #expect(permuted.slice(1, i..<i + 1) == plain.slice(1, source..<source + 1)) }
    }

    /// Densities count present pairs alone; the states are those of the formula.
    @Test func densitiesOfAttention() {
        let encoder = BinaryEncoder<Double>(configuration()), network = Network(encoder)
        let p = Tensor(parameters(network, seed: 3, noise: 0.3))
        let mask = [[true, true, true, false], [true, true, true, true]]
        let batch = tokens(2, 4, seed: 5, isPresent: mask)
        let states = encoder.states(batch, network.inferencePass(p))
        #expect(states.hidden.count == 3 && states.queries.count == 2 && states.output == network(batch, p))
        let densities = encoder.attentionDensities(states, batch)
        for layer in 0..<2 {
            let (q, k) = (states.queries[layer].signBinarized(), states.keys[layer].signBinarized())
            var (ones, all) = (0.0, 0.0)
            for n in 0..<2 {
                for h in 0..<2 {
                    for i in 0..<4 where mask[n][i] {
                        for j in 0..<4 where mask[n][j] {
                            all += 1
                            var score = 0.0
                            for d in 0..<16 { score += q[n, h, i, d] * k[n, h, j, d] }
                            if score >= 0 { ones += 1 }
                        }
                    }
                }
            }
            #expect(densities[layer] == ones / all)
        }
    }

    /// Names, shapes and order of the parameters are the full-precision encoder's, so that its parameters are a start.
    @Test func studentHasTheTeachersParameters() {
        let teacher = Network(SequenceClassifier(TransformerEncoder<Float>(configuration()), classes: 3))
        let student = Network(SequenceClassifier(BinaryEncoder<Float>(configuration()), classes: 3))
        #expect(teacher.layout == student.layout)
    }
}
