import Kernels
import LinearAlgebra
import Randomness

/// Hutchinson's estimate of a trace: tr A ≈ mean of zᵀA z over random probes z.
///
/// Unbiased. With Rademacher probes and symmetric A the variance of one probe is 2 (‖A‖_F² − Σ Aᵢᵢ²), with Gaussian ones 2 ‖A‖_F².
/// ``HutchPlusPlus`` and ``XTrace`` need far fewer products where the spectrum decays.
///
/// Probes can be taken one at a time: ``makeState()``, ``step(_:_:)``; the state is `Codable` and goes on to the same bits.
///
/// Source: Hutchinson 1990, Communications in Statistics – Simulation 19(2).
public struct HutchinsonTrace<Scalar: KernelScalar>: Sendable, Hashable, Codable {
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

    /// The probes so far.
    public struct State: Sendable, Hashable, Codable {
        fileprivate var samples: [Double] = []
        fileprivate var stream: RandomStream

        /// The running estimate; 0 before the first probe.
        public var estimate: TraceEstimate { TraceEstimate(samples, products: samples.count) }
    }

    public func makeState() -> State { State(stream: RandomStream(seed: seed)) }

    /// One probe more.
    ///
    /// - Precondition: the operator is square.
    /// - Throws: ``CurvatureError/nonFinite(product:)``; the state is then as it was.
    public func step(_ state: inout State, _ a: any LinearOperator<Scalar>) throws(CurvatureError) {
        requireSquare(a)
        var stream = state.stream
        let z: [Scalar] = distribution.probe(count: a.columns, using: &stream)
        let y = try product(a, z, state.samples.count)
        let sample = Double(Scalar.dot(z.span, y.span))
        guard sample.isFinite else { throw .nonFinite(product: state.samples.count) }
        state.samples.append(sample)
        state.stream = stream
    }

    /// The estimate from ``probes`` probes.
    ///
    /// - Precondition: the operator is square.
    /// - Throws: ``CurvatureError/nonFinite(product:)``.
    public func estimate(_ a: any LinearOperator<Scalar>) throws(CurvatureError) -> TraceEstimate {
        var state = makeState()
        for _ in 0..<probes { try step(&state, a) }
        return state.estimate
    }
}
