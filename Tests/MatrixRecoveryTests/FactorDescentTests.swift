import Foundation
import Kernels
import LinearAlgebra
import MatrixRecovery
import Objectives
import Randomness
import RealModule
import Testing

typealias Sensing = MatrixSensing<Double>

/// Independent normal numbers with this deviation.
func normalMatrix(_ rows: Int, _ columns: Int, _ deviation: Double = 1, seed: UInt64) -> Matrix<Double> {
    var random = RandomStream(seed: seed, stream: 20)
    return Matrix(rows: rows, columns: columns, elements: random.normal(count: rows * columns, mean: 0, standardDeviation: deviation))
}

/// Orthonormal columns.
func orthonormal(_ rows: Int, _ columns: Int, seed: UInt64) throws -> Matrix<Double> { try QR(normalMatrix(rows, columns, seed: seed)).q() }

/// diag(1, …, 1, 0, …, 0) of size n with r ones, wholly measured.
func diagonalProblem(_ n: Int, _ r: Int) -> (problem: Sensing, target: Matrix<Double>) {
    let target = Matrix<Double>.diagonal((0..<n).map { $0 < r ? 1 : 0 })
    return (Sensing(WholeMatrixMeasurements(rows: n, columns: n), of: target), target)
}

@Suite struct FactorDescentTests {
    func squaredError(_ x: Matrix<Double>, _ target: Matrix<Double>) -> Double {
        let norm = (multiply(x, x, transposeB: true) - target).frobeniusNorm
        return norm * norm
    }

    /// Check 1: the steps are along the gradients, for matrices Aᵢ that are not symmetric.
    @Test func gradientsAgainstDifferences() throws {
        let problem = Sensing(GaussianMeasurements(rows: 6, columns: 6, count: 40, seed: 1), of: normalMatrix(6, 6, seed: 2))
        let x = normalMatrix(6, 2, seed: 3), pair = normalMatrix(12, 2, seed: 4)
        func check(_ start: [Double], _ value: ([Double]) -> Double, _ moved: [Double]) {
            for i in start.indices {
                var up = start, down = start
                up[i] += 1e-5
                down[i] -= 1e-5
                let slope = (value(up) - value(down)) / 2e-5
                #expect(abs((start[i] - moved[i]) / 0.01 - slope) < 1e-7 * (1 + abs(slope)), "\(i)")
            }
        }
        let one = SymmetricFactorDescent<Double>(stepSize: 0.01)
        var a = one.makeState(problem, from: x.elements)
        _ = one.step(&a, problem)
        check(x.elements, { one.makeState(problem, from: $0).value }, a.iterate)
        let two = FactorPairDescent<Double>(stepSize: 0.01)
        var b = two.makeState(problem, from: pair.elements)
        _ = two.step(&b, problem)
        check(pair.elements, { two.makeState(problem, from: $0).value }, b.iterate)
    }

    /// Check 2: t² ‖X Xᵀ − M‖² → (k − r)/(4 η²) = 50.
    @Test func exactSublinearConstant() {
        let (problem, target) = diagonalProblem(50, 3)
        let solver = SymmetricFactorDescent<Double>(stepSize: 0.1)
        var state = solver.makeState(problem, from: normalMatrix(50, 5, 0.05, seed: 5).elements), scaled: [Double] = []
        for t in 1...100_000 {
            _ = solver.step(&state, problem)
            if [1000, 10_000, 100_000].contains(t) { scaled.append(Double(t * t) * squaredError(state.factor, target)) }
        }
        #expect(abs(scaled[2] - 50) < 0.5, "\(scaled)")
        #expect(scaled[0] < scaled[1] && scaled[1] < scaled[2] && abs(scaled[1] - 47.6) < 2, "\(scaled)")
    }

