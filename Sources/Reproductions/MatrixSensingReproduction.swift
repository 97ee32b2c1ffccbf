import Descent

extension Reproduction {
    /// The rates of the four theorems, on matrices of the paper's kind and size (50×50, or 30×30 where they are measured, rank 3).
    static let matrixSensing = Reproduction(
        slug: "matrix-sensing", title: "How Over-Parameterization Slows Down Gradient Descent in Matrix Sensing: The Curses of Symmetry and Initialization",
        claim: "With more columns than the rank, descent on one factor of a symmetric matrix falls as 1/t² in the squared error; on two unbalanced factors it is linear, "
            + "at a rate of the square of the start's scale; one modified step makes the rate independent of it."
    ) { context in
        var outcome = Outcome()
        sublinearConstant(&context, &outcome)
        surplusRate(&context, &outcome)
        sensing(&context, &outcome)
        return outcome
    }
}

private let trueRank = 3

private func normal(_ rows: Int, _ columns: Int, seed: UInt64, stream: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed, stream: stream)
    return Matrix(rows: rows, columns: columns, elements: random.normal(count: rows * columns))
}

/// F = α · normal, G = (α/3) · normal.
private func unbalancedStart(_ n: Int, _ k: Int, _ alpha: Double, seed: UInt64) -> [Double] {
    (alpha * normal(n, k, seed: seed, stream: 1)).elements + (alpha / 3 * normal(n, k, seed: seed, stream: 2)).elements
}

private func wholeMatrix(_ n: Int) -> (problem: MatrixSensing<Double>, target: Matrix<Double>) {
    let target = Matrix<Double>.diagonal((0..<n).map { $0 < trueRank ? 1 : 0 })
    return (MatrixSensing(WholeMatrixMeasurements(rows: n, columns: n), of: target), target)
}

private func squared(_ difference: Matrix<Double>) -> Double {
    let norm = difference.frobeniusNorm
    return norm * norm
}

// MARK: - All elements measured: exact constants

/// t² ‖X Xᵀ − M‖² → (k − r)/(4 η²).
private func sublinearConstant(_ context: inout Context, _ outcome: inout Outcome) {
    let (problem, target) = wholeMatrix(50), steps = context.quick ? 20_000 : 100_000
    var table = Table("t² ‖X Xᵀ − M‖² of one factor, 50×50, rank 3, η = 0.1, all elements measured", columns: ["columns k", "t = 1000", "t = 10000", "t = \(steps)", "limit (k − r)/(4 η²)"])
    var largest = 0.0
    for k in [4, 5, 10] {
        context.report(0.1 * Double(k) / 10, "one factor with \(k) columns")
        let solver = SymmetricFactorDescent<Double>(stepSize: 0.1)
        var state = solver.makeState(problem, from: (0.05 * normal(50, k, seed: context.seed, stream: 1)).elements), scaled: [Double] = []
        for t in 1...steps {
            _ = solver.step(&state, problem)
            if [1000, 10_000, steps].contains(t) { scaled.append(Double(t) * Double(t) * squared(multiply(state.factor, state.factor, transposeB: true) - target)) }
        }
        let limit = Double(k - trueRank) / 0.04
        largest = max(largest, abs(scaled[2] / limit - 1))
        table.append(["\(k)"] + scaled.map(short) + [short(limit)])
    }
    outcome.tables.append(table)
    outcome.checks.append(Check("largest relative distance of t² × squared error from (k − r)/(4 η²) at t = \(steps)", largest, .atMost, context.quick ? 0.05 : 0.01,
        source: "the lower bound Ω(1/(η t)²) of the symmetric over-parameterised case, with its exact constant for A = 1"))
}

