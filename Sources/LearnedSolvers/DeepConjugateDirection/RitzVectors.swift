import Kernels
import LinearAlgebra
import Randomness

/// Approximate eigenpairs of a symmetric operator from one Krylov space, by the Lanczos method with full re-orthogonalisation:
///
///     A V ≈ V T,   T s = θ s:   θ is a Ritz value, V s a Ritz vector.
///
/// Each new vector is made orthogonal to all before it twice (classical Gram–Schmidt). If the space is exhausted early there are fewer
/// pairs than asked for.
///
/// - Complexity: `count` products with A, and O(n · count²) for n unknowns, which is most of the time.
public struct RitzVectors: Sendable {
    /// θ, rising.
    public let values: [Double]
    /// One unit vector a row, in the order of ``values``.
    public let vectors: Matrix<Double>

    /// - Parameters:
    ///   - a: symmetric.
    ///   - start: the first vector of the space before it is normalised.
    ///   - count: the dimension of the space.
    /// - Throws: `LinearAlgebraError` if a product is not finite.
    public init(_ a: any LinearOperator<Double>, start: [Double], count: Int) throws(LinearAlgebraError) {
        let n = a.columns
        require(a.rows == n && start.count == n, "start of \(start.count) elements for a \(a.rows)×\(n) operator; expected a square one and \(n)")
        require(count >= 1, "\(count) Ritz vectors; expected at least 1")
        let capacity = min(count, n)
        var basis = Matrix<Double>.zeros(rows: capacity, columns: n)
        var diagonal: [Double] = [], coupling: [Double] = []
        var w = start, norm = Double.nrm2(start.span), scale = 0.0
        while diagonal.count < capacity, norm > 0 {
            let j = diagonal.count
            var row = basis.mutableRow(j)
            Double.affine(1 / norm, w.span, 0, into: &row)
            var image = w.mutableSpan
            a.apply(basis.row(j), into: &image)
            scale = max(scale, Double.nrm2(w.span))
            var own = 0.0
            for _ in 0..<2 {
                // Both products read the rows so far, as they lie.
                let rows = MatrixView(basis.span.extracting(0..<(j + 1) * n), rows: j + 1, columns: n, rowStride: n)
                var components = [Double](repeating: 0, count: j + 1)
                var componentSpan = components.mutableSpan
                multiply(rows, MatrixView(w.span, rows: n, columns: 1, rowStride: 1), into: &componentSpan, rowStride: 1)
                own += components[j]
                var rest = w.mutableSpan
                multiply(rows, MatrixView(components.span, rows: j + 1, columns: 1, rowStride: 1), transposeA: true, alpha: -1, beta: 1,
                         into: &rest, rowStride: 1)
            }
            diagonal.append(own)
            norm = Double.nrm2(w.span)
            // What is left of a vector within the space is rounding.
            if norm <= 16 * Double.ulpOfOne * scale { break }
            coupling.append(norm)
        }
        let size = diagonal.count
        let t = Matrix<Double>(rows: size, columns: size) { i, j in
            i == j ? diagonal[i] : abs(i - j) == 1 ? coupling[min(i, j)] : 0
        }
        let eigen = try SymmetricEigen(t)
        values = eigen.values
        var vectors = Matrix<Double>.zeros(rows: size, columns: n)
        multiply(eigen.vectors.view, basis.view.submatrix(rows: 0..<size, columns: 0..<n), transposeA: true, into: &vectors)
        self.vectors = vectors
    }

    /// Unit vectors that are random sums of the Ritz vectors, one a row: r = Σ cᵢ vᵢ / ‖Σ cᵢ vᵢ‖ with cᵢ ~ 9·N(0, 1) for the first
    /// ⌊m/2⌋ + `shift` of the m vectors and cᵢ ~ N(0, 1) for the others.
    ///
    /// So the slow half of the spectrum has 81 times the energy of the fast one: what is left of a residual after a few iterations of any
    /// solver. Vectors with a Ritz value below 10⁻⁸ count but are left out (rounding, or the null space of a singular operator).
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - shift: Θ of the paper: 500 of 10 000 vectors there.
    /// - Precondition: a Ritz value is at least 10⁻⁸.
    public func mixtures(count: Int, shift: Int, using random: inout RandomStream) -> Matrix<Double> {
        let m = values.count
        require(values.last ?? 0 >= 1e-8, "the largest Ritz value is \(values.last ?? 0); expected at least 1e-8")
        let deviations = (0..<m).map { values[$0] < 1e-8 ? 0 : $0 < m / 2 + shift ? 9.0 : 1 }
        let normal: [Double] = random.normal(count: count * m)
        let coefficients = Matrix<Double>(rows: count, columns: m) { normal[$0 * m + $1] * deviations[$1] }
        var result = multiply(coefficients, vectors)
        for i in 0..<count {
            var row = result.mutableRow(i)
            Double.scale(1 / Double.nrm2(row.span), &row)
        }
        return result
    }
}