    /// Check 3: with k = r the slope of the logarithm is 2 log(1 − η s_r).
    @Test func exactRankIsLinear() {
        let (problem, target) = diagonalProblem(50, 3)
        let solver = SymmetricFactorDescent<Double>(stepSize: 0.1)
        var state = solver.makeState(problem, from: normalMatrix(50, 3, 0.05, seed: 6).elements), e: [Double] = []
        for t in 1...200 {
            _ = solver.step(&state, problem)
            if t % 100 == 0 { e.append(squaredError(state.factor, target)) }
        }
        let slope = Double.log(e[1] / e[0]) / 100
        #expect(abs(slope - 2 * Double.log(0.9)) < 5e-4, "\(slope)")
    }

    private func pairStart(_ n: Int, _ k: Int, _ alpha: Double, seed: UInt64) -> LowRankFactors<Double> {
        LowRankFactors(left: normalMatrix(n, k, alpha, seed: seed), right: normalMatrix(n, k, alpha / 3, seed: seed + 1000))
    }

    /// Check 4: two factors are linear, at the rate 2 log(1 − η λ) with λ the least eigenvalue of FᵀF on the surplus directions; it is α².
    @Test func pairRateIsThatOfTheSurplus() throws {
        let (problem, target) = diagonalProblem(50, 3)
        let solver = FactorPairDescent<Double>(stepSize: 0.1)
        var rates: [Double] = []
        for alpha in [0.2, 0.1] {
            var state = solver.makeState(problem, from: pairStart(50, 5, alpha * 0.2, seed: 7).parameters), e: [Double] = [], times: [Int] = []
            // After the signal is learned and before the floor of rounding.
            for t in 1...20_000 where e.count < 2 {
                _ = solver.step(&state, problem)
                let norm = (state.factors.product - target).frobeniusNorm
                if norm * norm < (e.isEmpty ? 1e-12 : 1e-22) {
                    e.append(norm * norm)
                    times.append(t)
                }
            }
            // The null space of the learned signal: the two least right singular directions of G.
            let g = try SVD(state.factors.right), n = g.vTransposed.submatrix(rows: 3..<5, columns: 0..<5)
            let surplus = multiply(state.factors.left, n, transposeB: true)
            let predicted = 2 * Double.log(onePlus: -0.1 * (try SymmetricEigen<Double>.values(of: surplus.gram())[0]))
            let slope = Double.log(e[1] / e[0]) / Double(times[1] - times[0])
            rates.append(slope)
            #expect(abs(slope / predicted - 1) < 0.02, "\(slope) \(predicted)")
        }
        let ratio = rates[0] / rates[1]
        #expect(abs(ratio - 4) < 0.3, "\(ratio)")
    }

    /// Check 5: FᵀF − GᵀG changes by η² (GᵀRᵀR G − FᵀR RᵀF) in a step, and so drifts half as far with half the step.
    @Test func imbalanceIsNearlyConserved() {
        let (problem, target) = diagonalProblem(50, 3)
        func imbalance(_ x: LowRankFactors<Double>) -> Matrix<Double> { x.left.gram() - x.right.gram() }
        func drift(_ step: Double, _ steps: Int) -> Double {
            let solver = FactorPairDescent<Double>(stepSize: step)
            var state = solver.makeState(problem, from: pairStart(50, 5, 0.04, seed: 8).parameters)
            let start = imbalance(state.factors)
            for _ in 0..<steps { _ = solver.step(&state, problem) }
            return (imbalance(state.factors) - start).frobeniusNorm / start.frobeniusNorm
        }
        let full = drift(0.1, 3000), half = drift(0.05, 6000)
        #expect(full < 0.1 && half < 0.6 * full && half > 0.4 * full, "\(full) \(half)")
        let solver = FactorPairDescent<Double>(stepSize: 0.1)
        var state = solver.makeState(problem, from: pairStart(50, 5, 0.3, seed: 9).parameters)
        let before = state.factors, r = before.product - target
        _ = solver.step(&state, problem)
        let rg = r * before.right, rf = multiply(r, before.left, transposeA: true)
        let change = imbalance(state.factors) - imbalance(before) - 0.01 * (rg.gram() - rf.gram())
        #expect(change.maxNorm < 1e-14)
    }

