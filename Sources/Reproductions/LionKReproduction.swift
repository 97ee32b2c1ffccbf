import Descent

extension Reproduction {
    /// The Lion-K family on constrained quadratics with known solutions, and on networks whose weights it keeps in a box.
    static let lionK = Reproduction(
        slug: "lion-k", title: "Lion Secretly Solves Constrained Optimization: As Lyapunov Predicts",
        claim: "Lion with weight decay λ minimises the loss on the box ‖x‖∞ ≤ 1/λ: it nears the box exponentially fast whatever "
            + "the loss does, and inside a Lyapunov function falls; with other convex K it minimises f + K*(λx)/λ."
    ) { context in
        var outcome = Outcome()
        context.report(0, "the way into the box")
        outcome.checks.append(firstPhase(seed: context.seed, &outcome))
        let quadratics = (0..<seeds).map { BoxQuadratic(seed: context.seed &+ UInt64($0)) }
        constrainedQuadratics(quadratics, &context, &outcome)
        context.report(0.3, "Lyapunov function")
        outcome.checks.append(lyapunovFalls(quadratics, &outcome))
        whereMethodsEnd(quadratics, steps: context.quick ? 6000 : 20_000, &outcome)
        try weightsInTheBox(&context, &outcome)
        return outcome
    }
}

private let seeds = 5

// MARK: - Quadratics

/// ½ xᵀA x − bᵀx with A = GGᵀ/100, G 50 × 100, b = 1.5 A z, G and z of normal numbers, on ‖x‖∞ ≤ 1.
private struct BoxQuadratic: BoundedObjective {
    static let size = 50
    let a: Matrix<Double>, b: [Double]
    let bounds = Bounds<Double>(-1...1, dimension: size)
    var dimension: Int { Self.size }

    init(seed: UInt64) {
        var random = RandomStream(seed: seed, stream: 1)
        let n = Self.size, g = Matrix<Double>(rows: n, columns: 2 * n, elements: random.normal(count: 2 * n * n, standardDeviation: 1))
        a = multiply(g, g, transposeB: true).map { $0 / 100 }
        b = (a * random.normal(count: n, standardDeviation: 1)).map { 1.5 * $0 }
    }

    func value(at x: Span<Double>) -> Double {
        var g = b, span = g.mutableSpan
        return valueAndGradient(at: x, gradient: &span)
    }

    func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
        multiply(a, x, into: &gradient)
        let quadratic = Double.dot(x, gradient.span), linear = Double.dot(b.span, x)
        Double.axpy(-1, b.span, &gradient)
        return 0.5 * quadratic - linear
    }

    func value(_ x: [Double]) -> Double { value(at: x.span) }

    func gradient(_ x: [Double]) -> [Double] {
        var g = x, span = g.mutableSpan
        _ = valueAndGradient(at: x.span, gradient: &span)
        return g
    }

    /// The lowest value on the box, by another method.
    var minimum: Double {
        LBFGSB().solve(self, from: b.map { _ in 0 }, stopping: .gradientNorm(atMost: 1e-11)).value
    }

    /// argmin f + e ‖x‖₁ on the box, by proximal gradients.
    func sparseMinimizer(_ e: Double) -> [Double] {
        var x = b.map { _ in 0.0 }
        let step = 1 / Double.nrm2(a.elements.span)
        for _ in 0..<50_000 {
            let g = gradient(x)
            for i in x.indices {
                let y = x[i] - step * g[i], shrunk = max(abs(y) - step * e, 0)
                x[i] = min(shrunk, 1) * (y < 0 ? -1 : 1)
            }
        }
        return x
    }

    /// The point that steps of an optimiser end at, from 0.
    func run<O: Optimizer<Double>>(_ optimizer: O, _ steps: Int, each: ([Double]) -> Void = { _ in }) -> [Double] {
        var x = b.map { _ in 0.0 }, state = optimizer.initialState(like: x)
        for _ in 0..<steps {
            optimizer.step(&x, gradient: gradient(x), state: &state)
            each(x)
        }
        return x
    }
}

