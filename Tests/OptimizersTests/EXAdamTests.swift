import Foundation
import Kernels
import Optimizers
import Testing
import _TestSupport

@Suite struct EXAdamTests {
    private func steps<O: Optimizer<Double>>(_ optimizer: O, _ gradients: [Double]) -> [Double] {
        var x = [0.0], state = optimizer.initialState(like: x), last = 0.0
        return gradients.map { g in
            optimizer.step(&x, gradient: [g], state: &state)
            defer { last = x[0] }
            return x[0] - last
        }
    }

    @Test func firstStep() {
        #expect(abs(steps(EXAdam(learningRate: 1e-3), [1])[0] + 0.0159525) < 1e-7)
        #expect(abs(steps(EXAdam(version: .growingStep, learningRate: 1e-3), [1])[0] + 0.0110574) < 1e-7)
    }

    @Test func constantGradientAgainstAdam() {
        let gradients = [Double](repeating: 1, count: 20_000)
        let ratio = zip(steps(EXAdam(learningRate: 1e-3), gradients), steps(Adam(learningRate: 1e-3), gradients)).map { $0 / $1 }
        for (t, expected) in [(1, 15.95), (2, 9.30), (5, 5.44), (10, 4.34), (20, 4.00), (100, 3.81), (1000, 2.74), (5000, 2.0134)] {
            #expect(abs(ratio[t - 1] - expected) < 0.006, "step \(t): \(ratio[t - 1])")
        }
        #expect(abs(ratio[19_999] - 2) < 1e-6)
    }

    @Test func lateStepsAreQuasiHyperbolicAdams() {
        var numbers = TestNumbers(seed: 2)
        let gradients = (0..<20_000).map { _ in numbers.unit() }
        let last = steps(EXAdam(learningRate: 1e-3), gradients).last!
        var m = 0.0, v = 0.0
        for g in gradients {
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
        }
        let expected = -2e-3 * (0.5 * m + 0.5 * gradients.last!) / (v.squareRoot() + 1e-8)
        #expect(abs(last / expected - 1) < 1e-6)
    }

