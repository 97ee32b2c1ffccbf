import Descent

/// Right-hand sides of pressure problems.
public enum PressureSource: String, CaseIterable, Sendable {
    /// N(0, 1) in each cell.
    case noise
    /// +1 and −1 in two cells.
    case points
    /// Two Gaussian blobs of opposite signs.
    case blobs

    public func values(on grid: Grid, seed: UInt64) -> [Double] {
        if self == .noise {
            var random = RandomStream(seed: seed, stream: 21)
            return random.normal(count: grid.count)
        }
        let sizes = grid.sizes, first = [0.4, 0.3, 0.5], second = [0.7, 0.6, 0.4]
        let strides = sizes.indices.map { sizes[($0 + 1)...].reduce(1, *) }
        func place(_ axis: Int, _ centre: [Double]) -> Int { Int(centre[axis] * Double(sizes[axis])) }
        return (0..<grid.count).map { cell in
            let indices = sizes.indices.map { cell / strides[$0] % sizes[$0] }
            func near(_ centre: [Double]) -> Double {
                if self == .points { return sizes.indices.allSatisfy { indices[$0] == place($0, centre) } ? 1 : 0 }
                let square = sizes.indices.reduce(0.0) { sum, axis in
                    let distance = Double(indices[axis] + 1) / Double(sizes[axis] + 1) - centre[axis]
                    return sum + distance * distance
                }
                return Double.exp(-(centre == first ? 50 : 80) * square)
            }
            return near(first) - near(second)
        }
    }
}

/// Solvers on one pressure problem, to one tolerance of the residual relative to that of the start 0.
public struct PressureComparison: Sendable {
    public struct Run: Sendable {
        public let name: String
        public let iterations: Int
        public let converged: Bool
        /// Without what is made once for a matrix: factors, weights.
        public let seconds: Double
    }

    public private(set) var runs: [Run] = []

    /// - Parameter rounds: how often each is run; the median time counts.
    public init<Model: DirectionModel>(
        _ problem: PressureProblem, _ b: [Double], model: Model, tolerance: Double = 1e-4, iterationLimit: Int = 200, rounds: Int = 1
    ) {
        let tolerance = ResidualTolerance.relativeToInitialResidual(tolerance)
        let b = problem.projection?.apply(b) ?? b
        func add(_ name: String, _ solve: @escaping () -> LinearSolution<Double>) {
            var solution = solve()
            let seconds = medianSeconds(rounds: rounds, [{ solution = solve() }])[0]
            runs.append(Run(name: name, iterations: solution.iterations, converged: solution.status == .converged, seconds: seconds))
        }
        // Without solid cells no matrix is needed.
        let hasSolid = problem.isSolid.contains(true), stencil = PoissonOperator<Double>(problem.grid, sides: problem.sides)
        let a: any LinearOperator<Double> = hasSolid ? problem.matrix : stencil
        let gradients = ConjugateGradient<Double>(tolerance: tolerance)
        add("deep conjugate directions") {
            DeepConjugateDirection(model: model, tolerance: tolerance, iterationLimit: iterationLimit, projection: problem.projection)
                .solve(a, b)
        }
        add("conjugate gradients") { gradients.solve(a, b) }
        // Solid cells have rows of zeros, which no preconditioner of this kind takes: 1 on their diagonal changes nothing else.
        var regular = problem.matrix
        if hasSolid { regular = regular + .diagonal(problem.isSolid.map { $0 ? 1 : 0 }) }
        if let m = try? SSORPreconditioner(regular, relaxation: 1.5) {
            add("CG, SSOR (ω = 1.5)") { gradients.solve(a, b, preconditioner: m) }
        }
        if let m = try? IncompleteCholesky(regular) {
            add("CG, incomplete Cholesky") { gradients.solve(a, b, preconditioner: m) }
        }
        if !hasSolid, let m = try? MultigridHierarchy(stencil) {
            add("CG, a multigrid cycle") { gradients.solve(a, b, preconditioner: m) }
        }
    }

    public func table(_ title: String) -> Table {
        var table = Table(title, columns: ["method", "iterations", "time, ms", "µs an iteration"])
        for run in runs {
            table.append(run.name, run.converged ? "\(run.iterations)" : "> \(run.iterations)", short(1e3 * run.seconds),
                         short(1e6 * run.seconds / Double(max(1, run.iterations))))
        }
        return table
    }
}
