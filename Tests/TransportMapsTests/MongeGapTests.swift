import Autodiff
import Kernels
import LinearAlgebra
import NeuralNetworks
import OptimalTransport
import Optimizers
import Randomness
import Testing
import TransportMaps

private func normal(_ n: Int, _ d: Int, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed)
    return Matrix(rows: n, columns: d, elements: random.normal(count: n * d))
}

private func gap(_ gap: MongeGap<Double>, _ x: Matrix<Double>, _ t: Matrix<Double>) -> Double { gap(Tensor(x), Tensor(t)).scalar }

@Suite struct MongeGapTests {
    // Check 1: 2 (‖A‖_* − tr A) for linear maps of a normal distribution; the sample's own is near it.
    @Test func linearMaps() throws {
        let a = normal(3, 3, seed: 1), x = normal(3000, 3, seed: 2)
        let singular = try SVD(a).singularValues
        let exact = 2 * (singular.reduce(0, +) - (0..<3).reduce(0) { $0 + a[$1, $1] })
        let found = try MongeGap<Double>(epsilon: 1).exact(x, x * a.transposed())
        // Twice the standard error that the sampling of 3000 points leaves, and its bias.
        #expect(abs(found - exact) <= 0.1 * exact, "\(found), \(exact)")
        // A symmetric positive semi-definite matrix is optimal.
        let square = a * a.transposed()
        #expect(abs(try MongeGap<Double>(epsilon: 1).exact(x, x * square)) <= 1e-12)
    }