/// Every step shrinks what lies outside the box by 1 − η λ at least, under gradients of any kind.
private func firstPhase(seed: UInt64, _ outcome: inout Outcome) -> Check {
    let n = 200, rate = 0.01, steps = 1000
    var worst = 0.0, series: [Figure.Series] = []
    for (name, potential) in [("l1", LionPotential.l1), ("soft", .soft(0.3)), ("Huber", .huber(0.3)), ("top 20", .topK(20))] {
        let solver = LionK<Double>(potential, learningRate: .constant(rate), weightDecay: 1)
        var random = RandomStream(seed: seed, stream: 2), x: [Double] = random.normal(count: n, standardDeviation: 5)
        var state = solver.initialState(like: x), course: [Double] = []
        for _ in 0..<steps {
            let before = x.map { max(abs($0) - 1, 0) }
            course.append(before.max()!)
            solver.step(&x, gradient: random.normal(count: n, standardDeviation: 10), state: &state)
            for i in x.indices where before[i] > 1e-9 { worst = max(worst, max(abs(x[i]) - 1, 0) / before[i]) }
        }
        series.append(Figure.Series(name, x: (0..<steps).map(Double.init), y: course.map { max($0, 1e-6) }))
    }
    outcome.figures.append(Figure(
        "Distance from the box under random gradients, η = 0.01, λ = 1", xLabel: "step", yLabel: "max |x| − 1", logarithmicY: true, series: series))
    return Check("largest ratio of a coordinate's distance from the box to that a step before", worst, .atMost, 1 - rate + 1e-9,
                 source: "first phase: dist(λx, dom K*) shrinks by 1 − ηλ a step, whatever f does; four K, gradients of noise")
}

private func constrainedQuadratics(_ quadratics: [BoxQuadratic], _ context: inout Context, _ outcome: inout Outcome) {
    let rates = context.quick ? [1e-1, 3e-2, 1e-2, 3e-3] : [1e-1, 3e-2, 1e-2, 3e-3, 1e-3]
    let stated = [["6.1e-2", "3.4e-3", "4.6e-4", "2.4e-5", "4.7e-6"], ["1.9e-5", "2.8e-7", "5.4e-9", "3e-11", "8e-12"]]
    let minima = quadratics.map(\.minimum)
    var table = Table(
        "Lion on the box: gap to the minimum after 60/η steps, geometric mean of \(seeds) problems of 50 variables",
        columns: ["η", "constant", "independent computation", "linear decay to 0", "independent computation"])
    var gaps: [[Double]] = [[], []], curves: [Figure.Series] = []
    for (j, rate) in rates.enumerated() {
        context.report(0.05 + 0.25 * Double(j) / Double(rates.count), "box, rate \(rate)")
        let steps = Int(60 / rate)
        for (k, schedule) in [Schedule.constant(rate), .linear(from: rate, to: 0, steps: steps)].enumerated() {
            let solver = LionK<Double>(.l1, learningRate: schedule, weightDecay: 1)
            // Rounding leaves 1e-14; what is below it is no gap.
            gaps[k].append(geometricMean(zip(quadratics, minima).map { max($0.value($0.run(solver, steps)) - $1, 1e-14) }))
        }
        var course: [Double] = [], times: [Double] = [], t = 0
        _ = quadratics[0].run(LionK<Double>(.l1, learningRate: .constant(rate), weightDecay: 1), steps) { x in
            t += 1
            if t % max(1, steps / 200) == 0 {
                course.append(max(quadratics[0].value(x) - minima[0], 1e-14))
                times.append(Double(t) * rate)
            }
        }
        curves.append(Figure.Series("η = \(rate)", x: times, y: course))
        table.append(short(rate), short(gaps[0][j]), stated[0][j], short(gaps[1][j]), stated[1][j])
    }
    outcome.tables.append(table)
    outcome.figures.append(Figure("Gap of Lion on a box-constrained quadratic", xLabel: "η t", yLabel: "f − f*", logarithmicY: true, series: curves))
    let last = rates.count - 1
    let slope = Double.log(gaps[0][0] / gaps[0][last]) / Double.log(rates[0] / rates[last])

    // Soft thresholds add e ‖x‖₁.
    let e = 0.3, steps = context.quick ? 20_000 : 60_000, rate = context.quick ? 3e-3 : 1e-3
    var softGaps: [Double] = [], unlike = 0, zeros = 0
    for quadratic in quadratics {
        func composite(_ x: [Double]) -> Double { quadratic.value(x) + e * x.reduce(0) { $0 + abs($1) } }
        let reference = quadratic.sparseMinimizer(e)
        let solver = LionK<Double>(.soft(e), learningRate: .constant(rate), weightDecay: 1)
        // A constant rate leaves a small cycle about the solution; the box is kept within it.
        let x = quadratic.run(solver, steps).map { min(max($0, -1), 1) }
        softGaps.append(max(composite(x) - composite(reference), 1e-14))
        unlike += zip(x, reference).count { (abs($0) < 1e-2) != (abs($1) < 1e-2) }
        zeros += reference.count { abs($0) < 1e-2 }
    }
    outcome.checks += [
        Check("exponent of the gap in η, constant rates", slope, .atLeast, 1,
              source: "theorem on the discrete steps: a gap of O(η) at most; quadratics show O(η²)"),
        Check("gap at η = 0.01 with linear decay", gaps[1][2], .atMost, 1e-7,
              source: "Lion minimises f on the box: an independent computation of one such problem has 5.4e-9"),
        Check("Lion with soft threshold 0.3: gap in f + 0.3 ‖x‖₁", geometricMean(softGaps), .atMost, context.quick ? 1e-4 : 1e-5,
              source: "table of K: soft adds e ‖x‖₁; reference by proximal gradients; an independent computation has 1.0e-6 at η = 0.001"
                  + ", and the gap goes like η²"),
        Check("of its \(zeros) zeros (below 0.01) those that only one of the two has", Double(unlike), .atMost, 0.02 * Double(BoxQuadratic.size * seeds),
              source: "the same coordinates vanish; two in a hundred may lie on the threshold"),
    ]
}

