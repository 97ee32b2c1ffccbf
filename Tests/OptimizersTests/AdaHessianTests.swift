import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Optimizers
import Randomness
import Testing
import _TestSupport

/// ½ xᵀH x.
private struct Quadratic<Scalar: KernelScalar>: TwiceDifferentiableObjective {
    let h: Matrix<Scalar>
    var dimension: Int { h.rows }

    func value(at x: Span<Scalar>) -> Scalar {
        var g = [Scalar](repeating: 0, count: dimension), span = g.mutableSpan
        return valueAndGradient(at: x, gradient: &span)
    }

    func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        hessianVectorProduct(at: x, direction: x, into: &gradient)
        var sum: Scalar = 0
        for i in x.indices { sum += x[i] * gradient[i] / 2 }
        return sum
    }

    func hessianVectorProduct(at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        for i in 0..<dimension {
            var sum: Scalar = 0
            for j in 0..<dimension { sum += h[i, j] * v[j] }
            product[i] = sum
        }
    }

    static func diagonal(_ d: [Scalar]) -> Quadratic {
        var h = Matrix<Scalar>(rows: d.count, columns: d.count, repeating: 0)
        for i in d.indices { h[i, i] = d[i] }
        return Quadratic(h: h)
    }
}

@Suite struct AdaHessianTests {
    private func randomSymmetric(_ n: Int, seed: UInt64) -> Matrix<Double> {
        var numbers = TestNumbers(seed: seed)
        var h = Matrix<Double>(rows: n, columns: n, repeating: 0)
        for i in 0..<n {
            for j in 0...i {
                h[i, j] = numbers.unit()
                h[j, i] = h[i, j]
            }
        }
        return h
    }

    @Test func aDiagonalHessianIsFoundByOneProbeAndSolvedInOneStep() {
        let d = [3, -0.5, 20, 1e-3]
        let problem = Quadratic<Double>.diagonal(d)
        let solver = AdaHessian<Double>(learningRate: 1, beta1: 0, epsilon: 0)
        var state = solver.makeState(problem, from: [1, 2, 3, 4]), optimizer = state.optimizer
        let estimate = solver.hessianDiagonal(of: problem, at: state.iterate.span, state: &optimizer)
        #expect(estimate == d)
        state = solver.makeState(problem, from: [1, 2, 3, 4])
        #expect(solver.step(&state, problem) == nil)
        // The sign of the curvature is lost: the second variable doubles.
        #expect(zip(state.iterate, [0, 4, 0, 0]).allSatisfy { abs($0 - $1) < 1e-14 })
        #expect(state.evaluations.hessianProducts == 1 && state.evaluations.gradients == 2)
    }

    @Test func probesHaveTheDiagonalAsMeanAndTheRestOfTheRowAsVariance() {
        let n = 12, count = 100_000, h = randomSymmetric(n, seed: 3), problem = Quadratic(h: h)
        let solver = AdaHessian<Double>()
        var state = solver.initialState(like: [Double](repeating: 0, count: n))
        var sum = [Double](repeating: 0, count: n), squares = sum
        let x = sum
        for _ in 0..<count {
            let d = solver.hessianDiagonal(of: problem, at: x.span, state: &state)
            for i in 0..<n {
                sum[i] += d[i]
                squares[i] += d[i] * d[i]
            }
        }
        for i in 0..<n {
            let row = (0..<n).reduce(0) { $0 + h[i, $1] * h[i, $1] }, variance = row - h[i, i] * h[i, i]
            let mean = sum[i] / Double(count)
            #expect(abs(mean - h[i, i]) < 5 * (variance / Double(count)).squareRoot())
            #expect(abs(squares[i] / Double(count) - mean * mean - variance) < 0.05 * variance)
            #expect(abs(squares[i] / Double(count) - row) < 0.02 * row)
        }
    }

