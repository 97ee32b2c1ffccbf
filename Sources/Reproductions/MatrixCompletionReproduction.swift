import Descent

extension Reproduction {
    /// The paper has theorems and no experiments. Here: how rough the regressions may be, what they cost, how much data the theory's sampling
    /// wants, and the digits with half of their pixels hidden, in place of a recommendation data set that cannot be shipped.
    static let matrixCompletion = Reproduction(
        slug: "matrix-completion", title: "Low Rank Matrix Completion via Robust Alternating Minimization in Nearly Linear Time",
        claim: "Alternating minimisation keeps its convergence when each regression is solved to moderate accuracy by sketching, so that completion costs "
            + "O(|Ω| k) and not O(|Ω| k²)."
    ) { context in
        var outcome = Outcome()
        let seeds = (0..<5).map { context.seed &+ UInt64($0) }
        try convergence(seeds, &context, &outcome)
        try roughRegressions(seeds, &context, &outcome)
        try operations(&context, &outcome)
        try sampling(seeds, &context, &outcome)
        try hiddenPixels(&context, &outcome)
        return outcome
    }
}

private typealias Completion = MatrixCompletion<Double>
private typealias Model = LowRankModel<Double>

private func problem(_ model: Model, _ probability: Double, seed: UInt64) throws -> Completion {
    try Completion(rows: model.factors.rows, columns: model.factors.columns, observations: model.observations(probability: probability, seed: seed))
}

/// The relative error after each round, until it is at most `goal`.
private func errors(
    _ solver: AlternatingMinimization<Double>, _ problem: Completion, _ model: Model, rounds: Int, goal: Double = 0
) throws -> (errors: [Double], counts: RegressionCounts) {
    let start = try solver.startingSample(problem).spectralStart(rank: solver.rank, seed: solver.seed)
    var state = solver.makeState(problem, from: start.parameters), result: [Double] = []
    while result.count < rounds, result.last.map({ $0 > goal }) ?? true {
        if solver.step(&state, problem)?.status == .singular { break }
        result.append(model.relativeError(of: state.factors))
    }
    return (result, state.counts)
}

// MARK: - Convergence

private func convergence(_ seeds: [UInt64], _ context: inout Context, _ outcome: inout Outcome) throws {
    context.report(0, "convergence")
    let methods: [(name: String, method: InnerRegression)] = [
        ("exact", .exact), ("sketch and solve alone", .sketched(steps: 0, accuracy: nil)), ("sketched, 1 step", .sketched(steps: 1, accuracy: nil)),
        ("conjugate gradients, 1 step", .conjugateGradients(steps: 1, accuracy: nil)), ("automatic", .automatic),
    ]
    var table = Table("Error after rounds of 400×300, rank 5, a fifth observed: geometric mean of \(seeds.count) seeds",
                      columns: ["regressions", "round 1", "3", "6", "12", "factor a round (4 to 12)"])
    var factors: [Double] = [], series: [Figure.Series] = []
    for (name, method) in methods {
        let runs = try seeds.map { seed in
            let model = Model(rows: 400, columns: 300, rank: 5, seed: seed)
            return try errors(AlternatingMinimization(rank: 5, regression: method, seed: seed), problem(model, 0.2, seed: seed), model, rounds: 12).errors
        }
        let means = (0..<12).map { t in geometricMean(runs.map { $0[t] }) }
        factors.append(Double.pow(means[11] / means[3], 1.0 / 8))
        table.append([name] + [0, 2, 5, 11].map { short(means[$0]) } + [short(factors.last!)])
        series.append(Figure.Series(name, x: (1...12).map { Double($0) }, y: means))
    }
    // The theory's sampling: a class of its own for each half of a round.
    let split = try seeds.map { seed in
        let model = Model(rows: 600, columns: 500, rank: 3, seed: seed)
        let solver = AlternatingMinimization<Double>(rank: 3, sampling: .split(rounds: 8), seed: seed)
        return try errors(solver, problem(model, 0.9, seed: seed), model, rounds: 8).errors
    }
    let means = (0..<8).map { t in geometricMean(split.map { $0[t] }) }, contraction = Double.pow(means[7] / means[1], 1.0 / 6)
    table.append(["split samples (600×500, rank 3, p = 0.9)"] + [0, 2, 5].map { short(means[$0]) } + ["", short(contraction)])
    series.append(Figure.Series("split samples", x: (1...8).map { Double($0) }, y: means))
    outcome.tables.append(table)
    outcome.figures.append(Figure("Error by rounds", xLabel: "round", yLabel: "relative error", logarithmicY: true, series: series))
    outcome.checks += [
        Check("contraction of a round with fresh samples", contraction, .atMost, 0.25,
              source: "the distance to the column space falls to a quarter in each round (induction of the convergence proof)"),
        Check("factor a round, sketched with one step, over exact", factors[2] / factors[0], .atMost, 1.1,
              source: "regressions of moderate accuracy keep the rate; an independent computation has 0.31 for both"),
        Check("factor a round, sketch and solve alone, less exact", factors[1] - factors[0], .atLeast, 0.03,
              source: "an independent computation has 0.43 against 0.31: one sketched solution alone is too rough"),
        Check("factor a round, automatic, over exact", factors[4] / factors[0], .atMost, 1.1, source: "as for the sketched ones"),
    ]
}

