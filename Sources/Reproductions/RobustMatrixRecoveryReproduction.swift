import Descent

extension Reproduction {
    /// Outliers, dense noise and every search rank, at sizes that fit the memory of a laptop; the paper varies the same three.
    static let robustMatrixRecovery = Reproduction(
        slug: "robust-matrix-recovery", title: "Global Convergence of Sub-gradient Method for Robust Matrix Recovery: Small Initialization, Noisy Measurements, and Over-parameterization",
        claim: "From a small start the sub-gradient method on the ℓ₁ loss recovers a low-rank matrix from grossly wrong measurements, linearly and whatever the search rank; "
            + "descent on squares does not."
    ) { context in
        var outcome = Outcome()
        try outliers(&context, &outcome)
        try linearRate(&context, &outcome)
        try searchRanks(&context, &outcome)
        try denseNoise(&context, &outcome)
        return outcome
    }
}

/// V Vᵀ of size d and rank r with m standard normal measurements.
private struct Instance {
    let target: Matrix<Double>
    let problem: MatrixSensing<Double>

    init(d: Int, r: Int, m: Int, outliers: Double, size: Double = 10, noise: Double = 0, seed: UInt64) throws {
        var random = RandomStream(seed: seed, stream: 1)
        let v = try QR(Matrix<Double>(rows: d, columns: r, elements: random.normal(count: d * r))).q()
        target = multiply(v, v, transposeB: true)
        let measure = GaussianMeasurements<Double>(rows: d, columns: d, count: m, deviation: 1, seed: seed)
        var y = measure.apply(target)
        let errors: [Double] = random.normal(count: m), dense: [Double] = random.normal(count: m)
        for i in random.sample(Int(outliers * Double(m)), of: m) { y[i] += size * errors[i] }
        problem = try MatrixSensing(measure, measurements: zip(y, dense).map { $0 + noise * $1 })
    }

    func error(_ iterate: [Double]) -> Double {
        let u = Matrix(rows: target.rows, columns: iterate.count / target.rows, elements: iterate)
        return (multiply(u, u, transposeB: true) - target).frobeniusNorm
    }

    /// The error of the sub-gradient method.
    func subgradient(rank: Int, scale: Double) throws -> Double {
        let start = try problem.signSpectralStart(rank: rank, scale: scale)
        return error(SubgradientMethod<Double>(steps: .normalized(scale: scale)).solve(problem, from: start).iterate)
    }

    /// The last and the least error of descent on ¼ ‖·‖²/m.
    func squares(rank: Int, scale: Double, steps: Int) throws -> (last: Double, best: Double) {
        let solver = SymmetricFactorDescent<Double>(stepSize: 0.05 / Double(problem.measurements.count))
        var state = solver.makeState(problem, from: try problem.signSpectralStart(rank: rank, scale: scale)), best = Double.infinity
        for _ in 0..<steps {
            _ = solver.step(&state, problem)
            best = min(best, error(state.iterate))
        }
        return (error(state.iterate), best)
    }
}

private func median(_ x: [Double]) -> Double { x.sorted()[x.count / 2] }

/// Size and true rank.
private func shape(_ context: Context) -> (d: Int, r: Int) { context.quick ? (10, 2) : (20, 3) }
private func seeds(_ context: Context) -> [UInt64] { (0..<5).map { context.seed &+ UInt64($0) } }

