import Descent

extension Reproduction {
    /// Directional sharpness on a bigram model of Zipf-distributed words: the smallest model with the long-tailed classes of language.
    /// The paper's T5 and GPT-Neo want weights and a GPU.
    static let directionalSharpness = Reproduction(
        slug: "directional-sharpness", title: "Toward Understanding Why Adam Converges Faster Than SGD for Transformers",
        claim: "Along SGD's update the loss is far more sharply curved than along Adam's, Lion's or sign descent's; a small fraction of "
            + "the coordinates is to blame, and clipping them removes most of the sharpness at a small cost in correlation."
    ) { context in
        var outcome = Outcome()
        context.report(0, "drawing the models")
        let seed = context.seed
        let models = (0..<5).map { ZipfBigrams(seed: seed &+ $0) }
        let local = try localMeasurements(models, &context)
        outcome.checks += local.checks
        outcome.tables += local.tables
        outcome.figures.append(local.figure)
        let training = trainedLosses(models, &context)
        outcome.checks += training.checks
        outcome.tables.append(training.table)
        return outcome
    }
}

// MARK: The model

/// Pairs (i, j) of words with P(i) ∝ 1/i and P(j | i) from Dirichlet(0.05 V P + 10⁻³), and logits E[i]·Uᵀ of width 32.
private struct ZipfBigrams {
    let vocabulary = 512, width = 32
    let pairs: [(first: Int, second: Int)]
    /// E ~ N(0, 1/32) and U ~ N(0, 0.01).
    let start: [Float]
    let layout: ParameterLayout
    private let order: RandomStream

    init(seed: UInt64) {
        var random = RandomStream(seed: seed, stream: 1)
        let v = vocabulary
        func cumulative(_ weights: [Double]) -> [Double] {
            var sum = 0.0
            let sums = weights.map { sum += $0; return sum }
            return sums.map { $0 / sum }
        }
        func draw(_ sums: [Double]) -> Int {
            let u = Double(random.next() >> 11) * 0x1p-53
            var low = 0, high = sums.count - 1
            while low < high {
                let middle = (low + high) / 2
                if sums[middle] > u { high = middle } else { low = middle + 1 }
            }
            return low
        }
        let zipf = (1...v).map { 1 / Double($0) }, total = zipf.reduce(0, +)
        let words = cumulative(zipf)
        let rows = (0..<v).map { _ in
            cumulative(zipf.map { gamma(shape: 0.05 * Double(v) * $0 / total + 1e-3, using: &random) })
        }
        pairs = (0..<20_000).map { _ in
            let first = draw(words)
            return (first, draw(rows[first]))
        }
        let e: [Float] = random.normal(count: v * width, standardDeviation: 1 / Float(width).squareRoot())
        let u: [Float] = random.normal(count: v * width, standardDeviation: 0.1)
        start = e + u
        layout = ParameterLayout([("E", [v, width]), ("U", [v, width])])
        order = random.substream(0)
    }

    /// The mean cross entropy of some pairs. It depends on how often each pair occurs alone: the logits of a first word are computed once.
    private func loss(_ pairs: [(first: Int, second: Int)]) -> TensorObjective<Float> {
        let (v, d) = (vocabulary, width)
        let words = Set(pairs.map(\.first)).sorted(), row = Dictionary(uniqueKeysWithValues: zip(words, 0...))
        var weights = [Float](repeating: 0, count: words.count * v)
        for pair in pairs { weights[row[pair.first]! * v + pair.second] -= 1 / Float(pairs.count) }
        let shares = Tensor(shape: [words.count, v], elements: weights)
        return TensorObjective(dimension: 2 * v * d) { p in
            let e = p.part(from: 0, shape: [v, d]).gathered(words), u = p.part(from: v * d, shape: [v, d])
            return (shares * matmul(e, u.transposed()).logSoftmax()).sum()
        }
    }

    /// All pairs.
    var full: TensorObjective<Float> { loss(pairs) }

    /// 1024 pairs, for the step of this number.
    func batch(_ step: Int) -> TensorObjective<Float> {
        var random = order.substream(UInt64(step))
        return loss((0..<1024).map { _ in pairs[random.integer(in: 0..<pairs.count)] })
    }
}

