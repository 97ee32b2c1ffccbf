import Autodiff
import Kernels
import LinearAlgebra
import OptimalTransport
import RealModule

/// The Monge gap of a map T on a sample: how far it is from moving the sample to where it goes at least cost.
///
///     M(T) = (1/n) Σᵢ c(xᵢ, tᵢ) − W(x, t),   tᵢ = T(xᵢ)
///
/// With W the exact transport cost M ≥ 0, and 0 only where the graph of T is c-cyclically monotone: for c = ‖x − y‖² where T is the
/// gradient of a convex function. Added to a loss of fit it picks, among the maps that fit, the cheapest, whatever the network that T is.
///
/// W is the entropic one, W_ε = min ⟨P, C⟩ − ε H(P) in the paper's convention (``Entropy/negative``), which makes
/// M₀ + ε ln n ≤ M_ε ≤ M₀ + 2 ε ln n: a floor that depends on ε and n, so that gaps compare at one ε and one batch size alone. For
/// judging use ``exact(_:_:)``. Gradients in t (and x) come from the envelope theorem: first derivatives only, as exact as the
/// marginals of the solve.
///
/// Differs from OTT-JAX: ε is a number; take it from `Geometry.meanCost()` of a first batch and keep it, as it should not change
/// while t moves.
///
/// Source: Uscidda & Cuturi 2023, arXiv 2302.04953.
public struct MongeGap<Scalar: KernelScalar>: Sendable {
    /// What is subtracted from ⟨P, C⟩ in W.
    public enum Entropy: String, Sendable, Hashable, Codable, CaseIterable {
        /// ε H(P), H(P) = −Σ P ln P: the paper's; M is positive.
        case negative
        /// −ε KL(P | 1/n²): M₀ − ε ln n ≤ M ≤ M₀, so that it may be negative.
        case relative
        /// The Sinkhorn divergence in place of W: nothing pulls the identity apart, of which it is 0 with a gradient of 0. Not in the paper.
        case debiased
    }

    /// Costs of all pairs of two sets of points.
    public enum Cost: Sendable {
        case points(PointCost)
        /// The angle arccos(x·y / ‖x‖ ‖y‖): the distance on the sphere.
        case angle
        /// C [n, n] from x [n, d] and t [n, d], by tensor operations.
        case custom(@Sendable (_ x: Tensor<Scalar>, _ t: Tensor<Scalar>) -> Tensor<Scalar>)
    }

    public let cost: Cost
    public let entropy: Entropy
    public let solver: Sinkhorn<Scalar>

    /// - Parameters:
    ///   - epsilon: ε > 0; the paper takes 0.01 of the mean cost from x to y.
    ///   - tolerance: of the marginals; the paper takes 10⁻³. Gradients want less where the gap weighs much.
    /// - Precondition: costs of points if `debiased`.
    public init(_ cost: Cost = .points(.squaredEuclidean), epsilon: Scalar, entropy: Entropy = .negative, tolerance: Double = 1e-3) {
        if entropy == .debiased, case .points = cost {} else { require(entropy != .debiased, "a debiased gap wants a cost of points") }
        (self.cost, self.entropy) = (cost, entropy)
        solver = Sinkhorn(epsilon: epsilon, tolerance: tolerance)
    }

    /// M of the points x [n, d] and their images t [n, d], a number; NaN where the solver did not converge.
    public func callAsFunction(_ x: Tensor<Scalar>, _ t: Tensor<Scalar>) -> Tensor<Scalar> {
        require(x.rank == 2 && x.shape == t.shape && x.shape[0] > 0,
                "points of shape \(x.shape) with images of shape \(t.shape); expected the same, [n, d]")
        let n = x.shape[0], even = Tensor(shape: [n], repeating: 1 / Scalar(n))
        let floor = entropy == .negative ? 2 * solver.epsilon * Scalar(Double.log(Double(n))) : 0
        guard case .points(let points) = cost else {
            let costs = costs(x, t)
            let moved = (costs * Tensor(Matrix<Scalar>.identity(n))).sum() * (1 / Scalar(n))
            return moved - entropicTransport(costs: costs, solver: solver) + floor
        }
        let moved = apply(PairedCost(cost: points), to: [x, t]) * (1 / Scalar(n))
        let least = entropy == .debiased
            ? sinkhornDivergence(from: x, even, to: t, even, cost: points, solver: solver)
            : entropicTransport(from: x, even, to: t, even, cost: points, solver: solver)
        return moved - least + floor
    }