    /// Check 6, and that the rate then no longer depends on the start: β² in place of α².
    @Test func rebalancingKeepsTheProduct() throws {
        let (problem, target) = diagonalProblem(30, 3)
        let solver = FactorPairDescent<Double>(stepSize: 0.2, rebalancing: .init(scale: 0.6, residual: 1e9))
        var plain = FactorPairDescent<Double>(stepSize: 0.2).makeState(problem, from: pairStart(30, 5, 0.3, seed: 10).parameters)
        var state = solver.makeState(problem, from: plain.iterate)
        _ = FactorPairDescent<Double>(stepSize: 0.2).step(&plain, problem)
        _ = solver.step(&state, problem)
        #expect(state.isRebalanced)
        #expect((state.factors.product - plain.factors.product).maxNorm < 1e-12)
        #expect((state.factors.left.gram() - 0.36 * Matrix.identity(5)).maxNorm < 1e-12)
        for alpha in [0.02, 0.002] {
            let method = FactorPairDescent<Double>(stepSize: 0.2, rebalancing: .init(scale: 0.6))
            let solution = method.solve(problem, from: pairStart(30, 5, alpha, seed: 11).parameters, stopping: .value(atMost: 1e-20) || .iterations(1000))
            #expect(solution.status == .converged, "\(alpha): \(solution.reason)")
        }
        let slow = FactorPairDescent<Double>(stepSize: 0.2).solve(problem, from: pairStart(30, 5, 0.02, seed: 11).parameters, stopping: .iterations(1000))
        #expect(slow.value > 1e-8)
        _ = target
    }

    /// Check 7: diagonal starts stay diagonal and follow the scalar recursions.
    @Test func diagonalStartsAreScalars() {
        let s = [1.0, 0.5, 0, 0]
        let problem = Sensing(WholeMatrixMeasurements(rows: 4, columns: 4), of: .diagonal(s))
        var f = [0.3, 0.2, 0.1, 0.4], g = [0.1, 0.2, 0.3, 0.05], x = f
        let pair = FactorPairDescent<Double>(stepSize: 0.1), one = SymmetricFactorDescent<Double>(stepSize: 0.1)
        var a = pair.makeState(problem, from: Matrix.diagonal(f).elements + Matrix.diagonal(g).elements)
        var b = one.makeState(problem, from: Matrix.diagonal(x).elements)
        for _ in 0..<50 {
            _ = pair.step(&a, problem)
            _ = one.step(&b, problem)
            for i in 0..<4 {
                let e = f[i] * g[i] - s[i], old = (f[i], g[i])
                (f[i], g[i]) = (f[i] - 0.1 * e * g[i], g[i] - 0.1 * e * f[i])
                #expect(abs(f[i] * f[i] - g[i] * g[i] - (old.0 * old.0 - old.1 * old.1) - 0.01 * e * e * (old.1 * old.1 - old.0 * old.0)) < 1e-15)
                x[i] -= 0.1 * (x[i] * x[i] - s[i]) * x[i]
            }
        }
        #expect((a.factors.left - .diagonal(f)).maxNorm < 1e-13 && (a.factors.right - .diagonal(g)).maxNorm < 1e-13)
        #expect((b.factor - .diagonal(x)).maxNorm < 1e-13)
    }

    /// Check 8: equal factors and a symmetric residual make two factors one.
    @Test func equalFactorsAreOne() {
        let (problem, _) = diagonalProblem(20, 3)
        let start = normalMatrix(20, 5, 0.1, seed: 12)
        let pair = FactorPairDescent<Double>(stepSize: 0.1), one = SymmetricFactorDescent<Double>(stepSize: 0.1)
        var a = pair.makeState(problem, from: start.elements + start.elements), b = one.makeState(problem, from: start.elements)
        for _ in 0..<500 {
            _ = pair.step(&a, problem)
            _ = one.step(&b, problem)
        }
        #expect((a.factors.left - b.factor).maxNorm < 1e-13 && (a.factors.right - b.factor).maxNorm < 1e-13)
        // The slow rate: 2·2 to a sum over the surplus of 1/(2 η t)².
        #expect(abs(250_000 * squaredError(b.factor, diagonalProblem(20, 3).target) / 50 - 1) < 0.3)
    }

