import Kernels
import LinearAlgebra
import Randomness
import RealModule

/// The distribution of the eigenvalues of an operator, φ(λ) = (1/n) Σ δ(λ − λᵢ), as weighted points.
public struct SpectralDensity: Sendable, Hashable, Codable {
    /// Rising.
    public let nodes: [Double]
    /// The share of eigenvalues at each node, with sum 1.
    public let weights: [Double]

    /// (1/n) tr f(A) ≈ Σ wₖ f(θₖ).
    public func mean(of f: (Double) -> Double) -> Double {
        zip(nodes, weights).reduce(0) { $0 + $1.1 * f($1.0) }
    }

    /// The share of eigenvalues at most `lambda`.
    public func cumulative(at lambda: Double) -> Double {
        zip(nodes, weights).reduce(0) { $1.0 <= lambda ? $0 + $1.1 : $0 }
    }

    /// The density with each node spread as a normal distribution of standard deviation `width`, at `lambda`.
    ///
    /// - Precondition: `width` is positive.
    public func density(at lambda: Double, width: Double) -> Double {
        require(width > 0, "width is \(width); expected a positive number")
        return mean { let t = (lambda - $0) / width; return .exp(-t * t / 2) } / (width * (2 * .pi).squareRoot())
    }
}

/// The spectral density by stochastic Lanczos quadrature.
///
/// From each random probe a Lanczos recurrence of m steps gives a Gauss quadrature of the distribution as the probe sees it: nodes are
/// the eigenvalues of T, weights the squared first elements of its eigenvectors. The densities of the probes are averaged. The moments
/// zᵀAʲz/zᵀz of each probe are exact for j < 2m; their spread over probes is that of Hutchinson's trace.
///
/// Every vector is made orthogonal to all before it: without that, copies of converged eigenvalues would take their place in the
/// nodes. Memory: m + 1 vectors.
///
/// Source: Ubaru, Chen & Saad 2017, SIAM J. Matrix Anal. Appl. 38(4); for networks Ghorbani, Krishnan & Xiao 2019, arXiv 1901.10159, whose
/// m = 90 and 10 probes are ample for the shape.
public struct StochasticLanczosQuadrature<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let probes: Int
    public let steps: Int
    public let seed: UInt64

    /// - Precondition: at least one probe and one step.
    public init(probes: Int = 10, steps: Int = 90, seed: UInt64 = 0) {
        require(probes >= 1 && steps >= 1, "\(probes) probes of \(steps) steps; expected at least 1 of both")
        self.probes = probes
        self.steps = steps
        self.seed = seed
    }

    /// - Precondition: the operator is symmetric and not empty.
    /// - Throws: ``CurvatureError/nonFinite(product:)``; ``CurvatureError/factorization(_:)``.
    /// - Complexity: at most `probes` · min(`steps`, n) products.
    public func estimate(_ a: any LinearOperator<Scalar>) throws(CurvatureError) -> SpectralDensity {
        requireSquare(a)
        require(a.rows > 0, "density of an operator of order 0; expected at least one eigenvalue")
        var stream = RandomStream(seed: seed)
        var points: [(node: Double, weight: Double)] = []
        var products = 0
        for _ in 0..<probes {
            let start: [Scalar] = ProbeDistribution.gaussian.probe(count: a.rows, using: &stream)
            var basis = KrylovBasis<Scalar>(
                dimension: a.rows, capacity: min(steps, a.rows), start: start, stream: RandomStream(seed: seed, stream: 1))
            // In an invariant space the quadrature is exact, and there is nothing to go on with.
            repeat {
                try basis.extend(by: a, productIndex: products)
                products += 1
            } while basis.size < basis.capacity && basis.coupling > 0
            let ritz = try basis.ritz()
            for (k, node) in ritz.values.enumerated() {
                points.append((node, ritz.vectors[0, k] * ritz.vectors[0, k] / Double(probes)))
            }
        }
        points.sort { $0.node < $1.node }
        return SpectralDensity(nodes: points.map(\.node), weights: points.map(\.weight))
    }
}
