import Descent

extension Reproduction {
    /// The main job of the package: the hot-loop families on the handwritten digits.
    static let digitsTour = Reproduction(
        slug: "tour", title: "Tour: handwritten digits on binarised random features",
        claim: "One bit of each random feature is enough to classify the digits, and packed products find the nearest "
            + "neighbours many times faster than floating-point ones."
    ) { context in
        let bits = context.quick ? 2048 : 8192
        let seeds = 5
        let digits = try Dataset<Float>.digits()
        var packed: [Double] = [], float: [Double] = [], pixels: [Double] = [], unlike = 0
        var first: LiftedDigits?
        for s in 0..<seeds {
            context.report(0.8 * Double(s) / Double(seeds + 1), "digits, seed \(s + 1) of \(seeds)")
            let lifted = LiftedDigits(digits, bits: bits, seed: context.seed &+ UInt64(s))
            let byBits = lifted.packedProduct(), byFloats = lifted.floatProduct()
            unlike += zip(byBits.elements, byFloats.elements).count { Float($0) != $1 }
            packed.append(lifted.accuracy(nearest: byBits.elements))
            float.append(lifted.accuracy(nearest: byFloats.elements))
            pixels.append(lifted.pixelAccuracy)
            if s == 0 { first = lifted }
        }

        context.report(0.8 * Double(seeds) / Double(seeds + 1), "timing both products in turns")
        let job = first!
        let times = medianSeconds(rounds: context.quick ? 3 : 15, [{ _ = job.packedProduct() }, { _ = job.floatProduct() }])
        let operations = 2 * Double(job.test.rows) * Double(job.train.rows) * Double(bits)
        let roofline = popcountRoofline()

        var outcome = Outcome()
        var table = Table(
            "\(job.test.rows) digits against \(job.train.rows), \(bits) random features, tier \(KernelTier.active), \(Threads.count) threads",
            columns: ["product", "accuracy", "time, ms", "ratio", "of the popcount roofline"])
        table.append("float32 product", percent(mean(float)), short(1e3 * times[1]), "1", "")
        table.append("packed XNOR, packing included", percent(mean(packed)), short(1e3 * times[0]), short(times[1] / times[0]),
                     percent(operations / times[0] / roofline))
        table.append("(nearest neighbour on the pixels)", percent(mean(pixels)), "", "", "")
        outcome.tables.append(table)
        outcome.checks = [
            Check("elements in which the two products differ", Double(unlike), .equal, 0,
                  source: "both are exact: the sums are integers below 2²⁴"),
            Check("accuracy of the bits less that of the pixels", mean(packed) - mean(pixels), .atLeast, -0.01,
                  source: "Raginsky and Lazebnik 2009, Theorem 2.1: Hamming distances of these bits tend to a monotone "
                      + "function of the distance, so the neighbours tend to be the same; mean of \(seeds) seeds"),
            Check("accuracy of the bits", mean(packed), .atLeast, 0.95,
                  source: "nearest neighbours on these digits are right about 98 times in 100; mean of \(seeds) seeds"),
        ]
        let inference = try encoderInference(quick: context.quick, seed: context.seed)
        outcome.tables.append(inference.table)
        outcome.checks.append(inference.check)
        let tall = try tallLeastSquares(quick: context.quick, seed: context.seed)
        outcome.tables.append(tall.table)
        outcome.checks.append(tall.check)
        let transport = try digitsTransport(digits, quick: context.quick, seed: context.seed)
        outcome.tables.append(transport.table)
        outcome.checks += transport.checks
        let shapes = try digitsBarycenters(digits, quick: context.quick, seed: context.seed)
        outcome.tables.append(shapes.table)
        outcome.figures.append(shapes.figure)
        outcome.checks += shapes.checks
        let training = digitsTraining(digits, &context)
        outcome.tables.append(training.table)
        outcome.checks += training.checks
        return outcome
    }
}

