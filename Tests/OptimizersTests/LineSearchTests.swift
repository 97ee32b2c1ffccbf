import Foundation
import Optimizers
import Testing

@Suite struct LineSearchTests {
    /// The six functions of Moré and Thuente's paper, with its parameters.
    private static let functions: [(name: String, phi: @Sendable (Double) -> (value: Double, slope: Double))] = {
        func yanai(_ b1: Double, _ b2: Double) -> @Sendable (Double) -> (value: Double, slope: Double) {
            let g1 = (1 + b1 * b1).squareRoot() - b1, g2 = (1 + b2 * b2).squareRoot() - b2
            return { t in
                let r1 = ((1 - t) * (1 - t) + b2 * b2).squareRoot(), r2 = (t * t + b1 * b1).squareRoot()
                return (g1 * r1 + g2 * r2, -g1 * (1 - t) / r1 + g2 * t / r2)
            }
        }
        return [
            ("1", { t in (-t / (t * t + 2), (t * t - 2) / ((t * t + 2) * (t * t + 2))) }),
            ("2", { t in
                let s = t + 0.004, p = s * s * s
                return (p * s * (s - 2), 5 * p * s - 8 * p)
            }),
            ("3", { t in
                let beta = 0.01, base: Double, slope: Double
                if t <= 1 - beta { (base, slope) = (1 - t, -1) } else if t >= 1 + beta { (base, slope) = (t - 1, 1) } else {
                    (base, slope) = ((t - 1) * (t - 1) / (2 * beta) + beta / 2, (t - 1) / beta)
                }
                let wave = 2 * (1 - beta) / (39 * Double.pi), k = 39 * Double.pi / 2
                return (base + wave * sin(k * t), slope + wave * k * cos(k * t))
            }),
            ("4", yanai(0.001, 0.001)), ("5", yanai(0.01, 0.001)), ("6", yanai(0.001, 0.01)),
        ]
    }()

    @Test(arguments: [1e-3, 1e-1, 10, 1e3]) func acceptedPointsKeepTheWolfeConditions(_ first: Double) {
        for (name, phi) in Self.functions {
            let (value, slope) = phi(0)
            let start = LineSearchPoint(value: value, slope: slope)
            for (search, isStrong) in [(MoreThuente(decrease: 1e-3, curvature: 0.1), true), (HagerZhang(curvature: 0.1), false)] as [(any LineSearch, Bool)] {
                var calls = 0
                let result = search.search(from: start, firstStep: first, longestStep: 1e10) { t in
                    calls += 1
                    return phi(t)
                }
                #expect(result.isSatisfied, "\(type(of: search)) on \(name) from \(first)")
                #expect(result.evaluations == calls && calls <= 30)
                let (v, s) = phi(result.point.step)
                #expect(v == result.point.value && s == result.point.slope)
                if isStrong {
                    #expect(v <= value + 1e-3 * result.point.step * slope)
                    #expect(abs(s) <= 0.1 * abs(slope) || result.point.step == 1e10)
                } else {
                    #expect(s >= 0.1 * slope)
                    #expect(v <= value + 0.1 * result.point.step * slope || v <= value + 1e-6 * abs(value) && s <= -0.8 * slope)
                }
            }
        }
    }

    /// The tables of Moré and Thuente's paper: parameters, and for first steps of 10⁻³, 10⁻¹, 10 and 10³ evaluations and step.
    private static let published: [(decrease: Double, curvature: Double, runs: [(evaluations: Int, step: Double)])] = [
        (1e-3, 1e-1, [(6, 1.4), (3, 1.4), (1, 10), (4, 37)]), (1e-1, 1e-1, [(12, 1.6), (8, 1.6), (8, 1.6), (11, 1.6)]),
        (1e-1, 1e-1, [(12, 1.0), (12, 1.0), (10, 1.0), (13, 1.0)]), (1e-3, 1e-3, [(4, 0.08), (1, 0.10), (3, 0.35), (4, 0.83)]),
        (1e-3, 1e-3, [(6, 0.075), (3, 0.078), (7, 0.073), (8, 0.076)]), (1e-3, 1e-3, [(13, 0.93), (11, 0.93), (8, 0.92), (11, 0.94)]),
    ]

    @Test func evaluationsAreThoseOfThePaper() {
        for ((name, phi), (decrease, curvature, runs)) in zip(Self.functions, Self.published) {
            // Parameters with δ = σ need a little room.
            let search = MoreThuente(decrease: decrease, curvature: curvature * (1 + 1e-12), slack: 0)
            let (value, slope) = phi(0)
            for (first, run) in zip([1e-3, 1e-1, 10, 1e3], runs) {
                let result = search.search(from: LineSearchPoint(value: value, slope: slope), firstStep: first, longestStep: 1e10, phi)
                #expect(result.isSatisfied && result.evaluations == run.evaluations, "\(name) from \(first): \(result)")
                // Steps are printed there in two digits.
                #expect(abs(result.point.step - run.step) <= 0.07 * run.step, "\(name) from \(first): \(result)")
            }
        }
    }

    @Test func slopesDecideWhereValuesAreLost() {
        // φ is 1 but for the last bit, which rises; its slope −10⁻¹² at first and 0.85·10⁻¹² at the first step: 0.8 is the most that is approximately flat.
        let flat: (Double) -> (value: Double, slope: Double) = { t in (1 + Double.ulpOfOne, -1e-12 * (1 - 1.85 * t)) }
        let start = LineSearchPoint(value: 1, slope: -1e-12)
        let result = HagerZhang().search(from: start, firstStep: 1, longestStep: 10, flat)
        #expect(result.isSatisfied && result.evaluations > 1 && abs(result.point.slope) <= 0.8e-12)
        let other = MoreThuente().search(from: start, firstStep: 1, longestStep: 10, flat)
        #expect(other.isSatisfied && other.evaluations == 1)
        #expect(!MoreThuente(slack: 0).search(from: start, firstStep: 1, longestStep: 10, flat).isSatisfied)
    }

    @Test func theLongestStepIsKept() {
        for search in [MoreThuente(), HagerZhang()] as [any LineSearch] {
            let result = search.search(from: LineSearchPoint(value: 0, slope: -1), firstStep: 1, longestStep: 3) { t in (-t, -1) }
            #expect(result.point.step == 3 && result.isSatisfied)
        }
    }

    @Test func whatIsNotFiniteIsTooLong() {
        for search in [MoreThuente(), HagerZhang()] as [any LineSearch] {
            let result = search.search(from: LineSearchPoint(value: 1, slope: -2), firstStep: 64, longestStep: 1e3) { t in
                t < 1.5 ? ((t - 1) * (t - 1), 2 * (t - 1)) : (.infinity, .nan)
            }
            #expect(result.isSatisfied && result.point.value < 1)
        }
    }

    @Test func aWrongSlopeIsNotAccepted() {
        for search in [MoreThuente(), HagerZhang()] as [any LineSearch] {
            let result = search.search(from: LineSearchPoint(value: 0, slope: -1), firstStep: 1, longestStep: 100) { t in (t, 1) }
            #expect(!result.isSatisfied && result.point.step == 0)
        }
    }
}