private func outliers(_ context: inout Context, _ outcome: inout Outcome) throws {
    let (d, r) = shape(context), scales = [1e-1, 1e-3, 1e-6]
    let more: [(m: Int, p: Double, rank: Int)] = context.quick ? [] : [(20 * d * r, 0.1, r), (20 * d * r, 0.1, d)]
    let settings = [(m: 10 * d * r, p: 0.1, rank: r), (10 * d * r, 0.1, d), (20 * d * r, 0.3, r), (20 * d * r, 0.3, d)] + more
    var table = Table("‖U Uᵀ − X‖_F, d = \(d), rank \(r) (‖X‖_F = \(short(Double(r).squareRoot()))): median of 5 seeds, outliers N(0, 10²)",
                      columns: ["m", "share of outliers", "search rank", "α = 10⁻¹", "10⁻³", "10⁻⁶", "squares, last", "squares, best"])
    var errors: [[Double]] = [], squaresLast: [Double] = []
    for (i, setting) in settings.enumerated() {
        let instances = try seeds(context).map { try Instance(d: d, r: r, m: setting.m, outliers: setting.p, seed: $0) }
        errors.append(try scales.enumerated().map { j, scale in
            context.report(0.5 * (Double(i) + Double(j) / 3) / Double(settings.count), "outliers, m = \(setting.m), search rank \(setting.rank)")
            return median(try instances.map { try $0.subgradient(rank: setting.rank, scale: scale) })
        })
        let squares = try instances.map { try $0.squares(rank: setting.rank, scale: 1e-3, steps: 500) }
        squaresLast.append(median(squares.map(\.last)))
        table.append(["\(setting.m)", short(setting.p), "\(setting.rank)"] + errors[i].map(short) + [short(squaresLast[i]), short(median(squares.map(\.best)))])
    }
    outcome.tables.append(table)
    let exact = zip(settings, errors).filter { $0.0.rank == r }.map(\.1), full = zip(settings, errors).filter { $0.0.rank == d }.map(\.1)
    // The size of the outliers.
    let sizes = try [10, 1e6].map { size in median(try seeds(context).map { try Instance(d: d, r: r, m: 20 * d * r, outliers: 0.1, size: size, seed: $0).subgradient(rank: d, scale: 1e-3) }) }
    outcome.checks += [
        Check("largest error with search rank r, up to 30 % outliers, any start", exact.flatMap { $0 }.max()!, .atMost, 1e-5,
              source: "exact recovery under outliers; an independent computation has 7·10⁻⁷ to 1.4·10⁻⁶ at these step counts"),
        Check("error with search rank d, α = 10⁻³ over 10⁻¹, largest", full.map { $0[1] / $0[0] }.max()!, .atMost, 0.6, source: "the final error falls with a power of α"),
        Check("error with search rank d, α = 10⁻⁶ over 10⁻³, largest", full.map { $0[2] / $0[1] }.max()!, .atMost, 0.8, source: "the final error falls with a power of α, down to the floor of Sign-RIP"),
        Check("error of descent on squares over that of the sub-gradient method, least", zip(squaresLast, errors).map { $0 / $1[1] }.min()!, .atLeast, 50, source: "ℓ₂ fits the outliers"),
        Check("error with outliers of 10⁶ over that with outliers of 10", sizes[1] / sizes[0], .atMost, 1.5, source: "outliers may be arbitrarily large"),
    ]
}

/// The error goes down as the steps do.
private func linearRate(_ context: inout Context, _ outcome: inout Outcome) throws {
    context.report(0.5, "linear rate")
    let (d, r) = shape(context), scale = 1e-3, decay = 0.99
    let instance = try Instance(d: d, r: r, m: 20 * d * r, outliers: 0.1, seed: context.seed)
    let ideal = MatrixSensing(WholeMatrixMeasurements<Double>(rows: d, columns: d), of: instance.target)
    var series: [Figure.Series] = [], slopes: [Double] = []
    for (name, problem, rank) in [("measured, search rank r", instance.problem, r), ("mean loss, search rank r", ideal, r), ("measured, search rank d", instance.problem, d), ("mean loss, search rank d", ideal, d)] {
        let solver = SubgradientMethod<Double>(steps: .normalized(initial: 0.1, decay: decay), tolerance: 0)
        var state = solver.makeState(problem, from: try instance.problem.signSpectralStart(rank: rank, scale: scale)), x: [Double] = [], y: [Double] = []
        for t in 1...1500 {
            _ = solver.step(&state, problem)
            x.append(Double(t))
            y.append(instance.error(state.iterate))
        }
        series.append(Figure.Series(name, x: x, y: y))
        slopes.append(fittedSlope(Array(x[500...]), y[500...].map { Double.log($0) }))
    }
    outcome.figures.append(Figure("Error by steps, 10 % outliers, against the loss in the mean", xLabel: "step", yLabel: "‖U Uᵀ − X‖", logarithmicY: true, series: series))
    var table = Table("Slope of ln(error) over the steps' ln ρ = \(short(Double.log(decay))), t = 500 to 1500", columns: ["run", "slope", "over ln ρ"])
    for (s, slope) in zip(series, slopes) { table.append(s.name, short(slope), short(slope / Double.log(decay))) }
    outcome.tables.append(table)
    outcome.checks += [
        Check("distance from 1 of the slope over ln ρ, measured, search rank r", abs(slopes[0] / Double.log(decay) - 1), .atMost, 0.05, source: "linear convergence at the rate of the geometric steps"),
        Check("distance from 1 of the slope over ln ρ, mean loss, search rank r", abs(slopes[1] / Double.log(decay) - 1), .atMost, 0.05, source: "the ideal dynamics on which the analysis rests"),
    ]
}