/// A gamma variate of scale 1 (Marsaglia & Tsang 2000), for shapes below 1 by the power of a uniform number.
private func gamma(shape: Double, using random: inout RandomStream) -> Double {
    func uniform() -> Double { (Double(random.next() >> 11) + 0.5) * 0x1p-53 }
    if shape < 1 { return gamma(shape: shape + 1, using: &random) * Double.pow(uniform(), 1 / shape) }
    let d = shape - 1.0 / 3, c = 1 / (9 * d).squareRoot()
    while true {
        let x = (-2 * Double.log(uniform())).squareRoot() * Double.cos(2 * .pi * uniform()), t = 1 + c * x, v = t * t * t
        if v > 0, Double.log(uniform()) < 0.5 * x * x + d - d * v + d * Double.log(v) { return d * v }
    }
}

private func gradient(_ objective: TensorObjective<Float>, at x: [Float]) -> [Float] {
    var g = x, span = g.mutableSpan
    _ = objective.valueAndGradient(at: x.span, gradient: &span)
    return g
}

// MARK: Updates along a trajectory

/// A method that proposes an update at each step, and sees every gradient of a trajectory that another one moves.
private struct Proposal {
    let name: String
    /// From gradient and point to what would be added.
    private let propose: (_ gradient: [Float], _ x: [Float]) -> [Float]
    private(set) var update: [Float] = []

    init<T: GradientTransformation<Float>>(_ name: String, _ transformation: T, like x: [Float]) {
        self.name = name
        var state = transformation.initialState(like: x.span)
        propose = { gradient, x in
            var update = gradient, span = update.mutableSpan
            transformation.update(&span, state: &state, parameters: x.span, context: UpdateContext())
            return update.map { -$0 }
        }
    }

    mutating func see(_ gradient: [Float], at x: [Float]) { update = propose(gradient, x) }

    /// The paper's variants, with its fractions: 0.1 for SGD, 0.5 for adaptive methods.
    static func all(like x: [Float], layout: ParameterLayout, quick: Bool) -> [Proposal] {
        let momentum = Momentum<Float>(0.9, dampening: 0.9), tenth = ClipByQuantile<Float>(0.1), half = ClipByQuantile<Float>(0.5)
        func adafactor(_ clipping: ClipByQuantile<Float>?) -> some GradientTransformation<Float> {
            chain(Float.self) { ScaleByFactoredRMS(layout, numeratorClipping: clipping); ClipByBlockRMS(1, layout: layout) }
        }
        let judged = [
            Proposal("SGD", momentum, like: x),
            Proposal("SGD, clipped by norm", chain(Float.self) { momentum; ClipByGlobalNorm(1e-3) }, like: x),
            Proposal("SGD, gradient clipped 0.1", chain(Float.self) { tenth; momentum }, like: x),
            Proposal("normalised SGD", chain(Float.self) { momentum; NormalizeBlocks(layout) }, like: x),
            Proposal("sign SGD", chain(Float.self) { momentum; ScaleBySign() }, like: x),
            Proposal("Adam", ScaleByAdam(), like: x),
            Proposal("Lion", ScaleByLion(), like: x),
        ]
        return quick ? judged : judged + [
            Proposal("Adam, gradient clipped 0.5", ScaleByAdam(numeratorClipping: half), like: x),
            Proposal("Adam, update clipped 0.5", chain(Float.self) { ScaleByAdam(); half }, like: x),
            Proposal("Adafactor", adafactor(nil), like: x),
            Proposal("Adafactor, gradient clipped 0.5", adafactor(half), like: x),
            Proposal("Lion, update clipped 0.5", chain(Float.self) { ScaleByLion(takesSign: false); half }, like: x),
        ]
    }
}

/// What is measured of one update.
private struct Measurement {
    let ratio: Double, correlation: Double, share: Double, decrease: Double
}

