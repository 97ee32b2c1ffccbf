import Foundation
import Objectives
import Optimizers
import Testing

/// The lines of the article "Differs from PyTorch and optax": each convention by its formula, ours equal to one and unlike the other.
@Suite struct DiffersFromPyTorchTests {
    /// The value after steps with these gradients from x.
    private func run<O: Optimizer<Double>>(_ optimizer: O, from x: Double = 1, _ gradients: [Double]) -> Double {
        var x = [x], state = optimizer.initialState(like: x)
        for g in gradients { optimizer.step(&x, gradient: [g], state: &state) }
        return x[0]
    }

    private func apply<T: GradientTransformation<Double>>(_ transformation: T, _ updates: [Double]) -> [Double] {
        var updates = updates
        let parameters = updates
        var state = transformation.initialState(like: parameters.span), span = updates.mutableSpan
        transformation.update(&span, state: &state, parameters: parameters.span, context: UpdateContext())
        return updates
    }

    private let gradients = [0.3, -0.1, 0.5]

    @Test func sgdDecay() {
        // PyTorch: λ x into the gradient. optax: none.
        func reference(_ decay: Double) -> Double { gradients.reduce(1) { $0 - 0.1 * ($1 + decay * $0) } }
        let ours = run(SGD(learningRate: 0.1, weightDecay: 0.5), gradients)
        #expect(abs(ours - reference(0.5)) < 1e-15 && abs(ours - reference(0)) > 0.1)
        #expect(abs(run(SGD(learningRate: 0.1), gradients) - reference(0)) < 1e-15)
    }

