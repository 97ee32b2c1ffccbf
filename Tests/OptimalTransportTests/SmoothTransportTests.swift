import Kernels
import LinearAlgebra
import Objectives
import OptimalTransport
import Randomness
import Testing

private func randomProblem(_ n: Int, _ m: Int, seed: UInt64, uniform: Bool = false) throws -> TransportProblem<Double> {
    var random = RandomStream(seed: seed)
    let c: [Double] = random.uniform(count: n * m), a: [Double] = random.uniform(count: n), b: [Double] = random.uniform(count: m)
    func weights(_ x: [Double]) -> [Double] {
        let sum = x.reduce(0) { $0 + $1 + 0.1 }
        return uniform ? Array(repeating: 1 / Double(x.count), count: x.count) : x.map { ($0 + 0.1) / sum }
    }
    return try TransportProblem(Geometry(cost: Matrix(rows: n, columns: m, elements: c)), from: weights(a), to: weights(b))
}

/// Subsets of at most k of n.
private func supports(_ n: Int, _ k: Int) -> [[Int]] {
    (1..<(1 << n)).filter { $0.nonzeroBitCount <= k }.map { mask in (0..<n).filter { mask >> $0 & 1 == 1 } }
}

/// The projection of s/γ onto the simplex of mass b over a support, by trying all subsets of it as the positive part.
private func simplexValue(_ s: [Double], gamma: Double, mass b: Double) -> (value: Double, t: [Double]) {
    var best = (value: -Double.infinity, t: [Double]())
    for part in supports(s.count, s.count) {
        let tau = (part.reduce(0) { $0 + s[$1] } - gamma * b) / Double(part.count)
        guard part.allSatisfy({ s[$0] >= tau }) else { continue }
        var t = [Double](repeating: 0, count: s.count)
        for i in part { t[i] = (s[i] - tau) / gamma }
        let value = zip(s, t).reduce(0) { $0 + $1.0 * $1.1 - gamma / 2 * $1.1 * $1.1 }
        if value > best.value { best = (value, t) }
    }
    return best
}

@Suite struct SmoothDualTests {
    private func column(_ s: [Double], mass: Double) throws -> TransportProblem<Double> {
        // One target: D and S at α = s with costs 0.
        let a = [Double](repeating: mass / Double(s.count), count: s.count)
        return try TransportProblem(Geometry(cost: Matrix(rows: s.count, columns: 1, repeating: 0)), from: a, to: [mass])
    }

    // Checks 1 and 8.
    @Test(arguments: [0.3, 2.0]) func conjugatesAgreeWithAllSupports(_ gamma: Double) throws {
        for n in [1, 2, 5, 8] {
            for k in [1, 2, 3, n] where k <= n {
                var random = RandomStream(seed: UInt64(10 * n + k))
                let s: [Double] = random.normal(count: n), mass = 1.7
                let problem = try column(s, mass: mass), linear = zip(s, problem.sourceWeights).reduce(0) { $0 + $1.0 * $1.1 }
                // S(s) = ⟨s, a⟩ − Ω*_b(s).
                let semi = SmoothDual(problem, .sparsityConstrained(atMost: k), gamma: gamma, formulation: .semiDual)
                let exact = supports(n, k).map { part in (part, simplexValue(part.map { s[$0] }, gamma: gamma, mass: mass)) }
                let best = exact.max { $0.1.value < $1.1.value }!
                #expect(abs(semi.value(at: s.span) + linear - best.1.value) <= 1e-10, "\(n), \(k)")
                var t = [Double](repeating: 0, count: n), expected = t
                for (i, place) in best.0.enumerated() { expected[place] = best.1.t[i] }
                for entry in semi.plan(at: s.span).entries { t[entry.row] = entry.value }
                let isProjection = zip(t, expected).allSatisfy { abs($0 - $1) <= 1e-10 }
                #expect(isProjection && abs(t.reduce(0, +) - mass) <= 1e-14 * Double(n) && t.count { $0 > 0 } <= k)
                // D(s, β) with Ω*(s + β) = max over supports of Σ [s + β]₊² / 2γ.
                let dual = SmoothDual(problem, .sparsityConstrained(atMost: k), gamma: gamma, formulation: .dual), beta = 0.4
                let most = supports(n, k).map { $0.reduce(0) { $0 + max(s[$1] + beta, 0) * max(s[$1] + beta, 0) } / (2 * gamma) }.max()!
                #expect(abs(dual.value(at: (s + [beta]).span) + linear + beta * mass - most) <= 1e-10)
            }
        }
    }

