import Kernels
import Synchronization
import Testing
import _TestSupport

/// The steps against their formulas, written out in Swift, where every operation rounds by itself: the same bits on every tier.
@Suite struct OptimizerKernelTests {
    @Test(arguments: KernelTier.supported) func sameBitsAtEveryLengthAndOffset(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for count in kernelLengths {
                for offset in kernelOffsets {
                    check(Float.self, count, offset, tier)
                    check(Double.self, count, offset, tier)
                }
            }
        }
    }

    /// m and v before a step, x, g and d, and all arrays after it.
    private struct Arrays<Scalar: KernelScalar> {
        var g, d, m, v, x: GuardedBuffer<Scalar>

        init(_ count: Int, _ offset: Int) {
            var numbers = TestNumbers(seed: UInt64(count + 1))
            func buffer(_ value: @escaping (Double) -> Double = { $0 }) -> GuardedBuffer<Scalar> {
                GuardedBuffer(count: count, offset: offset) { _ in Scalar(value(numbers.spread())) }
            }
            (g, d, m, v, x) = (buffer(), buffer(), buffer(), buffer(abs), buffer())
            if count > 2 { (g[1], m[1], v[1]) = (0, 0, 0) }
        }

        var areGuardsIntact: Bool { m.guardsAreIntact && v.guardsAreIntact && x.guardsAreIntact }

        mutating func step(
            _ body: (Span<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>) -> Void
        ) {
            let g = g
            g.withSpan { g in
                m.withMutableSpan { m in v.withMutableSpan { v in x.withMutableSpan { x in body(g, &m, &v, &x) } } }
            }
        }
    }

    private func check<Scalar: KernelScalar>(_: Scalar.Type, _ count: Int, _ offset: Int, _ tier: KernelTier) {
        typealias Element = (g: Scalar, d: Scalar, m: Scalar, v: Scalar, x: Scalar)
        let start = Arrays<Scalar>(count, offset)
        func expectSame(
            _ name: String, _ step: (inout Arrays<Scalar>) -> Void, _ formula: (inout Element) -> Void, ulps: Scalar = 0
        ) {
            var got = start
            step(&got)
            let wrong = (0..<count).filter { i in
                var e: Element = (start.g[i], start.d[i], start.m[i], start.v[i], start.x[i])
                let old = e.x
                formula(&e)
                let slack = ulps * Scalar.ulpOfOne * (abs(old) + abs(e.x))
                return !(got.m[i] == e.m && got.v[i] == e.v && abs(got.x[i] - e.x) <= slack)
            }
            let isRight = wrong.isEmpty
            #expect(isRight, "\(name) \(tier) \(Scalar.self) count \(count) offset \(offset): wrong at \(wrong.prefix(4))")
            #expect(got.areGuardsIntact, "\(name) \(tier) count \(count)")
        }
        func root(_ x: Scalar) -> Scalar { x.squareRoot() }
        var s = SGDCoefficients<Scalar>(step: 0.3)
        s.l2 = 0.07
        expectSame("sgd") { $0.step { g, _, _, x in Scalar.sgdStep(s, gradient: g, parameters: &x) } } _: { e in
            e.x = e.x - s.step * (e.g + s.l2 * e.x)
        }
        (s.momentum, s.gain) = (0.9, 0.6)
        for isNesterov in [false, true] {
            s.isNesterov = isNesterov
            expectSame("momentum") { $0.step { g, m, _, x in Scalar.momentumStep(s, gradient: g, momentum: &m, parameters: &x) } } _: { e in
                let G = e.g + s.l2 * e.x
                e.m = s.momentum * e.m + s.gain * G
                e.x = e.x - s.step * (isNesterov ? G + s.momentum * e.m : e.m)
            }
        }
        var c = MomentCoefficients<Scalar>(step: 0.01, b1: 0.9, b2: 0.99, t1: 3, t2: 2)
        (c.l2, c.decay, c.epsilon, c.growth) = (0.05, 0.02, 1e-8, 1.3)
        expectSame("adam") { $0.step { Scalar.adamStep(c, gradient: $0, first: &$1, second: &$2, parameters: &$3) } } _: { e in
            let G = e.g + c.l2 * e.x
            e.m = c.b1 * e.m + c.a1 * G
            e.v = c.b2 * e.v + c.a2 * (G * G)
            let u = (e.m * c.c1) / (root(e.v * c.c2) + c.epsilon)
            e.x = e.x - c.step * (u + c.decay * e.x)
        }
        expectSame("rmsprop") { $0.step { g, _, v, x in Scalar.rmsPropStep(c, gradient: g, second: &v, parameters: &x) } } _: { e in
            let G = e.g + c.l2 * e.x
            e.v = c.b2 * e.v + c.a2 * (G * G)
            e.x = e.x - c.step * (G / (root(e.v) + c.epsilon))
        }
        expectSame("lion") { $0.step { g, m, _, x in Scalar.lionStep(c, gradient: g, first: &m, parameters: &x) } } _: { e in
            let mixed = c.b1 * e.m + c.a1 * e.g
            e.m = c.b2 * e.m + c.a2 * e.g
            let sign: Scalar = mixed > 0 ? 1 : mixed < 0 ? -1 : mixed
            e.x = e.x - c.step * (sign + c.decay * e.x)
        }
        expectSame("exadam") { $0.step { Scalar.exAdamStep(c, gradient: $0, first: &$1, second: &$2, parameters: &$3) } } _: { e in
            e.m = c.b1 * e.m + c.a1 * e.g
            e.v = c.b2 * e.v + c.a2 * (e.g * e.g)
            let square = e.m * e.m
            let d1 = 1 + (e.v / (e.v + c.epsilon)) * c.p2, d2 = 1 + (square / (square + c.epsilon)) * c.p1
            let u = (((e.m + e.g) * c.c1) * d1) / (root((e.v * c.c2) * d2) + c.epsilon)
            e.x = e.x - c.step * (c.growth * u + c.decay * e.x)
        }
        for (power, hasDiagonal) in [(1.0, true), (1, false), (0.5, true), (0, true), (0.75, true)] {
            c.power = Scalar(power)
            expectSame("adahessian \(power)", { arrays in
                let d = hasDiagonal ? arrays.d.elements : []
                arrays.step {
                    Scalar.adaHessianStep(c, gradient: $0, hessianDiagonal: d.span, first: &$1, second: &$2, parameters: &$3)
                }
            }, { e in
                if hasDiagonal { e.v = c.b2 * e.v + c.a2 * (e.d * e.d) }
                e.m = c.b1 * e.m + c.a1 * e.g
                let corrected = e.v * c.c2
                let scale: Scalar = switch power {
                case 1: root(corrected)
                case 0.5: root(root(corrected))
                case 0: 1
                default: Scalar(toThreeEighths(Double(corrected)))
                }
                let u = (e.m * c.c1) / (scale + c.epsilon)
                e.x = e.x - c.step * (u + c.decay * e.x)
            }, ulps: power == 0.75 ? 40 : 0)
        }
    }

    /// x^(3/8) by square roots.
    private func toThreeEighths(_ x: Double) -> Double {
        let quarter = x.squareRoot().squareRoot()
        return quarter * quarter.squareRoot()
    }

    @Test(arguments: KernelTier.supported) func specialValues(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            let c = MomentCoefficients<Float>(step: 1, b1: 0, b2: 0, t1: 1, t2: 1)
            var m: [Float] = [0, 0, 0, 0], x: [Float] = [5, 5, 5, 5]
            var first = m.mutableSpan, parameters = x.mutableSpan
            Float.lionStep(c, gradient: [0, .nan, .infinity, -0.0].span, first: &first, parameters: &parameters)
            #expect(x[0] == 5 && x[1].isNaN && x[2] == 4 && x[3] == 5)
        }
    }

    @Test func sameBitsForAnyThreadCount() {
        let count = 300_001
        var numbers = TestNumbers(seed: 7)
        let g = (0..<count).map { _ in Float(numbers.unit()) }
        @Sendable func run() -> [[Float]] {
            var c = MomentCoefficients<Float>(step: 0.01, b1: 0.9, b2: 0.99, t1: 1, t2: 1)
            c.epsilon = 1e-8
            var m = [Float](repeating: 0.5, count: count), v = m, x = m
            for _ in 0..<2 {
                var first = m.mutableSpan, second = v.mutableSpan, parameters = x.mutableSpan
                Float.adamStep(c, gradient: g.span, first: &first, second: &second, parameters: &parameters)
                Float.exAdamStep(c, gradient: g.span, first: &first, second: &second, parameters: &parameters)
                Float.adaHessianStep(c, gradient: g.span, hessianDiagonal: g.span, first: &first, second: &second, parameters: &parameters)
                Float.lionStep(c, gradient: g.span, first: &first, parameters: &parameters)
                Float.rmsPropStep(c, gradient: g.span, second: &second, parameters: &parameters)
                Float.momentumStep(.init(step: 0.1), gradient: g.span, momentum: &first, parameters: &parameters)
                Float.sgdStep(.init(step: 0.1), gradient: g.span, parameters: &parameters)
            }
            return [m, v, x]
        }
        let parallel = run()
        // Inside a parallel region everything runs on one thread.
        let alone = Results()
        concurrentPerform(iterations: 2) { i in if i == 0 { alone.set(run()) } }
        #expect(parallel == alone.value)
    }

    @Test func differentCountsAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var x: [Double] = [1, 2]
            var span = x.mutableSpan
            Double.sgdStep(.init(step: 1), gradient: [1, 2, 3].span, parameters: &span)
        }
        #expect(message(of: result).contains("an array of 3 elements beside 2 parameters"))
    }
}

private final class Results: Sendable {
    private let lock = Mutex<[[Float]]>([])
    var value: [[Float]] { lock.withLock { $0 } }
    func set(_ value: [[Float]]) { lock.withLock { $0 = value } }
}