    @Test func severalProbesAreAveraged() {
        let problem = Quadratic(h: randomSymmetric(6, seed: 5)), x = [Double](repeating: 0, count: 6)
        let one = AdaHessian<Double>(seed: 7), four = AdaHessian<Double>(probes: 4, seed: 7)
        var a = one.initialState(like: x), b = four.initialState(like: x), mean = x
        for _ in 0..<4 {
            for (i, d) in one.hessianDiagonal(of: problem, at: x.span, state: &a).enumerated() { mean[i] += d / 4 }
        }
        #expect(zip(mean, four.hessianDiagonal(of: problem, at: x.span, state: &b)).allSatisfy { abs($0 - $1) < 1e-15 })
    }

    @Test func powerZeroIsMomentum() {
        var numbers = TestNumbers(seed: 6)
        let solver = AdaHessian<Double>(learningRate: 0.1, epsilon: 0.25, hessianPower: 0)
        var x = [1.0, -2], state = solver.initialState(like: x), y = x, m = [0.0, 0], b = 1.0
        for _ in 0..<30 {
            let g = [numbers.unit(), numbers.unit()]
            var span = x.mutableSpan
            solver.step(&span, gradient: g.span, hessianDiagonal: [numbers.unit(), 3], state: &state)
            b *= 0.9
            for i in 0..<2 {
                m[i] = 0.9 * m[i] + 0.1 * g[i]
                y[i] -= 0.1 / 1.25 * m[i] / (1 - b)
            }
        }
        #expect(zip(x, y).allSatisfy { abs($0 - $1) < 1e-13 })
    }

    @Test func averages() {
        func averaged(_ rule: HessianAveraging, _ d: [Double]) -> [Double] {
            var d = d
            rule.apply(to: &d)
            return d
        }
        let layout = ParameterLayout([("w", [2, 3]), ("b", [2]), ("c", [1, 2, 2]), ("k", [1, 1, 2, 2])])
        let d: [Double] = [1, 2, 3, 4, 5, 9, 7, 8, 1, 3, 5, 9, 1, 2, 3, 6]
        #expect(averaged(.none, d) == d && averaged(.consecutive(1), d) == d)
        #expect(averaged(.consecutive(4), d) == [2.5, 2.5, 2.5, 2.5, 7.25, 7.25, 7.25, 7.25, 4.5, 4.5, 4.5, 4.5, 3, 3, 3, 3])
        let tail: [Double] = [7, 8, 2, 2, 7, 7, 3, 3, 3, 3]
        #expect(averaged(.blocks(layout, matrices: .none), d) == [1, 2, 3, 4, 5, 9] + tail)
        #expect(averaged(.blocks(layout, matrices: .overColumns), d) == [2, 2, 2, 6, 6, 6] + tail)
        #expect(averaged(.blocks(layout, matrices: .overRows), d) == [2.5, 3.5, 6, 2.5, 3.5, 6] + tail)
        #expect(averaged(.blocks(layout, matrices: .consecutive(2)), d) == [1.5, 1.5, 3.5, 3.5, 7, 7] + tail)
        let constant = [Double](repeating: 4, count: 16)
        #expect(averaged(.blocks(layout, matrices: .overRows), constant) == constant)
    }

