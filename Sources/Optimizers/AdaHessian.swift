import Kernels
import Objectives
import Randomness

/// AdaHessian: Adam with the mean square of an estimated Hessian diagonal in place of that of the gradient.
///
///     every k-th step:  D = mean of z ∘ (H z) over probes z = ±1,   D ← averaged |D|,   v ← β₂ v + (1 − β₂) D²
///     m ← β₁ m + (1 − β₁) g
///     x ← x − η (m̂ / (√v̂^p + ε) + λ x),   m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ⁿ) after n updates of v
///
/// With one probe the mean of D² is the squared norm of a row of H, not Hᵢᵢ²: only a diagonal H, many probes or
/// ``Estimate/signed`` averages give Newton's scale. The sign of the curvature is lost: a saddle repels no more than with Adam.
///
/// As a solver it draws its probes itself, on any `TwiceDifferentiableObjective`. A training loop calls ``needsHessian(_:)``,
/// gives `step(_:gradient:hessianDiagonal:state:)` an estimate from the same batch as the gradient, or has
/// ``hessianDiagonal(of:at:state:)`` draw one. A step is one fused kernel: 32 bytes a `Float`, 28 without an estimate.
///
/// Source: Yao et al. 2021, arXiv 2006.00719; defaults and the absolute value before the average from the authors' code. Rates
/// are not on Adam's scale: try 0.01 to 1.
public struct AdaHessian<Scalar: KernelScalar>: IterativeSolver, Hashable, Codable {
    /// What is averaged over neighbours.
    public enum Estimate: String, Sendable, Hashable, Codable {
        /// |D|, as in the authors' code.
        case absolute
        /// D, as in the paper; what is left of the sign goes with the square.
        case signed
    }

    public struct OptimizerState: Codable, Sendable, Hashable {
        public internal(set) var moments: MomentState<Scalar>
        /// Updates of v: n.
        public internal(set) var hessianUpdates = 0
        /// Where the next probe comes from.
        public internal(set) var stream: RandomStream
    }

    public let learningRate: Schedule
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let hessianPower: Double
    public let weightDecay: Double
    public let decayMask: ParameterMask?
    public let interval: Int
    public let probes: Int
    public let averaging: HessianAveraging
    public let estimate: Estimate
    public let seed: UInt64

    /// - Parameters:
    ///   - hessianPower: p from 0 (momentum alone) to 1. 0, ½ and 1 need no logarithm.
    ///   - interval: k; the estimate costs `probes` products with the Hessian, two to three gradients each, once in k steps.
    ///   - averaging: over neighbours; the authors' default for models is `.blocks(layout, matrices: .overColumns)`.
    ///   - seed: of the probes.
    public init(
        learningRate: Schedule = 0.15, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-4, hessianPower: Double = 1,
        weightDecay: Double = 0, decayMask: ParameterMask? = nil, interval: Int = 1, probes: Int = 1,
        averaging: HessianAveraging = .none, estimate: Estimate = .absolute, seed: UInt64 = 0
    ) {
        require(hessianPower >= 0 && hessianPower <= 1, "Hessian power is \(hessianPower); expected at least 0 and at most 1")
        require(interval >= 1, "interval is \(interval); expected at least 1")
        require(probes >= 1, "\(probes) probes; expected at least 1")
        self.learningRate = learningRate
        self.beta1 = checkedRate(beta1, "beta1")
        self.beta2 = checkedRate(beta2, "beta2")
        self.epsilon = checkedNonnegative(epsilon, "epsilon")
        self.hessianPower = hessianPower
        self.weightDecay = checkedNonnegative(weightDecay, "weight decay")
        self.decayMask = decayMask
        self.interval = interval
        self.probes = probes
        self.averaging = averaging
        self.estimate = estimate
        self.seed = seed
    }

    public func initialState(like parameters: Span<Scalar>) -> OptimizerState {
        OptimizerState(moments: MomentState(count: parameters.count, first: true, second: true), stream: RandomStream(seed: seed))
    }

    /// The state before the first step on an array like this.
    public func initialState(like parameters: [Scalar]) -> OptimizerState { initialState(like: parameters.span) }

    /// Whether the next step updates v.
    public func needsHessian(_ state: OptimizerState) -> Bool { state.moments.steps % interval == 0 }