/// The linear rate of two factors against 2 ln(1 − η λ_min(FᵀF on the surplus)), and its α² law.
private func surplusRate(_ context: inout Context, _ outcome: inout Outcome) {
    context.report(0.12, "two factors")
    let (problem, target) = wholeMatrix(50), solver = FactorPairDescent<Double>(stepSize: 0.1)
    var table = Table("Two factors, 50×50, k = 5, η = 0.1, all elements measured: slope of ln(squared error)", columns: ["α", "measured", "predicted", "steps"])
    var rates: [Double] = [], worst = 0.0
    for alpha in [0.06, 0.03] {
        var state = solver.makeState(problem, from: unbalancedStart(50, 5, alpha, seed: context.seed)), times: [Double] = [], logs: [Double] = []
        for t in 1...40_000 {
            _ = solver.step(&state, problem)
            let error = squared(state.factors.product - target)
            if error < 1e-22 { break }
            if error < 1e-14 {
                times.append(Double(t))
                logs.append(Double.log(error))
            }
        }
        let right = try? SVD(state.factors.right)
        let surplus = right.map { multiply(state.factors.left, $0.vTransposed.submatrix(rows: trueRank..<5, columns: 0..<5), transposeB: true) }
        let least = surplus.flatMap { try? SymmetricEigen<Double>.values(of: $0.gram())[0] } ?? .nan
        let predicted = 2 * Double.log(onePlus: -0.1 * least), measured = fittedSlope(times, logs)
        rates.append(measured)
        worst = max(worst, abs(measured / predicted - 1))
        table.append(short(alpha), short(measured), short(predicted), "\(Int(times.last ?? 0))")
    }
    outcome.tables.append(table)
    outcome.checks += [
        Check("relative distance of the rate from its prediction", worst, .atMost, 0.02, source: "linear convergence of two factors; prediction from the surplus directions of the learned signal"),
        Check("distance from 4 of the ratio of rates at α = 0.06 and 0.03", abs(rates[0] / rates[1] - 4), .atMost, 0.4, source: "exp(−Ω(η α² t)): the rate grows with the square of the start"),
    ]
}

// MARK: - Gaussian measurements

