import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Optimizers
import Testing
import _TestSupport

@Suite struct LionKTests {
    private static let layout = ParameterLayout([("a", [2, 2]), ("b", [2])])
    private static let all: [LionPotential] = [
        .l1, .lp(1.5), .lp(2), .lp(3), .soft(0.3), .topK(2), .huber(0.3), .smooth(0.3), .groups(layout), .spectral(layout), .quadratic,
    ]
    private static let boxed: [LionPotential] = [.l1, .soft(0.3), .topK(2), .huber(0.3), .smooth(0.3)]

    private static func gradient(_ k: LionPotential, _ m: [Double]) -> [Double] {
        var m = m
        k.replaceByGradient(&m)
        return m
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    /// A state whose momentum is `m` (the averaged negative gradient), got by one step with β₂ = 0.
    private static func state(_ m: [Double]) -> MomentState<Double> {
        let k = LionK<Double>(.l1, beta2: 0)
        var x = m, state = k.initialState(like: m)
        k.step(&x, gradient: m.map { -$0 }, state: &state)
        return state
    }

    @Test func fenchelAndYoung() {
        var numbers = TestNumbers(seed: 1)
        for k in Self.all {
            for _ in 0..<200 {
                let m = (0..<6).map { _ in 2 * numbers.unit() }
                let u = Self.gradient(k, m)
                // Equality at u = ∂K(m) …
                #expect(abs(k.value(at: m) + k.conjugate(at: u, slack: 1e-12) - Self.dot(m, u)) < 1e-12, "\(k)")
                // … and never below it.
                let other = Self.gradient(k, (0..<6).map { _ in numbers.unit() }).map { 0.9 * $0 }
                let gap = k.value(at: m) + k.conjugate(at: other) - Self.dot(m, other)
                #expect(gap >= -1e-12 && gap.isFinite, "\(k)")
            }
            if k != .quadratic { #expect(k.conjugate(at: [1.5, 0, 0, 0, 1.5, 0]) == .infinity, "\(k)") }
            #expect(Self.gradient(k, [0, 0, 0, 0, 0, 0]) == [0, 0, 0, 0, 0, 0] || k == .topK(2))
        }
    }

    @Test func gradientsAreThoseOfTheFunctions() {
        var numbers = TestNumbers(seed: 2)
        for k in Self.all {
            for _ in 0..<20 {
                let m = (0..<6).map { _ in 2 * numbers.unit() }, v = (0..<6).map { _ in numbers.unit() }
                let h = 1e-6
                let difference = (k.value(at: zip(m, v).map { $0 + h * $1 }) - k.value(at: zip(m, v).map { $0 - h * $1 })) / (2 * h)
                #expect(abs(difference - Self.dot(Self.gradient(k, m), v)) < 1e-5, "\(k)")
            }
        }
    }

    @Test func theL1MemberIsLion() {
        var numbers = TestNumbers(seed: 3)
        let member = LionK<Double>(.l1, learningRate: 0.01, weightDecay: 0.3), lion = Lion<Double>(learningRate: 0.01, weightDecay: 0.3)
        var x = (0..<33).map { _ in numbers.unit() }, y = x
        var a = member.initialState(like: x), b = lion.initialState(like: y)
        for t in 0..<50 {
            let g = (0..<33).map { $0 == 5 && t < 3 ? 0 : numbers.unit() }
            member.step(&x, gradient: g, state: &a)
            lion.step(&y, gradient: g, state: &b)
        }
        #expect(x == y && a == b)
    }

    @Test func theFlowsLyapunovFunctionFallsByItsFormula() {
        // Smooth K and quadratic f = ½ xᵀA x: dH/dt by differences along (x', m') against the formula.
        let e = 0.3, k = LionPotential.smooth(e), lambda = 0.8, alpha = 1.3, gamma = 0.7, epsilon = 0.6
        let solver = LionK<Double>(k, weightDecay: lambda)
        let a = [1.0, 2, 0.5, 3, 1.5, 0.2]
        var numbers = TestNumbers(seed: 4)
        for _ in 0..<50 {
            let x = (0..<6).map { _ in 0.9 / lambda * numbers.unit() }, m = (0..<6).map { _ in numbers.unit() }
            let gradient = zip(a, x).map { $0 * $1 }
            let dm = (0..<6).map { -alpha * gradient[$0] - gamma * m[$0] }
            let mixed = (0..<6).map { m[$0] + epsilon * dm[$0] }
            let dx = zip(Self.gradient(k, mixed), x).map { $0 - lambda * $1 }
            func h(_ t: Double) -> Double {
                let y = zip(x, dx).map { $0 + t * $1 }
                let f = (0..<6).reduce(0) { $0 + 0.5 * a[$1] * y[$1] * y[$1] }
                return solver.flowLyapunov(
                    value: f, at: y, state: Self.state(zip(m, dm).map { $0 + t * $1 }), alpha: alpha, gamma: gamma, epsilon: epsilon)
            }
            // ∂K*(u) = e u / √(1 − u²).
            let dual = x.map { e * lambda * $0 / (1 - lambda * lambda * $0 * $0).squareRoot() }
            let first = Self.dot((0..<6).map { mixed[$0] - dual[$0] }, dx)
            let kMixed = Self.gradient(k, mixed), kM = Self.gradient(k, m)
            let second = Self.dot((0..<6).map { mixed[$0] - m[$0] }, (0..<6).map { kMixed[$0] - kM[$0] })
            #expect(first >= 0 && second >= 0)
            let expected = -(lambda + gamma) / (1 + epsilon * lambda) * first
                - (1 - epsilon * gamma) / (epsilon * (1 + epsilon * lambda)) * second
            // Five points: the error is of fourth order.
            let t = 1e-3, measured = (8 * (h(t) - h(-t)) - (h(2 * t) - h(-2 * t))) / (12 * t)
            #expect(abs(measured - expected) < 1e-7 * max(1, abs(expected)))
        }
    }

    @Test func theDiscreteLyapunovFunctionFalls() {
        // H(t+1) − H(t) ≤ −c r/(1−r) Δ₂ + (L/2) ‖Δx‖² (Δ₁ left out; with it for K whose conjugate is differentiable).
        var numbers = TestNumbers(seed: 5)
        let n = 6
        let g = Matrix<Double>(rows: n, columns: n, elements: (0..<36).map { _ in numbers.unit() })
        let a = multiply(g, g, transposeA: true), b = (0..<n).map { _ in numbers.unit() }
        let smoothness = (0..<36).reduce(0) { $0 + a.elements[$1] * a.elements[$1] }.squareRoot()
        func f(_ x: [Double]) -> Double { 0.5 * Self.dot(x, a * x) - Self.dot(b, x) }
        for k in Self.all {
            for (rate, lambda, b1, b2) in [(0.01, 1.0, 0.9, 0.99), (0.05, 0.5, 0.8, 0.9), (0.003, 2.0, 0.5, 0.95)] {
                let solver = LionK<Double>(k, learningRate: .constant(rate), beta1: b1, beta2: b2, weightDecay: lambda, scheme: .implicit)
                let c = rate * b1 / (rate * lambda * (1 - b1) + 1 - b2), r = (1 - b2) / (1 - b1)
                var x = [Double](repeating: 0, count: n), state = solver.initialState(like: x)
                for _ in 0..<400 {
                    let before = x, h = solver.lyapunov(value: f(x), at: x, state: state)
                    let gradient = zip(a * x, b).map { $0 - $1 }
                    let mixed = (0..<n).map { -(b1 * state.first[$0] + (1 - b1) * gradient[$0]) }
                    solver.step(&x, gradient: gradient, state: &state)
                    let m = state.first.map { -$0 }
                    let kMixed = Self.gradient(k, mixed), kM = Self.gradient(k, m)
                    let delta2 = Self.dot((0..<n).map { mixed[$0] - m[$0] }, (0..<n).map { kMixed[$0] - kM[$0] })
                    #expect(delta2 >= -1e-12)
                    var bound = -c * r / (1 - r) * delta2
                    let step = zip(x, before).map { $0 - $1 }
                    bound += smoothness / 2 * Self.dot(step, step)
                    // ∂K*(u): u for the quadratic, e u / √(1 − u²) for the smooth K.
                    let dual: [Double]? = switch k {
                    case .quadratic: x.map { lambda * $0 }
                    case .smooth(let e): x.map { e * lambda * $0 / (1 - lambda * lambda * $0 * $0).squareRoot() }
                    default: nil
                    }
                    if let dual {
                        let delta1 = Self.dot((0..<n).map { mixed[$0] - dual[$0] }, (0..<n).map { kMixed[$0] - lambda * x[$0] })
                        #expect(delta1 >= -1e-12)
                        bound -= rate * (1 + lambda * c) * delta1
                    }
                    let change = solver.lyapunov(value: f(x), at: x, state: state) - h
                    if !(change <= bound + 1e-12) {
                        Issue.record("\(k) rate \(rate): \(change) > \(bound)")
                        break
                    }
                }
            }
        }
    }

    @Test func theFirstPhaseIsGeometricAndTheInsideIsKept() {
        var numbers = TestNumbers(seed: 6)
        for k in Self.boxed {
            let solver = LionK<Double>(k, learningRate: 0.01, weightDecay: 1)
            var x = (0..<6).map { _ in 5 * numbers.unit() }, state = solver.initialState(like: x)
            for _ in 0..<900 {
                let before = x.map { max(abs($0) - 1, 0) }
                solver.step(&x, gradient: (0..<6).map { _ in 10 * numbers.unit() }, state: &state)
                for i in 0..<6 { #expect(max(abs(x[i]) - 1, 0) <= 0.99 * before[i] + 1e-15, "\(k)") }
            }
            #expect(k.excess(at: x) < 1e-2 || k == .topK(2))
        }
    }

    @Test func excesses() {
        let u = [1.5, 0.2, -0.1, 0, 3, 4]
        let expected: [(LionPotential, Double)] = [
            (.l1, 3), (.lp(2), (2.25 + 0.04 + 0.01 + 25).squareRoot() - 1), (.soft(0.3), 3), (.huber(0.3), 3), (.smooth(0.3), 3),
            (.topK(2), 3.4), (.topK(8), 3), (.groups(Self.layout), 4), (.spectral(Self.layout), 4), (.quadratic, 0),
        ]
        for (k, excess) in expected { #expect(abs(k.excess(at: u) - excess) < 1e-12, "\(k)") }
        for k in Self.all { #expect(k.excess(at: [0.1, 0, 0.2, 0, -0.1, 0.1]) == 0, "\(k)") }
    }

    @Test func theBoxIsTheConstraint() {
        // f = ½ ‖x − b‖² on ‖x‖∞ ≤ 1/λ: the solution is b clipped.
        let b = [3.0, -2, 0.3, -0.1, 0.9, 5], lambda = 1.0
        let solver = LionK<Double>(.l1, learningRate: .linear(from: 0.01, to: 0, steps: 6000), weightDecay: lambda)
        var x = [Double](repeating: 0, count: 6), state = solver.initialState(like: x)
        for _ in 0..<6000 { solver.step(&x, gradient: zip(x, b).map { $0 - $1 }, state: &state) }
        for i in 0..<6 { #expect(abs(x[i] - min(max(b[i], -1), 1)) < 1e-3) }
        // Soft adds e ‖x‖₁: each coordinate shrinks by e, and small ones are 0.
        let soft = LionK<Double>(.soft(0.2), learningRate: .linear(from: 0.01, to: 0, steps: 6000), weightDecay: lambda)
        var y = [Double](repeating: 0, count: 6), other = soft.initialState(like: y)
        for _ in 0..<6000 { soft.step(&y, gradient: zip(y, b).map { $0 - $1 }, state: &other) }
        for i in 0..<6 {
            let shrunk = b[i] > 0 ? max(b[i] - 0.2, 0) : min(b[i] + 0.2, 0)
            #expect(abs(y[i] - min(max(shrunk, -1), 1)) < 5e-3, "\(y[i])")
        }
    }

    @Test func boxConstrainedQuadraticAgainstLBFGSB() {
        // A = GGᵀ/100 with G 50 × 100, b = 1.5 A z: the gap falls with the step, and to nothing under linear decay.
        var numbers = TestNumbers(seed: 7)
        let n = 50
        let g = Matrix<Double>(rows: n, columns: 100, elements: (0..<5000).map { _ in 1.7 * numbers.unit() })
        var a = multiply(g, g, transposeB: true)
        for i in 0..<n { for j in 0..<n { a[i, j] /= 100 } }
        let b = (a * (0..<n).map { _ in 3 * numbers.unit() }).map { 1.5 * $0 }
        func f(_ x: [Double]) -> Double { 0.5 * Self.dot(x, a * x) - Self.dot(b, x) }
        let problem = Boxed(a: a, b: b)
        let best = LBFGSB().solve(problem, from: b.map { _ in 0 }, stopping: .gradientNorm(atMost: 1e-10)).value
        func gap(_ rate: Schedule, _ steps: Int) -> Double {
            let solver = LionK<Double>(.l1, learningRate: rate, weightDecay: 1)
            var x = [Double](repeating: 0, count: n), state = solver.initialState(like: x)
            for _ in 0..<steps { solver.step(&x, gradient: zip(a * x, b).map { $0 - $1 }, state: &state) }
            return f(x) - best
        }
        let coarse = gap(0.03, 2000), fine = gap(0.003, 20_000)
        #expect(fine < 0.1 * coarse && fine < 2e-3 && fine > -1e-9, "\(coarse) \(fine)")
        #expect(gap(.linear(from: 0.01, to: 0, steps: 6000), 6000) < 1e-6)
    }

    @Test func quadraticIsMomentum() {
        let solver = LionK<Double>(.quadratic, learningRate: 0.1, beta1: 0.9, beta2: 0.9)
        let sgd = SGD<Double>(learningRate: 0.1, momentum: 0.9, dampening: 0.9)
        var numbers = TestNumbers(seed: 8), x = [1.0, 2], y = x
        var a = solver.initialState(like: x), b = sgd.initialState(like: y)
        // SGD's first momentum is the whole gradient; both start alike from a gradient of 0.
        for t in 0..<50 {
            let g = t == 0 ? [0, 0] : [numbers.unit(), numbers.unit()]
            solver.step(&x, gradient: g, state: &a)
            sgd.step(&y, gradient: g, state: &b)
        }
        #expect(zip(x, y).allSatisfy { abs($0 - $1) < 1e-13 })
    }

    @Test func withoutMomentumItIsFrankAndWolfesStep() {
        let solver = LionK<Double>(.l1, learningRate: 0.1, beta1: 0, weightDecay: 2)
        var x = [0.3, -0.2], state = solver.initialState(like: x)
        solver.step(&x, gradient: [4, -1], state: &state)
        // x + e (s − λ x), s = argmax over the box of ⟨s, −g⟩.
        #expect(abs(x[0] - (0.3 + 0.1 * (-1 - 0.6))) < 1e-15 && abs(x[1] - (-0.2 + 0.1 * (1 + 0.4))) < 1e-15)
        // For every K that is a norm: s in the domain of K*, where ⟨s, −g⟩ is at most K(−g), reaches that.
        var numbers = TestNumbers(seed: 17)
        for k in [LionPotential.l1, .lp(1.5), .lp(3), .topK(2), .groups(Self.layout), .spectral(Self.layout)] {
            let solver = LionK<Double>(k, learningRate: 0.1, beta1: 0, weightDecay: 2)
            let start = (0..<6).map { _ in 0.5 * numbers.unit() }, g = (0..<6).map { _ in numbers.unit() }
            var x = start, state = solver.initialState(like: x)
            solver.step(&x, gradient: g, state: &state)
            let s = zip(x, start).map { ($0 - $1) / 0.1 + 2 * $1 }
            #expect(k.conjugate(at: s, slack: 1e-12) == 0, "\(k)")
            #expect(abs(-Self.dot(s, g) - k.value(at: g)) < 1e-13, "\(k)")
        }
    }

    @Test func implicitIsExplicitWithAShorterStep() {
        let rate = 0.05, lambda = 2.0
        let implicit = LionK<Double>(.l1, learningRate: .constant(rate), weightDecay: lambda, scheme: .implicit)
        let explicit = LionK<Double>(.l1, learningRate: .constant(rate / (1 + rate * lambda)), weightDecay: lambda)
        var numbers = TestNumbers(seed: 9), x = [1.0, -2, 0.5], y = x
        var a = implicit.initialState(like: x), b = explicit.initialState(like: y)
        for _ in 0..<100 {
            let g = (0..<3).map { _ in numbers.unit() }
            implicit.step(&x, gradient: g, state: &a)
            explicit.step(&y, gradient: g, state: &b)
        }
        #expect(zip(x, y).allSatisfy { abs($0 - $1) < 1e-14 })
    }

    @Test func theScaleOfTheLoss() {
        for k in Self.all {
            let solver = LionK<Double>(k, learningRate: 0.01, weightDecay: 0.5)
            var runs: [[Double]] = []
            for scale in [1.0, 128] {
                var numbers = TestNumbers(seed: 10)
                var x = [Double](repeating: 0.1, count: 6), state = solver.initialState(like: x)
                for _ in 0..<20 { solver.step(&x, gradient: (0..<6).map { _ in scale * numbers.unit() }, state: &state) }
                runs.append(x)
            }
            let isInvariant = zip(runs[0], runs[1]).allSatisfy { abs($0 - $1) < 1e-12 }
            let expected: Bool = switch k {
            case .soft, .huber, .smooth, .quadratic: false
            default: true
            }
            #expect(isInvariant == expected, "\(k)")
        }
    }
}

/// ½ xᵀA x − bᵀx on ‖x‖∞ ≤ 1.
private struct Boxed: BoundedObjective {
    let a: Matrix<Double>, b: [Double]
    var dimension: Int { b.count }
    var bounds: Bounds<Double> { Bounds(-1...1, dimension: b.count) }

    func value(at x: Span<Double>) -> Double {
        var g = b, span = g.mutableSpan
        return valueAndGradient(at: x, gradient: &span)
    }

    func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
        var value = 0.0
        for i in b.indices {
            var sum = 0.0
            for j in b.indices { sum += a[i, j] * x[j] }
            gradient[i] = sum - b[i]
            value += x[i] * (0.5 * sum - b[i])
        }
        return value
    }
}