/// H of the implicit steps: it may rise by (L/2) ‖Δx‖² at most.
private func lyapunovFalls(_ quadratics: [BoxQuadratic], _ outcome: inout Outcome) -> Check {
    var violations = 0
    for (p, quadratic) in quadratics.enumerated() {
        let smoothness = (try? SymmetricEigen(quadratic.a).values.max()) ?? .nan
        for potential in [LionPotential.l1, .lp(1.5), .soft(0.3), .topK(10), .huber(0.3), .smooth(0.3), .quadratic] {
            let solver = LionK<Double>(potential, learningRate: 0.003, weightDecay: 1, scheme: .implicit)
            var x = quadratic.b.map { _ in 0.0 }, state = solver.initialState(like: x), course: [Double] = []
            var h = solver.lyapunov(value: quadratic.value(x), at: x, state: state)
            for _ in 0..<1000 {
                let before = x
                solver.step(&x, gradient: quadratic.gradient(x), state: &state)
                let next = solver.lyapunov(value: quadratic.value(x), at: x, state: state)
                let step = zip(x, before).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                if !(next - h <= smoothness / 2 * step + 1e-12) { violations += 1 }
                h = next
                course.append(h)
            }
            if p == 0 && potential == .l1 {
                outcome.figures.append(Figure(
                    "Lyapunov function of Lion's implicit steps", xLabel: "step", yLabel: "H",
                    series: [Figure.Series("H", x: course.indices.map { Double($0 + 1) }, y: course)]))
            }
        }
    }
    return Check("steps of 35 000 in which the Lyapunov function rises by more than (L/2) ‖Δx‖²", Double(violations), .equal, 0,
                 source: "theorem on the discrete implicit steps, seven K on \(seeds) problems")
}

/// Lion and what others end at with the same decay: Adam with a penalty minimises another problem.
private func whereMethodsEnd(_ quadratics: [BoxQuadratic], steps: Int, _ outcome: inout Outcome) {
    let minima = quadratics.map(\.minimum), rate = Schedule.linear(from: 0.01, to: 0, steps: steps)
    var table = Table(
        "After \(steps) steps with rates from 0.01 to 0 and λ = 1, mean of \(seeds)",
        columns: ["method", "f − minimum on the box", "max |x|", "‖∇f‖"])
    func row<O: Optimizer<Double>>(_ name: String, _ optimizer: O) {
        let ends = quadratics.map { $0.run(optimizer, steps) }
        table.append(
            name, short(mean(zip(ends, zip(quadratics, minima)).map { $1.0.value($0) - $1.1 })),
            short(mean(ends.map { x in x.reduce(0) { max($0, abs($1)) } })),
            short(mean(zip(ends, quadratics).map { Double.nrm2($1.gradient($0).span) })))
    }
    row("Lion", LionK<Double>(.l1, learningRate: rate, weightDecay: 1))
    row("AdamW", AdamW<Double>(learningRate: rate, weightDecay: 1))
    row("Adam, λ in the gradient", Adam<Double>(learningRate: rate, weightDecay: 1))
    row("Adam without decay", Adam<Double>(learningRate: rate))
    outcome.tables.append(table)
}

