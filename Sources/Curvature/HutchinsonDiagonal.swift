import Kernels
import LinearAlgebra
import Randomness

/// Hutchinson's estimate of a diagonal: diag A ≈ mean of z ∘ (A z) over random probes z.
///
/// Unbiased. For symmetric A the variance of one probe is Σ_{j≠i} Aᵢⱼ² with Rademacher probes and Aᵢᵢ² more with Gaussian ones; so a
/// diagonal A is found exactly by one Rademacher probe. Divided by the number of probes, it falls slowly: ``XDiag`` is better where
/// the spectrum decays.
///
/// Beside the products a probe costs one pass that draws it, one that looks for NaN, and two over the sums. Probes can be taken one at
/// a time: ``makeState(like:)``, ``step(_:_:)``; the state is `Codable` and goes on to the same bits.
///
/// Averages over neighbours, as AdaHessian takes them, are `HessianAveraging` of the module `Optimizers`.
///
/// Source: Bekas, Kokiopoulou & Saad 2007, Applied Numerical Mathematics 57, without the division by Σ z²; both are the same for
/// Rademacher probes.
public struct HutchinsonDiagonal<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let probes: Int
    public let distribution: ProbeDistribution
    public let seed: UInt64

    /// - Precondition: at least one probe.
    public init(probes: Int, distribution: ProbeDistribution = .rademacher, seed: UInt64 = 0) {
        require(probes >= 1, "\(probes) probes; expected at least 1")
        self.probes = probes
        self.distribution = distribution
        self.seed = seed
    }

    /// The sums over the probes so far.
    public struct State: Sendable, Hashable, Codable {
        fileprivate var sum: [Scalar]
        fileprivate var squares: [Scalar]
        public fileprivate(set) var probes = 0
        fileprivate var stream: RandomStream

        /// The running estimate; 0 before the first probe.
        public var estimate: DiagonalEstimate<Scalar> {
            DiagonalEstimate(sum: sum, squares: squares, count: probes, products: probes)
        }
    }

    public func makeState(like a: any LinearOperator<Scalar>) -> State {
        requireSquare(a)
        let zeros = [Scalar](repeating: 0, count: a.rows)
        return State(sum: zeros, squares: zeros, stream: RandomStream(seed: seed))
    }

    /// One probe more.
    ///
    /// - Precondition: the operator has the order that the state was made for.
    /// - Throws: ``CurvatureError/nonFinite(product:)``; the state is then as it was.
    public func step(_ state: inout State, _ a: any LinearOperator<Scalar>) throws(CurvatureError) {
        requireSquare(a)
        require(a.rows == state.sum.count, "operator of order \(a.rows); the state was made for \(state.sum.count)")
        var stream = state.stream
        let z: [Scalar] = distribution.probe(count: a.columns, using: &stream)
        var w = try product(a, z, state.probes)
        var sum = state.sum.mutableSpan
        Scalar.multiplyAccumulate(z.span, w.span, into: &sum)
        if distribution != .rademacher {
            let y = w
            var span = w.mutableSpan
            Scalar.multiply(z.span, y.span, into: &span)
        }
        // For signs (z ∘ A z)² = (A z)².
        var squares = state.squares.mutableSpan
        Scalar.multiplyAccumulate(w.span, w.span, into: &squares)
        state.probes += 1
        state.stream = stream
    }

    /// The estimate from ``probes`` probes.
    ///
    /// - Precondition: the operator is square.
    /// - Throws: ``CurvatureError/nonFinite(product:)``.
    public func estimate(_ a: any LinearOperator<Scalar>) throws(CurvatureError) -> DiagonalEstimate<Scalar> {
        var state = makeState(like: a)
        for _ in 0..<probes { try step(&state, a) }
        return state.estimate
    }
}