// MARK: - How rough regressions may be

private func roughRegressions(_ seeds: [UInt64], _ context: inout Context, _ outcome: inout Outcome) throws {
    let size = context.quick ? 300 : 2000, rank = 10, share = context.quick ? 0.3 : 0.05
    var table = Table("Rounds to an error of 10⁻⁶, \(size)×\(size), rank \(rank), share \(short(share)) observed: mean of \(seeds.count) seeds",
                      columns: ["accuracy of a regression", "rounds", "conjugate gradient steps a regression"])
    var rounds: [Double] = []
    let accuracies: [Double?] = [nil, 1e-4, 1e-2, 0.1, 0.5]
    for (i, accuracy) in accuracies.enumerated() {
        context.report(0.1 + 0.3 * Double(i) / 5, "rough regressions")
        var count: [Double] = [], steps: [Double] = []
        for seed in seeds {
            let model = Model(rows: size, columns: size, rank: rank, seed: seed)
            let method = accuracy.map { InnerRegression.conjugateGradients(steps: 100, accuracy: $0) } ?? .exact
            let run = try errors(AlternatingMinimization(rank: rank, regression: method, seed: seed), problem(model, share, seed: seed), model,
                                 rounds: 100, goal: 1e-6)
            count.append(Double(run.errors.count))
            steps.append(Double(run.counts.steps) / Double(max(1, run.counts.iterative)))
        }
        rounds.append(mean(count))
        table.append(accuracy.map(short) ?? "exact", short(rounds[i]), accuracy == nil ? "" : short(mean(steps)))
    }
    outcome.tables.append(table)
    outcome.checks += [
        Check("more rounds at accuracy 0.1", rounds[3] - rounds[0], .atMost, 2, source: "robustness to approximate regressions: moderate accuracy costs at most a round or two"),
        Check("rounds at accuracy 0.5 over exact", rounds[4] / rounds[0], .atMost, 2, source: "very rough regressions slow down and do not break"),
    ]
}

// MARK: - Counted operations and time

