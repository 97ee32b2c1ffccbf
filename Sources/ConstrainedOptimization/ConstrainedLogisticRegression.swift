import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// Mean logistic loss of sparse examples under equality constraints:
///
/// min (1/N) Σᵢ log(1 + exp(−yᵢ aᵢᵀx)) subject to C x = d and, with a radius R, ‖x‖² = R².
///
/// The sphere is the last constraint. Its multiplier λ adds 2 λ I to the Hessian of the Lagrangian.
public struct ConstrainedLogisticRegression<Scalar: KernelScalar & Real>: TwiceDifferentiableConstrainedObjective, Sendable {
    /// One row aᵢ for each example.
    public let features: SparseMatrix<Scalar>
    /// C and d.
    public let linear: Matrix<Scalar>, linearValues: [Scalar]
    /// R; `nil` for no sphere.
    public let radius: Scalar?
    private let signs: [Scalar]

    /// - `labels`: `true` for y = 1, `false` for y = −1.
    /// - Precondition: at least one example, a label for each, as many values as rows of C, whose columns are those of the features, and a positive radius.
    public init(features: SparseMatrix<Scalar>, labels: [Bool], linear: Matrix<Scalar>? = nil, linearValues: [Scalar] = [], radius: Scalar? = 1) {
        require(features.rows > 0 && labels.count == features.rows,
                "\(labels.count) labels for \(features.rows) rows; expected equal counts of at least 1")
        let linear = linear ?? .zeros(rows: 0, columns: features.columns)
        require(linear.columns == features.columns && linearValues.count == linear.rows,
                "linear constraints are \(linear.rows)×\(linear.columns) with \(linearValues.count) values; expected \(features.columns) columns and a value for each row")
        require(radius.map { $0 > 0 } ?? true, "radius is \(radius ?? 0); expected a positive number")
        (self.features, self.linear, self.linearValues, self.radius) = (features, linear, linearValues, radius)
        signs = labels.map { $0 ? 1 : -1 }
    }

    public var dimension: Int { features.columns }
    public var constraintCount: Int { linear.rows + (radius == nil ? 0 : 1) }

    public func value(at x: Span<Scalar>) -> Scalar {
        requireDimension(x.count)
        return meanLoss(margins(x))
    }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        requireDimension(x.count)
        requireDimension(gradient.count, "gradient")
        let margins = margins(x), weights = zip(signs, margins).map { -$0 * sigmoid(-$1) / Scalar(features.rows) }
        features.applyAdjoint(weights.span, into: &gradient)
        return meanLoss(margins)
    }

    public func constraints(at x: Span<Scalar>, into values: inout MutableSpan<Scalar>) {
        requireDimension(x.count)
        for i in 0..<linear.rows { values[i] = Scalar.dot(linear.row(i), x) - linearValues[i] }
        if let radius { values[linear.rows] = Scalar.dot(x, x) - radius * radius }
    }

    public func jacobianProduct(at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        for i in 0..<linear.rows { product[i] = Scalar.dot(linear.row(i), v) }
        if radius != nil { product[linear.rows] = 2 * Scalar.dot(x, v) }
    }

    public func transposedJacobianProduct(at x: Span<Scalar>, multipliers u: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        for j in product.indices { product[j] = 0 }
        for i in 0..<linear.rows { Scalar.axpy(u[i], linear.row(i), &product) }
        if radius != nil { Scalar.axpy(2 * u[linear.rows], x, &product) }
    }

    public func lagrangianHessianProduct(
        at x: Span<Scalar>, multipliers: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
    ) {
        var images = [Scalar](repeating: 0, count: features.rows)
        var span = images.mutableSpan
        features.apply(v, into: &span)
        let weighted = zip(curvatures(x), images).map { $0 * $1 }
        features.applyAdjoint(weighted.span, into: &product)
        if radius != nil { Scalar.axpy(2 * multipliers[linear.rows], v, &product) }
    }

    /// Σ wᵢ aᵢaᵢᵀ over the entries alone: O(Σ entries²).
    public func lagrangianHessian(at x: Span<Scalar>, multipliers: Span<Scalar>) -> Matrix<Scalar> {
        var result = weightedGram(features, curvatures(x))
        if radius != nil {
            for i in 0..<dimension { result[i, i] += 2 * multipliers[linear.rows] }
        }
        return result
    }

    /// The share of examples that the sign of aᵢᵀx classifies as their label says.
    public func accuracy(at x: [Scalar]) -> Double {
        requireDimension(x.count)
        return Double(margins(x.span).count { $0 > 0 }) / Double(features.rows)
    }

    /// yᵢ aᵢᵀx.
    private func margins(_ x: Span<Scalar>) -> [Scalar] {
        var images = [Scalar](repeating: 0, count: features.rows)
        var span = images.mutableSpan
        features.apply(x, into: &span)
        return zip(signs, images).map { $0 * $1 }
    }

    private func meanLoss(_ margins: [Scalar]) -> Scalar {
        margins.reduce(0) { $0 + max(-$1, 0) + .log(onePlus: .exp(-abs($1))) } / Scalar(features.rows)
    }

    /// p (1 − p)/N of each example.
    private func curvatures(_ x: Span<Scalar>) -> [Scalar] {
        margins(x).map { sigmoid($0) * sigmoid(-$0) / Scalar(features.rows) }
    }

    /// 1/(1 + exp(−m)) without overflow.
    private func sigmoid(_ margin: Scalar) -> Scalar {
        let e = Scalar.exp(-abs(margin))
        return margin >= 0 ? 1 / (1 + e) : e / (1 + e)
    }
}

/// Σ wᵢ aᵢaᵢᵀ over the rows of a sparse matrix.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func weightedGram<Scalar: KernelScalar>(_ a: SparseMatrix<Scalar>, _ weights: [Scalar]) -> Matrix<Scalar> {
    let n = a.columns, columns = a.columnIndices, values = a.values
    var elements = [Scalar](repeating: 0, count: n * n)
    for i in 0..<a.rows {
        let range = a.rowOffsets[i]..<a.rowOffsets[i + 1]
        for k in range {
            let factor = weights[i] * values[k], start = Int(columns[k]) * n
            for l in range.lowerBound...k { elements[start + Int(columns[l])] += factor * values[l] }
        }
    }
    for i in 0..<n {
        for j in 0..<i { elements[j * n + i] = elements[i * n + j] }
    }
    return Matrix(rows: n, columns: n, elements: elements)
}