private func localMeasurements(_ models: [ZipfBigrams], _ context: inout Context) throws -> (checks: [Check], tables: [Table], figure: Figure) {
    let seeds = models.count, moments = context.quick ? [50, 200] : [50, 200, 600], judged = 200
    var tables: [Table] = [], checks: [Check] = [], bars: [Figure.Series] = []
    for (t, trajectory) in ["SGD", "Adam"].enumerated() {
        // measured[moment][proposal][seed]
        var measured: [Int: [[Measurement]]] = [:], names: [String] = [], disagreement = 0.0
        for s in 0..<seeds {
            context.report(0.3 * Double(t) + 0.06 * Double(s), "updates along \(trajectory)'s trajectory, seed \(s + 1) of \(seeds)")
            let model = models[s], full = model.full
            var x = model.start, proposals = Proposal.all(like: x, layout: model.layout, quick: context.quick)
            let sgd = SGD<Float>(learningRate: 2, momentum: 0.9, dampening: 0.9), adam = Adam<Float>(learningRate: 0.01)
            var sgdState = sgd.initialState(like: x), adamState = adam.initialState(like: x)
            names = proposals.map(\.name)
            for step in 1...moments.last! {
                let g = gradient(model.batch(step), at: x)
                for k in proposals.indices { proposals[k].see(g, at: x) }
                if moments.contains(step) {
                    let hessian = HessianOperator(of: full, at: x), slope = gradient(full, at: x)
                    let along = try proposals.map { try DirectionalSharpness(of: hessian, gradient: slope, along: $0.update) }
                    let reference = abs(along[0].value)
                    disagreement = max(disagreement, abs(along[1].value - along[0].value) / reference)
                    let each = try proposals.indices.map { k in
                        let profile = step == judged
                            ? try LandscapeSearch<Float>(step: 1).solve(full, from: x, along: proposals[k].update) : nil
                        return Measurement(ratio: along[k].value / reference, correlation: along[k].gradientCorrelation,
                                           share: along[k].share(ofLargest: 0.1), decrease: profile?.bestDecrease ?? .nan)
                    }
                    for (k, m) in each.enumerated() {
                        measured[step, default: names.map { _ in [] }][k].append(m)
                    }
                }
                // The proposals above leave it alone: it moves by its own state and gradient.
                if t == 0 { sgd.step(&x, gradient: g, state: &sgdState) } else { adam.step(&x, gradient: g, state: &adamState) }
            }
        }
        func average(_ step: Int, _ k: Int, _ what: (Measurement) -> Double) -> Double {
            mean(measured[step]![k].map(what).filter { !$0.isNaN })
        }
        var table = Table(
            "Along \(trajectory)'s trajectory, mean of \(seeds) seeds: sharpness over |SGD's|; at step \(judged) also the correlation with −∇f, "
                + "what the tenth of the coordinates with the largest part of the sharpness makes up of it, and the best decrease",
            columns: ["update"] + moments.map { "step \($0)" } + ["correlation", "share", "decrease"])
        for (k, name) in names.enumerated() {
            table.append([name] + moments.map { short(average($0, k, \.ratio)) }
                + [short(average(judged, k, \.correlation)), short(average(judged, k, \.share)), short(average(judged, k, \.decrease))])
        }
        tables.append(table)
        let place = { (name: String) in names.firstIndex(of: name)! }
        bars.append(Figure.Series(
            "\(trajectory)'s trajectory", x: names.indices.map { Double($0) }, y: names.indices.map { max(1e-4, abs(average(judged, $0, \.ratio))) }))
        if t == 0 {
            let source = "claim of the paper; in numpy on this model at step 200 "
            checks += [
                Check("SGD's trajectory, step 200: sharpness of clipped SGD over SGD's", average(judged, place("SGD, gradient clipped 0.1"), \.ratio), .atMost, 0.3,
                      source: source + "0.063"),
                Check("the same for Adam", average(judged, place("Adam"), \.ratio), .atMost, 0.2, source: source + "0.020"),
                Check("the same for sign SGD", average(judged, place("sign SGD"), \.ratio), .atMost, 0.2, source: source + "0.040"),
                Check("the same for Lion", average(judged, place("Lion"), \.ratio), .atMost, 0.2, source: source + "0.030"),
                Check("|the same for normalised SGD − 1|", abs(average(judged, place("normalised SGD"), \.ratio) - 1), .atMost, 0.2,
                      source: "one scale a tensor hardly turns the update: 1.02 in numpy"),
                Check("largest change of the sharpness by clipping the norm", disagreement, .atMost, 1e-3,
                      source: "negative control: the direction is the same; rounding in single precision"),
                Check("share of a tenth of the coordinates in SGD's sharpness", average(judged, 0, \.share), .atLeast, 0.8,
                      source: "paper: a small fraction of the coordinates is responsible"),
                Check("best decrease along clipped SGD over that along SGD",
                      average(judged, place("SGD, gradient clipped 0.1"), \.decrease) / average(judged, 0, \.decrease), .atLeast, 3,
                      source: "paper, landscape plots; 0.150 against 0.018 in numpy"),
                Check("correlation of clipped SGD over SGD's",
                      average(judged, place("SGD, gradient clipped 0.1"), \.correlation) / average(judged, 0, \.correlation), .atLeast, 0.3,
                      source: "paper: most of the correlation stays"),
            ]
        } else {
            checks += [
                Check("Adam's trajectory, step 200: sharpness of clipped SGD over SGD's", average(judged, place("SGD, gradient clipped 0.1"), \.ratio), .atMost, 0.3,
                      source: "0.13 to 0.22 in numpy"),
                Check("the same for Adam", average(judged, place("Adam"), \.ratio), .atMost, 0.2, source: "0.03 to 0.08 in numpy"),
            ]
        }
    }
    let figure = Figure(
        "|Sharpness| over SGD's at step \(judged), by the rows of the table", xLabel: "row", yLabel: "ratio", logarithmicY: true, series: bars)
    return (checks, tables, figure)
}

