import Kernels
import LinearAlgebra

/// How a plan is held to a measure.
public enum MarginalPenalty<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    /// The plan's marginal is the measure.
    case exact
    /// ρ KL(marginal | measure) is added to the cost: mass may be made and destroyed, the less so the larger ρ > 0 is.
    case kullbackLeibler(Scalar)
}

/// Two measures on a geometry: Σᵢ aᵢ δ(xᵢ) to be brought to Σⱼ bⱼ δ(yⱼ) at least cost.
///
/// Weights may be zero; no mass then leaves or reaches the point. They need not sum to 1, only to the same; a difference that rounding
/// explains (10⁻⁵ of the mass for `Float`, 10⁻¹⁰ for `Double`) is taken out of the target's weights by scaling them.
public struct TransportProblem<Scalar: KernelScalar>: Sendable {
    public let geometry: Geometry<Scalar>
    /// a, of as many elements as the geometry has rows.
    public let sourceWeights: [Scalar]
    /// b, of as many elements as the geometry has columns.
    public let targetWeights: [Scalar]
    public let sourcePenalty: MarginalPenalty<Scalar>
    public let targetPenalty: MarginalPenalty<Scalar>

    /// Whether both marginals are exact.
    public var isBalanced: Bool { sourcePenalty == .exact && targetPenalty == .exact }

    /// - Parameters:
    ///   - sourceWeights: a; 1/n each if `nil`.
    ///   - targetWeights: b; 1/m each if `nil`.
    /// - Precondition: as many weights as points; penalties above 0.
    /// - Throws: ``TransportError`` for weights that are negative or not finite, a measure without mass, masses that differ while both
    ///   marginals are exact, and points with mass to or from which sparse costs have no pair.
    public init(
        _ geometry: Geometry<Scalar>, from sourceWeights: [Scalar]? = nil, to targetWeights: [Scalar]? = nil,
        sourcePenalty: MarginalPenalty<Scalar> = .exact, targetPenalty: MarginalPenalty<Scalar> = .exact
    ) throws(TransportError) {
        let n = geometry.rows, m = geometry.columns
        let a = sourceWeights ?? [Scalar](repeating: 1 / Scalar(n), count: n)
        var b = targetWeights ?? [Scalar](repeating: 1 / Scalar(m), count: m)
        require(a.count == n, "\(a.count) source weights for \(n) points; expected equally many")
        require(b.count == m, "\(b.count) target weights for \(m) points; expected equally many")
        for penalty in [sourcePenalty, targetPenalty] {
            if case .kullbackLeibler(let rho) = penalty { require(rho > 0 && rho.isFinite, "penalty is \(rho); expected a finite number above 0") }
        }
        let massA = try totalMass(a, .source), massB = try totalMass(b, .target)
        if sourcePenalty == .exact, targetPenalty == .exact {
            let tolerance = Scalar.ulpOfOne > 1e-10 ? 1e-5 : 1e-10
            guard abs(massA - massB) <= tolerance * max(massA, massB) else { throw .massesDiffer(source: massA, target: massB) }
            if massA != massB { b = b.map { Scalar(Double($0) * (massA / massB)) } }
        }
        if case .sparse(let sparse) = geometry.storage, let (side, index) = sparse.loneliest(a, b) { throw .noPartner(side, index: index) }
        self.geometry = geometry
        (self.sourceWeights, self.targetWeights) = (a, b)
        (self.sourcePenalty, self.targetPenalty) = (sourcePenalty, targetPenalty)
    }
}

extension TransportProblem {
    /// Partial transport: `mass` of what the sources hold is to be brought to the targets, whichever part costs least. The problem has one more
    /// source and one more target, which hold what the others lack; what is carried from or to them at no cost stays where it is. The
    /// plan wanted is that without the last row and column.
    ///
    /// The costs are formed as a matrix.
    ///
    /// Source: Chapel, Alaya & Gasso 2020.
    ///
    /// - Precondition: `mass` is above 0 and at most that of either measure.
    /// - Throws: as ``init(_:from:to:sourcePenalty:targetPenalty:)``, except that masses may differ.
    public static func partial(
        _ geometry: Geometry<Scalar>, from sourceWeights: [Scalar], to targetWeights: [Scalar], mass: Scalar
    ) throws(TransportError) -> TransportProblem {
        let n = geometry.rows, m = geometry.columns
        require(sourceWeights.count == n && targetWeights.count == m,
                "\(sourceWeights.count) and \(targetWeights.count) weights for \(n) and \(m) points; expected equally many")
        let a = try totalMass(sourceWeights, .source), b = try totalMass(targetWeights, .target), moved = Double(mass)
        require(moved > 0 && moved <= min(a, b) * (1 + 4 * Double(Scalar.ulpOfOne)), "a mass of \(mass) of \(a) and \(b); expected a part of both")
        let c = geometry.costMatrix()
        // No mass goes between the two that were added: it would have to cost more than any detour.
        let far = 4 * Scalar.maxAbs(c.span) + 1
        let cost = Matrix(rows: n + 1, columns: m + 1) { i, j in i < n && j < m ? c[i, j] : i == n && j == m ? far : 0 }
        return try TransportProblem(
            Geometry(cost: cost), from: sourceWeights + [Scalar(max(0, b - moved))], to: targetWeights + [Scalar(max(0, a - moved))])
    }
}

/// Σ wᵢ of weights that can be weights.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func totalMass<Scalar: KernelScalar>(_ weights: [Scalar], _ side: TransportError.Side) throws(TransportError) -> Double {
    var sum = 0.0
    for (i, weight) in weights.enumerated() {
        guard weight.isFinite else { throw .nonFiniteWeight(side, index: i) }
        guard weight >= 0 else { throw .negativeWeight(side, index: i, value: Double(weight)) }
        sum += Double(weight)
    }
    guard sum > 0 else { throw .zeroMass(side) }
    return sum
}