    // Check 2.
    @Test func ordersOnALine() throws {
        let x = normal(200, 1, seed: 3), t = Matrix(rows: 200, columns: 1, elements: x.elements.map { $0 - 0.8 * $0 * $0 })
        let moved = zip(x.elements, t.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let least = zip(x.elements.sorted(), t.elements.sorted()).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let exact = try MongeGap<Double>(epsilon: 1).exact(x, t)
        #expect(abs(exact - (moved - least) / 200) <= 1e-12 && exact > 0.1)
        let rising = Matrix(rows: 200, columns: 1, elements: x.elements.map { $0 * $0 * $0 })
        #expect(try MongeGap<Double>(epsilon: 1).exact(x, rising) <= 1e-12)
    }

    // Checks 3 and 4.
    @Test(arguments: [1.0, 0.1, 0.02]) func bounds(_ epsilon: Double) throws {
        let x = normal(60, 2, seed: 4), t = x * Matrix(rows: 2, columns: 2, elements: [0.3, -1, 1, 0.3]), log = epsilon * Double.log(60)
        let exact = try MongeGap<Double>(epsilon: epsilon).exact(x, t)
        let negative = gap(MongeGap(epsilon: epsilon, tolerance: 1e-9), x, t)
        let relative = gap(MongeGap(epsilon: epsilon, entropy: .relative, tolerance: 1e-9), x, t)
        #expect(negative >= exact + log - 1e-7 && negative <= exact + 2 * log + 1e-7)
        #expect(relative >= exact - log - 1e-7 && relative <= exact + 1e-7)
        #expect(abs(negative - relative - 2 * log) <= 1e-12)
    }

    // Check 5: M of ‖x − y‖² is twice that of −x·y at half the ε.
    @Test func halfTheGapOfTheProduct() {
        let x = normal(40, 3, seed: 5), t = normal(40, 3, seed: 6)
        let square = gap(MongeGap(epsilon: 0.5, tolerance: 1e-10), x, t)
        let product = gap(MongeGap(.points(.dot), epsilon: 0.25, tolerance: 1e-10), x, t)
        #expect(abs(square - 2 * product) <= 1e-8)
    }

    // Check 6, and the same through a matrix of costs.
    @Test(arguments: ["squared", "distance", "cosine", "angle", "custom"], MongeGap<Double>.Entropy.allCases)
    func gradients(_ name: String, _ entropy: MongeGap<Double>.Entropy) throws {
        let costs: [String: MongeGap<Double>.Cost] = [
            "squared": .points(.squaredEuclidean), "distance": .points(.euclidean), "cosine": .points(.cosine), "angle": .angle,
            "custom": .custom { x, t in (matmul(x, t.transposed()) * 0.5).exp() },
        ]
        let isOfPoints = name != "angle" && name != "custom"
        guard isOfPoints || entropy != .debiased else { return }
        let measure = MongeGap(try #require(costs[name]), epsilon: 0.3, entropy: entropy, tolerance: 1e-11)
        let x = normal(12, 3, seed: 7), t = normal(12, 3, seed: 8), step = normal(12, 3, seed: 9)
        let gradient = valueAndGradient(of: { (t: Tensor<Double>) in measure(Tensor(x), t) })(Tensor(t)).gradient
        let h = 1e-4, along = zip(gradient.elements, step.elements).reduce(0) { $0 + $1.0 * $1.1 }
        let slope = (gap(measure, x, t + h * step) - gap(measure, x, t - h * step)) / (2 * h)
        #expect(abs(slope - along) <= 1e-6 * max(1, abs(along)), "\(slope), \(along)")
        // In x too.
        let other = valueAndGradient(of: { (x: Tensor<Double>) in measure(x, Tensor(t)) })(Tensor(x)).gradient
        let along2 = zip(other.elements, step.elements).reduce(0) { $0 + $1.0 * $1.1 }
        let slope2 = (gap(measure, x + h * step, t) - gap(measure, x - h * step, t)) / (2 * h)
        #expect(abs(slope2 - along2) <= 1e-6 * max(1, abs(along2)), "\(slope2), \(along2)")
    }

    // Checks 7 and 8.
    @Test func invariancesAndTheIdentity() throws {
        let x = normal(50, 2, seed: 10), t = normal(50, 2, seed: 11), measure = MongeGap<Double>(epsilon: 0.5, tolerance: 1e-10)
        let moved = Matrix(rows: 50, columns: 2, elements: t.elements.enumerated().map { $1 + ($0 % 2 == 0 ? 3.0 : -1) })
        #expect(abs(gap(measure, x, t) - gap(measure, x, moved)) <= 1e-7)
        func turned(_ m: Matrix<Double>) -> Matrix<Double> { Matrix(rows: 50, columns: 2, elements: (0..<100).map { m[49 - $0 / 2, $0 % 2] }) }
        #expect(abs(gap(measure, x, t) - gap(measure, turned(x), turned(t))) <= 1e-8 && gap(measure, x, t) >= 0)
        // The identity is optimal; its entropic gap is not 0, and pushes points outward; the debiased one rests.
        #expect(try measure.exact(x, x) == 0)
        let own = valueAndGradient(of: { (t: Tensor<Double>) in measure(Tensor(x), t) })(Tensor(x))
        #expect(own.value.scalar >= 0.5 * Double.log(50))
        let outward = zip(own.gradient.elements, x.elements).reduce(0) { $0 - $1.0 * $1.1 }
        #expect(outward > 0.05)
        let debiased = MongeGap<Double>(epsilon: 0.5, entropy: .debiased, tolerance: 1e-10)
        let rest = valueAndGradient(of: { (t: Tensor<Double>) in debiased(Tensor(x), t) })(Tensor(x))
        #expect(abs(rest.value.scalar) <= 1e-8 && rest.gradient.elements.allSatisfy { abs($0) <= 1e-8 })
    }

    // Check 10: two segments that cross, uncrossed.
    @Test func crossingSegments() throws {
        let x = Matrix(rows: 2, columns: 2, elements: [0.0, 0, 1, 0]), crossing = Matrix(rows: 2, columns: 2, elements: [1.0, 1, 0, 1])
        let straight = Matrix(rows: 2, columns: 2, elements: [0.0, 1, 1, 1]), measure = MongeGap<Double>(.points(.euclidean), epsilon: 1)
        #expect(abs(try measure.exact(x, crossing) - (Double.sqrt(2) - 1)) <= 1e-15)
        #expect(try measure.exact(x, straight) == 0)
    }

    // The angle between points, whatever their lengths.
    @Test func angles() throws {
        let x = Matrix(rows: 2, columns: 2, elements: [1.0, 0, 0, 3]), t = Matrix(rows: 2, columns: 2, elements: [0.0, 2, -1, 0])
        // A quarter turn each; exchanged, none and a half turn: as much.
        #expect(abs(try MongeGap<Double>(.angle, epsilon: 1).exact(x, t)) <= 1e-12)
        let swapped = Matrix(rows: 2, columns: 2, elements: [0.0, 2, 1, 0])
        #expect(abs(try MongeGap<Double>(.angle, epsilon: 1).exact(x, swapped) - .pi / 2) <= 1e-12)
    }

    // Check 11: the gap picks the map.
    @Test func trainingFindsTheMonotoneMap() throws {
        // Standard normal points to themselves, from a rotation by 2 rad: fit alone keeps a rotation.
        let x = normal(512, 2, seed: 12), y = normal(512, 2, seed: 13)
        func error(_ weight: Double) throws -> (identity: Double, gap: Double) {
            let training = try MongeGapTraining(source: x, target: y, gapWeight: weight)
            let trainer = Trainer(Network(Dense<Double>(2, 2)), loss: training.loss, optimizer: Adam(learningRate: 0.03), batchSize: 128, seed: 1)
            var start = trainer.network.initialParameters(seed: 1)
            let (c, s) = (Double.cos(2), Double.sin(2))
            start.replaceSubrange(0..<4, with: [c, -s, s, c])
            var state = trainer.makeState(parameters: start)
            try trainer.train(&state, on: training.samples, epochs: 40)
            let images = trainer.network(Tensor(x), Tensor(state.parameters)).matrix
            let far = zip(images.elements, x.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 1024
            return (far, try MongeGap<Double>(epsilon: 1).exact(x, images))
        }
        let without = try error(0), with = try error(1)
        #expect(without.identity > 1 && without.gap > 1, "\(without)")
        #expect(with.identity < 0.05 && with.gap < 0.05, "\(with)")
    }

    @Test func badInput() throws {
        let x = normal(5, 2, seed: 1), bad = Matrix(rows: 5, columns: 2, elements: [Double](repeating: .nan, count: 10))
        #expect(throws: TransportError.self) { try MongeGap<Double>(epsilon: 1).exact(x, bad) }
        #expect(gap(MongeGap(epsilon: 1), x, bad).isNaN)
        #expect(throws: TransportError.self) { try MongeGapTraining(source: bad, target: x) }
    }
}