/// Digits lifted to ±1 features sign(cos(w·x + b)), w ~ N(0, γ² I), b uniform in [0, 2π): locality-sensitive bits of the
/// Gaussian kernel exp(−γ²|x − y|²/2) (Raginsky and Lazebnik 2009, with the random threshold left out).
private struct LiftedDigits {
    /// ±1, one row for each digit.
    let train: Matrix<Float>, test: Matrix<Float>
    private let transposedTrain: Matrix<Float>
    private let packedTrain: PackedBinaryMatrix
    private let trainLabels: [Int], testLabels: [Int]
    let pixelAccuracy: Double

    init(_ digits: Dataset<Float>, bits: Int, seed: UInt64) {
        let parts = digits.trainTestSplit(testFraction: 1.0 / 3, seed: seed, stratified: true)
        (trainLabels, testLabels) = (parts.train.labels!, parts.test.labels!)
        var random = RandomStream(seed: seed, stream: 1)
        // Pixels are 0 to 16 and digits some 40 apart, so distances times γ are about 1.
        let weights = Matrix<Float>(
            rows: digits.features.columns, columns: bits,
            elements: random.normal(count: digits.features.columns * bits, standardDeviation: 1.0 / 40))
        let phases: [Float] = random.uniform(count: bits)
        func lift(_ x: Matrix<Float>) -> Matrix<Float> {
            var features = x * weights
            for i in 0..<features.elements.count {
                // cos(2π t) >= 0 where the fraction of t is at most 1/4 or at least 3/4.
                let turns = features.elements[i] / (2 * .pi) + phases[i % bits]
                let part = turns - turns.rounded(.down)
                features.elements[i] = part <= 0.25 || part >= 0.75 ? 1 : -1
            }
            return features
        }
        train = lift(parts.train.features)
        test = lift(parts.test.features)
        transposedTrain = train.transposed()
        packedTrain = PackedBinaryMatrix(BinaryMatrix(signsOf: train))

        // |x − y|² = |x|² − 2 x·y + |y|²; the first term does not matter to the order.
        let squares = (0..<parts.train.count).map { Float.dot(parts.train.features.row($0), parts.train.features.row($0)) }
        var nearness = parts.test.features * parts.train.features.transposed()
        for i in 0..<nearness.elements.count { nearness.elements[i] -= squares[i % squares.count] / 2 }
        pixelAccuracy = accuracyOfNearest(nearness.elements, trainLabels, testLabels)
    }

    func packedProduct() -> IntegerMatrix { xnorProduct(signsOf: test, packedTrain) }

    func floatProduct() -> Matrix<Float> { test * transposedTrain }

    func accuracy<Number: Comparable>(nearest products: [Number]) -> Double {
        accuracyOfNearest(products, trainLabels, testLabels)
    }
}

/// The share of rows whose largest element (the first of them) stands in a column with their label.
private func accuracyOfNearest<Number: Comparable>(_ nearness: [Number], _ trainLabels: [Int], _ testLabels: [Int]) -> Double {
    let columns = trainLabels.count
    let right = testLabels.indices.count { i in
        var best = i * columns
        for j in i * columns..<(i + 1) * columns where nearness[j] > nearness[best] { best = j }
        return trainLabels[best - i * columns] == testLabels[i]
    }
    return Double(right) / Double(testLabels.count)
}

/// Bit operations a second that the threads in use reach on registers alone: the best of nine.
private func popcountRoofline() -> Double {
    let vectors = 400_000
    return (0..<9).map { _ in
        let start = ContinuousClock.now
        concurrentPerform(iterations: Threads.count) { _ in _ = BinaryKernels.popcountRoofline(vectors: vectors) }
        let seconds = (ContinuousClock.now - start).seconds
        let bits = Double(vectors) * Double(BinaryKernels.popcountRoofline(vectors: 1000)) / 1000
        return 2 * bits * Double(Threads.count) / seconds
    }.max()!
}

private func percent(_ share: Double) -> String { short(100 * share) + " %" }
