import Foundation
import Kernels
import Objectives
import Optimizers
import Testing
import _TestSupport

/// The fused optimisers against the chains that they stand for.
@Suite struct ChainTests {
    private static let count = 131

    /// 60 steps with one stream of gradients, on both; the largest distance in ulp of the parameters.
    private func distance<Scalar, A: Optimizer<Scalar>, B: Optimizer<Scalar>>(_ fused: A, _ chained: B) -> Scalar {
        var numbers = TestNumbers(seed: 5)
        var x = (0..<Self.count).map { _ in Scalar(numbers.unit()) }, y = x
        var stateX = fused.initialState(like: x), stateY = chained.initialState(like: y)
        for _ in 0..<60 {
            let g = (0..<Self.count).map { _ in Scalar(numbers.spread()) }
            fused.step(&x, gradient: g, state: &stateX)
            chained.step(&y, gradient: g, state: &stateY)
        }
        return zip(x, y).map { abs($0 - $1) / max($0.ulp, $1.ulp) }.max()!
    }

    @Test func fusedStepsAgreeWithTheirChains() {
        func check<Scalar: KernelScalar>(_ type: Scalar.Type) {
            let rate = Schedule.cosine(from: 0.05, to: 0.01, steps: 40), mask = ParameterMask([3..<40, 41..<131])
            func expectEqual<A: Optimizer<Scalar>, T: GradientTransformation<Scalar>>(_ name: String, _ fused: A, _ transformation: T) {
                let distance = distance(fused, TransformationOptimizer(transformation))
                #expect(distance <= 2, "\(name) \(type): \(distance) ulp")
            }
            expectEqual("SGD", SGD(learningRate: rate, weightDecay: 0.1, decayMask: mask), chain(type) {
                AddDecayedWeights(0.1, mask: mask)
                ScaleByLearningRate(rate)
            })
            expectEqual("momentum", SGD(learningRate: rate, momentum: 0.9, dampening: 0.3, weightDecay: 0.1), chain(type) {
                AddDecayedWeights(0.1)
                Momentum(0.9, dampening: 0.3)
                ScaleByLearningRate(rate)
            })
            expectEqual("Nesterov", SGD(learningRate: rate, momentum: 0.9, isNesterov: true), chain(type) {
                Momentum(0.9, isNesterov: true)
                ScaleByLearningRate(rate)
            })
            expectEqual("Adam", Adam(learningRate: rate, weightDecay: 0.1), chain(type) {
                AddDecayedWeights(0.1)
                ScaleByAdam()
                ScaleByLearningRate(rate)
            })
            expectEqual("AdamW", AdamW(learningRate: rate, weightDecay: 0.1, decayMask: mask), chain(type) {
                ScaleByAdam()
                AddDecayedWeights(0.1, mask: mask)
                ScaleByLearningRate(rate)
            })
            for version in [EXAdam<Scalar>.Version.constantStep, .growingStep] {
                expectEqual("EXAdam", EXAdam(version: version, learningRate: rate, weightDecay: 0.1), chain(type) {
                    ScaleByEXAdam(version: version)
                    AddDecayedWeights(0.1)
                    ScaleByLearningRate(rate)
                })
            }
            expectEqual("Lion", Lion(learningRate: rate, weightDecay: 0.1), chain(type) {
                ScaleByLion()
                AddDecayedWeights(0.1)
                ScaleByLearningRate(rate)
            })
            expectEqual("RMSProp", RMSProp(learningRate: rate, weightDecay: 0.1), chain(type) {
                AddDecayedWeights(0.1)
                ScaleByRMS()
                ScaleByLearningRate(rate)
            })
            expectEqual("Adagrad", Adagrad(learningRate: rate), chain(type) {
                ScaleByRMS.adagrad()
                ScaleByLearningRate(rate)
            })
        }
        check(Float.self)
        check(Double.self)
    }

    @Test func aChainsStateResumesToTheSameBits() throws {
        let optimizer = TransformationOptimizer(chain(Float.self) {
            ClipByGlobalNorm(1)
            ScaleByAdam(numeratorClipping: ClipByQuantile(0.3))
            AddDecayedWeights(0.01)
            ReduceOnPlateau()
            ScaleByLearningRate(0.1)
        })
        var x: [Float] = [1, -2, 3], state = optimizer.initialState(like: x)
        func gradient(_ x: [Float]) -> [Float] { x.map { $0 * 1.7 } }
        for _ in 0..<5 { optimizer.step(&x, gradient: gradient(x), state: &state) }
        var y = x
        var copy = try JSONDecoder().decode(type(of: state), from: JSONEncoder().encode(state))
        for _ in 0..<5 {
            optimizer.step(&x, gradient: gradient(x), state: &state)
            optimizer.step(&y, gradient: gradient(y), state: &copy)
        }
        #expect(x == y)
    }

