import Foundation
import Kernels
import Objectives
import Optimizers
import RealModule
import Testing
import _TestSupport

@Suite struct OptimizerTests {
    /// f(x) = ½ Σ hᵢ (xᵢ − 1)², h from 1 to 10.
    static func bowl<Scalar: KernelScalar>(_: Scalar.Type) -> ClosureObjective<Scalar> {
        @Sendable func evaluate(_ x: Span<Scalar>, _ store: (Int, Scalar) -> Void) -> Scalar {
            var sum: Scalar = 0
            for i in 0..<3 {
                let h = Scalar(1 + 4.5 * Double(i)), d = x[i] - 1
                store(i, h * d)
                sum += h * d * d / 2
            }
            return sum
        }
        return ClosureObjective(dimension: 3) { evaluate($0) { _, _ in } } valueAndGradient: { x, g in
            var partials: [Scalar] = [0, 0, 0]
            let value = evaluate(x) { partials[$0] = $1 }
            for i in 0..<3 { g[i] = partials[i] }
            return value
        }
    }

    static func all<Scalar: KernelScalar>(_: Scalar.Type) -> [(String, any Optimizer<Scalar>)] {
        [
            ("SGD", SGD<Scalar>(learningRate: 0.1)),
            ("momentum", SGD<Scalar>(learningRate: 0.03, momentum: 0.8)),
            ("dampened", SGD<Scalar>(learningRate: 0.1, momentum: 0.8, dampening: 0.8)),
            ("Nesterov", SGD<Scalar>(learningRate: 0.03, momentum: 0.8, isNesterov: true)),
            ("Adam", Adam<Scalar>(learningRate: .exponential(from: 0.1, factor: 0.5, every: 100))),
            ("AdamW", AdamW<Scalar>(learningRate: .exponential(from: 0.1, factor: 0.5, every: 100), weightDecay: 0)),
            ("EXAdam 2", EXAdam<Scalar>(learningRate: .exponential(from: 0.02, factor: 0.5, every: 100))),
            ("EXAdam 1", EXAdam<Scalar>(version: .growingStep, learningRate: .exponential(from: 0.02, factor: 0.5, every: 100))),
            ("RMSProp", RMSProp<Scalar>(learningRate: .exponential(from: 0.1, factor: 0.5, every: 100))),
            ("Adagrad", Adagrad<Scalar>(learningRate: 0.5)),
            ("Lion", Lion<Scalar>(learningRate: .exponential(from: 0.05, factor: 0.5, every: 100))),
        ]
    }

    @Test func everyOptimizerMinimizesABowl() {
        func check<Scalar: KernelScalar>(_: Scalar.Type) {
            for (name, optimizer) in Self.all(Scalar.self) {
                let solution = optimizer.solve(
                    Self.bowl(Scalar.self), from: [-1, 3, 0.5], stopping: .gradientNorm(atMost: 1e-2) || .iterations(3000))
                #expect(solution.status == .converged, "\(name) \(Scalar.self): \(solution.reason)")
                #expect(solution.iterate.allSatisfy { abs($0 - 1) < 0.02 }, "\(name)")
            }
        }
        check(Float.self)
        check(Double.self)
    }

    /// The problems of the library that a first-order method with one rate can be asked to make headway on.
    static func problems<Scalar: KernelScalar & Real>(_: Scalar.Type) -> [(problem: any TestProblem<Scalar>, start: [Scalar])] {
        [
            (TestProblems.Sphere(dimension: 5), [3, -2, 1, 4, -5]), (TestProblems.ConvexQuadratic(dimension: 5, condition: 100), [3, -2, 1, 4, -5]),
            (TestProblems.Booth(), [-4, 6]), (TestProblems.Trid(dimension: 5), [0, 0, 0, 0, 0]),
            (TestProblems.Zakharov(dimension: 3), [1, -1, 0.5]), (TestProblems.Rosenbrock(dimension: 2), [-1.2, 1]),
            (TestProblems.Beale(), [1, 1]), (TestProblems.Wood(), [-3, -1, -3, -1]), (TestProblems.PowellSingular(dimension: 4), [3, -1, 0, 1]),
            (TestProblems.DixonPrice(dimension: 2), [2, -1]), (TestProblems.Himmelblau(), [0, 0]),
        ]
    }

    /// Makers of the optimisers by rate.
    static func byRate<Scalar: KernelScalar>(_: Scalar.Type) -> [(name: String, make: (Schedule) -> any Optimizer<Scalar>)] {
        [
            ("SGD", { SGD<Scalar>(learningRate: $0) }), ("momentum", { SGD<Scalar>(learningRate: $0, momentum: 0.9) }),
            ("Nesterov", { SGD<Scalar>(learningRate: $0, momentum: 0.9, isNesterov: true) }),
            ("Adam", { Adam<Scalar>(learningRate: $0) }), ("AdamW", { AdamW<Scalar>(learningRate: $0, weightDecay: 1e-4) }),
            ("EXAdam 2", { EXAdam<Scalar>(learningRate: $0) }), ("EXAdam 1", { EXAdam<Scalar>(version: .growingStep, learningRate: $0) }),
            ("RMSProp", { RMSProp<Scalar>(learningRate: $0) }), ("Adagrad", { Adagrad<Scalar>(learningRate: $0) }),
            ("Lion", { Lion<Scalar>(learningRate: $0) }), ("Lion-K", { LionK<Scalar>(.smooth(0.1), learningRate: $0) }),
        ]
    }

