import Autodiff
import Curvature
import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Optimizers
import Randomness
import Testing
import _TestSupport

/// The numbered checks of the paper's method; clipping itself (checks 1, 2 and 8) is tested with the optimisers.
@Suite struct DirectionalSharpnessTests {
    private func gradient(_ f: TensorObjective<Double>, _ x: [Double]) -> [Double] {
        var g = x, span = g.mutableSpan
        _ = f.valueAndGradient(at: x.span, gradient: &span)
        return g
    }

    private func updated<T: GradientTransformation<Double>>(_ transformation: T, _ gradient: [Double]) -> [Double] {
        var updates = gradient, state = transformation.initialState(like: gradient.span), span = updates.mutableSpan
        transformation.update(&span, state: &state, parameters: gradient.span, context: UpdateContext())
        return updates.map { -$0 }
    }

    /// f = ½ Σ hᵢ xᵢ², d = 1000, x = 1, h = (1, …, 1, 100): check 3.
    @Test func theExactQuadraticExample() throws {
        let h = [Double](repeating: 1, count: 999) + [100], f = 549.5
        let gradient = h
        func measure(_ update: [Double]) throws -> DirectionalSharpness<Double> {
            try DirectionalSharpness(of: ClosureOperator<Double>(rows: 1000, columns: 1000) { x, y in
                for i in 0..<1000 { y[i] = h[i] * x[i] }
            } applyAdjoint: { x, y in
                for i in 0..<1000 { y[i] = h[i] * x[i] }
            }, gradient: gradient, along: update)
        }
        let plain = try measure(h.map { -$0 }), clipped = try measure(updated(ClipByQuantile(0.001), h))
        #expect(abs(plain.value - 1_000_999 / 10_999) < 1e-10)
        #expect(abs(plain.bestDecrease! - 10_999 * 10_999 / (2 * 1_000_999)) < 1e-10)
        #expect(abs(plain.gradientCorrelation - 1) < 1e-14)
        #expect(abs(clipped.value - 1.099) < 1e-12 && abs(clipped.bestDecrease! - f) < 1e-10)
        #expect(abs(clipped.bestStep! - 1000.0.squareRoot()) < 1e-10)
        // One coordinate of a thousand makes up nearly all of the plain step's sharpness, and a tenth of the clipped one's.
        #expect(abs(plain.share(ofLargest: 0.001) - 1_000_000 / 1_000_999) < 1e-12)
        #expect(abs(clipped.share(ofLargest: 0.001) - 100 / 1099) < 1e-12)
        #expect(plain.share(ofLargest: 0) == 0 && abs(plain.share(ofLargest: 1) - 1) < 1e-12)
        #expect(abs(plain.contributions.reduce(0, +) - plain.value) < 1e-11)
    }

    /// Checks 4 and 9: neither the length of the update matters nor one scale for all coordinates.
    @Test func scaleDoesNotMatter() throws {
        let h = randomSymmetric(20, seed: 2), x = randomSymmetric(20, seed: 3).elements(row: 0), g = h * x
        let update = g.map { -$0 }
        let reference = try DirectionalSharpness(of: h, gradient: g, along: update)
        for scale in [1e-200, 1e-3, 7, 1e200, 3e307] {
            let other = try DirectionalSharpness(of: h, gradient: g, along: update.map { $0 * scale / 4 })
            #expect(abs(other.value - reference.value) < 1e-13)
            #expect(abs(other.slope - reference.slope) < 1e-13)
        }
        let layout = ParameterLayout([("w", [4, 5])])
        let normalized = try DirectionalSharpness(of: h, gradient: g, along: updated(NormalizeBlocks(layout), g))
        #expect(abs(normalized.value / reference.value - 1) < 1e-13)
    }

