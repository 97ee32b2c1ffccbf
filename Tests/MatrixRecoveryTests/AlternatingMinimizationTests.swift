import Foundation
import Kernels
import LinearAlgebra
import MatrixRecovery
import Objectives
import Randomness
import RealModule
import Sketching
import Testing

@Suite struct AlternatingMinimizationTests {
    /// Check 1 of the paper's brief: with all entries, one round is enough, from any start.
    @Test(arguments: [InnerRegression.exact, .sketched(steps: 30, accuracy: 1e-14), .conjugateGradients(steps: 30, accuracy: 1e-14), .automatic])
    func allEntriesNeedOneRound(_ regression: InnerRegression) throws {
        let model = Model(rows: 60, columns: 50, rank: 4, condition: 10, seed: 1)
        let problem = try completion(model, probability: 1)
        var random = RandomStream(seed: 3)
        let solver = AlternatingMinimization<Double>(rank: 4, regression: regression)
        var state = solver.makeState(problem, from: random.normal(count: 110 * 4))
        _ = solver.step(&state, problem)
        // The cheap choice of the automatic one has a stated accuracy of 0.1.
        let error = model.relativeError(of: state.factors)
        #expect(error < (regression == .automatic ? 0.1 : 1e-12), "\(error)")
    }

    /// Check 2: the same observations, exact halves or inexact ones from the last factor: the objective never rises.
    @Test(arguments: [InnerRegression.exact, .sketched(steps: 1, accuracy: nil), .conjugateGradients(steps: 1, accuracy: nil), .automatic], [0, 1e-3])
    func objectiveNeverRises(_ regression: InnerRegression, _ regularization: Double) throws {
        let model = Model(rows: 120, columns: 90, rank: 3, condition: 5, seed: 2)
        let problem = try completion(model, probability: 0.4, noise: 1e-3)
        let solver = AlternatingMinimization<Double>(rank: 3, regression: regression, regularization: regularization)
        var state = solver.makeState(problem, from: try problem.spectralStart(rank: 3).parameters), last = state.value
        for _ in 0..<15 {
            _ = solver.step(&state, problem)
            #expect(state.value <= last * (1 + 1e-12))
            last = state.value
        }
        // The value that the regressions keep is the objective.
        let residual = problem.residualNorm(state.factors)
        var expected = residual * residual / 2
        for (factor, data) in [(state.factors.left, problem.byRows), (state.factors.right, problem.byColumns)] {
            for i in 0..<factor.rows {
                let row = factor.row(i)
                expected += regularization * Double(data.rowOffsets[i + 1] - data.rowOffsets[i]) * Double.dot(row, row) / 2
            }
        }
        let close = abs(state.value - expected) <= 1e-10 * expected
        #expect(close, "\(state.value) \(expected)")
    }

    /// Check 3: ‖A x' − b‖ ≤ (1 + e) min gives ‖x' − x‖ ≤ √(2e + e²) min / σ_min; the bound is nearly met.
    @Test func forwardErrorBound() throws {
        var random = RandomStream(seed: 5)
        let a = Matrix<Double>(rows: 300, columns: 8, elements: random.normal(count: 2400)), b: [Double] = random.normal(count: 300)
        let x = try QR(a).solve(b), smallest = try SVD<Double>.singularValues(of: a).last!
        func residual(_ x: [Double]) -> Double {
            let r = zip(a * x, b).map { $0 - $1 }
            return Double.nrm2(r.span)
        }
        let best = residual(x)
        var largest = 0.0
        for _ in 0..<1000 {
            let change: [Double] = random.normal(count: 8, mean: 0, standardDeviation: 0.1)
            let excess = residual(zip(x, change).map { $0 + $1 }) / best - 1
            largest = max(largest, Double.nrm2(change.span) / ((2 * excess + excess * excess).squareRoot() * best / smallest))
        }
        #expect(largest <= 1 && largest > 0.85)
    }

    /// Check 4: linear convergence, whatever the condition.
    @Test(arguments: [1.0, 10]) func linearConvergence(_ condition: Double) throws {
        let model = Model(rows: 400, columns: 300, rank: 5, condition: condition, seed: 4)
        let problem = try completion(model, probability: 0.2, seed: 4)
        let e = try errors(AlternatingMinimization(rank: 5, regression: .exact), problem, model, rounds: 13)
        let factor = ratio(e, 5, 12)
        #expect(factor > 0.15 && factor < 0.45, "\(e)")
        #expect(e[12] < 1e-5, "\(e)")
        // Check 8: the factor stays incoherent.
        guard condition == 1 else { return }
        var state = AlternatingMinimization<Double>(rank: 5, regression: .exact).makeState(problem, from: try problem.spectralStart(rank: 5).parameters)
        let optimum = try coherence(model.factors.left)
        for _ in 0..<6 {
            _ = AlternatingMinimization<Double>(rank: 5, regression: .exact).step(&state, problem)
            let now = try coherence(state.factors.left)
            #expect(now <= 2 * optimum, "\(now) \(optimum)")
        }
    }