    // Check 1, gradients.
    @Test(arguments: [TransportRegularizer.quadratic, .sparsityConstrained(atMost: 3), .entropic], TransportFormulation.allCases)
    func gradients(_ regularizer: TransportRegularizer, _ formulation: TransportFormulation) throws {
        let problem = try randomProblem(9, 7, seed: 3)
        let dual = SmoothDual(problem, regularizer, gamma: 0.7, formulation: formulation)
        var random = RandomStream(seed: 4)
        let x: [Double] = random.normal(count: dual.dimension)
        var gradient = [Double](repeating: .nan, count: dual.dimension)
        var span = gradient.mutableSpan
        let value = dual.valueAndGradient(at: x.span, gradient: &span)
        #expect(value == dual.value(at: x.span))
        for i in x.indices {
            var up = x, down = x
            up[i] += 1e-5
            down[i] -= 1e-5
            let slope = (dual.value(at: up.span) - dual.value(at: down.span)) / 2e-5
            #expect(abs(slope - gradient[i]) <= 1e-6 * max(1, abs(slope)), "\(i): \(slope), \(gradient[i])")
        }
    }

    // Checks 6 and 11: S(α) = max over β of D(α, β), attained at −τ, and every column has its mass.
    @Test(arguments: [TransportRegularizer.quadratic, .sparsityConstrained(atMost: 1), .sparsityConstrained(atMost: 4), .entropic])
    func semiDualIsTheBestDual(_ regularizer: TransportRegularizer) throws {
        let problem = try randomProblem(12, 9, seed: 5)
        let semi = SmoothDual(problem, regularizer, gamma: 0.5, formulation: .semiDual)
        let dual = SmoothDual(problem, regularizer, gamma: 0.5, formulation: .dual)
        var random = RandomStream(seed: 6)
        // A tie too: two rows alike.
        var alpha: [Double] = random.normal(count: 12)
        alpha[1] = alpha[0]
        let (entries, beta, _) = semi.plan(at: alpha.span), best = semi.value(at: alpha.span)
        #expect(abs(dual.value(at: (alpha + beta).span) - best) <= 1e-13)
        for change in [-0.1, -1e-3, 1e-3, 0.1] {
            #expect(dual.value(at: (alpha + beta.map { $0 + change }).span) > best)
        }
        for (j, b) in problem.targetWeights.enumerated() {
            let column = entries.filter { $0.column == j }
            #expect(abs(column.reduce(0) { $0 + $1.value } - b) <= 1e-14)
            if case .sparsityConstrained(let k) = regularizer { #expect(column.count <= k) }
        }
    }

    // Check 3: with the potentials of the unregularised problem S = LP + (γ/2) ‖b‖² for k = 1, its maximum.
    @Test func oneEntryAColumnIsUnregularized() throws {
        let problem = try randomProblem(12, 9, seed: 7)
        let exact = try NetworkSimplex().solve(problem).get()
        let semi = SmoothDual(problem, .sparsityConstrained(atMost: 1), gamma: 0.5, formulation: .semiDual)
        let top = exact.transportCost + 0.25 * problem.targetWeights.reduce(0) { $0 + $1 * $1 }
        #expect(abs(-semi.value(at: exact.sourcePotential.span) - top) <= 1e-12)
        var random = RandomStream(seed: 8)
        for size in [1e-3, 1e-2, 1.0] {
            let step: [Double] = random.normal(count: 12)
            let moved = zip(exact.sourcePotential, step).map { $0 + size * $1 }
            #expect(-semi.value(at: moved.span) <= top + 1e-12)
        }
    }

    // Check 7: Ω** (t) = max over s of ⟨s, t⟩ − Ω*(s) is (γ/2) times the squared k-support norm.
    @Test func biconjugateIsTheSquaredSupportNorm() throws {
        let w = [0.9, 0.7, 0.5, 0.45, 0.2, 0.1, 0.05], gamma = 1.3
        for k in [1, 2, 3, 5, 7] {
            // The maximum over s is that of a concave function of k numbers at most, found by L-BFGS on the dual with a = w.
            let problem = try TransportProblem(Geometry(cost: Matrix(rows: 7, columns: 1, repeating: 0)), from: w, to: [w.reduce(0, +)])
            let dual = SmoothDual(problem, .sparsityConstrained(atMost: k), gamma: gamma, formulation: .dual)
            var best = Double.infinity
            // Of sorted s the k largest are all above a common level of the rest: search over that level and the size r of the tie.
            for r in 0..<k {
                let head = w.prefix(k - r - 1), tail = w.suffix(7 - (k - r - 1)).reduce(0, +) / Double(r + 1)
                guard (head.last ?? .infinity) > tail, tail >= w[k - r - 1] else { continue }
                let s = head.map { $0 * gamma } + [Double](repeating: tail * gamma, count: 7 - head.count)
                best = min(best, dual.value(at: (s + [0]).span))
                let norm = gamma / 2 * (head.reduce(0) { $0 + $1 * $1 } + Double(r + 1) * tail * tail)
                #expect(abs(-dual.value(at: (s + [0]).span) - norm) <= 1e-12, "k = \(k)")
                // And no s does better.
                var random = RandomStream(seed: UInt64(k))
                for _ in 0..<200 {
                    let step: [Double] = random.normal(count: 7)
                    let moved = zip(s, step).map { max($0 + 0.05 * $1, 0) }
                    #expect(-dual.value(at: (moved + [0]).span) <= norm + 1e-12)
                }
            }
            #expect(best < .infinity, "k = \(k)")
        }
    }
}

@Suite struct SmoothTransportTests {
    private let gamma = 0.5