    /// Check 4: the least value along the update is the quadratic model's.
    @Test func theBestStepIsTheLineSearchs() throws {
        let spectrum = (1...20).map { Double($0) }
        let h: Matrix<Double> = try symmetric(spectrum: spectrum, seed: 4), x = (0..<20).map { Double($0) / 7 - 1 }
        func value(_ x: [Double]) -> Double { dot(x, h * x) / 2 }
        let g = h * x, update = g.map { $0 > 0 ? -1.0 : 1.0 }
        let along = try DirectionalSharpness(of: h, gradient: g, along: update), step = along.bestStep!, v = update.map { $0 / 20.0.squareRoot() }
        func at(_ t: Double) -> Double { value(zip(x, v).map { $0 + t * $1 }) }
        #expect(abs(value(x) - at(step) - along.bestDecrease!) < 1e-12 * value(x))
        for t in stride(from: 0, to: 3 * step, by: step / 50) { #expect(at(t) >= at(step) - 1e-12) }
    }

    /// Check 5, and symmetry as check 7 wants it.
    @Test func sharpnessLiesBetweenTheExtremeEigenvalues() throws {
        let (f, x) = smallNetwork(Double.self), hessian = HessianOperator(of: f, at: x), g = gradient(f, x)
        let ends = try Lanczos<Double>(largest: 1, smallest: 1).solve(hessian).get()
        let (low, high) = (ends.smallest[0], ends.largest[0])
        var numbers = TestNumbers(seed: 1)
        for update in [g, updated(ScaleBySign(), g), (0..<64).map { _ in numbers.unit() }, low.vector, high.vector] {
            let along = try DirectionalSharpness(of: hessian, gradient: g, along: update)
            #expect(along.value >= low.value - 1e-7 && along.value <= high.value + 1e-7)
            #expect(abs(along.gradientCorrelation) <= 1 + 1e-14)
        }
        #expect(abs(try DirectionalSharpness(of: hessian, gradient: g, along: high.vector).value - high.value) < 1e-10)
        let bottom = try DirectionalSharpness(of: hessian, gradient: g, along: low.vector)
        #expect(bottom.value < 0 && bottom.bestStep == nil && bottom.bestDecrease == nil)
    }

    /// The model of second order against values: its error falls as η³.
    @Test func secondOrderModel() throws {
        let (f, x) = smallNetwork(Double.self), g = gradient(f, x)
        let update = updated(ScaleByAdam(), g.map { $0 + 0.01 }), length = norm(update)
        let along = try DirectionalSharpness(of: HessianOperator(of: f, at: x), gradient: g, along: update)
        func error(_ eta: Double) -> Double {
            let y = zip(x, update).map { $0 + eta * $1 / length }
            return abs(f.value(at: y.span) - f.value(at: x.span) - eta * along.slope - eta * eta / 2 * along.value)
        }
        let slope = log(error(1e-2) / error(1e-3)) / log(10)
        #expect(abs(slope - 3) < 0.1)
    }

    /// Check 10: what is measured beside a trajectory does not move it. Check 11: equal magnitudes are not clipped.
    @Test func measuringDoesNotMoveTheTrajectory() throws {
        let (f, start) = smallNetwork(Double.self)
        func run(measuring: Bool) throws -> [Double] {
            let adam = Adam<Double>(learningRate: 0.01)
            let clipped = chain(Double.self) { ClipByQuantile(0.1); Momentum(0.9, dampening: 0.9) }
            var x = start, state = adam.initialState(like: x), other = clipped.initialState(like: x.span)
            for _ in 0..<20 {
                let g = gradient(f, x)
                if measuring {
                    var update = g, span = update.mutableSpan
                    clipped.update(&span, state: &other, parameters: x.span, context: UpdateContext())
                    _ = try DirectionalSharpness(of: HessianOperator(of: f, at: x), gradient: g, along: update)
                }
                adam.step(&x, gradient: g, state: &state)
            }
            return x
        }
        let same = try run(measuring: true) == run(measuring: false)
        #expect(same)
        let equal = [2.0, -2, 2, -2, 2]
        for fraction in [0, 0.1, 0.5, 0.9] { #expect(updated(ClipByQuantile(fraction), equal) == equal.map { -$0 }) }
        let sign = updated(ScaleBySign(), equal)
        #expect(sign.map { 2 * $0 } == equal.map { -$0 })
    }

    @Test func degenerateUpdates() throws {
        let h = Matrix<Double>.identity(3)
        #expect(throws: CurvatureError.zeroDirection) { try DirectionalSharpness(of: h, gradient: [1, 0, 0], along: [0, 0, 0]) }
        #expect(throws: CurvatureError.nonFiniteDirection(index: 1)) {
            try DirectionalSharpness(of: h, gradient: [1, 0, 0], along: [0, .nan, .infinity])
        }
        #expect(throws: CurvatureError.nonFinite(product: 0)) {
            try DirectionalSharpness(of: CountingOperator(h, nonFiniteFrom: 0), gradient: [1, 0, 0], along: [1, 0, 0])
        }
        let flat = try DirectionalSharpness(of: h, gradient: [0, 0, 0], along: [1, 0, 0])
        #expect(flat.gradientCorrelation == 0 && flat.bestDecrease == 0)
    }
}

@Suite struct LandscapeSearchTests {
    /// ½ h x² in one direction.
    private func parabola(_ h: Double) -> ClosureObjective<Double> {
        ClosureObjective(dimension: 2) { h * $0[0] * $0[0] / 2 } valueAndGradient: { x, g in
            g[0] = h * x[0]
            g[1] = 0
            return h * x[0] * x[0] / 2
        }
    }

    @Test func theProfileOfAParabola() throws {
        let profile = try LandscapeSearch<Double>(step: 0.25).solve(parabola(2), from: [2, 5], along: [-3, 0])
        // From 4 down to 0 at distance 2, and up to 4 again at distance 4.
        #expect(profile.distances == (0...16).map { 0.25 * Double($0) })
        #expect(profile.bestDecrease == 4 && profile.bestDistance == 2)
        let short = try LandscapeSearch<Double>(step: 0.01, points: 20).solve(parabola(2), from: [2, 5], along: [-3, 0])
        #expect(short.distances.count == 21 && abs(short.bestDistance - 0.2) < 1e-12)
    }

    @Test func narrowValleysAreRefined() throws {
        let profile = try LandscapeSearch<Double>(step: 100).solve(parabola(2), from: [2, 5], along: [-3, 0])
        // 100/5³ = 0.8: four steps stay below; 20 and 4 do not.
        #expect(abs(profile.distances[1] - 0.8) < 1e-12 && profile.distances.count == 6)
        #expect(profile.bestDecrease > 3.8)
    }

    @Test func uphillAndNonFinite() throws {
        let up = try LandscapeSearch<Double>(step: 1).solve(parabola(2), from: [2, 5], along: [3, 0])
        #expect(up.distances == [0] && up.bestDecrease == 0 && up.bestDistance == 0)
        let wall = ClosureObjective<Double>(dimension: 1) { $0[0] > 0.4 ? .nan : -$0[0] } valueAndGradient: { _, _ in .nan }
        let before = try LandscapeSearch<Double>(step: 0.1).solve(wall, from: [0], along: [1])
        #expect(before.distances.count == 5 || before.distances.count == 4)
        #expect(before.values.allSatisfy { $0.isFinite })
        #expect(throws: CurvatureError.zeroDirection) { try LandscapeSearch<Double>(step: 1).solve(parabola(1), from: [1, 1], along: [0, 0]) }
        // A start that is not finite leaves nothing to compare with.
        let nan = try LandscapeSearch<Double>(step: 0.1).solve(wall, from: [1], along: [1])
        #expect(nan.distances == [0])
    }
}