    /// The largest squared row norm of an orthonormal basis, times rows / columns.
    private func coherence(_ factor: Matrix<Double>) throws -> Double {
        let q = try QR(factor).q()
        return (0..<q.rows).map { Double.dot(q.row($0), q.row($0)) }.max()! * Double(q.rows) / Double(q.columns)
    }

    /// Check 5: fresh samples for each half of a round; their classes are equally likely.
    @Test func splitSamples() throws {
        let model = Model(rows: 600, columns: 500, rank: 3, seed: 6)
        let problem = try completion(model, probability: 0.9, seed: 6)
        let solver = AlternatingMinimization<Double>(rank: 3, regression: .exact, sampling: .split(rounds: 8))
        let e = try errors(solver, problem, model, rounds: 8)
        let factor = ratio(e, 1, 6)
        #expect(factor > 0.05 && factor < 0.35, "\(e)")
        let solution = try solver.solve(problem)
        #expect(solution.status == .iterationLimit && solution.reason.contains("all 8 rounds"))
        let counts = (0..<17).map { Double(problem.part($0, of: 17, seed: 0).count) }, mean = Double(problem.count) / 17
        #expect(counts.reduce(0, +) == Double(problem.count))
        // χ² with 16 degrees of freedom: 39.3 is exceeded once in a thousand.
        #expect(counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / mean } < 39.3)
    }

    /// In a round of split samples the rows are fitted to a class of their own.
    @Test func halvesHaveTheirOwnSamples() throws {
        let model = Model(rows: 90, columns: 80, rank: 2, seed: 18)
        let problem = try completion(model, probability: 1, noise: 0.1)
        let solver = AlternatingMinimization<Double>(rank: 2, regression: .exact, sampling: .split(rounds: 1), seed: 5)
        var state = solver.makeState(problem, from: try solver.startingSample(problem).spectralStart(rank: 2).parameters)
        _ = solver.step(&state, problem)
        for (index, isFitted) in [(1, false), (2, true)] {
            let gradient = problem.part(index, of: 3, seed: 5).residuals(state.factors).dense() * state.factors.right
            #expect((gradient.maxNorm < 1e-10) == isFitted, "class \(index): \(gradient.maxNorm)")
        }
    }

    /// Check 6: sketch and solve alone converges more slowly, and one step of conjugate gradients makes up for it.
    @Test func sketchAndSolveIsSlower() throws {
        let model = Model(rows: 400, columns: 300, rank: 5, seed: 4)
        let problem = try completion(model, probability: 0.2, seed: 4)
        func factor(_ regression: InnerRegression) throws -> Double {
            ratio(try errors(AlternatingMinimization(rank: 5, regression: regression), problem, model, rounds: 12), 3, 11)
        }
        let exact = try factor(.exact), sketch = try factor(.sketched(steps: 0, accuracy: nil)), corrected = try factor(.sketched(steps: 1, accuracy: nil))
        #expect(sketch > exact + 0.02 && sketch < 0.75, "\(sketch) \(exact)")
        #expect(corrected < exact + 0.05, "\(corrected) \(exact)")
    }

    /// Conjugate directions end a regression with k unknowns in k steps, with a preconditioner or without; steepest descent would not.
    @Test(arguments: [0, 1e-2]) func conjugateGradientsEnd(_ regularization: Double) throws {
        let model = Model(rows: 70, columns: 60, rank: 4, condition: 3, seed: 17)
        let problem = try completion(model, probability: 0.6, noise: 0.1)
        var random = RandomStream(seed: 4)
        let start: [Double] = random.normal(count: 130 * 4)
        func round(_ regression: InnerRegression) -> Matrix<Double> {
            let solver = AlternatingMinimization<Double>(rank: 4, regression: regression, regularization: regularization)
            var state = solver.makeState(problem, from: start)
            _ = solver.step(&state, problem)
            #expect(state.counts.rejected == 0)
            return state.factors.product
        }
        let exact = round(.exact)
        for other in [InnerRegression.conjugateGradients(steps: 4, accuracy: nil), .sketched(steps: 4, accuracy: nil)] {
            let difference = (round(other) - exact).maxNorm
            #expect(difference < 1e-9, "\(other): \(difference)")
        }
    }

