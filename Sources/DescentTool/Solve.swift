import ArgumentParser
import Descent
import Foundation

struct Solve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Logistic regression under equality constraints on your own LIBSVM file.",
        discussion: """
            Minimises the mean logistic loss of `label index:value …` lines subject to ‖x‖ = R and linear equations, by Newton directions from sketches. \
            Exits with 1 if no point that meets the first-order conditions is found; what was reached is printed all the same.
            """)

    enum Directions: String, ExpressibleByArgument, CaseIterable {
        case automatic, exact, block, row, gaussian, gmres

        var method: NewtonSystemMethod {
            switch self {
            case .automatic: .automatic
            case .exact: .direct
            case .block: .sketch(.block(size: 16))
            case .row: .sketch(.row)
            case .gaussian: .sketch(.gaussian)
            case .gmres: .gmres(restart: 50)
            }
        }
    }

    @Argument(help: "A file in LIBSVM's format with two different labels.")
    var file: String

    @Option(help: "The radius R of the sphere ‖x‖ = R; 0 for no sphere.")
    var radius = 1.0

    @Option(help: "A CSV file of linear equations without header: in each row a coefficient for each column, then the right-hand side.")
    var linear: String?

    @Option(help: "Add so many equations with normal coefficients and right-hand sides, as the paper's experiments do.")
    var randomRows = 0

    @Option(help: "How Newton systems are solved.")
    var directions = Directions.automatic

    @Option(help: "The norm of ∇L and c together at which the run has converged.")
    var tolerance = 1e-4

    @Option(help: "Iterations at most.")
    var iterations = 1000

    @Option(help: "The seed of sketches and random equations.")
    var seed: UInt64 = 0

    @Option(help: "How many threads to use (default: DESCENT_NUM_THREADS, else all cores).")
    var threads: Int?

    @Option(help: "Write x to this file, a number a line.")
    var output: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Result: Encodable {
        let status: String
        let reason: String
        let loss: Double
        let accuracy: Double
        let constraintViolation: Double
        let stationarity: Double
        let iterations: Int
        let innerSteps: Int
        let seconds: Double
        let x: [Double]
        let multipliers: [Double]
    }

    func validate() throws {
        if !(radius.isFinite && radius >= 0) { throw ValidationError("--radius is \(radius); expected a finite number, at least 0.") }
        if randomRows < 0 { throw ValidationError("--random-rows is \(randomRows); expected no negative number.") }
        if !(tolerance.isFinite && tolerance > 0) { throw ValidationError("--tolerance is \(tolerance); expected a positive number.") }
        if iterations < 1 { throw ValidationError("--iterations is \(iterations); expected at least 1.") }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected at least 1.") }
    }

    func run() throws {
        try DescentTool.checkEnvironment()
        if let threads { Threads.count = threads }
        let problem = try problem(), n = problem.dimension, m = problem.constraintCount
        let solver = AdaSketchNewton<Double>(method: directions.method, curvatureThreshold: 1e-2, seed: seed), bar = ProgressBar(), limit = iterations
        let solution = solver.solve(
            problem, from: [Double](repeating: 1, count: n), multipliers: [Double](repeating: 1, count: m),
            stopping: .gradientNorm(atMost: tolerance) || .iterations(iterations),
            observer: Observer {
                bar.show(Double($0.iteration) / Double(limit), "iteration \($0.iteration), residual \($0.value)")
                return .proceed
            })
        bar.clear()
        let point = solution.point, accuracy = problem.accuracy(at: point.x)
        if json {
            try printJSON(Result(
                status: solution.status.rawValue, reason: solution.reason, loss: point.value, accuracy: accuracy,
                constraintViolation: point.constraintViolation, stationarity: point.stationarity, iterations: solution.iterations,
                innerSteps: solution.work["inner steps"] ?? 0, seconds: solution.seconds, x: point.x, multipliers: point.multipliers))
        } else {
            print("""
                \(problem.features.rows) examples, \(n) columns, \(m) constraints
                \(solution.status.rawValue) after \(solution.iterations) iterations and \(solution.work["inner steps"] ?? 0) sketches or products: \(solution.reason)
                loss \(point.value), accuracy \(String(format: "%.2f", 100 * accuracy)) %
                ‖c‖ \(point.constraintViolation), ‖∇L‖ \(point.stationarity)
                """)
        }
        if let output {
            try Data(point.x.map { "\($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: output))
        }
        if solution.status != .converged { throw ExitCode(1) }
    }

    private func problem() throws -> ConstrainedLogisticRegression<Double> {
        let (features, labels) = try LIBSVM.read(path: file, as: Double.self)
        let classes = Set(labels).sorted()
        guard classes.count == 2 else {
            throw ValidationError("\(file) has \(classes.count) different labels in \(labels.count) lines; expected 2.")
        }
        var rows: [[Double]] = [], values: [Double] = []
        if let linear {
            let table = try CSV.read(path: linear, header: .absent).matrix(as: Double.self).matrix
            guard table.columns == features.columns + 1 else {
                throw ValidationError("\(linear) has \(table.columns) columns; expected \(features.columns + 1), a coefficient for each column of \(file) and the right-hand side.")
            }
            for i in 0..<table.rows {
                rows.append((0..<features.columns).map { table[i, $0] })
                values.append(table[i, features.columns])
            }
        }
        var random = RandomStream(seed: seed, stream: 1)
        for _ in 0..<randomRows {
            rows.append(random.normal(count: features.columns))
            values += random.normal(count: 1) as [Double]
        }
        let count = rows.count + (radius > 0 ? 1 : 0)
        guard count > 0, count <= features.columns else {
            throw ValidationError("\(count) constraints on \(features.columns) columns; expected at least one, and no more than columns.")
        }
        return ConstrainedLogisticRegression(
            features: features, labels: labels.map { $0 == classes[1] },
            linear: Matrix(rows: rows.count, columns: features.columns, elements: rows.flatMap(\.self)), linearValues: values,
            radius: radius > 0 ? radius : nil)
    }
}
