import Kernels
import Objectives
import RealModule

/// EXAdam: Adam with bias corrections that mix both moments, and the raw gradient beside its mean.
///
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     d₁ = 1 + β₂ᵗ v / (v + ε),   d₂ = 1 + β₁ᵗ m² / (m² + ε)
///     x ← x − η (s_t (m + g) d₁ / (1 − β₁ᵗ) / (√(v d₂ / (1 − β₂ᵗ)) + ε) + λ x)
///
/// with s_t = 1 in the second version and s_t = ½ ln(2 (t + 1)) in the first. One fused kernel: 28 bytes a `Float`.
///
/// A rate η does not mean what it means in ``Adam``: the first step is 16 times as long, later ones 2 to 4 times (and s_t times
/// that), and where |g| < 10⁻⁴ the step depends on the scale of the loss, through ε in d₁ and d₂. Tune η, and with the
/// growing s_t let it decay.
///
/// Source: Adly 2024, arXiv 2412.20302, both versions, and the author's code for the decay. The ablations of its terms are
/// in ``ScaleByEXAdam``.
public struct EXAdam<Scalar: KernelScalar>: Optimizer, Sendable, Hashable, Codable {
    /// The published versions.
    public enum Version: String, Sendable, Hashable, Codable {
        /// s_t = ½ ln(2 (t + 1)): 0.69 at first, 3.8 after 1000 steps.
        case growingStep
        /// s_t = 1, the current one.
        case constantStep

        /// s_t.
        func growth(at t: Int) -> Double {
            switch self {
            case .growingStep: 0.5 * Double.log(2 * Double(t + 1))
            case .constantStep: 1
            }
        }
    }

    public let version: Version
    public typealias OptimizerState = MomentState<Scalar>

    public let hyperparameters: AdamHyperparameters

    /// - Parameters:
    ///   - epsilon: ε, more than 0: it stands in four denominators.
    ///   - weightDecay: λ; the decay is η λ in both versions.
    public init(
        version: Version = .constantStep, learningRate: Schedule = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-8, weightDecay: Double = 0, decayMask: ParameterMask? = nil
    ) {
        require(epsilon > 0 && epsilon.isFinite, "epsilon is \(epsilon); expected a finite number above 0")
        self.version = version
        hyperparameters = AdamHyperparameters(learningRate, beta1, beta2, epsilon, weightDecay, decayMask)
    }

    public func initialState(like parameters: Span<Scalar>) -> MomentState<Scalar> {
        MomentState(count: parameters.count, first: true, second: true)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout MomentState<Scalar>) {
        hyperparameters.step(&parameters, gradient: gradient, state: &state, decay: \.decay, growth: version.growth(at: state.steps + 1)) {
            Scalar.exAdamStep($0, gradient: $1, first: &$2, second: &$3, parameters: &$4)
        }
    }
}
