import Kernels
import LinearAlgebra
import Randomness

/// How far S is from an isometry on the range of Q: (least, greatest) singular value of S Q.
///
/// For Q with orthonormal columns these are the extremes of ‖S v‖/‖v‖ over its range; the embedding's distortion is the greater of
/// 1 − least and greatest − 1.
///
/// - Throws: `LinearAlgebraError` of the singular values.
public func embeddingRange<Scalar: KernelScalar>(
    of sketch: any Sketch<Scalar>, onOrthonormal q: Matrix<Scalar>
) throws(LinearAlgebraError) -> ClosedRange<Scalar> {
    let values = try SVD.singularValues(of: sketch.apply(to: q))
    guard let greatest = values.first else { return 1...1 }
    // Fewer rows than columns leave a direction out.
    return (sketch.rows < q.columns ? 0 : values[values.count - 1])...greatest
}

/// An estimate of how far S is from an isometry on the range of A, without orthonormal columns for it.
///
/// With S A = U Σ Vᵀ the singular values of A V Σ⁻¹ are one over those of S on the range of A. Their extremes are estimated by Lanczos steps with full
/// orthogonalisation, so the range is one from inside: it grows towards the true one with `products`, and is exact from as many as A has
/// columns on.
///
/// - Parameters:
///   - products: steps, each one pass over A.
///   - seed: chooses the first vector.
/// - Precondition: S has at least as many rows as A has columns; at least one product.
/// - Throws: `LinearAlgebraError.nonFinite`, `LinearAlgebraError.overflow`, and those of the decompositions.
/// - Complexity: the sketch, O(d n²), and one pass a product.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func estimatedEmbeddingRange<Scalar: KernelScalar>(
    of sketch: any Sketch<Scalar>, onRangeOf a: any SketchableMatrix<Scalar>, products: Int = 20, seed: UInt64 = 0
) throws(LinearAlgebraError) -> ClosedRange<Scalar> {
    require(products >= 1, "\(products) products; expected at least 1")
    require(sketch.rows >= a.columns, "a sketch of \(sketch.rows) rows for \(a.columns) columns; expected at least as many")
    let system = try LeastSquaresSystem(a, [Scalar](repeating: 0, count: a.rows), ridge: 0)
    let p = try Whitening(system, sketch, scalesColumns: true)
    guard p.rank > 0 else { return 1...1 }
    var random = RandomStream(seed: seed)
    var v: [Scalar] = random.normal(count: p.rank)
    var basis: [[Scalar]] = [], diagonal: [Scalar] = [], off: [Scalar] = []
    var scratch = system.right.zeros(), length = Scalar.nrm2(v.span)
    while basis.count < min(products, p.rank), length > 0 {
        let unit = v.map { $0 / length }
        basis.append(unit)
        // Minus the normal product.
        let g = p.whiten(try system.pass(p.color(unit), from: system.right, into: &scratch))
        v = g.map { -$0 }
        diagonal.append(Scalar.dot(v.span, unit.span))
        // Twice is enough.
        for _ in 0..<2 {
            for q in basis {
                let overlap = Scalar.dot(v.span, q.span)
                var span = v.mutableSpan
                Scalar.axpy(-overlap, q.span, &span)
            }
        }
        length = Scalar.nrm2(v.span)
        // Below rounding, the space is invariant.
        if length <= 8 * Scalar.ulpOfOne { length = 0 }
        off.append(length)
    }
    let k = basis.count
    let projected = Matrix<Scalar>(rows: k, columns: k) { i, j in i == j ? diagonal[i] : i == j + 1 ? off[j] : j == i + 1 ? off[i] : 0 }
    let values = try SymmetricEigen.values(of: projected)
    let least = max(values[0], Scalar.leastNormalMagnitude)
    return (1 / values[k - 1].squareRoot())...(1 / least.squareRoot())
}