    @Test func schedules() {
        let warm = Schedule.warmup(to: 8, steps: 4).then(.cosine(from: 8, to: 0, steps: 2), after: 4)
        #expect((0..<8).map { warm.value(at: $0) }.elementsEqual([2, 4, 6, 8, 8, 4, 0, 0]) { abs($0 - $1) < 1e-15 })
        let stairs = Schedule.staircase(from: 1, factor: 0.5, every: 3)
        #expect((0..<7).map { stairs.value(at: $0) } == [1, 1, 1, 0.5, 0.5, 0.5, 0.25])
        #expect(abs(Schedule.exponential(from: 2, factor: 0.25, every: 4).value(at: 2) - 1) < 1e-15)
        #expect(Schedule.linear(from: 1, to: 3, steps: 4).value(at: 1) == 1.5)
        #expect(Schedule.warmup(to: 3, steps: 1).value(at: 0) == 3)
        #expect(Schedule.inverseSquareRoot(atMost: 0.5).value(at: 0) == 0.5 && Schedule.inverseSquareRoot(atMost: 0.5).value(at: 15) == 0.25)
        #expect(Schedule(integerLiteral: 2).value(at: 1_000_000) == 2)
    }

    private func apply<T: GradientTransformation<Double>>(
        _ transformation: T, _ updates: [Double], parameters: [Double]? = nil
    ) -> [Double] {
        var updates = updates
        let parameters = parameters ?? updates
        var state = transformation.initialState(like: parameters.span), span = updates.mutableSpan
        transformation.update(&span, state: &state, parameters: parameters.span, context: UpdateContext())
        return updates
    }

    @Test(arguments: [0.0, 0.003, 0.1, 0.5, 0.999]) func quantileClipping(_ fraction: Double) {
        var numbers = TestNumbers(seed: 3)
        func check<Scalar: KernelScalar>(_: Scalar.Type) {
            let g = (0..<357).map { _ in Scalar(numbers.spread()) }, n = Int(357 * fraction)
            let clip = ClipByQuantile<Scalar>(fraction)
            var out = g, state = Stateless(), span = out.mutableSpan
            clip.update(&span, state: &state, parameters: g.span, context: UpdateContext())
            let sorted = g.map(abs).sorted(by: >)
            #expect(zip(g, out).filter { $0 != $1 }.count == n)
            #expect(out.map(abs).max() == sorted[n])
            #expect(zip(g, out).allSatisfy { $0.sign == $1.sign && abs($1) == min(abs($0), sorted[n]) })
            var again = out, second = again.mutableSpan
            clip.update(&second, state: &state, parameters: g.span, context: UpdateContext())
            #expect(again == out)
        }
        check(Float.self)
        check(Double.self)
    }

    @Test func quantileClippingAtTheEdges() {
        let equal = [2.0, -2, 2, -2]
        #expect(apply(ClipByQuantile(0.5), equal) == equal)
        #expect(apply(ClipByQuantile(0.5, scale: 0.5), equal) == [1, -1, 1, -1])
        #expect(apply(ClipByQuantile(0.9), []) == [])
        let withNaN = apply(ClipByQuantile(0.5), [9, .nan, 1])
        #expect(withNaN[0] == 9 && withNaN[1].isNaN)
        #expect(apply(ClipByQuantile(0.5), [.infinity, 3, 0, 1]) == [1, 1, 0, 1])
        #expect(apply(ClipByQuantile(0.5), [0, 0, 5, 0]) == [0, 0, 0, 0])
    }

    @Test func directionalSharpnessOfAClippedStep() {
        // f = ½ Σ hᵢ xᵢ², d = 1000, x = 1, h = (1, …, 1, 100): closed forms of the steepest and of the clipped direction.
        let h = [Double](repeating: 1, count: 999) + [100]
        func measure(_ v: [Double]) -> (sharpness: Double, decrease: Double) {
            var curvature = 0.0, slope = 0.0, square = 0.0
            for i in 0..<1000 {
                curvature += h[i] * v[i] * v[i]
                slope += h[i] * v[i]
                square += v[i] * v[i]
            }
            return (curvature / square, slope * slope / (2 * curvature))
        }
        let kappa = 100.0
        let steepest = measure(h), clipped = measure(apply(ClipByQuantile(0.001), h))
        #expect(abs(steepest.sharpness - (999 + kappa * kappa * kappa) / (999 + kappa * kappa)) < 1e-10)
        #expect(abs(steepest.decrease - (999 + kappa * kappa) * (999 + kappa * kappa) / (2 * (999 + kappa * kappa * kappa))) < 1e-10)
        #expect(abs(clipped.sharpness - 1.099) < 1e-10)
        #expect(abs(clipped.decrease - 549.5) < 1e-10)
    }

