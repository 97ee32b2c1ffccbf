import Foundation
import Kernels
import LinearAlgebra
import Optimizers
import Testing
import _TestSupport

@Suite struct OnlineTests {
    private static let ball = L2Ball<Double>(radius: 1)
    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    /// Gradients g_t = c_t + s ξ_t, with c turning once in `period` rounds (never if `nil`) and ξ random signs / √d.
    private func gradients(_ rounds: Int, noise: Double, period: Int?, seed: UInt64, dimension: Int = 5) -> [[Double]] {
        var numbers = TestNumbers(seed: seed)
        return (0..<rounds).map { t in
            var g = (0..<dimension).map { _ in (numbers.unit() < 0 ? -1 : 1) * noise / Double(dimension).squareRoot() }
            let angle = period.map { 2 * Double.pi * Double(t) / Double($0) } ?? 0
            g[0] += cos(angle)
            g[1] += sin(angle)
            return g
        }
    }

    /// Linear regret against the best fixed point of the unit ball.
    private func regret<L: OnlineLearner<Double>>(_ learner: L, _ gradients: [[Double]]) -> Double {
        var state = learner.initialState, loss = 0.0, sum = gradients[0].map { _ in 0.0 }
        for g in gradients {
            loss += Self.dot(g, learner.play(state))
            learner.observe(g, state: &state)
            for i in sum.indices { sum[i] += g[i] }
        }
        return loss + Self.dot(sum, sum).squareRoot()
    }

    private func convex(_ bound: Double = 2, smoothness: Double = 0) -> OptimisticMirrorDescent<L2Ball<Double>> {
        OptimisticMirrorDescent(
            on: Self.ball, from: [0, 0, 0, 0, 0], step: .convex(diameter: 2, gradientBound: bound, smoothness: smoothness))
    }

    @Test func perRoundInequality() {
        // ⟨g, x − u⟩ ≤ ⟨g − M, x − x̂'⟩ + D(u, x̂) − D(u, x̂') − D(x̂', x) − D(x, x̂) for every u in the set.
        var numbers = TestNumbers(seed: 1)
        let learner = convex()
        var state = learner.initialState
        func breg(_ a: [Double], _ b: [Double], _ eta: Double) -> Double { zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / (2 * eta) }
        for _ in 0..<300 {
            let g = (0..<5).map { _ in numbers.unit() }, u = Self.ball.projection(of: (0..<5).map { _ in 2 * numbers.unit() })
            let eta = learner.stepSize(state), x = learner.play(state), before = state
            learner.observe(g, state: &state)
            let left = (0..<5).reduce(0) { $0 + g[$1] * (x[$1] - u[$1]) }
            let hint = (0..<5).reduce(0) { $0 + (g[$1] - before.hint[$1]) * (x[$1] - state.center[$1]) }
            let right = hint + breg(u, before.center, eta) - breg(u, state.center, eta) - breg(state.center, x, eta) - breg(x, before.center, eta)
            #expect(left <= right + 1e-13)
        }
    }

    @Test(arguments: [0.0, 0.1, 0.4, 1]) func regretKeepsItsBound(_ noise: Double) {
        for period in [nil, 7, 100] as [Int?] {
            let g = gradients(2000, noise: noise, period: period, seed: 3)
            for smoothness in [0.0, 0.3] {
                let learner = convex(smoothness: smoothness), delta = 10 * 4 * smoothness * smoothness
                var state = learner.initialState
                for x in g { learner.observe(x, state: &state) }
                let bound = (delta + 16 + state.variation).squareRoot() + 2 * ((delta + state.variation).squareRoot() - delta.squareRoot())
                #expect(regret(learner, g) <= bound, "noise \(noise) period \(period ?? 0)")
            }
        }
    }

    @Test func withoutHintsItIsProjectedDescent() {
        let learner = OptimisticMirrorDescent(
            on: Self.ball, from: [0.5, 0, 0, 0, 0], step: .inverseRoot(diameter: 2, gradientBound: 1), usesHints: false)
        var state = learner.initialState, x = [0.5, 0, 0, 0, 0]
        for (t, g) in gradients(50, noise: 0.3, period: 9, seed: 4).enumerated() {
            #expect(learner.play(state) == x)
            learner.observe(g, state: &state)
            var span = x.mutableSpan
            Double.axpy(-2 / Double(t + 1).squareRoot(), g.span, &span)
            Self.ball.project(&span)
        }
    }