private func searchRanks(_ context: inout Context, _ outcome: inout Outcome) throws {
    let (d, r) = shape(context), m = 20 * d * r
    let instances = try seeds(context).map { try Instance(d: d, r: r, m: m, outliers: 0.1, seed: $0) }
    let ranks = context.quick ? [2, 3, 5, 10] : [3, 5, 10, 20]
    var table = Table("‖U Uᵀ − X‖_F by search rank, m = \(m), 10 % outliers, α = 10⁻³: median of 5 seeds", columns: ["search rank", "error"])
    var errors: [Double] = []
    for rank in ranks {
        context.report(0.6 + 0.2 * Double(rank) / Double(d), "search rank \(rank)")
        errors.append(median(try instances.map { try $0.subgradient(rank: rank, scale: 1e-3) }))
        table.append("\(rank)", short(errors.last!))
    }
    outcome.tables.append(table)
    outcome.checks.append(Check("largest relative error over search ranks up to d", errors.max()! / Double(r).squareRoot(), .atMost, 5e-3, source: "the number of measurements needed does not depend on the search rank"))
}

private func denseNoise(_ context: inout Context, _ outcome: inout Outcome) throws {
    let (d, r) = shape(context), noise = 0.5, counts = [10, 40].map { $0 * d * r }
    var table = Table("‖U Uᵀ − X‖_F with noise of deviation 0.5 on every measurement: median of 5 seeds", columns: ["m", "search rank r", "search rank d", "ν √(d r/m)"])
    var errors: [[Double]] = []
    for (i, m) in counts.enumerated() {
        context.report(0.8 + 0.1 * Double(i), "dense noise, m = \(m)")
        let instances = try seeds(context).map { try Instance(d: d, r: r, m: m, outliers: 0, noise: noise, seed: $0) }
        errors.append(try [r, d].map { rank in median(try instances.map { try $0.subgradient(rank: rank, scale: 1e-3) }) })
        table.append(["\(m)"] + errors[i].map(short) + [short(noise * (Double(d * r) / Double(m)).squareRoot())])
    }
    outcome.tables.append(table)
    let floor = noise * (Double(d * r) / Double(counts[1])).squareRoot()
    outcome.checks += [
        Check("error under dense noise over ν √(d r/m), m = \(counts[1]), search rank r", errors[1][0] / floor, .atMost, 2, source: "the statistical error of Gaussian noise, which no method beats in order"),
        Check("error under dense noise over ν √(d r/m), m = \(counts[1]), search rank d", errors[1][1] / floor, .atMost, 3, source: "the same for the full search rank"),
        Check("distance from −½ of the exponent of the error in m, search rank r", abs(Double.log(errors[1][0] / errors[0][0]) / Double.log(4) + 0.5), .atMost, 0.15, source: "error of the order √(d r/m)"),
    ]
}