    /// ⟨P, C⟩ + (γ/2) ‖P‖².
    private func primal(_ solution: TransportSolution<Double>) -> Double { solution.primalValue }

    // Checks 2 and 4: values fall with k, from LP + (γ/2) ‖b‖² to that of the quadratic regulariser.
    @Test func valuesFallWithTheBound() throws {
        let problem = try randomProblem(12, 9, seed: 9)
        let exact = NetworkSimplex().solve(problem).transportCost + gamma / 2 * problem.targetWeights.reduce(0) { $0 + $1 * $1 }
        var last = exact
        for k in 1...12 {
            let found = SmoothTransport(.sparsityConstrained(atMost: k), gamma: gamma).solve(problem)
            #expect(found.dualValue <= last + 1e-7, "k = \(k): \(found.dualValue), \(last)")
            last = found.dualValue
        }
        let quadratic = try SmoothTransport(.quadratic, gamma: gamma, tolerance: 1e-9).solve(problem).get()
        let dual = try SmoothTransport(.quadratic, gamma: gamma, formulation: .dual, tolerance: 1e-9).solve(problem).get()
        #expect(abs(last - quadratic.dualValue) <= 1e-9 && abs(dual.dualValue - quadratic.dualValue) <= 1e-9)
        #expect(abs(quadratic.dualityGap) <= 1e-8 && abs(dual.dualityGap) <= 1e-8)
        #expect(quadratic.dualValue < exact)
    }