    /// Within 2000 steps at the best of six rates, which fall to a hundredth, 99 % of the way from f(x₀) to f*; on every problem.
    @Test func everyOptimizerOnEveryProblem() {
        func check<Scalar: KernelScalar & Real>(_: Scalar.Type) {
            for (problem, start) in Self.problems(Scalar.self) {
                let first = Double(problem.value(at: start.span)), minimum = Double(problem.minimum)
                for (name, make) in Self.byRate(Scalar.self) {
                    let left = [1.0, 0.1, 0.02, 3e-3, 3e-4, 3e-5].map { rate -> Double in
                        let optimizer = make(.cosine(from: rate, to: 0.01 * rate, steps: 2000))
                        let solution = optimizer.solve(problem, from: start, stopping: .iterations(2000))
                        // What diverged keeps its best point and says so.
                        #expect(solution.value.isFinite && Double(solution.value) <= first)
                        #expect([.iterationLimit, .converged, .nonFinite].contains(solution.status), "\(solution.reason)")
                        return (Double(solution.value) - minimum) / (first - minimum)
                    }
                    #expect(left.min()! < 0.01, "\(name) on \(problem.name), \(Scalar.self): \(left)")
                }
            }
        }
        check(Float.self)
        check(Double.self)
    }

    @Test func noParameters() {
        for (name, optimizer) in Self.all(Float.self) {
            func step<O: Optimizer<Float>>(_ optimizer: O) {
                var x: [Float] = [], state = optimizer.initialState(like: x)
                optimizer.step(&x, gradient: [], state: &state)
                #expect(x.isEmpty, "\(name)")
            }
            step(optimizer)
        }
    }

    @Test func tinyAndHugeGradients() {
        // What divides by its own scale moves by the rate; nothing is lost to underflow of squares that ε would not have covered.
        func moved<O: Optimizer<Double>>(_ optimizer: O, _ g: Double) -> Double {
            var x = [0.0], state = optimizer.initialState(like: x)
            optimizer.step(&x, gradient: [g], state: &state)
            return x[0]
        }
        for g in [1e-100, 1, 1e100] {
            #expect(abs(moved(Adam(learningRate: 0.1, epsilon: 0), g) + 0.1) < 1e-15)
            #expect(abs(moved(RMSProp(learningRate: 0.1, epsilon: 0), g) + 1) < 1e-14)
            #expect(abs(moved(Adagrad(learningRate: 0.1, epsilon: 0), g) + 0.1) < 1e-15)
            #expect(moved(Lion(learningRate: 0.1), g) == -0.1)
        }
        #expect(moved(Adam(), 0) == 0 && moved(RMSProp(), 0) == 0 && moved(Adagrad(), 0) == 0 && moved(EXAdam(), 0) == 0)
        #expect(moved(Adam(), .nan).isNaN && moved(Lion(), .nan).isNaN && moved(SGD(learningRate: 1), .infinity) == -.infinity)
    }

    @Test func iterationCapOfOne() {
        for (name, optimizer) in Self.all(Double.self) {
            let solution = optimizer.solve(Self.bowl(Double.self), from: [-1, 3, 0.5], stopping: .iterations(1))
            #expect(solution.status == .iterationLimit, "\(name)")
            #expect(solution.evaluations.gradients == 2)
        }
    }

    @Test func aSavedStateGoesOnToTheSameBits() throws {
        func check<Scalar, O: Optimizer<Scalar>>(_ name: String, _ optimizer: O) throws {
            let problem = Self.bowl(Scalar.self)
            var whole = optimizer.makeRun(problem, from: [-1, 3, 0.5])
            let expected = optimizer.solve(problem, resuming: &whole, stopping: .iterations(30))
            var run = optimizer.makeRun(problem, from: [-1, 3, 0.5])
            _ = optimizer.solve(problem, resuming: &run, stopping: .iterations(11))
            var restored = try JSONDecoder().decode(SolverRun<O.State>.self, from: JSONEncoder().encode(run))
            let resumed = optimizer.solve(problem, resuming: &restored, stopping: .iterations(30))
            #expect(resumed.iterate == expected.iterate, "\(name)")
            #expect(restored.state.iterate == whole.state.iterate, "\(name)")
            #expect(restored.state.stepNorm == whole.state.stepNorm)
        }
        for (name, optimizer) in Self.all(Float.self) { try check(name, optimizer) }
        for (name, optimizer) in Self.all(Double.self) { try check(name, optimizer) }
    }

