import Kernels
import LinearAlgebra

/// A kernel on a grid that is a product over the axes, K = K₁ ⊗ … ⊗ K_d: applied axis by axis, by products of matrices.
///
/// - Complexity: N (n₁ + … + n_d) multiplications for N = n₁ … n_d points.
struct SeparableKernel<Scalar: KernelScalar>: Sendable {
    /// A row for each source point, a column for each target point of an axis.
    let factors: [Matrix<Scalar>]

    /// exp(−rate · cost) for each axis, with 0 for what would be subnormal, which processors are slow at; times the cost on one axis,
    /// if wanted.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(costs: [Matrix<Scalar>], rate: Scalar, weightedAxis: Int? = nil) {
        let least = Scalar.ulpOfOne > 1e-10 ? Scalar(-85) : Scalar(-700)
        factors = costs.enumerated().map { axis, cost in
            var factor = Matrix<Scalar>.zeros(rows: cost.rows, columns: cost.columns)
            var span = factor.mutableSpan
            Scalar.affine(-rate, cost.span, 0, into: &span)
            for k in span.indices where span[k] < least { span[k] = -.infinity }
            Scalar.exp(&span)
            if axis == weightedAxis { for k in span.indices { span[k] *= cost.elements[k] } }
            return factor
        }
    }

    /// K x for x on the target grid; Kᵀ x for x on the source grid if transposed.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func applied(to x: [Scalar], transposed: Bool = false) -> [Scalar] {
        var x = x, outer = 1, inner = factors.reduce(1) { $0 * (transposed ? $1.rows : $1.columns) }
        for factor in factors {
            let (n, m) = transposed ? (factor.columns, factor.rows) : (factor.rows, factor.columns)
            inner /= m
            var y = [Scalar](repeating: 0, count: outer * n * inner)
            var span = y.mutableSpan
            if inner == 1 {
                multiply(MatrixView(x.span, rows: outer, columns: m, rowStride: m), factor.view, transposeB: !transposed, into: &span, rowStride: n)
            } else {
                for o in 0..<outer {
                    var part = span._mutatingExtracting(o * n * inner..<(o + 1) * n * inner)
                    let slice = MatrixView(x.span.extracting(o * m * inner..<(o + 1) * m * inner), rows: m, columns: inner, rowStride: inner)
                    multiply(factor.view, slice, transposeA: transposed, into: &part, rowStride: inner)
                }
            }
            x = y
            outer *= n
        }
        return x
    }
}
