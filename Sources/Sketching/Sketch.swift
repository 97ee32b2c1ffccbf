import Kernels
import LinearAlgebra
import Randomness

/// A distribution of random matrices S of d×m with E SᵀS = I, from which ``sample(_:rows:columns:random:)`` draws one.
///
/// Such a matrix keeps the lengths of the vectors of an n-dimensional space within 1 ± η with high probability, with
/// η ≈ √(n/d) for the good ones: the space is *embedded* in d dimensions. What d that needs, and what applying S costs, is
/// said with each distribution.
public protocol SketchDistribution: Sendable {
    /// Draws S, the same for equal `random`.
    ///
    /// - Parameters:
    ///   - rows: d, the size of the sketch.
    ///   - columns: m, the size of what is sketched.
    /// - Precondition: both are positive.
    func sample<Scalar: KernelScalar>(
        _ type: Scalar.Type, rows: Int, columns: Int, random: RandomStream
    ) -> any Sketch<Scalar>
}

/// A drawn sketching matrix S: a linear operator that is applied to whole matrices.
public protocol Sketch<Scalar>: LinearOperator {
    /// S·A.
    ///
    /// - Precondition: A has `columns` rows.
    func apply(to a: Matrix<Scalar>) -> Matrix<Scalar>
}

extension Sketch {
    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        require(x.count == columns && y.count == rows,
                "a \(rows)×\(columns) sketch from \(x.count) to \(y.count) elements; expected \(columns) and \(rows)")
        let x = Matrix(rows: columns, columns: 1, elements: uninitializedArray(count: columns) { copy(x, &$0) })
        copy(apply(to: x).span, &y)
    }

    /// A·Sᵀ, the sketch of A's rows.
    ///
    /// - Precondition: A has `columns` columns.
    public func applyToRows(of a: Matrix<Scalar>) -> Matrix<Scalar> { apply(to: a.transposed()).transposed() }

    func requireRows(_ a: Matrix<Scalar>) {
        require(a.rows == columns, "a \(rows)×\(columns) sketch of a \(a.rows)×\(a.columns) matrix; expected \(columns) rows")
    }
}

func requireSketch(_ rows: Int, _ columns: Int) {
    require(rows >= 1 && columns >= 1, "a sketch of \(rows)×\(columns); expected positive sizes")
}

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
