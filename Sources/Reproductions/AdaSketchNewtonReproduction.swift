import Descent
import Synchronization

extension Reproduction {
    /// Problems of the collections, constrained logistic regression and the control of a Poisson equation.
    static let adaSketchNewton = Reproduction(
        slug: "adasketch-newton", title: "Constrained Optimization via Exact Augmented Lagrangian and Randomized Iterative Sketching",
        claim: "Newton directions that are solved only as accurately as a step needs, by randomised sketches, reach the solutions of equality-constrained problems from "
            + "where exact directions do, in about as many iterations."
    ) { context in
        var outcome = Outcome()
        collections(&context, &outcome)
        try logistic(&context, &outcome)
        try control(&context, &outcome)
        return outcome
    }
}

private typealias Solver = AdaSketchNewton<Double>

/// A way to solve Newton systems.
private struct Variant {
    let name: String
    let method: NewtonSystemMethod
    /// Whether seeds matter.
    var isRandom = false
    /// Single rows or combinations, of which ten million are needed at degenerate minimisers.
    var isSingle = false
}

// MARK: - Problems of the collections

/// What a run on one problem of the collections came to.
private struct Record: Sendable {
    let isSolved: Bool
    let status: SolverStatus
    let iterations: Int
    let innerSteps: Int
    let unitSteps: Int
    let evaluations: Int
    let residuals: [Double]
}

private func collections(_ context: inout Context, _ outcome: inout Outcome) {
    let problems = ConstrainedTestProblems.all(Double.self), quick = context.quick
    var variants = [
        Variant(name: "exact", method: .direct), Variant(name: "block, q = 8", method: .sketch(.block(size: 8)), isRandom: true),
        Variant(name: "row", method: .sketch(.row), isRandom: true, isSingle: true),
        Variant(name: "Gaussian vector", method: .sketch(.gaussian), isRandom: true, isSingle: true),
    ]
    if !quick { variants.append(Variant(name: "GMRES(20)", method: .gmres(restart: 20))) }
    let seeds = quick ? 1 : 5
    var table = Table(
        "\(problems.count) problems, of which 27 can be solved; means over \(seeds) seeds", columns: [
            "directions", "solved", "singular", "iterations as exact", "iterations", "sketches or products", "unit steps"])
    var detail = Table("Iterations (mean of seeds), – where not solved in every run", columns: ["problem"] + variants.map(\.name))
    var records: [[[Record]]] = []
    for (k, variant) in variants.enumerated() {
        context.report(0.8 * Double(k) / Double(variants.count), "problems of the collections, \(variant.name)")
        let runs = variant.isRandom ? seeds : 1, first = context.seed
        let results = Mutex<[Int: Record]>([:])
        concurrentPerform(iterations: runs * problems.count) { job in
            let p = problems[job % problems.count]
            let solver = Solver(method: variant.method, seed: first &+ UInt64(job / problems.count))
            // In the quick form single sketches do without the two problems with degenerate minimisers.
            let isTried = !(quick && variant.isSingle && ["HS46", "HS49"].contains(p.name))
            let solution = solver.solve(p.problem, from: p.start, stopping: isTried ? nil : .iterations(0))
            let isSolved = solution.status == .converged && abs(solution.point.value - p.minimum) <= 1e-4 * max(1, abs(p.minimum))
            let record = Record(
                isSolved: isSolved, status: solution.status, iterations: solution.iterations, innerSteps: solution.work["inner steps"] ?? 0,
                unitSteps: solution.work["unit steps"] ?? 0, evaluations: solution.evaluations.total, residuals: solution.trace.records.map(\.value))
            results.withLock { $0[job] = record }
        }
        let all = results.withLock { found in (0..<runs).map { run in problems.indices.map { found[run * problems.count + $0]! } } }
        records.append(all)
        let exact = records[0][0], solvable = problems.indices.filter { !problems[$0].hasSingularStart }
        func mean(_ value: ([Record]) -> Double) -> Double { Reproductions.mean(all.map(value)) }
        func solved(_ run: [Record]) -> [Int] { solvable.filter { run[$0].isSolved } }
        table.append([
            variant.name, short(mean { Double(solved($0).count) }), short(mean { Double($0.count { $0.status == .singular }) }),
            short(mean { run in Double(solved(run).count { run[$0].iterations == exact[$0].iterations }) }),
            short(mean { run in Double(solved(run).reduce(0) { $0 + run[$1].iterations }) }),
            short(mean { run in Double(solved(run).reduce(0) { $0 + run[$1].innerSteps }) }),
            short(mean { run in
                let counts = solved(run).filter { problems[$0].name != "BT12" }.map { (run[$0].unitSteps, run[$0].iterations) }
                return Double(counts.reduce(0) { $0 + $1.0 }) / Double(counts.reduce(0) { $0 + $1.1 })
            }),
        ])
    }
    for (i, p) in problems.enumerated() {
        detail.append([p.name] + records.map { runs in
            runs.allSatisfy { $0[i].isSolved } ? short(mean(runs.map { Double($0[i].iterations) })) : runs.allSatisfy { $0[i].status == .singular } ? "singular" : "–"
        })
    }
    outcome.tables += [table, detail]
    let curves = ["HS77", "HS100LNP"].flatMap { name -> [Figure.Series] in
        let i = problems.firstIndex { $0.name == name }!
        return [0, 2].map { k in
            let y = records[k][0][i].residuals
            return Figure.Series("\(name), \(variants[k].name)", x: y.indices.map(Double.init), y: y)
        }
    }
    outcome.figures.append(Figure("KKT residual", xLabel: "iteration", yLabel: "‖(∇L, c)‖", logarithmicY: true, series: curves))

    func solvedCounts(_ k: Int) -> [Double] { records[k].map { Double($0.count(where: \.isSolved)) } }
    let source = "27 of the 29 problems of the paper's kind can be solved from their starts; an independent computation solves 26 by exact and 27 by row sketches (BT12 stops by the "
        + "absolute rank test of the released code)"
    let single = "all but two of the 27; two have degenerate minimisers, where systems become singular" + (quick ? ", and are left out of the quick form, which has 25" : "")
    let starts = problems.indices.filter { problems[$0].hasSingularStart }
    let atOnce = records.joined().map { run in Double(starts.count { run[$0].status == .singular && run[$0].iterations == 1 }) }
    let quadratic = problems.indices.filter { ["HS28", "HS48", "HS51", "HS52", "BT3", "GENHS28"].contains(problems[$0].name) }
    let inOne = records[..<3].joined().map { run in Double(quadratic.count { run[$0].iterations == 1 && run[$0].unitSteps == 1 }) }
    let likeExact = records[2].map { run in Double(problems.indices.count { run[$0].isSolved && run[$0].iterations == records[0][0][$0].iterations }) }
    outcome.checks += [
        Check("solved by exact directions", solvedCounts(0)[0], .equal, 27, source: source),
        Check("solved by blocks of 8 rows, least of \(seeds) seeds", solvedCounts(1).min()!, .equal, 27, source: source),
        Check("solved by single rows, mean", mean(solvedCounts(2)), .atLeast, quick ? 23 : 25, source: single),
        Check("solved by Gaussian vectors, mean", mean(solvedCounts(3)), .atLeast, quick ? 23 : 25, source: single),
        Check("singular starts that are said at the first step, least", atOnce.min()!, .equal, 2,
              source: "HS61 and BYRDSPHR have no full-rank Jacobian at their starts, which the theory assumes"),
        Check("quadratic programs in one unit step, least", inOne.min()!, .equal, 6, source: "a Newton direction of theory's accuracy solves a quadratic program under linear constraints"),
        Check("problems with as many iterations by rows as by exact directions, mean", mean(likeExact), .atLeast, quick ? 16 : 17,
              source: "theorem: local behaviour is that of Newton's method; an independent computation has 19 of 27"),
    ]
}