    /// Check 7: another basis of the same space gives the same matrices.
    @Test func basisDoesNotMatter() throws {
        let model = Model(rows: 80, columns: 70, rank: 3, condition: 3, seed: 7)
        let problem = try completion(model, probability: 0.5)
        let solver = AlternatingMinimization<Double>(rank: 3, regression: .exact)
        let start = try problem.spectralStart(rank: 3)
        var random = RandomStream(seed: 1)
        let rotation = try QR(Matrix<Double>(rows: 3, columns: 3, elements: random.normal(count: 9))).q()
        let turned = LowRankFactors(left: start.left * rotation, right: start.right * rotation)
        var a = solver.makeState(problem, from: start.parameters), b = solver.makeState(problem, from: turned.parameters)
        for _ in 0..<3 {
            _ = solver.step(&a, problem)
            _ = solver.step(&b, problem)
        }
        let difference = (a.factors.product - b.factors.product).frobeniusNorm
        #expect(difference < 1e-12)
    }

    /// Check 9: of so small sketches a share embeds badly, and no regression that they spoil gets through.
    @Test func badSketchesAreCaught() throws {
        var random = RandomStream(seed: 8)
        let q = try QR(Matrix<Double>(rows: 60, columns: 5, elements: random.normal(count: 300))).q()
        var bad = 0
        for draw in 0..<10_000 {
            let s = try SVD<Double>.singularValues(of: SparseSignEmbedding().sample(
                Double.self, rows: 20, columns: 60, random: RandomStream(seed: 9, stream: UInt64(draw))).apply(to: q))
            if s.first! > 1.55 || s.last! < 0.45 { bad += 1 }
        }
        #expect(bad > 100 && bad < 6000, "\(bad)")

        let model = Model(rows: 60, columns: 60, rank: 5, seed: 8)
        let problem = try completion(model, probability: 1, noise: 0.01)
        let exactStart = try problem.spectralStart(rank: 5).parameters, data = problem.byRows.dense()
        var rejected = 0
        for seed in 0..<500 {
            let solver = AlternatingMinimization<Double>(rank: 5, regression: .sketched(steps: 2, accuracy: 0.1), seed: UInt64(seed))
            var state = solver.makeState(problem, from: exactStart)
            _ = solver.step(&state, problem)
            rejected += state.counts.rejected
            // V̂ is orthonormal and nothing is missing: the best U is M V̂.
            let best = data * state.factors.right
            for i in 0..<60 {
                let off = zip(best.row(i).array, state.factors.left.row(i).array).map { $0 - $1 }
                let residual = (0..<60).map { data[i, $0] - Double.dot(best.row(i), state.factors.right.row($0)) }
                let excess = Double.dot(off.span, off.span) / Double.dot(residual.span, residual.span)
                if excess > 0.01 { Issue.record("row \(i), seed \(seed): \(excess)") }
            }
        }
        #expect(rejected > 0)
    }

    /// Check 10: rank 1 in closed form.
    @Test func rankOneInClosedForm() throws {
        let model = Model(rows: 12, columns: 12, rank: 1, seed: 10)
        let problem = try completion(model, probability: 0.6, noise: 0.1)
        let solver = AlternatingMinimization<Double>(rank: 1, regression: .exact)
        var random = RandomStream(seed: 2)
        let start = LowRankFactors<Double>(rows: 12, columns: 12, rank: 1, parameters: random.normal(count: 24))
        var state = solver.makeState(problem, from: start.parameters)
        _ = solver.step(&state, problem)
        func fit(_ data: SparseMatrix<Double>, _ u: [Double]) -> [Double] {
            (0..<data.rows).map { j in
                let row = data.row(j)
                return row.reduce(0) { $0 + u[$1.column] * $1.value } / row.reduce(0) { $0 + u[$1.column] * u[$1.column] }
            }
        }
        let v = fit(problem.byColumns, start.left.elements), u = fit(problem.byRows, v)
        let expected = Matrix(rows: 12, columns: 1, elements: u) * Matrix(rows: 1, columns: 12, elements: v)
        let difference = (expected - state.factors.product).maxNorm
        #expect(difference < 1e-12)
    }