    @Test func clippingTheNumeratorOnlyShrinksAdam() {
        var numbers = TestNumbers(seed: 8)
        let plain = ScaleByAdam<Double>(beta1: 0), none = ScaleByAdam<Double>(beta1: 0, numeratorClipping: ClipByQuantile(0))
        let half = ScaleByAdam<Double>(beta1: 0, numeratorClipping: ClipByQuantile(0.5))
        var states = (0..<3).map { _ in plain.initialState(like: [Double](repeating: 0, count: 50).span) }
        for _ in 0..<10 {
            let g = (0..<50).map { _ in numbers.spread() }
            var u = [g, g, g]
            for (i, t) in [plain, none, half].enumerated() {
                var span = u[i].mutableSpan
                t.update(&span, state: &states[i], parameters: g.span, context: UpdateContext())
            }
            #expect(u[1] == u[0])
            #expect(zip(u[2], u[0]).allSatisfy { abs($0) <= abs($1) })
            #expect(zip(u[2], u[0]).filter { abs($0) < abs($1) }.count >= 24)
            #expect(states[2].second == states[0].second)
        }
    }

    @Test func normsAndValues() {
        #expect(apply(ClipByGlobalNorm(1), [3, 4]).elementsEqual([0.6, 0.8]) { abs($0 - $1) < 1e-15 })
        #expect(apply(ClipByGlobalNorm(10), [3, 4]) == [3, 4])
        #expect(apply(ClipByValue(1), [3, -4, 0.5]) == [1, -1, 0.5])
        #expect(apply(ClipByValue(1), [.nan])[0].isNaN)
        #expect(apply(ScaleBySign(), [3, -4, 0]) == [1, -1, 0])
        #expect(apply(Scale(-2), [3, -4]) == [-6, 8])
        let layout = ParameterLayout([("w", [2, 2]), ("b", [2])])
        #expect(apply(NormalizeBlocks(layout), [3, 3, -3, 3, 0, 0]) == [1, 1, -1, 1, 0, 0])
        #expect(apply(ClipByBlockRMS(1, layout: layout), [3, 3, -3, 3, 0.5, 0.5]) == [1, 1, -1, 1, 0.5, 0.5])
        #expect(apply(ScaleByParameterRMS(layout), [1, 1, 1, 1, 1, 1], parameters: [2, 2, 2, 2, 0, 0]) == [2, 2, 2, 2, 1e-3, 1e-3])
        #expect(layout.mask { $0.shape.count > 1 }.ranges == [0..<4] && layout.count == 6)
    }

    @Test func aPlateauReducesTheStep() {
        let plateau = ReduceOnPlateau<Double>(factor: 0.5, patience: 2)
        var state = plateau.initialState(like: [0.0].span), scales: [Double] = []
        for value in [5, 4, 4, 4, 4, 3, 3] as [Double] {
            var u = [1.0], span = u.mutableSpan
            plateau.update(&span, state: &state, parameters: [0].span, context: UpdateContext(value: value))
            scales.append(u[0])
        }
        #expect(scales == [1, 1, 1, 0.5, 0.5, 0.5, 0.5])
    }