    // Check 5: no gap without ties, at most k entries a column; and weak duality.
    @Test(arguments: TransportFormulation.allCases) func plansWithoutTiesAreOptimal(_ formulation: TransportFormulation) throws {
        let problem = try randomProblem(30, 20, seed: 10), gamma = 5.0
        for k in [6, 8] {
            let found = try SmoothTransport(.sparsityConstrained(atMost: k), gamma: gamma, formulation: formulation, tolerance: 1e-9).solve(problem).get()
            #expect(!found.reason.contains("tied") && abs(found.dualityGap) <= 1e-8, "\(found.dualityGap)")
            let plan = try #require(found.plan as? SparseMatrix<Double>).transposed()
            let counts = (0..<20).map { plan.rowOffsets[$0 + 1] - plan.rowOffsets[$0] }
            #expect(counts.max()! <= k)
            // Any feasible plan costs at least the dual value: the exact one is k-sparse in most columns, the product is not but is feasible for Ω**.
            let exact = try #require(NetworkSimplex().solve(problem).plan as? SparseMatrix<Double>)
            let c = problem.geometry.costMatrix()
            var value = 0.0, mostInAColumn = [Int](repeating: 0, count: 20)
            for i in 0..<30 {
                for e in exact.rowOffsets[i]..<exact.rowOffsets[i + 1] {
                    let j = Int(exact.columnIndices[e])
                    value += exact.values[e] * c[i, j] + gamma / 2 * exact.values[e] * exact.values[e]
                    mostInAColumn[j] += 1
                }
            }
            #expect(mostInAColumn.max()! <= k && found.dualValue <= value)
        }
    }

    // The bound is too small for any plan: ties, and that is said.
    @Test func impossibleBoundsAreReported() throws {
        let problem = try randomProblem(12, 5, seed: 11)
        let found = SmoothTransport(.sparsityConstrained(atMost: 2), gamma: 0.5).solve(problem)
        #expect(found.status != .converged && found.marginalError > 1e-2)
        #expect(found.reason.contains("tied"))
        // The dual value is a bound all the same.
        #expect(found.dualValue <= NetworkSimplex().solve(problem).transportCost + 0.25 * problem.targetWeights.reduce(0) { $0 + $1 * $1 } + 1e-12)
    }

    // Check 9: for a small problem the plan is b softmax of the potentials, with both marginals.
    @Test(arguments: TransportFormulation.allCases) func entropicPlanIsThatOfSinkhorn(_ formulation: TransportFormulation) throws {
        let problem = try randomProblem(15, 11, seed: 12), epsilon = 0.1
        let found = try SmoothTransport(.entropic, gamma: epsilon, formulation: formulation, tolerance: 1e-10).solve(problem).get()
        // Sinkhorn's iterations in plain form.
        let c = problem.geometry.costMatrix()
        let kernel = Matrix(rows: 15, columns: 11, elements: c.elements.map { Double.exp(-$0 / epsilon) })
        var u = [Double](repeating: 1, count: 15), v = [Double](repeating: 1, count: 11)
        for _ in 0..<5000 {
            u = zip(problem.sourceWeights, kernel * v).map { $0 / $1 }
            v = zip(problem.targetWeights, kernel.transposed() * u).map { $0 / $1 }
        }
        let plan = try #require(found.plan as? SparseMatrix<Double>)
        var worst = 0.0
        for i in 0..<15 { for k in plan.rowOffsets[i]..<plan.rowOffsets[i + 1] {
            let j = Int(plan.columnIndices[k])
            worst = max(worst, abs(plan.values[k] - u[i] * kernel[i, j] * v[j]))
        } }
        #expect(plan.values.count == 165 && worst <= 1e-9, "\(worst)")
        #expect(abs(found.dualityGap) <= 1e-9)
    }

    // Check 10: shifts and permutations.
    @Test func invariances() throws {
        let problem = try randomProblem(10, 8, seed: 13), c = problem.geometry.costMatrix()
        let solver = SmoothTransport<Double>(.sparsityConstrained(atMost: 4), gamma: gamma, tolerance: 1e-10)
        let found = try solver.solve(problem).get(), plan = try #require(found.plan as? SparseMatrix<Double>)
        let moved = Matrix(rows: 10, columns: 8, elements: c.elements.enumerated().map { $1 + 0.2 * Double($0 / 8) - 0.3 * Double($0 % 8) })
        let shifted = try solver.solve(TransportProblem(Geometry(cost: moved), from: problem.sourceWeights, to: problem.targetWeights)).get()
        let more = problem.sourceWeights.enumerated().reduce(0) { $0 + 0.2 * Double($1.offset) * $1.element }
            - problem.targetWeights.enumerated().reduce(0) { $0 + 0.3 * Double($1.offset) * $1.element }
        let other = try #require(shifted.plan as? SparseMatrix<Double>)
        #expect(abs(shifted.dualValue - found.dualValue - more) <= 1e-9)
        #expect(plan.columnIndices == other.columnIndices && zip(plan.values, other.values).allSatisfy { abs($0 - $1) <= 1e-7 })
        // Rows in the opposite order.
        let turned = Matrix(rows: 10, columns: 8, elements: (0..<80).map { c[9 - $0 / 8, $0 % 8] })
        let reversed = try solver.solve(TransportProblem(Geometry(cost: turned), from: problem.sourceWeights.reversed(), to: problem.targetWeights)).get()
        let back = try #require(reversed.plan as? SparseMatrix<Double>)
        #expect(back.values.count == plan.values.count && abs(reversed.dualValue - found.dualValue) <= 1e-10)
        let counts = (0..<10).map { plan.rowOffsets[$0 + 1] - plan.rowOffsets[$0] }, backwards = (0..<10).map { back.rowOffsets[$0 + 1] - back.rowOffsets[$0] }
        #expect(counts == backwards.reversed())
    }