    @Test func withoutMemoryItIsTwiceTheSign() {
        let plain = steps(EXAdam(learningRate: 1e-3, beta1: 0, beta2: 0), [3, -0.5, 2])
        for (step, g) in zip(plain, [3, -0.5, 2] as [Double]) { #expect(abs(step + 2e-3 * g / (abs(g) + 1e-8)) < 1e-15) }
        // b1 = 0 alone: −2 η g d1 / (√v̂ + ε), v̂ = g² in the first step.
        let one = steps(EXAdam(learningRate: 1e-3, beta1: 0), [3])[0], v = 0.001 * 9, d1 = 1 + v / (v + 1e-8) * 0.999
        #expect(abs(one / (-2e-3 * 3 * d1 / (3 + 1e-8)) - 1) < 1e-12)
    }

    @Test func theGrowingStepIsThatFactorLonger() {
        var numbers = TestNumbers(seed: 6)
        let gradients = (0..<300).map { _ in numbers.unit() }
        let direction = { (version: EXAdam<Double>.Version) -> [Double] in
            let t = ScaleByEXAdam<Double>(version: version)
            var state = t.initialState(like: [0.0].span)
            return gradients.map { g in
                var u = [g], span = u.mutableSpan
                t.update(&span, state: &state, parameters: [0].span, context: UpdateContext())
                return u[0]
            }
        }
        for (t, (a, b)) in zip(direction(.growingStep), direction(.constantStep)).enumerated() {
            #expect(abs(a / b - 0.5 * log(2 * Double(t + 2))) < 1e-14)
        }
    }

    @Test func symmetryAndZero() {
        var numbers = TestNumbers(seed: 9)
        let gradients = (0..<50).map { _ in numbers.unit() }
        #expect(steps(EXAdam(learningRate: 0.01), gradients) == steps(EXAdam(learningRate: 0.01), gradients.map { -$0 }).map { -$0 })
        #expect(steps(EXAdam(learningRate: 0.01), [0, 0, 0]) == [0, 0, 0])
    }

    @Test func theMixedCorrections() {
        // From the directions with and without them: d₁ alone where β₁ = 0 makes d₂ 1, and 1/√d₂ where β₂ = 0 makes d₁ 1.
        func ratios(_ beta1: Double, _ beta2: Double, _ gradients: [Double]) -> [Double] {
            func run(_ mixes: Bool) -> [Double] {
                let t = ScaleByEXAdam<Double>(beta1: beta1, beta2: beta2, epsilon: 1e-12, addsGradient: false, mixesMoments: mixes)
                var state = t.initialState(like: [0.0].span)
                return gradients.map { g in
                    var u = [g], span = u.mutableSpan
                    t.update(&span, state: &state, parameters: [0].span, context: UpdateContext())
                    return u[0]
                }
            }
            return zip(run(true), run(false)).map { $0 / $1 }
        }
        var numbers = TestNumbers(seed: 14)
        for gradients in [(0..<40).map { _ in numbers.unit() }, [Double](repeating: 0.7, count: 40)] {
            let first = ratios(0, 0.9, gradients), second = ratios(0.8, 0, gradients).map { 1 / ($0 * $0) }
            for t in 0..<40 {
                #expect(first[t] >= 1 && first[t] <= 1 + pow(0.9, Double(t + 1)) && second[t] >= 1 - 1e-12 && second[t] <= 1 + pow(0.8, Double(t + 1)) + 1e-12)
            }
            // v and m² are far above ε: the ratios are 1.
            #expect(abs(first[3] - 1 - pow(0.9, 4)) < 1e-9 && abs(second[3] - 1 - pow(0.8, 4)) < 1e-6)
        }
        let constant = ratios(0, 0.9, [Double](repeating: 0.7, count: 40))
        #expect(zip(constant, constant.dropFirst()).allSatisfy { $0 >= $1 })
        // ε in the middle: g² = ε = 10⁻⁸ makes v/(v + ε) = (1 − β₂)/(2 − β₂) in the first step.
        let small = steps(EXAdam(learningRate: 1, beta1: 0), [1e-4])[0], v = 1e-11, d1 = 1 + v / (v + 1e-8) * 0.999
        #expect(abs(small / (-2 * 1e-4 * d1 / (1e-4 + 1e-8)) - 1) < 1e-12)
    }

    @Test func theOrderOfParametersDoesNotMatter() {
        var numbers = TestNumbers(seed: 15)
        let optimizer = EXAdam<Float>(learningRate: 0.01), order = (0..<50).map { ($0 * 7 + 3) % 50 }
        var x = (0..<50).map { _ in Float(numbers.unit()) }, y = order.map { x[$0] }
        var a = optimizer.initialState(like: x), b = optimizer.initialState(like: y)
        for _ in 0..<20 {
            let g = (0..<50).map { _ in Float(numbers.unit()) }
            optimizer.step(&x, gradient: g, state: &a)
            optimizer.step(&y, gradient: order.map { g[$0] }, state: &b)
        }
        #expect(y == order.map { x[$0] })
    }

    @Test func theSplitIntoArraysDoesNotMatter() {
        var numbers = TestNumbers(seed: 10)
        let optimizer = EXAdam<Float>(learningRate: 0.01, weightDecay: 0.1)
        var whole = (0..<100).map { _ in Float(numbers.unit()) }
        var left = Array(whole[..<37]), right = Array(whole[37...])
        var states = [whole, left, right].map { optimizer.initialState(like: $0) }
        for _ in 0..<20 {
            let g = (0..<100).map { _ in Float(numbers.unit()) }
            optimizer.step(&whole, gradient: g, state: &states[0])
            optimizer.step(&left, gradient: Array(g[..<37]), state: &states[1])
            optimizer.step(&right, gradient: Array(g[37...]), state: &states[2])
        }
        #expect(left + right == whole)
    }

    @Test func noiseFloorGrowsWithTheStep() {
        // f = ½ Σ hᵢ xᵢ², h geometric in [0.1, 10], noise N(0, 0.25): mean of the last 2000 of 20 000 steps at η = 10⁻³.
        var floors: [Double] = []
        for version in [EXAdam<Double>.Version.constantStep, .growingStep] {
            let optimizer = EXAdam<Double>(version: version, learningRate: 1e-3)
            var numbers = TestNumbers(seed: 1)
            let h = (0..<20).map { 0.1 * pow(100, Double($0) / 19) }
            var x = [Double](repeating: 1, count: 20), state = optimizer.initialState(like: x), sum = 0.0
            for t in 0..<20_000 {
                // A sum of twelve uniform numbers has variance 4; scaled to a standard deviation of 0.5.
                let g = (0..<20).map { i in h[i] * x[i] + 0.25 * (0..<12).reduce(0.0) { s, _ in s + numbers.unit() } }
                optimizer.step(&x, gradient: g, state: &state)
                if t >= 18_000 { sum += zip(h, x).reduce(0) { $0 + 0.5 * $1.0 * $1.1 * $1.1 } }
            }
            floors.append(sum / 2000)
        }
        #expect(floors[0] > 0.003 && floors[0] < 0.008, "\(floors)")
        #expect(floors[1] / floors[0] > 3.5 && floors[1] / floors[0] < 7, "\(floors)")
    }

    @Test func floatStaysNearDoubleForThousandSteps() {
        var numbers = TestNumbers(seed: 11)
        let a = EXAdam<Float>(learningRate: 1e-3), b = EXAdam<Double>(learningRate: 1e-3)
        var x = [Float](repeating: 0, count: 67), y = [Double](repeating: 0, count: 67)
        var sx = a.initialState(like: x), sy = b.initialState(like: y)
        for _ in 0..<1000 {
            let g = (0..<67).map { _ in Float(numbers.unit()) }
            a.step(&x, gradient: g, state: &sx)
            b.step(&y, gradient: g.map { Double($0) }, state: &sy)
        }
        let scale = y.map(abs).max()!
        for i in 0..<67 { #expect(abs(Double(x[i]) - y[i]) < 2e-5 * scale) }
    }
}