private func operations(_ context: inout Context, _ outcome: inout Outcome) throws {
    let size = context.quick ? 1500 : 2000
    let model = LowRankModel<Float>(rows: size, columns: size, rank: 4, seed: context.seed)
    let problems = try [0.225, 0.45, 0.9].map {
        try MatrixCompletion<Float>(rows: size, columns: size, observations: model.observations(probability: $0, seed: context.seed))
    }
    func round(_ method: InnerRegression, _ rank: Int, _ problem: MatrixCompletion<Float>) -> (operations: Double, seconds: Double) {
        let solver = AlternatingMinimization<Float>(rank: rank, regression: method)
        var random = RandomStream(seed: context.seed)
        var state = solver.makeState(problem, from: random.normal(count: 2 * size * rank))
        let start = ContinuousClock.now
        _ = solver.step(&state, problem)
        return (Double(state.counts.operations), (ContinuousClock.now - start).seconds)
    }
    let all = problems[2]
    var table = Table("One round of \(size)×\(size) with \(all.count) observations, single precision: million operations (seconds)",
                      columns: ["rank", "exact", "sketched, 3 steps", "conjugate gradients, 3 steps", "automatic"])
    let low = context.quick ? [8, 32] : [8, 16, 32], high = context.quick ? [48, 96] : [64, 128], ranks = low + high
    let methods: [InnerRegression] = [.exact, .sketched(steps: 3, accuracy: nil), .conjugateGradients(steps: 3, accuracy: nil), .automatic]
    var counts: [[Double]] = [[], [], [], []]
    for (i, rank) in ranks.enumerated() {
        context.report(0.4 + 0.3 * Double(i) / Double(ranks.count), "operations at rank \(rank)")
        let cells = methods.enumerated().map { j, method in
            // The sketch is slow where the quick form does not look at it.
            let isLeftOut = context.quick && j == 1 && high.contains(rank)
            let result = isLeftOut ? (.nan, .nan) : round(method, rank, all)
            counts[j].append(result.operations)
            return isLeftOut ? "" : "\(short(result.operations / 1e6)) (\(short(result.seconds)))"
        }
        table.append(["\(rank)"] + cells)
    }
    outcome.tables.append(table)
    outcome.figures.append(Figure(
        "Operations of a round by rank", xLabel: "log₁₀ rank", yLabel: "operations", logarithmicY: true,
        series: zip(["exact", "sketched", "conjugate gradients"], counts).map { name, values in
            let shown = values.indices.filter { values[$0].isFinite }
            return Figure.Series(name, x: shown.map { Double.log10(Double(ranks[$0])) }, y: shown.map { values[$0] })
        }))
    func inRank(_ j: Int, _ chosen: [Int]) -> Double {
        let indices = chosen.map { ranks.firstIndex(of: $0)! }
        return logSlope(chosen.map { Double($0) }, indices.map { counts[j][$0] })
    }
    let inCount = methods.dropLast().map { method in logSlope(problems.map { Double($0.count) }, problems.map { round(method, 8, $0).operations }) }
    let source = "O(|Ω| k) where the number of observations of a row outweighs k² (the theorem's sample size); counted multiplications and additions"
    outcome.checks += [
        Check("distance from 1 of the slope in k, sketched", abs(inRank(1, low) - 1), .atMost, 0.1, source: source),
        Check("distance from 1 of the slope in k, conjugate gradients", abs(inRank(2, low) - 1), .atMost, 0.1, source: source),
        Check("distance from 2 of the slope in k, exact", abs(inRank(0, high) - 2), .atMost, 0.1, source: "O(|Ω| k²) of exact alternating minimisation, at ranks where k²/2 outweighs 2k"),
        Check("largest distance from 1 of the slopes in |Ω|", inCount.map { abs($0 - 1) }.max()!, .atMost, 0.1, source: "linear in the observations for all"),
    ]
}

// MARK: - How many observations

/// Of missing entries: X ← the singular values of the completed matrix less τ, none below 0 (Mazumder, Hastie and Tibshirani 2010).
private func softImpute(_ problem: Completion, threshold: Double, iterations: Int) throws -> Matrix<Double> {
    var x = Matrix<Double>.zeros(rows: problem.rows, columns: problem.columns)
    for _ in 0..<iterations {
        for i in 0..<problem.rows { for entry in problem.byRows.row(i) { x[i, entry.column] = entry.value } }
        let svd = try SVD(x)
        var u = svd.u
        for j in 0..<u.columns {
            let s = max(0, svd.singularValues[j] - threshold)
            for i in 0..<u.rows { u[i, j] *= s }
        }
        x = u * svd.vTransposed
    }
    return x
}

private func sampling(_ seeds: [UInt64], _ context: inout Context, _ outcome: inout Outcome) throws {
    let size = 120, shares = context.quick ? [0.05, 0.08, 0.12, 0.3, 0.95] : [0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.45, 0.65, 0.95]
    let ranks = context.quick ? [1] : [1, 2, 4], rounds = context.quick ? 30 : 60
    var table = Table("Share of \(seeds.count) seeds with error below 10⁻⁴, \(size)×\(size): all observations in each of \(rounds) rounds / split in 17 (8 rounds)",
                      columns: ["rank"] + shares.map { "p = \(short($0))" })
    var first: [(reuse: Double, split: Double)] = []
    for (i, rank) in ranks.enumerated() {
        context.report(0.7 + 0.15 * Double(i) / Double(ranks.count), "sampling at rank \(rank)")
        var cells: [String] = [], reached: (reuse: Double, split: Double) = (.infinity, .infinity)
        for share in shares {
            let success = try [AlternatingMinimization<Double>.Sampling.reuse, .split(rounds: 8)].map { sampling in
                mean(try seeds.map { seed in
                    let model = Model(rows: size, columns: size, rank: rank, seed: seed)
                    let solver = AlternatingMinimization<Double>(rank: rank, regression: .exact, sampling: sampling, seed: seed)
                    let last = try errors(solver, problem(model, share, seed: seed), model, rounds: sampling == .reuse ? rounds : 8, goal: 1e-4).errors.last
                    return (last ?? 1) < 1e-4 ? 1.0 : 0
                })
            }
            cells.append("\(short(success[0])) / \(short(success[1]))")
            if success[0] == 1 { reached.reuse = min(reached.reuse, share) }
            if success[1] == 1 { reached.split = min(reached.split, share) }
        }
        first.append(reached)
        table.append(["\(rank)"] + cells)
    }
    outcome.tables.append(table)
    // Rank 1 never fails with all of the observations where it does with a seventeenth.
    outcome.checks.append(Check("observations that split samples need, over those of reused ones, rank 1", min(first[0].split, 1) / first[0].reuse, .atLeast, 4,
        source: "2T + 1 = 17 classes, each of which must suffice: the theory's sampling is for the proof (grid of shares: a factor of at least 4)"))
}