    @Test func momentumDampening() {
        // PyTorch: the first momentum is the whole gradient, damped or not. An average from 0, as optax's `ema`, is damped from the start.
        func reference(dampsTheFirst: Bool) -> Double {
            var x = 1.0, m = 0.0
            for (t, g) in gradients.enumerated() {
                m = t == 0 && !dampsTheFirst ? g : 0.9 * m + 0.1 * g
                x -= 0.1 * m
            }
            return x
        }
        let ours = run(SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.9), gradients)
        #expect(abs(ours - reference(dampsTheFirst: false)) < 1e-15 && abs(ours - reference(dampsTheFirst: true)) > 0.01)
    }

    /// Adam on scalars; `epsilon` as a function of √v and its correction.
    private func adam(_ gradients: [Double], decay: Double = 0, _ denominator: (_ root: Double, _ correction: Double) -> Double) -> Double {
        var x = 1.0, m = 0.0, v = 0.0
        for (t, gradient) in gradients.enumerated() {
            let g = gradient + decay * x
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            x -= 0.1 * m / (1 - pow(0.9, Double(t + 1))) / denominator(v.squareRoot(), (1 - pow(0.999, Double(t + 1))).squareRoot())
        }
        return x
    }

    @Test func adamEpsilon() {
        // PyTorch and optax: √v̂ + ε. TensorFlow: (√v + ε) / √(1 − β₂ᵗ). With ε = 0.01 they part.
        let ours = run(Adam(learningRate: 0.1, epsilon: 0.01), gradients)
        let torch = adam(gradients) { $0 / $1 + 0.01 }, tensorFlow = adam(gradients) { ($0 + 0.01) / $1 }
        #expect(abs(ours - torch) < 1e-14 && abs(ours - tensorFlow) > 0.01)
    }

    @Test func adamDecay() {
        // PyTorch's Adam: λ x into the gradient, where the root cancels most of it. AdamW beside it. optax's adam: none.
        let inGradient = adam(gradients, decay: 0.5) { $0 / $1 + 1e-8 }, without = adam(gradients) { $0 / $1 + 1e-8 }
        let ours = run(Adam(learningRate: 0.1, weightDecay: 0.5), gradients)
        #expect(abs(ours - inGradient) < 1e-14 && abs(ours - without) > 0.01)
        #expect(abs(run(AdamW(learningRate: 0.1, weightDecay: 0.5), gradients) - inGradient) > 0.01)
    }

    @Test func adamWDecay() {
        // 0.01 in PyTorch, 10⁻⁴ in optax. PyTorch multiplies x by 1 − η λ before the step, we subtract η λ x with it: the same but for rounding.
        #expect(AdamW<Double>().hyperparameters.weightDecay == 0.01)
        var x = 1.0, m = 0.0, v = 0.0
        for (t, g) in gradients.enumerated() {
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            x *= 1 - 0.1 * 0.5
            x -= 0.1 * m / (1 - pow(0.9, Double(t + 1))) / ((v / (1 - pow(0.999, Double(t + 1)))).squareRoot() + 1e-8)
        }
        #expect(abs(run(AdamW(learningRate: 0.1, weightDecay: 0.5), gradients) - x) < 1e-15)
    }

    @Test func rmsProp() {
        // PyTorch: √v + ε and α = 0.99. optax: √(v + ε) and 0.9.
        func reference(_ alpha: Double, _ root: (Double) -> Double) -> Double {
            var x = 1.0, v = 0.0
            for g in gradients {
                v = alpha * v + (1 - alpha) * g * g
                x -= 0.01 * g / root(v)
            }
            return x
        }
        let ours = run(RMSProp(epsilon: 0.01), gradients)
        #expect(abs(ours - reference(0.99) { $0.squareRoot() + 0.01 }) < 1e-15)
        #expect(abs(ours - reference(0.99) { ($0 + 0.01).squareRoot() }) > 1e-3 && abs(ours - reference(0.9) { $0.squareRoot() + 0.01 }) > 1e-3)
        #expect(RMSProp<Double>().alpha == 0.99 && RMSProp<Double>().epsilon == 1e-8)
    }

    @Test func adagrad() {
        // PyTorch: sums from 0, √v + ε. optax: sums from 0.1, √(v + ε).
        func reference(from start: Double, _ root: (Double) -> Double) -> Double {
            var x = 1.0, v = start
            for g in gradients {
                v += g * g
                x -= 0.01 * g / root(v)
            }
            return x
        }
        let ours = run(Adagrad(), gradients)
        #expect(abs(ours - reference(from: 0) { $0.squareRoot() + 1e-10 }) < 1e-15)
        #expect(abs(ours - reference(from: 0.1) { ($0 + 1e-7).squareRoot() }) > 1e-4)
    }

    @Test func lionDefaults() {
        // optax decays by 10⁻³ unless told not to; we do not unless told to. β and the sign of 0 are the same.
        let lion = Lion<Double>()
        #expect(lion.weightDecay == 0 && lion.beta1 == 0.9 && lion.beta2 == 0.99)
        #expect(run(lion, [0, 0]) == 1)
    }

    @Test func clippingByNorm() {
        // PyTorch divides by norm + 10⁻⁶; optax and we by the norm.
        let ours = apply(ClipByGlobalNorm(1), [3, 4])
        #expect(abs(hypot(ours[0], ours[1]) - 1) < 1e-15 && abs(ours[0] - 3 / (5 + 1e-6)) > 1e-8)
    }

    @Test func warmup() {
        // optax begins at 0, so that its first step moves nothing; ours at 1/n of the peak.
        let ours = Schedule.warmup(to: 1, steps: 4)
        #expect(ours.value(at: 0) == 0.25 && ours.value(at: 3) == 1 && ours.value(at: 9) == 1)
    }

    @Test func cosine() {
        // PyTorch's CosineAnnealingLR climbs again after its T steps; optax's and ours stay at the end.
        let ours = Schedule.cosine(from: 1, to: 0.1, steps: 10)
        let torch = 0.1 + 0.9 * 0.5 * (1 + cos(Double.pi * 15 / 10))
        #expect(ours.value(at: 15) == 0.1 && abs(torch - 0.55) < 1e-12 && abs(ours.value(at: 5) - 0.55) < 1e-12)
    }

    @Test func plateaus() {
        // Patience 2: we and optax reduce after 2 updates without a new lowest value, PyTorch after 3. No threshold: any lower value counts.
        let plateau = ReduceOnPlateau<Double>(factor: 0.5, patience: 2)
        var state = plateau.initialState(like: [0.0].span)
        func scale(after value: Double) -> Double {
            var u = [1.0], span = u.mutableSpan
            plateau.update(&span, state: &state, parameters: [0].span, context: UpdateContext(value: value))
            return u[0]
        }
        let scales = [1, 1, 1, 1 - 1e-9, 1].map(scale)
        #expect(scales == [1, 1, 0.5, 0.5, 0.5])
        #expect(state.updatesSinceLowest == 1)
    }

    @Test func exponentialAverages() {
        // From the first parameters on and without correction; optax's `ema` starts at 0 and corrects.
        let averaging = ParameterAveraging(SGD<Double>(learningRate: 1), .exponential(0.9))
        var x = [1.0], state = averaging.initialState(like: x)
        for _ in 0..<2 { averaging.step(&x, gradient: [0.5], state: &state) }
        // Iterates 0.5 and 0.
        let ours = 0.9 * (0.9 * 1 + 0.1 * 0.5), corrected = (0.9 * 0.1 * 0.5) / (1 - 0.81)
        #expect(abs(state.average[0] - ours) < 1e-15 && abs(ours - corrected) > 0.1)
    }

    @Test func accumulation() {
        // The mean, as optax's MultiSteps; PyTorch's `backward` twice adds up.
        let accumulated = run(GradientAccumulation(SGD<Double>(learningRate: 0.1), every: 2), [2, 4])
        #expect(abs(accumulated - (1 - 0.1 * 3)) < 1e-15 && abs(accumulated - (1 - 0.1 * 6)) > 0.1)
    }

    @Test func nonFiniteGradients() {
        // Passed on, as in both. optax's `apply_if_finite` skips and gives in after so many in a row; our skipping does not.
        #expect(run(Adam(), [.nan]).isNaN)
        let skipping = NonFiniteGuard(SGD<Double>(learningRate: 0.1), .skip)
        #expect(run(skipping, [Double](repeating: .nan, count: 1000) + [1]) == 1 - 0.1)
    }

    @Test func factoredMoments() {
        // Every block with two dimensions is factored, however small; optax leaves those below 128 whole.
        let state = ScaleByFactoredRMS<Double>(ParameterLayout([("w", [3, 4])])).initialState(like: [Double](repeating: 0, count: 12).span)
        #expect(state.rows.count + state.columns.count == 3 + 4)
    }

    @Test func minimizers() {
        // PyTorch's LBFGS takes steps of its rate without a line search and 100 pairs; ours searches, with 10, as optax and SciPy.
        #expect(LBFGS<Double>().memory == 10 && LBFGSB<Double>().memory == 10)
        // SciPy's L-BFGS-B ends when f changes by less than 2·10⁻⁹ of max(1, f), here at a gradient of 10⁻⁵ at least; ours goes on to what was asked.
        let quartic = ClosureObjective<Double>(dimension: 1) { $0[0] * $0[0] * $0[0] * $0[0] } valueAndGradient: { x, g in
            g[0] = 4 * x[0] * x[0] * x[0]
            return x[0] * x[0] * x[0] * x[0]
        }
        for solution in [LBFGS().solve(quartic, from: [1], stopping: .gradientNorm(atMost: 1e-10)),
                         LBFGSB().solve(quartic, from: [1], stopping: .gradientNorm(atMost: 1e-10))] {
            #expect(solution.status == .converged && solution.gradientNorm! <= 1e-10)
        }
    }
}
