import Kernels
import LinearAlgebra

/// An orthonormal basis Q of the range of Y = [y₁ … y_k], and for each i what of that range the others do not span.
///
/// The projector onto the range of Y without yᵢ is Q (I − sᵢ sᵢᵀ) Qᵀ with a unit vector sᵢ, or QQᵀ itself, with sᵢ = 0, where yᵢ
/// depends on the others.
struct LeaveOneOutBasis<Scalar: KernelScalar> {
    /// n × r.
    let q: Matrix<Scalar>
    /// r × k with Y = Q·R.
    let r: Matrix<Scalar>
    /// r × k; column i is sᵢ.
    let lost: Matrix<Scalar>

    /// - Parameter y: n × k.
    init(_ y: Matrix<Scalar>) throws {
        let k = y.columns
        if k <= y.rows {
            let factors = try QR(y)
            let r = factors.r
            // Rᵀ sᵢ ∝ eᵢ: orthogonal to all columns of R but the i-th. Wants an R that is not singular.
            if try reciprocalCondition(ofTriangular: r, triangle: .upper) > Scalar(y.rows) * .ulpOfOne {
                var rows = try solveTriangular(r, .identity(k), triangle: .upper, transpose: true).transposed()
                for i in 0..<k {
                    var row = rows.mutableRow(i)
                    Scalar.scale(1 / Scalar.nrm2(row.span), &row)
                }
                (q, self.r, lost) = (try factors.q(), r, rows.transposed())
                return
            }
        }
        // Dependent columns: a basis of their range alone, and sᵢ by a factorisation of the small R without column i.
        let factors = try PivotedQR(y)
        let rank = factors.rank()
        q = try factors.q().submatrix(rows: 0..<y.rows, columns: 0..<rank)
        let pivoted = factors.r
        var r = Matrix<Scalar>.zeros(rows: rank, columns: k)
        for (j, column) in factors.permutation.enumerated() { for i in 0..<rank { r[i, column] = pivoted[i, j] } }
        var lost = Matrix<Scalar>.zeros(rows: rank, columns: k)
        for i in 0..<k where rank > 0 {
            let others = try PivotedQR(Matrix(rows: rank, columns: k - 1) { r[$0, $1 < i ? $1 : $1 + 1] })
            guard others.rank() < rank else { continue }
            let last = try others.multiplyQ(Matrix(rows: rank, columns: 1) { row, _ in row == rank - 1 ? 1 : 0 })
            for row in 0..<rank { lost[row, i] = last[row, 0] }
        }
        self.r = r
        self.lost = lost
    }
}