// MARK: - Networks

private struct Digits {
    let train: LabeledTensors<Float>, test: LabeledTensors<Float>

    init(seed: UInt64) throws {
        let digits = try Dataset<Float>.digits()
        let parts = digits.replacingFeatures(digits.features.map { $0 / 16 }).trainTestSplit(seed: seed, stratified: true)
        (train, test) = (LabeledTensors(parts.train), LabeledTensors(parts.test))
    }

    /// Steps of one epoch.
    static let steps = 22

    struct End {
        /// Parameters after each epoch, from before the first.
        let course: [[Float]]
        let accuracy: Double
        var parameters: [Float] { course.last! }
        /// max |w| after each epoch.
        var largest: [Double] { course.map { Double(Float.maxAbs($0.span)) } }
    }

    func train<O: Optimizer<Float>>(_ optimizer: O, epochs: Int, seed: UInt64) throws -> End {
        let trainer = Trainer(
            Network(MLP<Float>([64, 128, 10], activation: .relu)), loss: .crossEntropy(), optimizer: optimizer, batchSize: 64, seed: seed)
        var state = trainer.makeState(), course = [state.parameters]
        while state.epoch < epochs {
            try trainer.train(&state, on: train, epochs: state.epoch + 1)
            course.append(state.parameters)
        }
        return End(course: course, accuracy: trainer.evaluate(state, on: test).accuracy!)
    }
}