private func sensing(_ context: inout Context, _ outcome: inout Outcome) {
    let n = context.quick ? 15 : 30, m = context.quick ? 700 : 1500, k = 5, steps = 3000, eta = 0.2
    let seeds = (0..<5).map { context.seed &+ UInt64($0) }
    // Starts of the length that they have at n = 30, where the steps and scales are the independent computation's.
    let unit = (30 / Double(n)).squareRoot()
    let marks = [100, 300, 1000, 2000, 3000]
    enum Method { case one(Int, damping: Double?), two(Double, beta: Double?) }
    let methods: [(name: String, method: Method)] = [
        ("one factor, k = r", .one(trueRank, damping: nil)), ("one factor, k = 5", .one(k, damping: nil)), ("one factor, k = 5, preconditioned", .one(k, damping: 0.1)),
        ("two factors, α = 0.02", .two(0.02, beta: nil)), ("two factors, α = 0.05", .two(0.05, beta: nil)), ("two factors, α = 0.1", .two(0.1, beta: nil)),
        ("two, α = 0.02, rebalanced, β = 0.6", .two(0.02, beta: 0.6)), ("two, α = 0.005, rebalanced, β = 0.6", .two(0.005, beta: 0.6)),
    ]
    var table = Table("Squared error by steps, \(n)×\(n), rank 3, \(m) Gaussian measurements, η = 0.2: geometric mean of \(seeds.count) seeds",
                      columns: ["method"] + marks.map { "t = \($0)" })
    var series: [Figure.Series] = [], curves: [[[Double]]] = []
    for (index, entry) in methods.enumerated() {
        var runs: [[Double]] = []
        for seed in seeds {
            context.report(0.2 + 0.8 * (Double(index) + Double(seed &- context.seed) / 5) / Double(methods.count), entry.name)
            let u = try? QR(normal(n, trueRank, seed: seed, stream: 3)).q()
            let target = u.map { multiply($0, $0, transposeB: true) } ?? .zeros(rows: n, columns: n)
            let problem = MatrixSensing(GaussianMeasurements<Double>(rows: n, columns: n, count: m, seed: seed), of: target)
            switch entry.method {
            case .one(let columns, let damping):
                let solver = SymmetricFactorDescent<Double>(stepSize: eta, damping: damping)
                var state = solver.makeState(problem, from: (0.05 * unit * normal(n, columns, seed: seed, stream: 1)).elements)
                runs.append((0..<steps).map { _ in
                    _ = solver.step(&state, problem)
                    return squared(multiply(state.factor, state.factor, transposeB: true) - target)
                })
            case .two(let alpha, let beta):
                let solver = FactorPairDescent<Double>(stepSize: eta, rebalancing: beta.map { .init(scale: $0) })
                var state = solver.makeState(problem, from: unbalancedStart(n, k, unit * alpha, seed: seed))
                runs.append((0..<steps).map { _ in
                    _ = solver.step(&state, problem)
                    return squared(state.factors.product - target)
                })
            }
        }
        curves.append(runs)
        // Below the floor of rounding a mean of logarithms would be noise.
        let means = (0..<steps).map { t in geometricMean(runs.map { max($0[t], 1e-32) }) }
        table.append([entry.name] + marks.map { short(means[$0 - 1]) })
        let shown = Swift.stride(from: 20, through: steps, by: 20)
        series.append(Figure.Series(entry.name, x: shown.map { Double($0) }, y: shown.map { means[$0 - 1] }))
    }
    outcome.tables.append(table)
    outcome.figures.append(Figure("Squared error by steps", xLabel: "step", yLabel: "squared error", logarithmicY: true, series: series))

    /// The slope of ln(error) between two levels.
    func rate(_ run: [Double], from: Double, to: Double) -> Double {
        let chosen = run.indices.filter { run[$0] < from && run[$0] > to }
        return fittedSlope(chosen.map { Double($0) }, chosen.map { Double.log(run[$0]) })
    }
    let late = (500...steps).filter { $0 % 50 == 0 }
    let exponent = mean(curves[1].map { run in logSlope(late.map { Double($0) }, late.map { run[$0 - 1] }) })
    let slow = mean(curves[4].map { rate($0, from: 1e-8, to: 1e-20) }), fast = mean(curves[5].map { rate($0, from: 1e-8, to: 1e-20) })
    let first = mean(curves[6].map { rate($0, from: 1e-8, to: 1e-24) }), second = mean(curves[7].map { rate($0, from: 1e-8, to: 1e-24) })
    outcome.checks += [
        Check("distance from −2 of the exponent of the squared error in t, one factor, k > r", abs(exponent + 2), .atMost, 0.15, source: "Ω(1/(η t)²) for symmetric over-parameterised sensing; fit over t = 500 to 3000"),
        Check("squared error of one factor with k = r after 300 steps", geometricMean(curves[0].map { max($0[299], 1e-32) }), .atMost, 1e-20, source: "exp(−Ω(t)) for the exact rank; an independent computation has 9·10⁻³¹"),
        Check("ratio of rates of two factors, α = 0.1 over 0.05, distance from 4", abs(fast / slow - 4), .atMost, 1, source: "exp(−Ω(η α² t)), measured with noise of the operator's δ"),
        Check("squared error of two factors, α = 0.05, over that of one, t = 3000", geometricMean(curves[4].map { max($0[steps - 1], 1e-32) }) / geometricMean(curves[1].map { $0[steps - 1] }),
              .atMost, 1e-6, source: "the curse of symmetry: linear against 1/t²"),
        Check("ratio of rates after the modified step, α = 0.02 over 0.005, distance from 1", abs(first / second - 1), .atMost, 0.15, source: "the modified step: exp(−Ω(η β² t)), whatever α"),
        Check("squared error, modified step, α = 0.02, t = 1000", geometricMean(curves[6].map { max($0[999], 1e-32) }), .atMost, 1e-15, source: "an independent computation has 1.8·10⁻²⁹; without the step 5·10⁻⁶"),
    ]
}