    @Test func groupsThatDoNotFitAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var d = [1.0, 2, 3]
            HessianAveraging.consecutive(2).apply(to: &d)
        }
        #expect(message(of: result).contains("groups of 2 in the 3 parameters of the vector; expected a divisor"))
    }

    @Test func signedAveragesCancel() {
        func second(_ estimate: AdaHessian<Double>.Estimate) -> [Double] {
            let solver = AdaHessian<Double>(beta2: 0, averaging: .consecutive(2), estimate: estimate)
            var x = [0.0, 0], state = solver.initialState(like: x), span = x.mutableSpan
            solver.step(&span, gradient: [1, 1].span, hessianDiagonal: [3, -1], state: &state)
            return state.moments.second
        }
        #expect(second(.absolute) == [4, 4] && second(.signed) == [1, 1])
    }

    @Test func lazyUpdates() {
        let problem = Quadratic(h: randomSymmetric(5, seed: 8))
        let solver = AdaHessian<Double>(learningRate: 1e-3, interval: 3)
        var state = solver.makeState(problem, from: [1, 2, 3, 4, 5]), before = state.optimizer.moments.second
        for step in 1...9 {
            #expect(solver.step(&state, problem) == nil)
            #expect((state.optimizer.moments.second != before) == (step % 3 == 1))
            #expect(state.optimizer.hessianUpdates == (step + 2) / 3)
            before = state.optimizer.moments.second
        }
        #expect(state.evaluations.hessianProducts == 3)
        // With averages there is nothing to average in the steps between.
        let averaged = AdaHessian<Double>(
            learningRate: 1e-3, interval: 2, averaging: .blocks(ParameterLayout([("w", [5])]), matrices: .overRows))
        let stopped = averaged.solve(problem, from: [1, 2, 3, 4, 5], stopping: .iterations(4))
        #expect(stopped.status == .iterationLimit && stopped.evaluations.hessianProducts == 2)
    }

    @Test(arguments: [1.0, 0.5, 0, 0.7]) func agreesWithItsChain(_ power: Double) {
        func check<Scalar: KernelScalar>(_ type: Scalar.Type) {
            var numbers = TestNumbers(seed: 12)
            let solver = AdaHessian<Scalar>(learningRate: 0.1, hessianPower: power, weightDecay: 0.1, interval: 2)
            let chained = TransformationOptimizer(chain(type) {
                ScaleByHessianDiagonal(power: power)
                AddDecayedWeights(0.1)
                ScaleByLearningRate(0.1)
            })
            var x = (0..<70).map { _ in Scalar(numbers.unit()) }, y = x
            var a = solver.initialState(like: x.span), b = chained.initialState(like: y)
            for t in 0..<40 {
                let g = (0..<70).map { _ in Scalar(numbers.unit()) }
                let d = t % 2 == 0 ? (0..<70).map { _ in Scalar(numbers.unit()) } : []
                var sx = x.mutableSpan, sy = y.mutableSpan
                solver.step(&sx, gradient: g.span, hessianDiagonal: d, state: &a)
                chained.step(&sy, gradient: g.span, state: &b, context: UpdateContext(hessianDiagonal: d.isEmpty ? nil : d.map(\.magnitude)))
            }
            let distance = zip(x, y).map { abs($0 - $1) / max($0.ulp, $1.ulp) }.max()!
            #expect(distance <= 2, "power \(power) \(type): \(distance) ulp")
        }
        check(Float.self)
        check(Double.self)
    }

    @Test func scaleInvariance() {
        let h = randomSymmetric(4, seed: 13), start = [1.0, -2, 3, 0.5]
        var scaled = h
        for i in 0..<4 { for j in 0..<4 { scaled[i, j] = 1024 * h[i, j] } }
        let solver = AdaHessian<Double>(learningRate: 0.05, epsilon: 0)
        var a = solver.makeState(Quadratic(h: h), from: start), b = solver.makeState(Quadratic(h: scaled), from: start)
        for _ in 0..<20 {
            _ = solver.step(&a, Quadratic(h: h))
            _ = solver.step(&b, Quadratic(h: scaled))
        }
        #expect(a.iterate == b.iterate)
        // xᵢ → sᵢ xᵢ with a diagonal Hessian leaves the values as they are.
        let d = [1.0, 4, 9], s = [2.0, 0.25, 8]
        let plain = Quadratic<Double>.diagonal(d), stretched = Quadratic<Double>.diagonal(zip(d, s).map { $0 / ($1 * $1) })
        var p = solver.makeState(plain, from: [1, 1, 1]), q = solver.makeState(stretched, from: s)
        for _ in 0..<20 {
            _ = solver.step(&p, plain)
            _ = solver.step(&q, stretched)
            #expect(abs(p.value - q.value) <= 1e-13 * abs(p.value))
        }
    }

    @Test(arguments: [0.0, 0.5, 1]) func theDescentInequality(_ k: Double) {
        // αI ≤ H ≤ βI, the exact diagonal, no averages, η = αᵏ/β: f falls by at least αᵏ/(2 β¹⁺ᵏ) ‖g‖².
        let d = [0.5, 1, 3, 7, 10], problem = Quadratic<Double>.diagonal(d), alpha = 0.5, beta = 10.0
        let solver = AdaHessian<Double>(
            learningRate: .constant(pow(alpha, k) / beta), beta1: 0, beta2: 0, epsilon: 0, hessianPower: k)
        var numbers = TestNumbers(seed: 2)
        for _ in 0..<50 {
            let start = (0..<5).map { _ in 4 * numbers.unit() }
            var state = solver.makeState(problem, from: start)
            let value = state.value, norm = state.gradientNorm!
            _ = solver.step(&state, problem)
            #expect(state.value - value <= -pow(alpha, k) / (2 * pow(beta, 1 + k)) * norm * norm + 1e-12)
        }
    }

    @Test func decayAlone() {
        let solver = AdaHessian<Double>(learningRate: 0.1, weightDecay: 0.3)
        var x = [2.0], state = solver.initialState(like: x)
        for _ in 0..<10 {
            var span = x.mutableSpan
            solver.step(&span, gradient: [0].span, hessianDiagonal: [1], state: &state)
        }
        #expect(abs(x[0] - 2 * pow(0.97, 10)) < 1e-14)
    }

    @Test func solvesIllConditionedQuadraticsWhereAdamDoesNot() throws {
        // D^½ (I + E) D^½, D geometric from 10⁻³ to 10³, E of size 0.05/√n; f₀ = 100.
        let n = 200
        var stream = RandomStream(seed: 1)
        let noise: [Double] = stream.normal(count: n * n, mean: 0, standardDeviation: 1)
        let d = (0..<n).map { pow(10, -3 + 6 * Double($0) / Double(n - 1)) }
        var h = Matrix<Double>(rows: n, columns: n, repeating: 0)
        for i in 0..<n {
            for j in 0..<n {
                let e = 0.05 / Double(n).squareRoot() * (noise[i * n + j] + noise[j * n + i]) / 2.0.squareRoot()
                h[i, j] = (d[i] * d[j]).squareRoot() * ((i == j ? 1 : 0) + e)
            }
        }
        let problem = Quadratic(h: h), start = d.map { 1 / $0.squareRoot() }
        func final(_ rate: Double, interval: Int) -> Double {
            AdaHessian<Double>(learningRate: .constant(rate), interval: interval)
                .solve(problem, from: start, stopping: .iterations(500)).value
        }
        #expect(final(0.3, interval: 1) < 1e-10 && final(1, interval: 1) < 1e-10)
        #expect(final(0.3, interval: 5) < 1e-5)
        #expect(Adam<Double>(learningRate: 0.01).solve(problem, from: start, stopping: .iterations(500)).value > 1)
    }

    @Test func capAndResume() throws {
        let problem = Quadratic(h: randomSymmetric(5, seed: 8)), solver = AdaHessian<Double>(learningRate: 0.01, interval: 2, seed: 3)
        let start: [Double] = [1, 2, 3, 4, 5]
        #expect(solver.solve(problem, from: start, stopping: .iterations(1)).status == .iterationLimit)
        var whole = solver.makeRun(problem, from: start)
        _ = solver.solve(problem, resuming: &whole, stopping: .iterations(20))
        var run = solver.makeRun(problem, from: start)
        _ = solver.solve(problem, resuming: &run, stopping: .iterations(7))
        var restored = try JSONDecoder().decode(type(of: run), from: JSONEncoder().encode(run))
        _ = solver.solve(problem, resuming: &restored, stopping: .iterations(20))
        #expect(restored.state.iterate == whole.state.iterate)
    }
}