// MARK: - Logistic regression

private func logistic(_ context: inout Context, _ outcome: inout Outcome) throws {
    let data = try Dataset<Double>.breastCancer(), seeds = context.quick ? 2 : 5
    let features = Standardization(fittedTo: data.features).apply(to: data.features), n = features.columns
    let methods: [(String, NewtonSystemMethod)] = [
        ("exact", .direct), ("block, q = 16", .sketch(.block(size: 16))), ("row", .sketch(.row)), ("GMRES(50)", .gmres(restart: 50))]
    var table = Table(
        "Logistic loss of 569 tumours, 30 columns, C x = d with ten random rows and ‖x‖ = 1: means of \(seeds) seeds",
        columns: ["directions", "converged", "iterations", "sketches or products", "loss"])
    var largest = 0.0, rates: [Double] = [], losses: [[Double]] = []
    for (k, (name, method)) in methods.enumerated() {
        context.report(0.8 + 0.1 * Double(k) / Double(methods.count), "constrained logistic regression, \(name)")
        var iterations: [Double] = [], steps: [Double] = [], values: [Double] = [], converged = 0.0
        for seed in 0..<UInt64(seeds) {
            let problem = feasibleProblem(features, data.labels!.map { $0 == 1 }, seed: context.seed &+ seed)
            let solution = Solver(method: method, curvatureThreshold: 1e-2, innerLimit: 100_000, seed: seed).solve(
                problem, from: [Double](repeating: 1, count: n), multipliers: [Double](repeating: 1, count: 11))
            converged += solution.status == .converged ? 1 : 0
            largest = max(largest, solution.status == .converged ? solution.point.constraintViolation : 0)
            iterations.append(Double(solution.iterations))
            steps.append(Double(solution.work["inner steps"] ?? 0))
            values.append(solution.point.value)
        }
        rates.append(converged / Double(seeds))
        losses.append(values)
        table.append(name, short(converged / Double(seeds)), short(mean(iterations)), short(mean(steps)), short(mean(values)))
    }
    outcome.tables.append(table)
    let source = "the paper's constrained logistic regression; a stand-in for its LIBSVM sets, which are not shipped, with the same constraints"
    outcome.checks += [
        Check("share of runs that converge, least of the methods", rates.min()!, .equal, 1, source: source),
        Check("largest ‖c‖ of a converged run", largest, .atMost, 1e-4, source: "the tolerance of the released code, on the whole residual"),
        Check("largest difference of a loss from that of exact directions", (1..<losses.count).flatMap { k in zip(losses[k], losses[0]).map { abs($0 - $1) } }.max()!,
              .atMost, 1e-3, source: "all find the same local minimum to the accuracy of the residual"),
    ]
}

