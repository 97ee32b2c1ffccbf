import Kernels
import Testing
import _TestSupport

/// Pullbacks and their tangents against the formulas in the wider format, and against the functions themselves.
@Suite struct DerivativeTests {
    /// p(s) and p′(s), with the sizes that their errors are measured by.
    struct Slope {
        var p, size, second, secondSize: WiderThanDouble
    }

    private func slope(_ function: ElementwiseFunction, _ s: WiderThanDouble) -> Slope {
        func plain(_ p: WiderThanDouble, _ second: WiderThanDouble) -> Slope {
            Slope(p: p, size: abs(p), second: second, secondSize: abs(second))
        }
        let l = libraryValue(.logistic, s), rest = libraryValue(.logistic, -s)
        switch function {
        case .exp: return plain(s, 1)
        case .log: return plain(1 / s, -1 / (s * s))
        case .tanh: return plain((1 - s) * (1 + s), -2 * s)
        case .logistic: return plain(s * (1 - s), 1 - 2 * s)
        case .erf:
            let p = 2 / WiderThanDouble.pi.squareRoot() * libraryValue(.exp, -s * s)
            return plain(p, -2 * s * p)
        case .sqrt: return plain(1 / (2 * s), -1 / (2 * s * s))
        case .reciprocal: return plain(-s * s, -2 * s)
        case .sin: return plain(libraryValue(.cos, s), -libraryValue(.sin, s))
        case .cos: return plain(-libraryValue(.sin, s), -libraryValue(.cos, s))
        case .relu: return plain(s > 0 ? 1 : 0, 0)
        case .gelu:
            let below = s == 0 ? 0.5 : libraryValue(.gelu, s) / s
            let density = libraryValue(.exp, -s * s / 2) / (2 * WiderThanDouble.pi).squareRoot()
            return Slope(p: below + s * density, size: below + abs(s) * density,
                         second: density * (2 - s * s), secondSize: density * (2 + s * s))
        case .silu:
            let odd = s * (rest - l)
            return Slope(p: l * (1 + s * rest), size: l * (1 + abs(s) * rest),
                         second: l * rest * (2 + odd), secondSize: l * rest * (2 + abs(odd)))
        case .softplus: return plain(l, l * rest)
        case .abs: return plain(s > 0 ? 1 : s < 0 ? -1 : 0, 0)
        case .square: return plain(2 * s, 2)
        }
    }

    /// The documented bounds of the two terms, in u.
    private func bounds(_ function: ElementwiseFunction) -> (first: WiderThanDouble, second: WiderThanDouble) {
        switch function {
        case .exp, .square: (1, 3)
        case .log: (2, 5)
        case .tanh, .reciprocal: (3, 3)
        case .logistic: (3, 3.5)
        case .erf: (4.5, 5.5)
        case .sqrt: (2, 4.5)
        case .sin, .cos: (2.5, 3.5)
        case .relu, .abs: (0, 0)
        case .gelu: (6, 5.5)
        case .silu: (7, 7.5)
        case .softplus: (4.5, 7)
        }
    }

    private func savedNumber(_ function: ElementwiseFunction, _ numbers: inout TestNumbers) -> Double {
        let unit = numbers.unit(), scale = [0.01, 1, 8, 40, 800][Int(numbers.bits() % 5)]
        switch function {
        case .log, .sqrt: return 1 + unit * 0.999
        case .tanh: return unit
        case .logistic: return (1 + unit) / 2
        default: return unit * scale
        }
    }