    @Test func constantGradientsAreForeseen() {
        let learner = convex(), g = [[Double]](repeating: [0.6, 0, 0, 0.8, 0], count: 400)
        var state = learner.initialState
        for (t, x) in g.enumerated() {
            let play = learner.play(state)
            learner.observe(x, state: &state)
            if t > 0 { #expect(zip(play, state.center).allSatisfy { abs($0 - $1) < 1e-15 }) }
        }
        #expect(abs(regret(learner, g) - regret(learner, Array(g[..<200]))) < 1e-9)
    }

    @Test func regretGrowsWithTheNoiseAndItsRoot() {
        func mean<L: OnlineLearner<Double>>(_ learner: L, _ rounds: Int, _ noise: Double, _ period: Int?) -> Double {
            (1...5).reduce(0) { $0 + regret(learner, gradients(rounds, noise: noise, period: period, seed: UInt64($1))) } / 5
        }
        let learner = convex(), descent = OptimisticMirrorDescent(
            on: Self.ball, from: [0, 0, 0, 0, 0], step: .inverseRoot(diameter: 2, gradientBound: 2), usesHints: false)
        let quiet = mean(learner, 2000, 0, nil), small = mean(learner, 2000, 0.1, nil), large = mean(learner, 2000, 0.4, nil)
        #expect(abs(quiet - mean(learner, 8000, 0, nil)) < 1e-6)
        #expect(large / small > 2.5 && large / small < 6, "\(small) \(large)")
        let longer = mean(learner, 8000, 0.4, nil)
        #expect(longer / large > 1.5 && longer / large < 2.6, "\(longer / large)")
        // Slow drift: hints win by far; independent noise: they lose.
        #expect(mean(learner, 2000, 0, 100) < mean(descent, 2000, 0, 100) - 1000)
        #expect(large > 1.5 * mean(descent, 2000, 0.4, nil))
    }

    @Test func theScaleOfLinearLosses() {
        let a = convex(2), b = convex(4), g = gradients(100, noise: 0.4, period: 30, seed: 5)
        var sa = a.initialState, sb = b.initialState
        for x in g {
            #expect(a.play(sa) == b.play(sb))
            a.observe(x, state: &sa)
            b.observe(x.map { 2 * $0 }, state: &sb)
        }
    }

    @Test func stronglyConvexLossesGiveLogarithmicRegret() {
        // f_t = ½ ‖x − c − s ξ_t‖².
        func run(_ step: OptimisticMirrorDescent<L2Ball<Double>>.Step, _ rounds: Int) -> Double {
            let learner = OptimisticMirrorDescent(on: Self.ball, from: [0, 0, 0, 0, 0], step: step)
            var total = 0.0
            for seed in 1...5 as ClosedRange<UInt64> {
                var state = learner.initialState, account = RegretAccount()
                let targets = gradients(rounds, noise: 0.5, period: nil, seed: seed).map { [0.6 * $0[0]] + $0[1...] }
                let mean = (0..<5).map { i in targets.reduce(0) { $0 + $1[i] } / Double(rounds) }
                for target in targets {
                    let x = learner.play(state), g = zip(x, target).map { $0 - $1 }, h = zip(mean, target).map { $0 - $1 }
                    account.record(loss: Self.dot(g, g) / 2, comparatorLoss: Self.dot(h, h) / 2, comparator: mean, gradient: g)
                    learner.observe(g, state: &state)
                }
                #expect(account.pathLength == 0 && account.rounds == rounds)
                total += account.regret / 5
            }
            return total
        }
        let short = run(.stronglyConvex(1), 1000), long = run(.stronglyConvex(1), 4000)
        #expect(long - short < 2.5 && short < 12, "\(short) \(long)")
        #expect(run(.convex(diameter: 2, gradientBound: 3, smoothness: 1), 4000) > 2 * long)
    }

    @Test func followTheLeaderKeepsUpOnStationaryLosses() {
        let leader = OptimisticFollowTheLeader(on: Self.ball, from: [0, 0, 0, 0, 0], diameter: 2, gradientBound: 2, smoothness: 0)
        let g = gradients(4000, noise: 0.4, period: nil, seed: 2)
        #expect(regret(leader, g) < 2 * regret(convex(), g))
        var state = leader.initialState
        #expect(leader.play(state) == [0, 0, 0, 0, 0])
        leader.observe([1, 0, 0, 0, 0], state: &state)
        // −η (g + g) with η = 2 / √(16 + 1).
        #expect(abs(leader.play(state)[0] + 4 / 17.0.squareRoot()) < 1e-15 || leader.play(state)[0] == -1)
    }

    @Test func hedge() {
        let hedge = OptimisticHedge<Double>(count: 3, step: 0.5)
        var state = hedge.initialState
        #expect(hedge.play(state).allSatisfy { abs($0 - 1.0 / 3) < 1e-15 })
        hedge.observe([1, 0, 2], state: &state)
        hedge.observe([0, 1, 1], state: &state)
        let scores = [1.0, 2, 4].map { exp(-0.5 * $0) }, total = scores.reduce(0, +)
        #expect(zip(hedge.play(state), scores).allSatisfy { abs($0 - $1 / total) < 1e-15 })
    }

    @Test func onlineNewtonKeepsItsInverse() {
        let learner = OptimisticOnlineNewton(radius: 1, dimension: 6, gradientBound: 2, expConcavity: 1, betaScale: 10)
        var numbers = TestNumbers(seed: 6), state = learner.initialState
        for _ in 0..<2500 { learner.observe((0..<6).map { _ in numbers.unit() }, state: &state) }
        let product = Matrix(rows: 6, columns: 6, elements: state.hessian) * Matrix(rows: 6, columns: 6, elements: state.inverse)
        for i in 0..<6 { for j in 0..<6 { #expect(abs(product[i, j] - (i == j ? 1 : 0)) < 1e-9) } }
        // One dimension: steps of 1/H.
        let scalar = OptimisticOnlineNewton(radius: 2, dimension: 1, gradientBound: 1, expConcavity: 1)
        var one = scalar.initialState, h = 1 + scalar.beta / 2, x = 0.0
        for g in [0.3, -0.2, 0.5] {
            scalar.observe([g], state: &one)
            x -= g / h
            h += scalar.beta / 2 * g * g
            #expect(abs(one.center[0] - x) < 1e-15)
        }
        #expect(abs(scalar.play(one)[0] - (x - 0.5 / h)) < 1e-15)
    }

    @Test func projectionsInANorm() {
        var numbers = TestNumbers(seed: 7)
        let learner = OptimisticOnlineNewton(radius: 0.8, dimension: 4, gradientBound: 1, expConcavity: 1)
        for _ in 0..<50 {
            let g = Matrix<Double>(rows: 4, columns: 4, elements: (0..<16).map { _ in numbers.unit() })
            var h = multiply(g, g, transposeA: true)
            for i in 0..<4 { h[i, i] += 0.05 }
            let y = (0..<4).map { _ in 5 * numbers.unit() }, x = learner.project(y, in: h)
            let norm = Self.dot(x, x).squareRoot()
            #expect(abs(norm - 0.8) < 1e-9)
            // H (x − y) = −μ x with μ ≥ 0.
            let residual = h * zip(x, y).map { $0 - $1 }, mu = -Self.dot(residual, x) / (norm * norm)
            #expect(mu >= 0 && (0..<4).allSatisfy { abs(residual[$0] + mu * x[$0]) < 1e-9 })
        }
        let euclidean = learner.project([3, 4, 0, 0], in: [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2]])
        #expect(zip(euclidean, [0.48, 0.64, 0, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(learner.project([0.1, 0, 0, 0], in: .identity(4)) == [0.1, 0, 0, 0])
    }

    @Test func onlineNewtonLearnsExpConcaveLosses() {
        // ½ (aᵀx − b)²: regret that grows like a logarithm.
        func run(_ rounds: Int) -> Double {
            let learner = OptimisticOnlineNewton(radius: 1, dimension: 3, gradientBound: 3, expConcavity: 0.2, betaScale: 30)
            var numbers = TestNumbers(seed: 8), state = learner.initialState, regret = 0.0
            for _ in 0..<rounds {
                let a = (0..<3).map { _ in numbers.unit() }, noise = 0.1 * numbers.unit()
                let b = 0.5 * a[0] - 0.3 * a[1] + noise, x = learner.play(state), error = Self.dot(a, x) - b
                regret += 0.5 * (error * error - noise * noise)
                learner.observe(a.map { error * $0 }, state: &state)
            }
            return regret
        }
        let short = run(1000), long = run(4000)
        #expect(long < 3 * short + 1 && long < 40, "\(short) \(long)")
    }

    @Test func theEnsembleFollowsSwitches() {
        // f_t = ½ ‖x − c_t − s ξ_t‖², ‖c‖ = 0.7, switching; dynamic regret against c_t.
        func run<L: OnlineLearner<Double>>(_ learner: L, switches: Int, noise: Double) -> Double {
            (1...3).reduce(0) { total, seed in
                var numbers = TestNumbers(seed: UInt64(seed)), state = learner.initialState, account = RegretAccount(), c = [0.7, 0, 0, 0, 0]
                for t in 0..<4000 {
                    if switches > 0 && t % (4000 / switches) == 0 {
                        let v = (0..<5).map { _ in numbers.unit() }, n = Self.dot(v, v).squareRoot()
                        c = v.map { 0.7 * $0 / n }
                    }
                    let target = c.map { $0 + noise * (numbers.unit() < 0 ? -1 : 1) / 5.0.squareRoot() }
                    let x = learner.play(state), g = zip(x, target).map { $0 - $1 }, h = zip(c, target).map { $0 - $1 }
                    account.record(loss: Self.dot(g, g) / 2, comparatorLoss: Self.dot(h, h) / 2, comparator: c, gradient: g)
                    learner.observe(g, state: &state)
                }
                #expect(switches < 2 || account.pathLength > 0)
                return total + account.regret / 3
            }
        }
        let zero = [0.0, 0, 0, 0, 0]
        let ensemble = DynamicRegretEnsemble(on: Self.ball, from: zero, diameter: 2, gradientBound: 3, smoothness: 1, rounds: 4000)
        let strong = OptimisticMirrorDescent(on: Self.ball, from: zero, step: .stronglyConvex(1))
        // Stationary: the strongly convex step is best; with switches it is the worst, and the ensemble near the best or best.
        #expect(run(strong, switches: 1, noise: 0.3) < run(ensemble, switches: 1, noise: 0.3))
        for (switches, noise) in [(10, 0.3), (100, 0.3), (100, 1.0)] {
            let e = run(ensemble, switches: switches, noise: noise)
            let c = run(OptimisticMirrorDescent(on: Self.ball, from: zero, step: .convex(diameter: 2, gradientBound: 3, smoothness: 1)), switches: switches, noise: noise)
            #expect(e < run(strong, switches: switches, noise: noise), "\(switches) \(noise)")
            #expect(e < 1.6 * c, "\(e) \(c)")
        }
    }

    @Test func theMetaLearner() {
        let zero = [0.0, 0, 0, 0, 0]
        let twins = DynamicRegretEnsemble(
            on: Self.ball, from: zero, diameter: 2, gradientBound: 3, smoothness: 1, rounds: 100, steps: [0.1, 0.1, 0.1])
        let single = DynamicRegretEnsemble(on: Self.ball, from: zero, diameter: 2, gradientBound: 3, smoothness: 1, rounds: 100, steps: [0.1])
        let plain = OptimisticMirrorDescent(on: Self.ball, from: zero, step: .constant(0.1))
        let mixed = DynamicRegretEnsemble(on: Self.ball, from: zero, diameter: 2, gradientBound: 3, smoothness: 1, rounds: 4000)
        var a = twins.initialState, b = single.initialState, c = plain.initialState, d = mixed.initialState
        for g in gradients(200, noise: 0.5, period: 40, seed: 9) {
            #expect(twins.weights(a).allSatisfy { abs($0 - 1.0 / 3) < 1e-14 })
            #expect(zip(single.play(b), plain.play(c)).allSatisfy { abs($0 - $1) < 1e-15 })
            let weights = mixed.weights(d)
            #expect(abs(weights.reduce(0, +) - 1) < 1e-14 && weights.allSatisfy { $0 > 0 })
            twins.observe(g, state: &a)
            single.observe(g, state: &b)
            plain.observe(g, state: &c)
            mixed.observe(g, state: &d)
        }
        #expect(mixed.members.count > 3)
        let weights = mixed.weights(d)
        #expect(weights.max()! > 1.2 * weights.min()!)
    }
}