    /// M₀, by the best assignment.
    ///
    /// - Precondition: as many images as points, of as many coordinates.
    /// - Throws: `TransportError` if a coordinate or a cost is not finite.
    public func exact(_ x: Matrix<Scalar>, _ t: Matrix<Scalar>) throws(TransportError) -> Scalar {
        require(x.rows == t.rows && x.columns == t.columns, "\(x.rows)×\(x.columns) points with \(t.rows)×\(t.columns) images; expected the same")
        let geometry: Geometry<Scalar>
        if case .points(let points) = cost {
            geometry = try Geometry(from: x, to: t, cost: points)
        } else {
            geometry = try Geometry(cost: costs(Tensor(x), Tensor(t)).matrix)
        }
        let c = geometry.costMatrix()
        let moved = (0..<x.rows).reduce(0.0) { $0 + Double(c[$1, $1]) }
        let least = LinearAssignment().solve(geometry)
        return Scalar((moved - least.targets.enumerated().reduce(0.0) { $0 + Double(c[$1.offset, $1.element!]) }) / Double(x.rows))
    }

    private func costs(_ x: Tensor<Scalar>, _ t: Tensor<Scalar>) -> Tensor<Scalar> {
        switch cost {
        case .points: fatalError("costs of points are not stored")
        case .angle:
            func unit(_ points: Tensor<Scalar>) -> Tensor<Scalar> { points / points.squared().sum(alongAxes: [1], keepingAxes: true).squareRoot() }
            return apply(Angle(), to: [matmul(unit(x), unit(t).transposed())])
        case .custom(let function): return function(x, t)
        }
    }
}

/// Σᵢ c(xᵢ, tᵢ) over pairs of rows. At equal points the distance has no derivative; 0 is taken.
private struct PairedCost<Scalar: KernelScalar>: DifferentiableOperation {
    let cost: PointCost

    var derivativesRead: DerivativeOperands { .inputs }

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let x = inputs[0].matrix, t = inputs[1].matrix
        var sum = 0.0
        for i in 0..<x.rows { sum += Double(pair(x.row(i), t.row(i)).value) }
        return Tensor(Scalar(sum))
    }

    func vjp(_ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let x = inputs[0].matrix, t = inputs[1].matrix, d = x.columns
        var first = [Scalar](repeating: 0, count: x.rows * d), second = first
        for i in 0..<x.rows {
            let p = x.row(i), q = t.row(i), (_, a, b, c) = pair(p, q)
            // ∂c/∂x = a x + b t, ∂c/∂t = b x + c t.
            for k in 0..<d {
                first[i * d + k] = g.scalar * (a * p[k] + b * q[k])
                second[i * d + k] = g.scalar * (b * p[k] + c * q[k])
            }
        }
        return [Tensor(shape: inputs[0].shape, elements: first), Tensor(shape: inputs[1].shape, elements: second)]
    }

    /// c(x, t), and its derivatives as combinations of x and t.
    private func pair(_ x: Span<Scalar>, _ t: Span<Scalar>) -> (value: Scalar, a: Scalar, b: Scalar, c: Scalar) {
        var square: Scalar = 0
        for k in x.indices { square += (x[k] - t[k]) * (x[k] - t[k]) }
        let product = Scalar.dot(x, t)
        switch cost {
        case .squaredEuclidean: return (square, 2, -2, 2)
        case .euclidean:
            let length = square.squareRoot()
            return length > 0 ? (length, 1 / length, -1 / length, 1 / length) : (0, 0, 0, 0)
        case .dot: return (-product, 0, -1, 0)
        case .cosine:
            let p = Scalar.nrm2(x), q = Scalar.nrm2(t), both = p * q
            guard both > 0 else { return (1, 0, 0, 0) }
            let cosine = product / both
            return (1 - cosine, cosine / (p * p), -1 / both, cosine / (q * q))
        }
    }
}

/// arccos of numbers in [−1, 1] to rounding. At ±1, where it has no derivative, 0 is taken.
private struct Angle<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { .inputs }

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        Tensor(shape: inputs[0].shape, elements: inputs[0].elements.map { Scalar(Double.acos(Swift.max(-1, Swift.min(1, Double($0))))) })
    }

    func vjp(_ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let slopes = inputs[0].elements.map { x in
            let square = 1 - Double(x) * Double(x)
            return square > 0 ? Scalar(-1 / square.squareRoot()) : 0
        }
        return [g * Tensor(shape: inputs[0].shape, elements: slopes)]
    }
}
