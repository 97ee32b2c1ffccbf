import Kernels
import LinearAlgebra

/// P = D V Σ⁻¹ of the sketch S A D = U Σ Vᵀ, so that A P is nearly orthonormal; without the singular vectors that rounding drowns.
struct Whitening<Scalar: KernelScalar>: Sendable {
    /// D⁻¹: norms of the sketched columns, 1 for a column of zeros.
    private let scales: [Scalar]
    private let factor: Matrix<Scalar>
    let singularValues: [Scalar]
    /// Uᵀ S b: the sketched problem's solution in the whitened coordinates.
    let start: [Scalar]
    let sketchRows: Int

    var rank: Int { singularValues.count }
    /// The largest singular value, and how many times it exceeds the smallest that is used.
    var norm: Scalar { singularValues.first ?? 0 }
    var condition: Scalar { rank == 0 ? 1 : singularValues[0] / singularValues[rank - 1] }

    /// - Parameter scalesColumns: whether D makes the sketched columns of norm 1, or is the identity.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ system: LeastSquaresSystem<Scalar>, _ sketch: any Sketch<Scalar>, scalesColumns: Bool) throws(LinearAlgebraError) {
        var sketched = try system.sketched(by: sketch)
        let n = sketched.columns
        var scales = [Scalar](repeating: 1, count: n)
        if scalesColumns {
            scales = columnNorms(sketched)
            for i in 0..<sketched.rows {
                var row = sketched.mutableRow(i)
                for j in 0..<n { row[j] /= scales[j] }
            }
        }
        let qr = try QR(sketched), svd = try SVD(qr.r)
        let u = Scalar.ulpOfOne / 2, largest = svd.singularValues.first ?? 0
        let rank = svd.singularValues.count { $0 > 30 * u * largest }
        singularValues = Array(svd.singularValues[..<rank])
        let vt = svd.vTransposed, values = singularValues
        factor = Matrix(rows: n, columns: rank) { i, k in vt[k, i] / (values[k] * scales[i]) }
        self.scales = scales
        sketchRows = sketch.rows
        let b = sketch.apply(system.right.top) + system.right.bottom
        let rotated = try qr.multiplyQ(Matrix(rows: b.count, columns: 1, elements: b), transpose: true)
        start = Array(svd.u.applyAdjoint(Array(rotated.elements[..<qr.r.rows]))[..<rank])
    }

    /// P y.
    func color(_ y: [Scalar]) -> [Scalar] { factor.apply(y) }

    /// P Y.
    func color(_ y: Matrix<Scalar>) -> Matrix<Scalar> { factor * y }

    /// Pᵀ g.
    func whiten(_ g: [Scalar]) -> [Scalar] { factor.applyAdjoint(g) }

    /// ‖D⁻¹ x‖: the length of the solution in scaled columns.
    func length(_ x: [Scalar]) -> Scalar {
        var scaled = x
        var span = scaled.mutableSpan
        Scalar.multiply(x.span, scales.span, into: &span)
        return Scalar.nrm2(scaled.span)
    }

    /// The Karlson–Waldén estimate (ω/‖r‖) ‖(Σ² + ω²)^(−1/2) Vᵀ D Aᵀ r‖ with ω = ‖r‖/‖D⁻¹ x‖, by ‖Σ‖_F.
    ///
    /// - Parameters:
    ///   - whitened: Pᵀ Aᵀ r.
    ///   - length: ‖D⁻¹ x‖.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func backwardError(whitened: [Scalar], residual: Scalar, length: Scalar) -> Scalar {
        guard residual > 0, rank > 0 else { return 0 }
        var terms = whitened
        if length > 0, residual / length > 0 {
            let omega = residual / length
            for k in terms.indices {
                let pair = [singularValues[k], omega]
                // ω/‖r‖ = 1/length.
                terms[k] *= singularValues[k] / Scalar.nrm2(pair.span) / length
            }
        } else {
            for k in terms.indices { terms[k] *= singularValues[k] / residual }
        }
        return Scalar.nrm2(terms.span) / Scalar.nrm2(singularValues.span)
    }
}

/// ‖aⱼ‖ of each column, scaled so that no square leaves the range; 1 for a column of zeros.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func columnNorms<Scalar: KernelScalar>(_ a: Matrix<Scalar>) -> [Scalar] {
    var largest = [Scalar](repeating: 0, count: a.columns), sums = largest
    for i in 0..<a.rows {
        let row = a.row(i)
        for j in 0..<row.count { largest[j] = max(largest[j], row[j].magnitude) }
    }
    for j in largest.indices where largest[j] == 0 { largest[j] = 1 }
    for i in 0..<a.rows {
        let row = a.row(i)
        for j in 0..<row.count {
            let part = row[j] / largest[j]
            sums[j] += part * part
        }
    }
    return sums.indices.map { sums[$0] > 0 ? largest[$0] * sums[$0].squareRoot() : 1 }
}