    /// Check 9: an orthogonal change of the factors' basis goes through.
    @Test func orthogonalInvariance() throws {
        let problem = Sensing(GaussianMeasurements(rows: 8, columns: 8, count: 200, seed: 13), of: Matrix.diagonal([1, 0.5, 0, 0, 0, 0, 0, 0]))
        let start = pairStart(8, 3, 0.2, seed: 14), o = try orthonormal(3, 3, seed: 15)
        let turned = LowRankFactors(left: start.left * o, right: start.right * o)
        for damping in [nil, 0.1] {
            let one = SymmetricFactorDescent<Double>(stepSize: 0.1, damping: damping)
            var a = one.makeState(problem, from: start.left.elements), b = one.makeState(problem, from: turned.left.elements)
            for _ in 0..<50 { _ = (one.step(&a, problem), one.step(&b, problem)) }
            #expect((a.factor * o - b.factor).maxNorm < 1e-12)
        }
        let pair = FactorPairDescent<Double>(stepSize: 0.1)
        var a = pair.makeState(problem, from: start.parameters), b = pair.makeState(problem, from: turned.parameters)
        for _ in 0..<50 { _ = (pair.step(&a, problem), pair.step(&b, problem)) }
        #expect((a.factors.left * o - b.factors.left).maxNorm < 1e-12)
    }

    /// The preconditioned step is linear for k > r, where the plain one is not.
    @Test func preconditioningIsLinear() {
        let (problem, target) = diagonalProblem(30, 3)
        let start = normalMatrix(30, 5, 0.05, seed: 16).elements
        let plain = SymmetricFactorDescent<Double>(stepSize: 0.2).solve(problem, from: start, stopping: .iterations(400))
        let fast = SymmetricFactorDescent<Double>(stepSize: 0.2, damping: 0.1).solve(problem, from: start, stopping: .iterations(400))
        let a = squaredError(Matrix(rows: 30, columns: 5, elements: plain.iterate), target)
        let b = squaredError(Matrix(rows: 30, columns: 5, elements: fast.iterate), target)
        #expect(a > 1e-5 && b < 1e-20, "\(a) \(b)")
    }

    @Test func limitsResumptionAndBadNumbers() throws {
        let problem = Sensing(GaussianMeasurements(rows: 8, columns: 8, count: 200, seed: 17), of: Matrix.diagonal([1, 0.5, 0, 0, 0, 0, 0, 0]))
        let start = pairStart(8, 3, 0.2, seed: 18)
        try check(SymmetricFactorDescent<Double>(stepSize: 0.1), start.left.elements)
        try check(FactorPairDescent<Double>(stepSize: 0.1, rebalancing: .init(scale: 0.5, residual: 0.3)), start.parameters)
        func check<Solver: IterativeSolver<Double>>(_ solver: Solver, _ start: [Double]) throws where Solver.Problem == Sensing {
            #expect(solver.solve(problem, from: start, stopping: .iterations(1)).status == .iterationLimit)
            let whole = solver.solve(problem, from: start, stopping: .iterations(60))
            var run = solver.makeRun(problem, from: start)
            _ = solver.solve(problem, resuming: &run, stopping: .iterations(25))
            run = try JSONDecoder().decode(SolverRun<Solver.State>.self, from: JSONEncoder().encode(run))
            #expect(solver.solve(problem, resuming: &run, stopping: .iterations(60)).iterate == whole.iterate)
            // Steps that are far too long: said, and the best iterate kept.
            let wild = solver.solve(Sensing(problem.measure, of: Matrix.diagonal([1e4, 0, 0, 0, 0, 0, 0, 0])), from: start.map { 100 * $0 })
            #expect(wild.status == .nonFinite && wild.iterate.allSatisfy(\.isFinite))
        }
        #expect(throws: MeasurementError.nonFinite(index: 1)) { try Sensing(WholeMatrixMeasurements(rows: 1, columns: 2), measurements: [0, .nan]) }
    }