    @Test(arguments: KernelTier.supported) func boundsAtEveryLengthAndOffset(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            for function in ElementwiseFunction.allCases {
                for count in kernelLengths {
                    for offset in kernelOffsets {
                        check(function, Float.self, count, offset, tier)
                        check(function, Double.self, count, offset, tier)
                    }
                }
            }
        }
    }

    private func check<Scalar: KernelScalar>(
        _ function: ElementwiseFunction, _: Scalar.Type, _ count: Int, _ offset: Int, _ tier: KernelTier
    ) {
        var numbers = TestNumbers(seed: UInt64(count))
        func buffer() -> GuardedBuffer<Scalar> {
            GuardedBuffer(count: count, offset: offset) { _ in Scalar(2 * numbers.unit()) }
        }
        var g = buffer(), dg = buffer(), ds = buffer()
        // One term alone, now and then: it shows its own error.
        for i in 0..<count where i % 3 != 0 { if i % 3 == 1 { dg[i] = 0 } else { ds[i] = 0 } }
        let s = GuardedBuffer<Scalar>(count: count, offset: offset) { _ in Scalar(savedNumber(function, &numbers)) }
        var y = GuardedBuffer<Scalar>(count: count, offset: offset), z = y
        g.withSpan { g in
            s.withSpan { s in
                y.withMutableSpan { Scalar.pullback(function, g, saved: s, into: &$0) }
                dg.withSpan { dg in
                    ds.withSpan { ds in
                        z.withMutableSpan { Scalar.pullbackTangent(function, g, saved: s, dg, savedTangent: ds, into: &$0) }
                    }
                }
            }
        }
        let u = WiderThanDouble(Scalar.ulpOfOne) / 2, least = WiderThanDouble(Scalar.leastNonzeroMagnitude)
        // Where there is no wider format the reference itself errs.
        let slack = Scalar.self == Double.self && WiderThanDouble.significandBitCount == 52 ? 8 * u : 0
        let bound = bounds(function)
        let wrong = (0..<count).filter { i in
            let f = slope(function, WiderThanDouble(s[i]))
            let a = WiderThanDouble(g[i]), da = WiderThanDouble(dg[i]), d = WiderThanDouble(ds[i])
            let first = abs(a) * f.size, second = abs(a * d) * f.secondSize
            return !(abs(WiderThanDouble(y[i]) - a * f.p) <= (bound.first * u + slack) * first + 2 * least)
                || !(abs(WiderThanDouble(z[i]) - (da * f.p + a * f.second * d))
                    <= ((bound.first + 1) * u + slack) * abs(da) * f.size + (bound.second * u + slack) * second + 4 * least)
        }
        let place = "\(tier) \(function) \(Scalar.self) count \(count) offset \(offset)"
        #expect(wrong.isEmpty, "\(place): wrong at s = \(wrong.prefix(4).map { s[$0] })")
        s.withSpan { s in g.withMutableSpan { Scalar.pullback(function, &$0, saved: s) } }
        #expect((0..<count).allSatisfy { g[$0] == y[$0] }, "in place, \(place)")
        #expect(y.guardsAreIntact && z.guardsAreIntact && g.guardsAreIntact, "\(place)")
    }

    /// f(x + h) − f(x − h) = 2 h f′(x) + O(h³), with what `derivativeReadsOutput` says is saved: the table, the functions and
    /// the derivatives belong together. The same for the derivative of the pullback.
    @Test(arguments: ElementwiseFunction.allCases) func differencesConverge(_ function: ElementwiseFunction) {
        let x: [Double] = [-2.3, -0.9, -0.3, 0.4, 1.1, 2.7].map { function == .log || function == .sqrt ? abs($0) : $0 }
        let one = [Double](repeating: 1, count: x.count)
        func pullback(_ x: [Double]) -> [Double] {
            let saved = function.derivativeReadsOutput ? function(x) : x
            var out = one
            var span = out.mutableSpan
            Double.pullback(function, &span, saved: saved.span)
            return out
        }
        let h = 1e-4, up = x.map { $0 + h }, down = x.map { $0 - h }
        let slopes = pullback(x), values = zip(function(up), function(down)).map { ($0 - $1) / (2 * h) }
        #expect(zip(slopes, values).allSatisfy { abs($0 - $1) <= 1e-6 * (1 + abs($0)) }, "\(slopes), \(values)")
        // The saved number's tangent for dx = 1: 1 for x, f′ for y.
        let savedTangent = function.derivativeReadsOutput ? slopes : one, zero = one.map { _ in 0.0 }
        let saved = function.derivativeReadsOutput ? function(x) : x
        var tangent = one
        var span = tangent.mutableSpan
        Double.pullbackTangent(function, one.span, saved: saved.span, zero.span, savedTangent: savedTangent.span, into: &span)
        let differences = zip(pullback(up), pullback(down)).map { ($0 - $1) / (2 * h) }
        #expect(zip(tangent, differences).allSatisfy { abs($0 - $1) <= 1e-5 * (1 + abs($0)) }, "\(tangent), \(differences)")
    }

    @Test(arguments: KernelTier.supported) func infinitiesTakeTheLimits(_ tier: KernelTier) throws {
        try withKernelTier(tier) {
            func slopes(_ function: ElementwiseFunction) -> [Float] {
                var g: [Float] = [1, 1, 1]
                var span = g.mutableSpan
                Float.pullback(function, &span, saved: [-.infinity, 0, .infinity].span)
                return g
            }
            for function in [ElementwiseFunction.gelu, .silu, .softplus] { #expect(slopes(function) == [0, 0.5, 1]) }
            #expect(slopes(.erf)[0] == 0 && slopes(.erf)[2] == 0)
            #expect(slopes(.relu) == [0, 0, 1] && slopes(.abs) == [-1, 0, 1])
            // relu hides what lies behind a closed gate, and lets a NaN of its own through.
            var g: [Double] = [.nan, 2, .nan]
            var span = g.mutableSpan
            Double.pullback(.relu, &span, saved: [0, .nan, 1].span)
            #expect(g[0] == 0 && g[1] == 2 && g[2].isNaN)
        }
    }

    @Test func differentCountsAreRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var out: [Double] = [1, 2]
            var span = out.mutableSpan
            Double.pullbackTangent(.exp, [1, 2].span, saved: [1, 2].span, [1, 2].span, savedTangent: [1, 2, 3].span, into: &span)
        }
        #expect(message(of: result).contains("counts 2 and 3 differ"))
    }
}
