import Kernels
import LinearAlgebra
import Randomness

/// The trace by XTrace: every probe serves both to find the range of A and, with the basis of all the others, to estimate what lies outside
/// of it.
///
///     Y = A Ω,   Qᵢ = orth(Y without column i),   tr A ≈ mean of  tr(QᵢᵀA Qᵢ) + ωᵢᵀ(I − QᵢQᵢᵀ) A (I − QᵢQᵢᵀ) ωᵢ
///
/// Half of the products goes to Ω, of signs, half to A Q. Unbiased, exact for a rank below half of the products; for decaying
/// spectra better than ``HutchPlusPlus`` at the same cost.
///
/// Source: Epperly, Tropp & Webber 2024, arXiv 2301.07825, without their normalisation of residuals. The bases without column i come
/// from one factorisation; where the columns are dependent, from small factorisations with rank decisions.
public struct XTrace<Scalar: KernelScalar>: Sendable, Hashable, Codable {
    public let products: Int
    public let seed: UInt64

    /// - Parameter products: with the operator, even and at least 2.
    public init(products: Int, seed: UInt64 = 0) {
        require(products >= 2 && products % 2 == 0, "\(products) products; expected an even number, at least 2")
        self.products = products
        self.seed = seed
    }

    /// - Precondition: the operator is square.
    /// - Throws: ``CurvatureError/nonFinite(product:)``; ``CurvatureError/factorization(_:)``.
    /// - Complexity: ``products`` products p with the operator at most (fewer where their columns are dependent), O(n p²) for the rest;
    ///   memory for p vectors.
    public func estimate(_ a: any LinearOperator<Scalar>) throws(CurvatureError) -> TraceEstimate {
        requireSquare(a)
        let k = products / 2
        var stream = RandomStream(seed: seed)
        let omega: Matrix<Scalar> = ProbeDistribution.rademacher.probes(k, count: a.rows, using: &stream)
        let y = try Curvature.products(a, rows: omega, numberedFrom: 0)
        let basis = try factorizing { try LeaveOneOutBasis(y.transposed()) }
        let z = try Curvature.products(a, rows: basis.q.transposed(), numberedFrom: k)

        // All that is left is of the basis' size r. h = QᵀA Q; w, t and column i of R are Qᵀωᵢ, QᵀAᵀωᵢ and Qᵀyᵢ.
        let h = multiply(z, basis.q).map { Double($0) }.transposed()
        let w = multiply(omega, basis.q).map { Double($0) }, t = multiply(omega, z, transposeB: true).map { Double($0) }
        let s = basis.lost.map { Double($0) }.transposed(), r = basis.r.map { Double($0) }.transposed()
        let estimates = (0..<k).map { i in
            let (wi, ti, si, ri) = (w.row(i), t.row(i), s.row(i), r.row(i))
            // (I − s sᵀ) w.
            let along = Double.dot(si, wi)
            let p = (0..<si.count).map { wi[$0] - along * si[$0] }
            let hs = h * s.elements(ofRow: i), hp = h * p
            let range = h.trace - Double.dot(si, hs.span)
            let rest = Double.dot(wi, ri) - Double.dot(ti, p.span) - Double.dot(p.span, ri) + Double.dot(p.span, hp.span)
            return range + rest
        }
        return TraceEstimate(estimates, products: k + z.rows)
    }
}

extension Matrix {
    fileprivate func elements(ofRow i: Int) -> [Scalar] { Array(elements[i * columns..<(i + 1) * columns]) }
}