    @Test func singlePrecision() {
        let target = Matrix<Float>.diagonal([1, 0.5, 0, 0, 0, 0])
        let problem = MatrixSensing<Float>(GaussianMeasurements(rows: 6, columns: 6, count: 150, seed: 19), of: target)
        var random = RandomStream(seed: 19)
        let solution = FactorPairDescent<Float>(stepSize: 0.2).solve(
            problem, from: random.normal(count: 24, mean: 0, standardDeviation: 0.1), stopping: .value(atMost: 1e-10) || .iterations(3000))
        #expect(solution.status == .converged)
    }
}

@Suite struct MeasurementOperatorTests {
    static let operators: [any MeasurementOperator<Double>] = [
        GaussianMeasurements(rows: 5, columns: 4, count: 30, seed: 1), RankOneMeasurements(rows: 5, columns: 4, count: 30, seed: 2),
        EntryMeasurements(rows: 5, columns: 4, places: [(0, 0), (4, 3), (2, 1), (2, 1)]), WholeMatrixMeasurements(rows: 5, columns: 4),
    ]

    /// ⟨A(Z), v⟩ = ⟨Z, A*(v)⟩, and the fused deviations against the two products.
    @Test(arguments: operators.indices) func adjointsAndDeviations(_ index: Int) {
        let a = Self.operators[index], z = normalMatrix(5, 4, seed: 3), v = normalMatrix(a.count, 1, seed: 4).elements
        let y = normalMatrix(a.count, 1, seed: 5).elements
        let left = Double.dot(a.apply(z).span, v.span), right = Double.dot(z.span, a.adjoint(v).span)
        #expect(abs(left - right) < 1e-12 * (1 + abs(left)))
        var e = normalMatrix(5, 4, seed: 6)
        let r = zip(a.apply(z), y).map { $0 - $1 }
        let squared = a.squaredDeviation(of: z, from: y, pulled: &e)
        #expect(abs(squared - Double.dot(r.span, r.span)) < 1e-12 * squared && (e - a.adjoint(r)).maxNorm < 1e-12)
        let absolute = a.absoluteDeviation(of: z, from: y, pulled: &e)
        if a is WholeMatrixMeasurements<Double> {
            #expect(abs(absolute - squared.squareRoot()) < 1e-12 && (absolute * e - a.adjoint(r)).maxNorm < 1e-12)
        } else {
            #expect(abs(absolute - r.reduce(0) { $0 + abs($1) } / Double(a.count)) < 1e-13)
            #expect((e - a.adjoint(r.map { ($0 > 0 ? 1 : -1) / Double(a.count) })).maxNorm < 1e-13)
        }
    }

    /// Check 10: the operators are isometries in the mean; ‖A(Z)‖²/‖Z‖² of Gaussian ones has variance 2/m.
    @Test func isometryInTheMean() {
        let gaussian = GaussianMeasurements<Double>(rows: 20, columns: 20, count: 1500, seed: 7)
        var total = 0.0, largest = 0.0
        for seed in 0..<200 {
            let z = multiply(normalMatrix(20, 3, seed: UInt64(100 + seed)), normalMatrix(20, 3, seed: UInt64(500 + seed)), transposeB: true)
            let y = gaussian.apply(z), ratio = Double.dot(y.span, y.span) / Double.dot(z.span, z.span)
            total += ratio / 200
            largest = max(largest, abs(ratio - 1))
        }
        // 200 draws, but of one operator: five deviations, and the mean within 1 %.
        #expect(largest < 5 * (2.0 / 1500).squareRoot() && abs(total - 1) < 0.01, "\(total) \(largest)")
        let z = normalMatrix(20, 20, seed: 8), rankOne = RankOneMeasurements<Double>(rows: 20, columns: 20, count: 20_000, seed: 9)
        let y = rankOne.apply(z), ratio = Double.dot(y.span, y.span) / Double.dot(z.span, z.span)
        #expect(abs(ratio - 1) < 0.1, "\(ratio)")
    }
}