    @Test func factoredMomentsAreExactForRankOne() {
        // g²ᵢⱼ = aᵢ bⱼ: the first update has β = 0, so u = g / |g|, and stays so for equal gradients.
        let layout = ParameterLayout([("w", [3, 4]), ("b", [2])])
        let a = [1.0, 4, 0.25], b = [9.0, 1, 16, 0.01]
        var g: [Double] = [3, -5]
        for a in a.reversed() { g = b.map { (b: Double) -> Double in -(a * b).squareRoot() } + g }
        let factored = ScaleByFactoredRMS<Double>(layout)
        var state = factored.initialState(like: g.span)
        for _ in 0..<4 {
            var u = g, span = u.mutableSpan
            factored.update(&span, state: &state, parameters: g.span, context: UpdateContext())
            for i in g.indices { #expect(abs(u[i] - (g[i] < 0 ? -1 : 1)) < 1e-12) }
        }
        #expect(state.rows.count == 5 && state.columns.count == 4)
        // Two unlike gradients by hand: R = (5, 5), C = (2, 8) first, then β = 1 − 2^−0.8.
        let square = ScaleByFactoredRMS<Double>(ParameterLayout([("w", [2, 2])]), epsilon: 0)
        var two = square.initialState(like: [0.0, 0, 0, 0].span), first = [1.0, 2, 1, 2], second = [3.0, 0, 0, 1]
        var span = first.mutableSpan
        square.update(&span, state: &two, parameters: [0, 0, 0, 0].span, context: UpdateContext())
        var other = second.mutableSpan
        square.update(&other, state: &two, parameters: [0, 0, 0, 0].span, context: UpdateContext())
        let beta = 1 - Foundation.pow(2, -0.8)
        let r = [beta * 5 + (1 - beta) * 9, beta * 5 + (1 - beta)], c = [beta * 2 + (1 - beta) * 9, beta * 8 + (1 - beta)]
        #expect(abs(second[0] - 3 / (r[0] * c[0] / (r[0] + r[1])).squareRoot()) < 1e-12)
        #expect(abs(second[3] - 1 / (r[1] * c[1] / (r[0] + r[1])).squareRoot()) < 1e-12)
    }

    @Test func wrappers() {
        let sgd = SGD<Double>(learningRate: 0.1)
        // Two gradients are one of their mean.
        let accumulated = GradientAccumulation(sgd, every: 2)
        var x = [1.0], state = accumulated.initialState(like: x)
        accumulated.step(&x, gradient: [2], state: &state)
        #expect(x == [1])
        accumulated.step(&x, gradient: [4], state: &state)
        #expect(abs(x[0] - 0.7) < 1e-15)
        accumulated.step(&x, gradient: [2], state: &state)
        accumulated.step(&x, gradient: [4], state: &state)
        #expect(abs(x[0] - 0.4) < 1e-15)
        // 1 → 0.8 → 0.6, back half way.
        let lookahead = Lookahead(sgd, every: 2, rate: 0.5)
        var y = [1.0], slow = lookahead.initialState(like: y)
        lookahead.step(&y, gradient: [2], state: &slow)
        #expect(abs(y[0] - 0.8) < 1e-15)
        lookahead.step(&y, gradient: [2], state: &slow)
        #expect(abs(y[0] - 0.8) < 1e-15 && slow.slow == y)
        // Iterates 0.9, 0.8, 0.7.
        var means: [Double] = []
        for average in [ParameterAveraging<SGD<Double>>.Average.exponential(0.5), .mean(after: 0), .mean(after: 1)] {
            let averaging = ParameterAveraging(sgd, average)
            var z = [1.0], state = averaging.initialState(like: z)
            for _ in 0..<3 { averaging.step(&z, gradient: [1], state: &state) }
            #expect(abs(z[0] - 0.7) < 1e-15)
            means.append(state.average[0])
        }
        #expect(zip(means, [0.7875, 0.8, 0.75]).allSatisfy { abs($0 - $1) < 1e-15 })
        let clipped = TransformedGradients(by: ClipByValue(1), base: sgd)
        var w = [1.0], state4 = clipped.initialState(like: w)
        clipped.step(&w, gradient: [100], state: &state4)
        #expect(abs(w[0] - 0.9) < 1e-15)
    }

    @Test func nonFiniteGradientsAreSkippedStoppedOrPassed() {
        let adam = Adam<Float>(learningRate: 0.1)
        func run(_ policy: NonFiniteGuard<Adam<Float>>.Policy) -> (x: [Float], state: NonFiniteGuard<Adam<Float>>.OptimizerState) {
            let guarded = NonFiniteGuard(adam, policy)
            var x: [Float] = [1, 1], state = guarded.initialState(like: x)
            for g in [[1, 1], [.nan, 1], [-.infinity, 0], [1, 1]] as [[Float]] { guarded.step(&x, gradient: g, state: &state) }
            return (x, state)
        }
        var plain: [Float] = [1, 1], state = adam.initialState(like: plain)
        adam.step(&plain, gradient: [1, 1], state: &state)
        let stopped = run(.stop)
        #expect(stopped.x == plain && stopped.state.nonFiniteGradients == 1 && stopped.state.hasStopped)
        adam.step(&plain, gradient: [1, 1], state: &state)
        let skipped = run(.skip)
        #expect(skipped.x == plain && skipped.state.nonFiniteGradients == 2 && skipped.state.base == state)
        let passed = run(.pass)
        #expect(passed.x[0].isNaN && passed.state.nonFiniteGradients == 2 && !passed.state.hasStopped)
    }
}
