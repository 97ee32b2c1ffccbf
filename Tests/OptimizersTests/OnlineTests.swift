import Foundation
import Kernels
import LinearAlgebra
import Optimizers
import Testing
import _TestSupport

@Suite struct OnlineTests {
    private static let ball = L2Ball<Double>(radius: 1)
    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    private static func minus(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 - $1 } }

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

    @Test func perRoundInequalityInTheNormOfH() {
        // The same with D(a, b) = ½ (a − b)ᵀH_t (a − b), also for hints that are not the last gradient.
        var numbers = TestNumbers(seed: 11)
        let n = 4, learner = OptimisticOnlineNewton(radius: 1, dimension: n, gradientBound: 2, expConcavity: 1, betaScale: 20)
        var state = learner.initialState
        for t in 0..<400 {
            if t % 3 == 0 { state.hint = (0..<n).map { _ in 2 * numbers.unit() } }
            let g = (0..<n).map { _ in numbers.unit() }, u = L2Ball<Double>(radius: 1).projection(of: (0..<n).map { _ in 2 * numbers.unit() })
            let x = learner.play(state), before = state, h = Matrix(rows: n, columns: n, elements: state.hessian)
            learner.observe(g, state: &state)
            func breg(_ a: [Double], _ b: [Double]) -> Double {
                let d = Self.minus(a, b)
                return Self.dot(d, h * d) / 2
            }
            let left = Self.dot(g, Self.minus(x, u))
            let hint = Self.dot(Self.minus(g, before.hint), Self.minus(x, state.center))
            let right = hint + breg(u, before.center) - breg(u, state.center) - breg(state.center, x) - breg(x, before.center)
            #expect(left <= right + 1e-12, "\(t): \(left) \(right)")
        }
    }

    @Test func perfectHints() {
        // M_t = g_t: regret at most D²/(2 η), whatever the gradients are; and the convex step never shrinks.
        for noise in [0.0, 1, 5] {
            let g = gradients(500, noise: noise, period: 13, seed: 12)
            for step in [OptimisticMirrorDescent<L2Ball<Double>>.Step.constant(0.05), .convex(diameter: 2, gradientBound: 6, smoothness: 0)] {
                let learner = OptimisticMirrorDescent(on: Self.ball, from: [0, 0, 0, 0, 0], step: step)
                var state = learner.initialState, loss = 0.0, sum = [0.0, 0, 0, 0, 0]
                let first = learner.stepSize(state)
                for x in g {
                    state.hint = x
                    loss += Self.dot(x, learner.play(state))
                    learner.observe(x, state: &state)
                    for i in sum.indices { sum[i] += x[i] }
                }
                #expect(state.variation == 0 && learner.stepSize(state) == first)
                #expect(loss + Self.dot(sum, sum).squareRoot() <= 4 / (2 * first), "noise \(noise)")
            }
        }
    }

    @Test func implicitUpdatesKeepTheInequalityForTheLossItself() {
        // f_t = ‖x − c_t‖₁ on a box: f(x) − f(u) in place of ⟨g, x − u⟩. The proximal point is found coordinate by coordinate.
        let box = LInfinityBall<Double>(radius: 1)
        let learner = OptimisticMirrorDescent(on: box, from: [0.3, 0, -2], step: .convex(diameter: 3.5, gradientBound: 1.8, smoothness: 0))
        var numbers = TestNumbers(seed: 13), state = learner.initialState
        func breg(_ a: [Double], _ b: [Double], _ eta: Double) -> Double { zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / (2 * eta) }
        for t in 0..<300 {
            let c = (0..<3).map { _ in 1.5 * numbers.unit() }, u = (0..<3).map { _ in numbers.unit() }
            func f(_ x: [Double]) -> Double { zip(x, c).reduce(0) { $0 + abs($1.0 - $1.1) } }
            let eta = learner.stepSize(state), x = learner.play(state), before = state
            let g = zip(x, c).map { (x: Double, c: Double) -> Double in x > c ? 1 : -1 }
            learner.observe(g, proximalPoint: { center, step in
                box.projection(of: zip(center, c).map { (x: Double, c: Double) -> Double in x + min(max(c - x, -step), step) })
            }, state: &state)
            let hint = Self.dot(Self.minus(g, before.hint), Self.minus(x, state.center))
            let right = hint + breg(u, before.center, eta) - breg(u, state.center, eta) - breg(state.center, x, eta) - breg(x, before.center, eta)
            #expect(f(x) - f(u) <= right + 1e-13, "\(t)")
            #expect(state.hint == g && state.rounds == t + 1)
            // The centre minimises f + ‖x − x̂‖²/(2η): no point nearby is better.
            let value = f(state.center) + breg(state.center, before.center, eta)
            for _ in 0..<5 {
                let near = box.projection(of: state.center.map { $0 + 1e-3 * numbers.unit() })
                #expect(f(near) + breg(near, before.center, eta) >= value - 1e-15)
            }
        }
    }

    @Test func implicitUpdatesOfLinearLossesAreThePlainOnes() {
        let learner = convex()
        var a = learner.initialState, b = a
        for g in gradients(50, noise: 0.5, period: 9, seed: 14) {
            learner.observe(g, state: &a)
            learner.observe(g, proximalPoint: { center, step in
                Self.ball.projection(of: zip(center, g).map { $0 - step * $1 })
            }, state: &b)
            #expect(zip(a.center, b.center).allSatisfy { abs($0 - $1) < 1e-15 } && a.variation == b.variation)
        }
    }

    @Test func aHintServesOneRound() {
        let learner = convex(), plain = OptimisticMirrorDescent(
            on: Self.ball, from: [0, 0, 0, 0, 0], step: .convex(diameter: 2, gradientBound: 2, smoothness: 0), usesHints: false)
        for (learner, after) in [(learner, [0, 0.5, 0, 0, 0]), (plain, [0, 0, 0, 0, 0])] {
            var state = learner.initialState
            state.hint = [1, 0, 0, 0, 0]
            // η = 2/√16.
            #expect(learner.play(state) == [-0.5, 0, 0, 0, 0])
            learner.observe([0, 0.5, 0, 0, 0], state: &state)
            #expect(state.hint == after && abs(state.variation - 1.25) < 1e-15)
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

    @Test func stepsByHand() {
        func size(_ step: OptimisticMirrorDescent<L2Ball<Double>>.Step, after gradients: [[Double]]) -> Double {
            let learner = OptimisticMirrorDescent(on: Self.ball, from: [0, 0], step: step)
            var state = learner.initialState
            for g in gradients { learner.observe(g, state: &state) }
            return learner.stepSize(state)
        }
        // V = 1 + 2 after (1, 0) and (0, 1).
        let g: [[Double]] = [[1, 0], [0, 1]]
        #expect(abs(size(.convex(diameter: 2, gradientBound: 3, smoothness: 0.5), after: g) - 2 / (10.0 + 36 + 3).squareRoot()) < 1e-15)
        #expect(abs(size(.stronglyConvex(0.5), after: g) - 2 / (0.5 * 3)) < 1e-15)
        #expect(size(.constant(0.3), after: g) == 0.3)
        #expect(abs(size(.inverseRoot(diameter: 2, gradientBound: 5), after: g) - 2 / (5 * 3.0.squareRoot())) < 1e-15)
    }

    @Test func theBooks() {
        var account = RegretAccount()
        account.record(loss: 3, comparatorLoss: 1, comparator: [0, 0], gradient: [1, 0])
        account.record(loss: 2, comparatorLoss: 0.5, comparator: [3, 4], gradient: [1, 2])
        account.record(loss: 1, comparatorLoss: 1, comparator: [3, 3], gradient: [0, 2])
        #expect(account.rounds == 3 && account.loss == 6 && account.comparatorLoss == 2.5 && account.regret == 3.5)
        #expect(account.pathLength == 6 && account.gradientVariation == 1 + 4 + 1)
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

    @Test func hedgeIsMirrorDescentInTheEntropy() {
        // p_t ∝ p̂_t exp(−η g_{t−1}), p̂_{t+1} ∝ p̂_t exp(−η g_t): the two steps of mirror descent on the simplex.
        let hedge = OptimisticHedge<Double>(count: 4, step: 0.3)
        var numbers = TestNumbers(seed: 15), state = hedge.initialState, center = [0.25, 0.25, 0.25, 0.25], hint = [0.0, 0, 0, 0]
        func stepped(_ p: [Double], _ g: [Double]) -> [Double] {
            let q = zip(p, g).map { $0 * exp(-0.3 * $1) }, sum = q.reduce(0, +)
            return q.map { $0 / sum }
        }
        for _ in 0..<50 {
            #expect(zip(hedge.play(state), stepped(center, hint)).allSatisfy { abs($0 - $1) < 1e-13 })
            let g = (0..<4).map { _ in numbers.unit() }
            hedge.observe(g, state: &state)
            center = stepped(center, g)
            hint = g
        }
    }

    @Test func statesResumeToTheSameBits() throws {
        func check<L: OnlineLearner<Double>>(_ learner: L, _ name: String) throws {
            var state = learner.initialState, copy = state
            for (t, g) in gradients(40, noise: 0.5, period: 11, seed: 16).enumerated() {
                if t == 17 { copy = try JSONDecoder().decode(L.State.self, from: JSONEncoder().encode(state)) }
                learner.observe(g, state: &state)
                if t >= 17 { learner.observe(g, state: &copy) }
            }
            let play = learner.play(state), again = learner.play(copy)
            #expect(play == again, "\(name)")
            #expect(play.contains { $0 != 0 })
        }
        let zero = [0.0, 0, 0, 0, 0]
        try check(convex(), "mirror descent")
        try check(OptimisticOnlineNewton(radius: 1, dimension: 5, gradientBound: 2, expConcavity: 1), "Newton")
        try check(OptimisticFollowTheLeader(on: Self.ball, from: zero, diameter: 2, gradientBound: 2, smoothness: 1), "leader")
        try check(OptimisticHedge<Double>(count: 5, step: 0.2), "Hedge")
        try check(DynamicRegretEnsemble(on: Self.ball, from: zero, diameter: 2, gradientBound: 2, smoothness: 1, rounds: 40), "ensemble")
    }

    @Test func gradientsOfAnotherSizeAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let learner = OptimisticMirrorDescent(on: L2Ball<Double>(radius: 1), from: [0, 0], step: .constant(1))
            var state = learner.initialState
            learner.observe([1, 2, 3], state: &state)
        }
        #expect(message(of: result).contains("3 elements; expected 2"))
    }

    @Test func onlineNewtonKeepsItsInverse() {
        let learner = OptimisticOnlineNewton(radius: 1, dimension: 6, gradientBound: 2, expConcavity: 1, betaScale: 10)
        var numbers = TestNumbers(seed: 6), state = learner.initialState
        for _ in 0..<10_999 { learner.observe((0..<6).map { _ in numbers.unit() }, state: &state) }
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
        // The pool: from D/(√(8 T) G) doubled to 1/(8 L).
        let steps = mixed.members.map { $0.stepSize($0.initialState) }
        #expect(abs(steps[0] - 2 / (8 * 9 * 4000.0).squareRoot()) < 1e-15 && steps.last == 0.125 && abs(steps[1] / steps[0] - 2) < 1e-15)
        // By hand after one round, with ε = 1/(8 D² L): losses ⟨g, x_i⟩, hints ⟨g, x_i'⟩ + 2 L ‖x_i' − x_i‖².
        let pair = DynamicRegretEnsemble(
            on: Self.ball, from: zero, diameter: 2, gradientBound: 3, smoothness: 0.5, rounds: 10, steps: [0.1, 0.3])
        var e = pair.initialState
        pair.observe([1, 0, 0, 0, 0], state: &e)
        let rate = min(1 / 16.0, (log(2) / 4).squareRoot())
        let scores = [0.1, 0.3].map { (eta: Double) -> Double in exp(-rate * (-2 * eta + 4 * eta * eta)) }
        for (weight, score) in zip(pair.weights(e), scores) { #expect(abs(weight - score / (scores[0] + scores[1])) < 1e-15) }
        let weights = mixed.weights(d)
        #expect(weights.max()! > 1.2 * weights.min()!)
    }
}