// MARK: - Real data

private func hiddenPixels(_ context: inout Context, _ outcome: inout Outcome) throws {
    context.report(0.85, "digits with hidden pixels")
    let digits: Dataset<Double> = try Dataset.digits()
    let pixels = context.quick ? digits.features.submatrix(rows: 0..<600, columns: 0..<64) : digits.features
    let whole = try Completion(rows: pixels.rows, columns: 64, observations: (0..<pixels.rows).flatMap { i in
        (0..<64).map { .init(row: i, column: $0, value: pixels[i, $0]) }
    })
    let (visible, hidden) = whole.holdingOut(share: 0.5, seed: context.seed)
    func error(_ guess: (Int, Int) -> Double) -> Double {
        var sum = 0.0
        for i in 0..<hidden.rows { for entry in hidden.byRows.row(i) { sum += (entry.value - guess(i, entry.column)) * (entry.value - guess(i, entry.column)) } }
        return (sum / Double(hidden.count)).squareRoot()
    }
    let means = (0..<64).map { j in
        let column = visible.byColumns.row(j)
        return column.isEmpty ? 0 : column.reduce(0) { $0 + $1.value } / Double(column.count)
    }
    let meanError = error { means[$1] }
    // What the means leave is completed.
    let known = try Completion(rows: pixels.rows, columns: 64, observations: (0..<pixels.rows).flatMap { i in
        visible.byRows.row(i).map { .init(row: i, column: $0.column, value: $0.value - means[$0.column]) }
    })
    // The regularisation is chosen on a tenth of what is known.
    let (training, validation) = known.holdingOut(share: 0.1, seed: context.seed &+ 1)
    var best = (regularization: 0.0, error: Double.infinity)
    for regularization in [0.03, 0.1, 0.3, 1] {
        let solution = try AlternatingMinimization<Double>(rank: 10, regularization: regularization).solve(training, stopping: .iterations(30))
        let residual = validation.residualNorm(LowRankFactors(rows: pixels.rows, columns: 64, rank: 10, parameters: solution.iterate))
        if residual < best.error { best = (regularization, residual) }
    }
    let solution = try AlternatingMinimization<Double>(rank: 10, regularization: best.regularization).solve(known, stopping: .iterations(60))
    let factors = LowRankFactors(rows: pixels.rows, columns: 64, rank: 10, parameters: solution.iterate)
    let completed = error { means[$1] + factors[$0, $1] }
    let soft = try softImpute(known, threshold: 40, iterations: context.quick ? 30 : 60), softError = error { means[$1] + soft[$0, $1] }
    var table = Table("Root mean square error of \(hidden.count) hidden pixels of the digits (0 to 16)", columns: ["method", "error"])
    table.append("mean of the pixel", short(meanError))
    table.append("soft-impute, threshold 40", short(softError))
    table.append("alternating minimisation, rank 10, λ = \(short(best.regularization))", short(completed))
    outcome.tables.append(table)
    outcome.checks += [
        Check("error over that of the pixel's mean", completed / meanError, .atMost, 0.75,
              source: "stand-in for recommendations: ten components hold 74 % of the digits' variance, and half of the pixels are known"),
        Check("error over that of soft-impute", completed / softError, .atMost, 1.1, source: "the convex method on the same entries"),
    ]
}