    // Check 12: the value's derivatives are the plan and the potentials.
    @Test func envelopeGradients() throws {
        let problem = try randomProblem(10, 8, seed: 14), c = problem.geometry.costMatrix(), h = 1e-4
        let solver = SmoothTransport<Double>(.sparsityConstrained(atMost: 4), gamma: gamma, tolerance: 1e-11)
        let found = try solver.solve(problem).get(), plan = try #require(found.plan as? SparseMatrix<Double>)
        func value(_ cost: Matrix<Double>, _ a: [Double]) throws -> Double {
            try solver.solve(TransportProblem(Geometry(cost: cost), from: a, to: problem.targetWeights)).get().dualValue
        }
        let (i, j) = (3, Int(plan.columnIndices[plan.rowOffsets[3]]))
        var up = c, down = c
        up[i, j] += h
        down[i, j] -= h
        let slope = (try value(up, problem.sourceWeights) - value(down, problem.sourceWeights)) / (2 * h)
        #expect(abs(slope - plan.values[plan.rowOffsets[3]]) <= 1e-5)
        // Mass from one source to another.
        var more = problem.sourceWeights, less = more
        more[2] += h; more[5] -= h
        less[2] -= h; less[5] += h
        let change = (try value(c, more) - value(c, less)) / (2 * h)
        #expect(abs(change - (found.sourcePotential[2] - found.sourcePotential[5])) <= 1e-5)
    }

    @Test func pointsWithoutMassAndFloat() throws {
        let x: Matrix<Float> = points(40, 2, seed: 1), y: Matrix<Float> = points(30, 2, seed: 2)
        var a = [Float](repeating: 1 / 39, count: 40)
        a[7] = 0
        let problem = try TransportProblem(Geometry(from: x, to: y), from: a)
        let cost = problem.geometry.costMatrix()
        let found = try SmoothTransport<Float>(.sparsityConstrained(atMost: 8), gamma: 20).solve(problem).get()
        let same = try SmoothTransport<Float>(.sparsityConstrained(atMost: 8), gamma: 20).solve(TransportProblem(Geometry(cost: cost), from: a)).get()
        let plan = try #require(found.plan as? SparseMatrix<Float>)
        #expect(plan.rowOffsets[7] == plan.rowOffsets[8] && found.sourcePotential[7].isFinite)
        #expect(abs(found.dualValue - same.dualValue) <= 1e-4 * abs(same.dualValue))
    }

    @Test func limits() throws {
        let problem = try randomProblem(20, 20, seed: 15)
        let found = SmoothTransport(.quadratic, gamma: 0.5, iterationLimit: 1).solve(problem)
        #expect(found.status == .iterationLimit && found.iterations == 1 && found.marginalErrors.count == 2)
        // A warm start needs no iteration.
        let solved = try SmoothTransport(.quadratic, gamma: 0.5, tolerance: 1e-8).solve(problem).get()
        let again = SmoothTransport(.quadratic, gamma: 0.5).solve(problem, from: (solved.sourcePotential, solved.targetPotential))
        #expect(again.status == .converged && again.iterations == 0)
    }
}
