import Kernels
import LinearAlgebra
import Objectives
import Randomness
import Sketching

/// How the regressions of alternating minimisation are solved: for each row of a factor, ‖A x − b‖² + λ n ‖x‖² → min with A, n×k, the rows
/// of the other factor at the n observations.
///
/// All go on from the row that is there. `accuracy` is that of the correction: a regression ends when its energy ‖P⁻ᵀ∇‖² has fallen by
/// accuracy², and one that has not after `steps` is solved exactly, so that no bad sketch gets through. With `nil` all steps are made.
public enum InnerRegression: Sendable, Hashable, Codable {
    /// Normal equations and Cholesky: n k²/2 + k³/6 multiplications. A system that is singular gets the solution of least length. For few
    /// columns, up to ``RegressionChoice/fusedRank``, the equations are made from the rows where they lie, without a copy of them.
    case exact
    /// Sketch and solve, then conjugate gradients preconditioned by the Cholesky factor of the sketch's Gram matrix: 4k rows and 8 signs a row
    /// (Gu, Song, Yin and Zhang 2023). n k (12 + 2 steps) + 2 k³ operations; exact where n is at most 4k.
    case sketched(steps: Int = 8, accuracy: Double? = 0.1)
    /// Conjugate gradients without a preconditioner: n k (2 + 2 steps) multiplications. The other factor is orthonormal and its rows are a sample of
    /// an orthonormal matrix's, so that for an incoherent matrix the condition is near 1 where n is some times k.
    case conjugateGradients(steps: Int = 8, accuracy: Double? = 0.1)
    /// The cheapest by counted operations at their measured speeds; see ``RegressionChoice``.
    case automatic
}

/// What ``InnerRegression/automatic`` came to, and why.
public struct RegressionChoice: Sendable, Hashable, Codable {
    public let method: InnerRegression
    public let reason: String

    /// The choice for regressions of about `rows` equations with `rank` unknowns.
    ///
    /// Up to rank ``fusedRank`` exact: conjugate gradients could at best save a third, and less exact regressions ask for more rounds.
    /// Beyond, costs are in multiplications of the matrix product, with three steps of conjugate gradients: those of a pass over A count ``passWeight`` times, as they come from the cache and
    /// not from registers.
    ///
    /// - Parameter rejectedShare: how many regressions the cheap methods last had to give to the exact one. Above a tenth, plain conjugate
    ///   gradients are out.
    public init(rows: Double, rank: Int, rejectedShare: Double = 0) {
        let k = Double(rank), pass = 2 * rows * k * Self.passWeight, factor = k * k * k / 6
        let exact = pass + rows * k * k / 2 + factor + Self.callWeight
        let gradients = 4 * pass
        let sketched = 5 * pass + 8 * rows * k * Self.passWeight + 2 * k * k * k + factor
        let sizes = "\(Int(rows.rounded())) observations a row, rank \(rank)"
        func thousands(_ x: Double) -> String { "\(Int((x / 1000).rounded()))" }
        let costs = "exact \(thousands(exact)), conjugate gradients \(thousands(gradients)), sketched \(thousands(sketched)) thousand weighted multiplications"
        if rank <= Self.fusedRank {
            (method, reason) = (.exact, "\(sizes): exact, up to rank \(Self.fusedRank)")
        } else if rejectedShare <= 0.1, gradients < exact, gradients < sketched {
            (method, reason) = (.conjugateGradients(), "\(sizes): conjugate gradients, as \(costs)")
        } else if rows > 4 * k, sketched < exact {
            (method, reason) = (.sketched(), "\(sizes): sketched, as \(costs)"
                + (rejectedShare > 0.1 ? "; conjugate gradients gave up \(Int(100 * rejectedShare)) % of the rows" : ""))
        } else {
            (method, reason) = (.exact, "\(sizes): exact, as \(costs)"
                + (rejectedShare > 0.1 ? "; cheaper ones gave up \(Int(100 * rejectedShare)) % of the rows" : ""))
        }
    }

    /// Up to here exact regressions neither copy the rows nor pass over them.
    public static let fusedRank = 32
    /// The time of a multiplication in a pass over A against one in a matrix product.
    public static let passWeight = 2.0
    /// What the calls of an exact regression cost beside their multiplications.
    static let callWeight = 20_000.0
}

/// What the regressions of a run cost.
public struct RegressionCounts: Sendable, Hashable, Codable {
    /// Solved by Cholesky from the first.
    public var exact = 0
    /// Solved by conjugate gradients, with a sketch or without.
    public var iterative = 0
    /// Steps of conjugate gradients.
    public var steps = 0
    /// Given up by conjugate gradients, and then solved exactly.
    public var rejected = 0
    /// Singular, with the solution of least length: fewer observations than the rank, or dependent ones.
    public var singular = 0
    /// Multiplications and additions of pairs; those of a sketch are additions alone.
    public var operations = 0

    static func += (a: inout Self, b: Self) {
        a.exact += b.exact
        a.iterative += b.iterative
        a.steps += b.steps
        a.rejected += b.rejected
        a.singular += b.singular
        a.operations += b.operations
    }
}
