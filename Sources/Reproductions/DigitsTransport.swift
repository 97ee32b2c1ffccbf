import Descent

/// Digits carried to other digits: an entropic iteration against plain loops, the exact plan and a sparse one.
func digitsTransport(_ digits: Dataset<Float>, quick: Bool, seed: UInt64) throws -> (table: Table, checks: [Check]) {
    let n = quick ? 250 : 800
    var random = RandomStream(seed: seed, stream: 3)
    let order = random.permutation(of: digits.count)
    func pixels(_ rows: ArraySlice<Int>) -> Matrix<Float> {
        Matrix(rows: n, columns: 64, elements: rows.flatMap { i in (0..<64).map { digits.features[i, $0] / 16 } })
    }
    let geometry = try Geometry(from: pixels(order[..<n]), to: pixels(order[n..<2 * n])), c = geometry.costMatrix()
    let problem = try TransportProblem(Geometry(cost: c)), epsilon = 0.05 * geometry.meanCost()
    let entropic = try Sinkhorn(epsilon: epsilon, tolerance: 1e-5).solve(problem).get(), exact = try ExactTransport().solve(problem).get()
    let sparse = SmoothTransport<Float>(.sparsityConstrained(atMost: 4), gamma: Float(n), tolerance: 1e-3).solve(problem)
    let few = Sinkhorn(epsilon: epsilon, tolerance: 0, iterationLimit: 10, relaxation: 1, epsilonFactor: 1)
    let times = medianSeconds(rounds: 3, [
        { plainIterations(c, epsilon, count: 1) }, { _ = try? few.solve(problem) }, { _ = try? Sinkhorn(epsilon: epsilon, tolerance: 1e-5).solve(problem) },
        { _ = ExactTransport().solve(problem) }, { _ = SmoothTransport<Float>(.sparsityConstrained(atMost: 4), gamma: Float(n), tolerance: 1e-3).solve(problem) },
    ])
    var table = Table("Transport of \(n) digits to \(n) others, 64 pixels, \(Threads.count) threads",
                      columns: ["method", "time, ms", "ratio to plain", "cost", "entries of the plan"])
    table.append("one log-domain iteration, plain Swift", short(1e3 * times[0]), "1", "", "")
    table.append("one of Sinkhorn's", short(1e2 * times[1]), short(10 * times[0] / times[1]), "", "")
    table.append("Sinkhorn to 10⁻⁵, \(entropic.iterations) iterations", short(1e3 * times[2]), "", short(Double(entropic.transportCost)), "\(n * n)")
    table.append("exact: assignment", short(1e3 * times[3]), "", short(Double(exact.transportCost)), "\(n)")
    table.append("at most 4 sources a target", short(1e3 * times[4]), "", short(Double(sparse.transportCost)), "\(sparse.plan.sparse(above: 0).values.count)")
    let excess = Double(entropic.transportCost - exact.transportCost)
    return (table, [
        Check("entropic cost less the exact one, in ε ln n", excess / (Double(epsilon) * Double.log(Double(n))), .atMost, 1, source: "⟨P_ε, C⟩ − OT ≤ ε H(a): theory"),
        Check("exact cost less the entropic one, relative", -excess / Double(exact.transportCost), .atMost, 1e-4, source: "no plan costs less than the optimal one"),
        Check("entries of a column of the sparse plan beyond 4", Double(mostEntries(sparse.plan.sparse(above: 0)) - 4), .atMost, 0, source: "the constraint"),
    ])
}

private func mostEntries(_ plan: SparseMatrix<Float>) -> Int {
    var counts = [Int](repeating: 0, count: plan.columns)
    for j in plan.columnIndices { counts[Int(j)] += 1 }
    return counts.max()!
}

/// f and g in turn by log-sum-exps as one would write them.
private func plainIterations(_ c: Matrix<Float>, _ epsilon: Float, count: Int) {
    let n = c.rows, m = c.columns
    var f = [Float](repeating: 0, count: n), g = [Float](repeating: 0, count: m)
    for _ in 0..<count {
        for i in 0..<n {
            var largest = -Float.infinity, sum: Float = 0
            for j in 0..<m { largest = max(largest, (g[j] - c[i, j]) / epsilon) }
            for j in 0..<m { sum += Float.exp((g[j] - c[i, j]) / epsilon - largest) }
            f[i] = -epsilon * (largest + Float.log(sum / Float(m)))
        }
        for j in 0..<m {
            var largest = -Float.infinity, sum: Float = 0
            for i in 0..<n { largest = max(largest, (f[i] - c[i, j]) / epsilon) }
            for i in 0..<n { sum += Float.exp((f[i] - c[i, j]) / epsilon - largest) }
            g[j] = -epsilon * (largest + Float.log(sum / Float(n)))
        }
    }
    withExtendedLifetime((f, g)) {}
}
