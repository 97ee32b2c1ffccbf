import Descent

extension Reproduction {
    /// Iterations of the learned directions against conjugate gradients on two-dimensional stand-ins for the paper's smoke simulations.
    static let deepConjugateDirection = Reproduction(
        slug: "deep-conjugate-direction", title: "A Deep Conjugate Direction Method for Iteratively Solving Linear Systems",
        claim: "Search directions from a small convolutional network cut the iterations of a conjugate direction method by a large factor, on "
            + "matrices and grids that were not trained on too. (Not the time on a processor, where a forward pass costs hundreds of products.)"
    ) { context in
        var outcome = Outcome()
        context.report(0, "identities of the iteration")
        outcome.checks.append(contentsOf: try identities(seed: context.seed))
        try storedWeights(&context, &outcome)
        if !context.quick { try trainedSeeds(&context, &outcome) }
        return outcome
    }
}

private let standIn = "2-D stand-in: the paper's 3-D smoke scenes, weights and GPU are not available"

/// The iterations of the first two methods of a comparison: learned, and conjugate gradients.
private func counts(_ comparison: PressureComparison) -> (learned: Double, gradients: Double) {
    func count(_ run: PressureComparison.Run) -> Double { run.converged ? Double(run.iterations) : .infinity }
    return (count(comparison.runs[0]), count(comparison.runs[1]))
}

private func identities(seed: UInt64) throws -> [Check] {
    let grid = Grid(rows: 16, columns: 16), a = PoissonOperator<Double>(grid), b = PressureSource.noise.values(on: grid, seed: seed)
    let factors = try Cholesky(a.dense())
    let map: ClosureOperator<Double>.Map = { x, y in
        guard let solution = try? factors.solve(x.indices.map { x[$0] }) else { return }
        for i in solution.indices { y[i] = solution[i] }
    }
    let inverse = ClosureOperator(rows: grid.count, columns: grid.count, apply: map, applyAdjoint: map)
    let exact = DeepConjugateDirection(model: OperatorDirection(inverse), tolerance: .relativeToInitialResidual(1e-12)).solve(a, b)
    let ours = DeepConjugateDirection(model: ResidualDirection(), iterationLimit: 30).solve(a, b, recordsResiduals: true)
    let theirs = ConjugateGradient<Double>(tolerance: .relativeToInitialResidual(1e-4), iterationLimit: 30).solve(a, b, recordsResiduals: true)
    let worst = zip(ours.residualNorms, theirs.residualNorms).map { abs($0 - $1) / theirs.residualNorms[0] }.max() ?? .infinity
    return [
        Check("iterations with f = A⁻¹", exact.status == .converged ? Double(exact.iterations) : .infinity, .equal, 1, source: "exact identity"),
        Check("largest difference of residual norms with f(r) = r to conjugate gradients, 30 iterations", worst, .atMost, 1e-12,
              source: "exact identity, within rounding"),
        Check("parameters of the networks, 3-D shallow and deep", Double(parameterCounts()), .equal, 97_457 + 152_881,
              source: "sum of the released networks' 97 457 (64³) and 152 881 (128³)"),
    ]
}

private func parameterCounts() -> Int {
    Network(DirectionNetwork<Float>(dimensions: 3)).parameterCount + Network(DirectionNetwork<Float>(dimensions: 3, depth: .deep)).parameterCount
}

/// The weights that come with the package, on the grid that they were made for and elsewhere.
private func storedWeights(_ context: inout Context, _ outcome: inout Outcome) throws {
    let rounds = context.quick ? 1 : 5
    let grid = Grid(rows: 64, columns: 64), large = Grid(rows: 128, columns: 128)
    let model = try NetworkDirection.poisson(grid)
    var worst = 0.0
    for source in PressureSource.allCases {
        context.report(0.1, "64×64, \(source.rawValue)")
        let comparison = PressureComparison(
            PressureProblem(grid), source.values(on: grid, seed: context.seed), model: model, rounds: rounds)
        outcome.tables.append(comparison.table("64×64, open sides: \(source.rawValue), to 1e-4 of the first residual"))
        worst = max(worst, counts(comparison).learned)
    }
    // White noise again, of several seeds.
    let seeds = (0..<5).map { context.seed &+ UInt64($0) }
    let noise = seeds.map { seed -> (learned: Double, gradients: Double) in
        let b = PressureSource.noise.values(on: grid, seed: seed), tolerance = ResidualTolerance.relativeToInitialResidual(1e-4)
        let a = PoissonOperator<Double>(grid)
        return (Double(DeepConjugateDirection(model: model, tolerance: tolerance).solve(a, b).iterations),
                Double(ConjugateGradient<Double>(tolerance: tolerance).solve(a, b).iterations))
    }
    func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
    outcome.checks += [
        Check("iterations at 64×64 to 1e-4, most of three right-hand sides", worst, .atMost, 25,
              source: "the paper's effect at this size: a fifth of conjugate gradients' 127; " + standIn),
        Check("iterations at 64×64 to 1e-4 on noise, mean of 5 right-hand sides", mean(noise.map(\.learned)), .atMost, 25, source: "as above"),
        Check("iterations of conjugate gradients on noise, mean of 5 right-hand sides", mean(noise.map(\.gradients)), .atLeast, 110,
              source: "that the comparison is with the method that needs about 127 there; at most √κ ln(2/ε)/2 = 205 with κ = 1712"),
    ]
    outcome.figures.append(history(model, grid, context.seed))

    // What was not trained on: a larger grid, a matrix with an obstacle, closed sides.
    context.report(0.3, "128×128")
    let sizes = PressureComparison(
        PressureProblem(large), PressureSource.noise.values(on: large, seed: context.seed), model: model.on(grid: large), rounds: rounds)
    outcome.tables.append(sizes.table("128×128 with the weights of 64×64: noise"))
    let disc = PressureProblem(grid) { ($0[0] - 32) * ($0[0] - 32) + ($0[1] - 26) * ($0[1] - 26) <= 100 }
    let obstacle = PressureComparison(disc, PressureSource.blobs.values(on: grid, seed: context.seed), model: model, rounds: rounds)
    outcome.tables.append(obstacle.table("64×64 with a solid disc of radius 10: blobs"))
    let sides = GridSides(rows: .init(low: .neumann, high: .dirichlet), columns: .neumann)
    let closed = PressureComparison(
        PressureProblem(grid, sides: sides), PressureSource.noise.values(on: grid, seed: context.seed), model: model, rounds: rounds)
    outcome.tables.append(closed.table("64×64 with three closed sides: noise"))
    for (name, comparison, share) in [("at 128×128", sizes, 0.25), ("with a solid disc", obstacle, 0.5), ("with three closed sides", closed, 0.5)] {
        let (learned, gradients) = counts(comparison)
        outcome.checks.append(Check(
            "iterations \(name), share of conjugate gradients'", learned / gradients, .atMost, share,
            source: "claims of size independence and of matrices not seen in training; " + standIn))
    }
}