    @Test func firstStepOfSGDWithMomentum() {
        // By hand: G = 2 + 0.5 · 4 = 4; m₁ = 4; x₁ = 4 − 0.1 · 4 = 3.6; G = 2 + 1.8; m₂ = 0.9 · 4 + 0.5 · 3.8 = 5.5.
        let sgd = SGD<Double>(learningRate: 0.1, momentum: 0.9, dampening: 0.5, weightDecay: 0.5)
        var x = [4.0], state = sgd.initialState(like: x)
        sgd.step(&x, gradient: [2], state: &state)
        #expect(abs(x[0] - 3.6) < 1e-15)
        sgd.step(&x, gradient: [2], state: &state)
        #expect(abs(x[0] - (3.6 - 0.55)) < 1e-15)
        #expect(abs(state.first[0] - 5.5) < 1e-15)
        // Look-ahead: G + 0.9 m = 2 + 1.8.
        let nesterov = SGD<Double>(learningRate: 0.1, momentum: 0.9, isNesterov: true)
        var y = [4.0], other = nesterov.initialState(like: y)
        nesterov.step(&y, gradient: [2], state: &other)
        #expect(abs(y[0] - (4 - 0.38)) < 1e-15)
    }

    @Test func adamStepsByTheRateWhateverTheScale() {
        for scale in [1e-3, 1, 1e6] {
            let adam = Adam<Double>(learningRate: 0.01, epsilon: 0)
            var x = [1.0, 1], state = adam.initialState(like: x)
            for _ in 0..<20 { adam.step(&x, gradient: [scale, -2 * scale], state: &state) }
            #expect(abs(x[0] - 0.8) < 1e-13 && abs(x[1] - 1.2) < 1e-13)
        }
    }

    @Test func decayAloneShrinksGeometrically() {
        func check<O: Optimizer<Double>>(_ optimizer: O, _ name: String) {
            var x = [2.0, -3], state = optimizer.initialState(like: x)
            for _ in 0..<10 { optimizer.step(&x, gradient: [0, 0], state: &state) }
            let factor = Foundation.pow(1 - 0.1 * 0.2, 10)
            #expect(abs(x[0] - 2 * factor) < 1e-14, "\(name)")
            #expect(x[1] == -3, "\(name): outside the mask")
        }
        let mask = ParameterMask([0..<1])
        check(AdamW(learningRate: 0.1, weightDecay: 0.2, decayMask: mask), "AdamW")
        check(Lion(learningRate: 0.1, weightDecay: 0.2, decayMask: mask), "Lion")
        check(EXAdam(version: .growingStep, learningRate: 0.1, weightDecay: 0.2, decayMask: mask), "EXAdam")
        check(SGD(learningRate: 0.1, weightDecay: 0.2, decayMask: mask), "SGD")
    }

    @Test func aMaskLeavesOutTheDecayAndNothingElse() {
        // Parts before, between and after the ranges step as they do without any decay; parts within, as with one everywhere.
        func check<O: Optimizer<Double>>(_ name: String, _ make: (_ decay: Double, _ mask: ParameterMask?) -> O) {
            var numbers = TestNumbers(seed: 19)
            let start = (0..<12).map { _ in numbers.unit() }, gradients = (0..<3).map { _ in (0..<12).map { _ in numbers.unit() } }
            let mask = ParameterMask([2..<5, 7..<9])
            let ends = [make(0.2, mask), make(0.2, nil), make(0, nil)].map { optimizer in
                var x = start, state = optimizer.initialState(like: x)
                for g in gradients { optimizer.step(&x, gradient: g, state: &state) }
                return x
            }
            let (masked, all, none) = (ends[0], ends[1], ends[2])
            for i in 0..<12 { #expect(masked[i] == ((2..<5).contains(i) || (7..<9).contains(i) ? all[i] : none[i]), "\(name) \(i)") }
            #expect(all != none)
        }
        check("SGD") { SGD(learningRate: 0.1, weightDecay: $0, decayMask: $1) }
        check("momentum") { SGD(learningRate: 0.1, momentum: 0.9, weightDecay: $0, decayMask: $1) }
        check("Adam") { Adam(learningRate: 0.1, weightDecay: $0, decayMask: $1) }
        check("AdamW") { AdamW(learningRate: 0.1, weightDecay: $0, decayMask: $1) }
        check("EXAdam") { EXAdam(learningRate: 0.1, weightDecay: $0, decayMask: $1) }
        check("RMSProp") { RMSProp(learningRate: 0.1, weightDecay: $0, decayMask: $1) }
        check("Adagrad") { Adagrad(learningRate: 0.1, weightDecay: $0, decayMask: $1) }
        check("Lion") { Lion(learningRate: 0.1, weightDecay: $0, decayMask: $1) }
    }

    @Test func aStateOfAnotherSizeIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let adam = Adam<Float>()
            var x: [Float] = [1, 2], state = adam.initialState(like: [1, 2, 3])
            adam.step(&x, gradient: [1, 2], state: &state)
        }
        #expect(message(of: result).contains("state has 3 first moments; expected 2, one for each parameter"))
    }
}