// MARK: Training with each

private func trainedLosses(_ models: [ZipfBigrams], _ context: inout Context) -> (checks: [Check], table: Table) {
    let steps = context.quick ? 100 : 600
    struct Method {
        let name: String
        /// The first is what the quick form takes.
        let rates: [Double]
        let train: (ZipfBigrams, Double, Int) -> Double
    }
    func method<T: GradientTransformation<Float>>(_ name: String, _ rates: [Double], _ transformation: T) -> Method {
        Method(name: name, rates: rates) { model, rate, steps in
            let optimizer = TransformationOptimizer(Chain(transformation, ScaleByLearningRate(.constant(rate))))
            var x = model.start, state = optimizer.initialState(like: x)
            for step in 1...steps { optimizer.step(&x, gradient: gradient(model.batch(step), at: x), state: &state) }
            let loss = Double(model.full.value(at: x.span))
            return loss.isFinite ? loss : .infinity
        }
    }
    let momentum = Momentum<Float>(0.9, dampening: 0.9)
    let methods = [
        method("SGD", [20, 10], momentum),
        method("SGD, gradient clipped 0.1", [40, 20], chain(Float.self) { ClipByQuantile(0.1); momentum }),
        method("Adam", [0.01, 0.02], ScaleByAdam<Float>()),
        method("Adam, gradient clipped 0.1", [0.01, 0.02], ScaleByAdam<Float>(numeratorClipping: ClipByQuantile(0.1))),
        method("Adam, gradient clipped 0.5", [0.02, 0.04], ScaleByAdam<Float>(numeratorClipping: ClipByQuantile(0.5))),
    ]
    var table = Table("Loss on all pairs after \(steps) steps, each with the rate that is best in the mean of the same \(models.count) seeds", columns: ["method", "rate", "loss"])
    var losses: [[Double]] = []
    for (k, method) in (context.quick ? Array(methods.prefix(3)) : methods).enumerated() {
        context.report(0.6 + 0.08 * Double(k), "training, \(method.name)")
        let tried = (context.quick ? [method.rates[0]] : method.rates).map { rate in
            (rate: rate, losses: models.map { method.train($0, rate, steps) })
        }
        let best = tried.min { mean($0.losses) < mean($1.losses) }!
        losses.append(best.losses)
        table.append(method.name, short(best.rate), short(mean(best.losses)))
    }
    let gains = zip(losses[0], losses[1]).map { $0 - $1 }, gap = mean(losses[0]) - mean(losses[2])
    let checks = [
        Check("loss: SGD less clipped SGD", mean(gains), .atLeast, 0.02,
              source: "paper: clipping speeds SGD up; 3.152 against 3.090 in numpy. Adam gains nothing from it here, 3.017 against 3.050"),
        Check("part of the gap to Adam that clipping closes", mean(gains) / gap, .atLeast, 0.2, source: "0.46 in numpy"),
    ]
    return (checks, table)
}