    /// The mean of z ∘ (H z) over the probes, from one call for all of them.
    public func hessianDiagonal(
        of objective: any TwiceDifferentiableObjective<Scalar>, at x: Span<Scalar>, state: inout OptimizerState
    ) -> [Scalar] {
        let n = objective.dimension
        objective.requireDimension(x.count)
        var directions: [Scalar] = []
        for _ in 0..<probes { directions += state.stream.rademacher(count: n) as [Scalar] }
        var products = [Scalar](repeating: 0, count: directions.count)
        var span = products.mutableSpan
        objective.hessianVectorProducts(at: x, directions: directions.span, into: &span)
        return Self.mean(directions, products, count: n)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func mean(_ directions: [Scalar], _ products: [Scalar], count n: Int) -> [Scalar] {
        var mean = [Scalar](repeating: 0, count: n)
        for start in stride(from: 0, to: directions.count, by: max(1, n)) {
            for i in 0..<n { mean[i] += directions[start + i] * products[start + i] }
        }
        let count = Scalar(n == 0 ? 1 : directions.count / n)
        if count > 1 { for i in 0..<n { mean[i] /= count } }
        return mean
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private static func magnitudes(_ x: [Scalar]) -> [Scalar] { x.map { abs($0) } }

    /// A step.
    ///
    /// - Parameter hessianDiagonal: the estimate, with its sign and before any averaging; empty where ``needsHessian(_:)`` is
    ///   `false`.
    public func step(
        _ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, hessianDiagonal: [Scalar], state: inout OptimizerState
    ) {
        let isNeeded = needsHessian(state)
        require(hessianDiagonal.count == (isNeeded ? parameters.count : 0),
                "Hessian diagonal of \(hessianDiagonal.count) elements; expected \(isNeeded ? parameters.count : 0) in this step")
        var diagonal = hessianDiagonal
        if isNeeded {
            // The kernel squares it: the sign matters to an average alone.
            if averaging != .none {
                if estimate == .absolute { diagonal = Self.magnitudes(diagonal) }
                averaging.apply(to: &diagonal)
            }
            state.hessianUpdates += 1
        }
        state.moments.steps += 1
        let steps = state.moments.steps
        var c = MomentCoefficients<Scalar>(
            step: Scalar(learningRate.value(at: steps - 1)), b1: beta1, b2: beta2, t1: steps, t2: state.hessianUpdates)
        (c.epsilon, c.power) = (Scalar(epsilon), Scalar(hessianPower))
        var start = 0
        state.moments.advance(&parameters, gradient: gradient, mask: decayMask) { isInside, g, m, v, x in
            c.decay = isInside ? Scalar(weightDecay) : 0
            let part = isNeeded ? start..<start + x.count : 0..<0
            Scalar.adaHessianStep(
                c, gradient: g, hessianDiagonal: diagonal.span.extracting(part), first: &m, second: &v, parameters: &x)
            start += x.count
        }
    }

    /// A step on arrays.
    public func step(
        _ parameters: inout [Scalar], gradient: [Scalar], hessianDiagonal: [Scalar], state: inout OptimizerState
    ) {
        var span = parameters.mutableSpan
        step(&span, gradient: gradient.span, hessianDiagonal: hessianDiagonal, state: &state)
    }

    public func makeState(
        _ problem: any TwiceDifferentiableObjective<Scalar>, from start: [Scalar]
    ) -> MinimizationState<Scalar, OptimizerState> {
        MinimizationState(problem, from: start, optimizer: initialState(like: start.span))
    }

    public func step(
        _ state: inout MinimizationState<Scalar, OptimizerState>, _ problem: any TwiceDifferentiableObjective<Scalar>
    ) -> Termination? {
        let before = state.iterate
        var diagonal: [Scalar] = []
        if needsHessian(state.optimizer) {
            diagonal = hessianDiagonal(of: problem, at: before.span, state: &state.optimizer)
            state.evaluations.hessianProducts += probes
            if !Scalar.maxAbs(diagonal.span).isFinite {
                return Termination(.nonFinite, "the estimated Hessian diagonal is not finite in step \(state.optimizer.moments.steps + 1)")
            }
        }
        state.move { x, gradient, optimizer in
            var span = x.mutableSpan
            step(&span, gradient: gradient.span, hessianDiagonal: diagonal, state: &optimizer)
        }
        state.evaluate(problem, movedFrom: before)
        return nil
    }
}