/// Ten normal rows and values, drawn anew until the nearest point of C x = d lies well inside the sphere.
private func feasibleProblem(_ features: Matrix<Double>, _ labels: [Bool], seed: UInt64) -> ConstrainedLogisticRegression<Double> {
    var random = RandomStream(seed: seed, stream: 1)
    while true {
        let linear = Matrix<Double>(rows: 10, columns: features.columns, elements: random.normal(count: 10 * features.columns))
        let values: [Double] = random.normal(count: 10)
        if let least = try? leastSquares(linear, values).solution.frobeniusNorm, least < 0.9 {
            return ConstrainedLogisticRegression(features: SparseMatrix(features), labels: labels, linear: linear, linearValues: values)
        }
    }
}

// MARK: - Control of a Poisson equation

private func control(_ context: inout Context, _ outcome: inout Outcome) throws {
    let minima = [3: 9.644442052, 8: 74.09302232, 16: 301.800365]
    var table = Table("Control of a Poisson equation: one Newton system", columns: ["grid", "order", "directions", "relative residual", "passes over the rows", "relative error of the minimum"])
    var errors: [Double] = [], residuals: [String: Double] = [:]
    for size in context.quick ? [3, 8] : [3, 8, 16] {
        context.report(0.9 + 0.005 * Double(size), "Poisson control on \(size) × \(size)")
        let problem = PoissonControl<Double>(size: size), x = [Double](repeating: 1, count: problem.dimension)
        let multipliers = [Double](repeating: 1, count: problem.constraintCount)
        let solution = Solver(method: .direct).solve(problem, from: x, multipliers: multipliers)
        errors.append(abs(solution.point.value - minima[size]!) / minima[size]!)
        let system = try NewtonSystem(problem, at: KKTPoint(problem, at: x, multipliers: multipliers)), b = Double.nrm2(system.rightHandSide.span)
        for (name, method) in [("exact", NewtonSystemMethod.direct), ("block, q = 16", .sketch(.block(size: 16))), ("row", .sketch(.row)), ("Gaussian vector", .sketch(.gaussian))] {
            let isSingle = name == "row" || name == "Gaussian vector"
            guard !isSingle || size == 3 else { continue }
            let direction = try system.solve(by: method, residualBound: 1e-10 * b, limit: size == 3 ? 200_000 : 20_000, random: RandomStream(seed: context.seed))
            let passes = switch name {
            case "row": Double(direction.steps) / Double(system.order)
            case "block, q = 16": Double(direction.steps) / Double((system.order + 15) / 16)
            default: Double(direction.steps)
            }
            if size == 3 { residuals[name] = direction.residualNorm / b }
            table.append("\(size) × \(size)", "\(system.order)", name, short(direction.residualNorm / b), short(passes), name == "exact" ? short(errors.last!) : "")
        }
    }
    outcome.tables.append(table)
    outcome.checks += [
        Check("largest relative error of the minimum by exact directions", errors.max()!, .atMost, 1e-8, source: "minima of the paper's control problem by an independent computation"),
        Check("relative residual of rows after 200 000 steps at order 27", residuals["row"]!, .atLeast, 1e-8,
              source: "single rows do not scale: an independent computation is at 7.8e-5 there, with a condition of 275; the paper takes this grid only"),
        Check("relative residual of blocks of 16 rows at order 27", residuals["block, q = 16"]!, .atMost, 1e-9,
              source: "blocks of q rows are the choice for a processor: as many rows a step as the cache holds"),
    ]
}