/// Residuals along the iterations, for the figure.
private func history(_ model: NetworkDirection, _ grid: Grid, _ seed: UInt64) -> Figure {
    let a = PoissonOperator<Double>(grid), b = PressureSource.noise.values(on: grid, seed: seed), tolerance = ResidualTolerance.relativeToInitialResidual(1e-6)
    func series(_ name: String, _ norms: [Double]) -> Figure.Series {
        Figure.Series(name, x: norms.indices.map(Double.init), y: norms.map { $0 / norms[0] })
    }
    func learned(_ history: Int?) -> [Double] {
        DeepConjugateDirection(model: model, history: history, tolerance: tolerance).solve(a, b, recordsResiduals: true).residualNorms
    }
    return Figure(
        "Relative residual, 64×64, noise", xLabel: "iteration", yLabel: "‖r‖/‖r₀‖", logarithmicY: true,
        series: [
            series("deep conjugate directions", learned(2)), series("history 0", learned(0)), series("all directions kept", learned(nil)),
            series("conjugate gradients", ConjugateGradient<Double>(tolerance: tolerance).solve(a, b, recordsResiduals: true).residualNorms),
        ])
}

/// Three trainings from the start in two dimensions, and a short one in three.
private func trainedSeeds(_ context: inout Context, _ outcome: inout Outcome) throws {
    let grid = Grid(rows: 64, columns: 64), a = PoissonOperator<Double>(grid)
    var table = Table("Trained anew: 64×64, iterations to 1e-4", columns: ["seed", "validation loss"] + PressureSource.allCases.map(\.rawValue) + ["training, s"])
    var worst: [Double] = []
    for index in 0..<3 {
        let seed = context.seed &+ UInt64(index) &+ 101
        let training = DirectionTraining(grid: grid, epochs: 5, seed: seed)
        let start = ContinuousClock.now
        var loss = Double.infinity
        var last = context
        let model = try training.run(on: a) { progress in
            last.report(0.4 + 0.5 * (Double(index) + (Double(progress.epoch) + progress.fraction) / 5) / 3, "training, seed \(index + 1) of 3")
            if let judged = progress.validation { loss = min(loss, judged.loss) }
            return .goOn
        }
        context = last
        let seconds = (ContinuousClock.now - start).seconds
        let iterations = PressureSource.allCases.map { source -> Double in
            let solution = DeepConjugateDirection(model: model).solve(a, source.values(on: grid, seed: seed))
            return solution.status == .converged ? Double(solution.iterations) : .infinity
        }
        table.append(["\(seed)", short(loss)] + iterations.map(short) + [short(seconds)])
        worst.append(iterations.max() ?? .infinity)
    }
    outcome.tables.append(table)
    outcome.checks.append(Check(
        "iterations at 64×64 to 1e-4, most of three right-hand sides, mean of three trainings", worst.reduce(0, +) / 3, .atMost, 25,
        source: "the paper's effect at this size; three seeds, since a training takes minutes; " + standIn))

    let solid = Grid(planes: 16, rows: 16, columns: 16)
    context.report(0.92, "training on 16³")
    let training = DirectionTraining(grid: solid, ritzVectors: 300, residuals: 600, validationResiduals: 50, epochs: 3, seed: context.seed &+ 104)
    let model = try training.run(on: PoissonOperator<Double>(solid))
    let comparison = PressureComparison(PressureProblem(solid), PressureSource.noise.values(on: solid, seed: context.seed), model: model)
    outcome.tables.append(comparison.table("16×16×16, 180 steps of training: noise"))
    let (learned, gradients) = counts(comparison)
    outcome.checks.append(Check(
        "iterations in three dimensions at 16³, share of conjugate gradients'", learned / gradients, .atMost, 0.75,
        source: "a small grid, where conjugate gradients need few; the paper starts at 64³"))
}