    /// Check 11: a row or column with fewer entries than the rank, or none, gets its shortest solution, and is counted.
    @Test func rowsWithTooFewEntries() throws {
        let model = Model(rows: 40, columns: 30, rank: 3, seed: 11)
        let all = model.observations(probability: 0.9, seed: 1)
        let observations = all.filter { ($0.row != 5 || $0.column == 7 || $0.column == 9) && $0.column != 4 }
        let problem = try Completion(rows: 40, columns: 30, observations: observations)
        let solver = AlternatingMinimization<Double>(rank: 3)
        let solution = try solver.solve(problem)
        let x = LowRankFactors(rows: 40, columns: 30, rank: 3, parameters: solution.iterate)
        #expect(solution.status == .converged && solution.iterate.allSatisfy(\.isFinite), "\(solution.reason)")
        #expect(solution.work["regressions: singular"]! >= 2 * solution.iterations)
        let empty = x.right.row(4).array
        #expect(empty == [0, 0, 0])
        var worst = 0.0
        for i in 0..<40 where i != 5 { for j in 0..<30 where j != 4 { worst = max(worst, abs(x[i, j] - model.factors[i, j])) } }
        #expect(worst < 1e-6, "\(worst)")
    }

    /// Counted operations: linear in the observations for all, linear in k by sketching or conjugate gradients, quadratic exactly. The
    /// exact one is looked at where k²/2 outweighs the pass that finds the gradient, 2 k.
    @Test(arguments: [(InnerRegression.exact, 2.0, [32, 64, 128]), (.sketched(steps: 3, accuracy: nil), 1, [8, 16, 32]),
                      (.conjugateGradients(steps: 3, accuracy: nil), 1, [8, 16, 32])])
    func operationsGrowAsStated(_ regression: InnerRegression, _ exponent: Double, _ ranks: [Int]) throws {
        let model = LowRankModel<Float>(rows: 2000, columns: 2000, rank: 4, seed: 1)
        let shares = [0.225, 0.45, 0.9]
        let problems = try shares.map { try MatrixCompletion<Float>(rows: 2000, columns: 2000, observations: model.observations(probability: $0)) }
        func operations(_ problem: MatrixCompletion<Float>, _ rank: Int) -> Double {
            let solver = AlternatingMinimization<Float>(rank: rank, regression: regression)
            var random = RandomStream(seed: 1)
            var state = solver.makeState(problem, from: random.normal(count: 4000 * rank))
            _ = solver.step(&state, problem)
            #expect(state.counts.rejected == 0 && state.counts.singular == 0)
            return Double(state.counts.operations)
        }
        let inRank = slope(ranks.map { Double($0) }, ranks.map { operations(problems[2], $0) })
        let inCount = slope(problems.map { Double($0.count) }, problems.map { operations($0, ranks[0]) })
        #expect(abs(inRank - exponent) <= 0.1, "in k: \(inRank)")
        #expect(abs(inCount - 1) <= 0.1, "in |Ω|: \(inCount)")
    }

    /// The automatic choice says why, takes plain conjugate gradients for well-sampled rows of high rank, and leaves them where they failed.
    @Test func choiceHasAReason() {
        let small = RegressionChoice(rows: 800, rank: 10), large = RegressionChoice(rows: 2000, rank: 200)
        #expect(small.method == .exact && small.reason.contains("800 observations a row, rank 10: exact"))
        #expect(large.method == .conjugateGradients() && large.reason.contains("conjugate gradients"))
        let burnt = RegressionChoice(rows: 20_000, rank: 200, rejectedShare: 0.5)
        #expect(burnt.method == .sketched() && burnt.reason.contains("gave up 50 %"))
    }

    @Test func limitsResumptionAndThreads() throws {
        let model = Model(rows: 90, columns: 70, rank: 3, condition: 4, seed: 12)
        let problem = try completion(model, probability: 0.4, noise: 0.01)
        for regression in [InnerRegression.automatic, .sketched()] {
            let solver = AlternatingMinimization<Double>(rank: 3, regression: regression)
            let start = try problem.spectralStart(rank: 3).parameters
            #expect(solver.solve(problem, from: start, stopping: .iterations(1)).status == .iterationLimit)
            let whole = solver.solve(problem, from: start, stopping: .iterations(7))
            var run = solver.makeRun(problem, from: start)
            _ = solver.solve(problem, resuming: &run, stopping: .iterations(3))
            run = try JSONDecoder().decode(type(of: run), from: JSONEncoder().encode(run))
            let resumed = solver.solve(problem, resuming: &run, stopping: .iterations(7))
            #expect(resumed.iterate == whole.iterate && resumed.work == whole.work)
            let threads = Threads.count
            Threads.count = 1
            defer { Threads.count = threads }
            #expect(solver.solve(problem, from: start, stopping: .iterations(7)).iterate == whole.iterate)
        }
    }