private func weightsInTheBox(_ context: inout Context, _ outcome: inout Outcome) throws {
    let data = try (0..<seeds).map { try Digits(seed: context.seed &+ UInt64($0)) }
    let epochs = context.quick ? 15 : 30, peak = context.quick ? 2e-3 : 1e-3, total = epochs * Digits.steps
    let rate = Schedule.cosine(from: peak, steps: total)
    let decays = context.quick ? [0.0, 3, 30] : [0.0, 1, 3, 10, 30]
    var table = Table(
        "Lion on the digits, MLP 64-128-10, \(epochs) epochs, rates from \(peak) to 0, mean of \(seeds) seeds",
        columns: ["λ", "λ max |w| at first", "λ max |w|", "bound of theory", "share of |w| above 0.95/λ, %", "epochs to 1.01/λ", "test accuracy, %"])
    var shares: [Double] = [], broken = 0, ratio = 0.0, courses: [Figure.Series] = []
    for (j, decay) in decays.enumerated() {
        context.report(0.4 + 0.3 * Double(j) / Double(decays.count), "digits, decay \(decay)")
        let ends = try data.enumerated().map { try $1.train(Lion<Float>(learningRate: rate, weightDecay: decay), epochs: epochs, seed: UInt64($0)) }
        let accuracy = short(100 * mean(ends.map(\.accuracy)))
        if decay == 0 {
            table.append(
                "0 (max |w| alone)", short(mean(ends.map { $0.largest[0] })), short(mean(ends.map { $0.largest.last! })), "", "", "", accuracy)
            continue
        }
        // What the first phase leaves of the initial excess: Π (1 − ηλ).
        let shrinkage = (0..<total).reduce(1) { $0 * (1 - rate.value(at: $1) * decay) }
        let first = ends.map { decay * $0.largest[0] }, last = ends.map { decay * $0.largest.last! }
        let bounds = first.map { 1 + max(0, $0 - 1) * shrinkage }
        broken += zip(last, bounds).count { $0 > $1 + 1e-4 }
        let share = mean(ends.map { end in Double(end.parameters.count { abs($0) > 0.95 / Float(decay) }) / Double(end.parameters.count) })
        shares.append(share)
        if decay == 30 { ratio = mean(last) }
        let entered = ends.map { end in
            Double(end.largest.firstIndex { decay * $0 <= 1.01 } ?? -1)
        }
        table.append(
            short(decay), short(mean(first)), short(mean(last)), short(mean(bounds)), short(100 * share),
            entered.contains(-1) ? "not in all" : short(mean(entered)), accuracy)
        courses.append(Figure.Series(
            "λ = \(short(decay))", x: ends[0].course.indices.map(Double.init), y: ends[0].largest.map { decay * $0 }))
        if decay == 30 {
            let bins = (-25...24).map { Double($0) / 20 }
            let counts = bins.map { low in Double(ends[0].parameters.count { let u = decay * Double($0); return u >= low && u < low + 0.05 }) }
            outcome.figures.append(Figure(
                "Weights at λ = 30 pile up within ±1/λ", xLabel: "λ w", yLabel: "weights", series: [Figure.Series("after training", x: bins.map { $0 + 0.025 }, y: counts)]))
        }
    }
    outcome.tables.append(table)
    outcome.figures.append(Figure("Largest weight of the network on the digits", xLabel: "epoch", yLabel: "λ max |w|", logarithmicY: true, series: courses))

    // Soft thresholds: sparse weights.
    let thresholds = context.quick ? [0, 1e-3, 1e-2] : [0, 3e-4, 1e-3, 3e-3, 1e-2]
    var sparsity: [Double] = []
    var softTable = Table(
        "Lion with a soft threshold e, λ = 10, rates from 0.003 to 0, 15 epochs, mean of \(seeds) seeds",
        columns: ["e", "share of |w| below 0.001, %", "test accuracy, %"])
    for (j, e) in thresholds.enumerated() {
        context.report(0.7 + 0.15 * Double(j) / Double(thresholds.count), "digits, threshold \(e)")
        let optimizer = LionK<Float>(.soft(e), learningRate: .cosine(from: 3e-3, steps: 15 * Digits.steps), weightDecay: 10)
        let ends = try data.enumerated().map { try $1.train(optimizer, epochs: 15, seed: UInt64($0)) }
        sparsity.append(mean(ends.map { end in Double(end.parameters.count { abs($0) < 1e-3 }) / Double(end.parameters.count) }))
        softTable.append(short(e), short(100 * sparsity[j]), short(100 * mean(ends.map(\.accuracy))))
    }
    outcome.tables.append(softTable)

    // K = ‖·‖ₚ: an element of its gradient is about P^(1/p − 1), which the rate makes up for.
    let powers = context.quick ? [1, 2.0] : [1, 1.2, 1.5, 2], scales = context.quick ? [3e-3] : [3e-4, 1e-3, 3e-3]
    let count = Network(MLP<Float>([64, 128, 10])).parameterCount, shortEpochs = context.quick ? 8 : 15
    var powerTable = Table(
        "Lion with K = ‖m‖ₚ, rate c P^(1 − 1/p) for P = \(count) parameters, \(shortEpochs) epochs, mean of \(seeds) seeds",
        columns: ["p"] + scales.map { "test accuracy, %, at c = \(short($0))" })
    var worst = 1.0
    for (j, p) in powers.enumerated() {
        context.report(0.85 + 0.15 * Double(j) / Double(powers.count), "digits, p = \(p)")
        let accuracies = try scales.map { c in
            let optimizer = LionK<Float>(
                p == 1 ? .l1 : .lp(p), learningRate: .cosine(from: c * Double.pow(Double(count), 1 - 1 / p), steps: shortEpochs * Digits.steps))
            return mean(try data.enumerated().map { try $1.train(optimizer, epochs: shortEpochs, seed: UInt64($0)).accuracy })
        }
        worst = min(worst, accuracies.max()!)
        powerTable.append([short(p)] + accuracies.map { short(100 * $0) })
    }
    outcome.tables.append(powerTable)

    outcome.checks += [
        Check("networks with a weight beyond what the first phase leaves", Double(broken), .equal, 0,
              source: "dist(λw, box) ≤ Π (1 − ηλ) of its first value, for each λ and seed; the ResNet on CIFAR-10 of the paper "
                  + "shows the same in its histograms, for which the digits stand in"),
        Check("|λ max |w| − 1| at λ = 30", abs(ratio - 1), .atMost, 0.01, source: "weights end within ±1/λ and reach it"),
        Check("λ at which the share of weights near the bound does not rise", Double(zip(shares, shares.dropFirst()).count { $0 >= $1 }), .equal, 0,
              source: "a smaller box binds more weights"),
        Check("thresholds e at which the share of zeros does not rise", Double(zip(sparsity, sparsity.dropFirst()).count { $0 >= $1 }), .equal, 0,
              source: "table of K: soft adds the sparsity penalty e ‖w‖₁"),
        Check("lowest of the best test accuracies over p", worst, .atLeast, 0.9,
              source: "every K of the family trains; ImageNet and GPT-2, on which the paper compares p, are out of a CPU's range"),
    ]
}