    /// Noise: the run converges to a stationary point, and the error is near σ √(degrees of freedom / |Ω|) for each entry.
    @Test(arguments: [InnerRegression.exact, .automatic]) func noise(_ regression: InnerRegression) throws {
        let model = Model(rows: 200, columns: 150, rank: 3, seed: 13)
        let problem = try completion(model, probability: 0.5, noise: 0.01)
        let solution = try AlternatingMinimization<Double>(rank: 3, regression: regression).solve(problem)
        #expect(solution.status == .converged, "\(solution.reason)")
        let x = LowRankFactors(rows: 200, columns: 150, rank: 3, parameters: try solution.get())
        let error = (x.product - model.factors.product).frobeniusNorm / Double(200 * 150).squareRoot()
        let theory = 0.01 * (Double(problem.degreesOfFreedom(rank: 3)) / Double(problem.count)).squareRoot()
        #expect(error > 0.7 * theory && error < 1.5 * theory, "\(error) \(theory)")
    }

    @Test func singlePrecision() throws {
        let model = LowRankModel<Float>(rows: 200, columns: 150, rank: 3, seed: 14)
        let problem = try MatrixCompletion<Float>(rows: 200, columns: 150, observations: model.observations(probability: 0.4))
        for regression in [InnerRegression.exact, .sketched(), .automatic] {
            let solution = try AlternatingMinimization<Float>(rank: 3, regression: regression).solve(problem)
            let error = model.relativeError(of: LowRankFactors(rows: 200, columns: 150, rank: 3, parameters: solution.iterate))
            #expect(solution.status == .converged && error < 2e-3, "\(error) \(solution.reason)")
        }
    }

    /// Scales far from 1 change nothing.
    @Test(arguments: [1e-100, 1e100]) func scale(_ factor: Double) throws {
        let model = Model(rows: 60, columns: 50, singularValues: [3 * factor, factor], seed: 15)
        let problem = try completion(model, probability: 0.5)
        let solution = try AlternatingMinimization<Double>(rank: 2).solve(problem)
        let error = model.relativeError(of: LowRankFactors(rows: 60, columns: 50, rank: 2, parameters: solution.iterate))
        #expect(solution.status == .converged && error < 1e-6, "\(error) \(solution.reason)")
    }

    @Test func whatDataCanCause() throws {
        #expect(throws: ObservationError.nonFinite(row: 1, column: 0)) {
            try Completion(rows: 2, columns: 2, observations: [.init(row: 0, column: 0, value: 1), .init(row: 1, column: 0, value: .nan)])
        }
        #expect(throws: ObservationError.duplicate(row: 1, column: 0)) {
            try Completion(rows: 2, columns: 2, observations: [.init(row: 1, column: 0, value: 1), .init(row: 0, column: 0, value: 2), .init(row: 1, column: 0, value: 1)])
        }
        #expect(throws: ObservationError.outOfRange(row: 2, column: 0, rows: 2, columns: 2)) {
            try Completion(rows: 2, columns: 2, observations: [.init(row: 2, column: 0, value: 1)])
        }
        // Too few for the rank: said, and the start is kept. With a regularisation it runs.
        let model = Model(rows: 30, columns: 30, rank: 3, seed: 16)
        let few = try completion(model, probability: 0.1)
        let start = try few.spectralStart(rank: 3).parameters
        let refused = AlternatingMinimization<Double>(rank: 3).solve(few, from: start)
        #expect(refused.status == .singular && refused.iterate == start && refused.reason.contains("needs at least 171"))
        let regularized = AlternatingMinimization<Double>(rank: 3, regularization: 1e-3).solve(few, from: start)
        #expect(regularized.value < refused.value && regularized.iterate.allSatisfy(\.isFinite))
        // All zero, and one entry.
        let zero = try Completion(rows: 4, columns: 3, observations: entries(Matrix(rows: 4, columns: 3, repeating: 0)))
        let nothing = try AlternatingMinimization<Double>(rank: 1).solve(zero)
        #expect(nothing.status == .converged && nothing.value == 0)
        let one = try Completion(rows: 1, columns: 1, observations: [.init(row: 0, column: 0, value: 5)])
        let five = try AlternatingMinimization<Double>(rank: 1).solve(one)
        #expect(abs(five.iterate[0] * five.iterate[1] - 5) < 1e-12)
        // No observation at all.
        let none = try Completion(rows: 3, columns: 3, observations: [])
        #expect(try AlternatingMinimization<Double>(rank: 1).solve(none).status == .singular)
        // A start with NaN.
        let bad = AlternatingMinimization<Double>(rank: 3, regularization: 1).solve(few, from: [Double](repeating: .nan, count: 180))
        #expect(bad.status == .nonFinite)
    }
}

extension Span where Element: Copyable {
    var array: [Element] { (0..<count).map { self[$0] } }
}
