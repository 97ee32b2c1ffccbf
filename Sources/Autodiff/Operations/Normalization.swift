import Kernels

/// (x − μ) / √(σ² + ε) ∘ scale + shift, with μ and σ² the mean and variance of each row of the last axis: layer normalisation (Ba, Kiros and
/// Hinton 2016, arXiv:1607.06450).
///
/// Rows whose mean is far larger than their deviation keep their digits; PyTorch's lose them. A constant row gives the shift.
///
/// - Parameters:
///   - scale: one number for each column, or a shape that broadcasts to x's.
///   - shift: one number for each column, or a shape that broadcasts to x's.
///   - epsilon: positive, or 0 for rows that are not constant. Default: 1e-5, PyTorch's; the paper names none.
/// - Precondition: x has an axis, and its last one is not empty.
/// - Complexity: O(count), in one pass over x where scale and shift have one number for each column; a derivative keeps x and three
///   numbers for each row.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func layerNorm<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ scale: Tensor<Scalar>, _ shift: Tensor<Scalar>, epsilon: Scalar = 1e-5
) -> Tensor<Scalar> {
    require(x.rank > 0 && x.shape[x.rank - 1] > 0, "layerNorm of shape \(x.shape); expected a last axis that is not empty")
    require(epsilon >= 0, "layerNorm: epsilon is \(epsilon); expected no negative number")
    requireBroadcast(scale, to: x, "layerNorm: scale")
    requireBroadcast(shift, to: x, "layerNorm: shift")
    let row = [x.shape[x.rank - 1]]
    if scale.shape == row, shift.shape == row { return apply(LayerNormalization(epsilon: epsilon), to: [x, scale, shift]) }
    return apply(NormalizedRows(epsilon: epsilon), to: [x]) * scale + shift
}

/// (x − μ) / √(σ² + ε) ∘ scale + shift, with μ and σ² the mean and variance of each column of the last axis over all others: batch
/// normalisation in training (Ioffe and Szegedy 2015, arXiv:1502.03167).
///
/// With images as [images, rows, columns, channels] it normalises channels.
///
/// - Parameters:
///   - scale: one number for each column, or a shape that broadcasts to x's.
///   - shift: one number for each column, or a shape that broadcasts to x's.
///   - epsilon: positive, or 0 for columns that are not constant. Default: 1e-5, PyTorch's; the paper names none.
/// - Returns: the result, and the mean and the variance of each column as constants, for running averages. Differs from PyTorch, whose
///   running variance divides by the number of rows less 1: this one divides by their number, as the normalisation does.
/// - Precondition: at least one row.
/// - Complexity: O(count); a derivative keeps x alone.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func batchNorm<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ scale: Tensor<Scalar>, _ shift: Tensor<Scalar>, epsilon: Scalar = 1e-5
) -> (output: Tensor<Scalar>, mean: Tensor<Scalar>, variance: Tensor<Scalar>) {
    let columns = x.shape.last ?? 0
    require(columns > 0 && x.count > 0, "batchNorm of shape \(x.shape); expected at least one row, and a last axis that is not empty")
    require(epsilon >= 0, "batchNorm: epsilon is \(epsilon); expected no negative number")
    requireBroadcast(scale, to: x, "batchNorm: scale")
    requireBroadcast(shift, to: x, "batchNorm: shift")
    let columnForm = ColumnNormalization(x, epsilon: epsilon)
    let normalized = record(NormalizedColumns(epsilon: epsilon), [x]) { _ in columnForm.normalized }
    return (normalized * scale + shift, Tensor(columnForm.means), Tensor(columnForm.variances))
}

/// (x − mean) / √(variance + ε) ∘ scale + shift with given statistics: batch normalisation in inference.
///
/// - Parameters:
///   - scale: shapes that broadcast to x's. All may be differentiated.
///   - shift: shapes that broadcast to x's. All may be differentiated.
///   - mean: shapes that broadcast to x's. All may be differentiated.
///   - variance: shapes that broadcast to x's. All may be differentiated.
///   - epsilon: Default: 1e-5.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func batchNorm<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ scale: Tensor<Scalar>, _ shift: Tensor<Scalar>, mean: Tensor<Scalar>, variance: Tensor<Scalar>,
    epsilon: Scalar = 1e-5
) -> Tensor<Scalar> {
    for (name, tensor) in [("scale", scale), ("shift", shift), ("mean", mean), ("variance", variance)] {
        requireBroadcast(tensor, to: x, "batchNorm: \(name)")
    }
    return (x - mean) * (scale / (variance + epsilon).squareRoot()) + shift
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func requireBroadcast<Scalar: KernelScalar>(_ a: Tensor<Scalar>, to x: Tensor<Scalar>, _ name: @autoclosure () -> String) {
    require(broadcastShape(a.shape, x.shape, name()) == x.shape,
            "\(name()) of shape \(a.shape) for x of shape \(x.shape); expected a shape that broadcasts to it")
}

/// The layer norm of inputs x, scale and shift, the latter with one number for each column.
struct LayerNormalization<Scalar: KernelScalar>: FusedOperation {
    let epsilon: Scalar
    let statistics = Residuals<RowStatistics<Scalar>>()

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let (a, scale, shift) = (x[0], x[1], x[2]), rows = a.count / scale.count
        var means: [Scalar] = filled(rows, 0), rests = means, inverses = means
        let elements: [Scalar] = uninitializedArray(count: a.count) { y in
            var meanSpan = means.mutableSpan, restSpan = rests.mutableSpan, inverseSpan = inverses.mutableSpan
            Scalar.layerNorm(
                rows: rows, columns: scale.count, of: a.span, epsilon: epsilon, scale: scale.span, shift: shift.span, into: &y,
                means: &meanSpan, rests: &restSpan, inverseDeviations: &inverseSpan)
        }
        statistics.value = RowStatistics(means: means, rests: rests, inverseDeviations: inverses)
        return Tensor(a.shape, elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { apply(NormalizedRows(epsilon: epsilon), to: [x[0]]) * x[1] + x[2] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let all = apply(LayerNormalizationPullback(normalization: self), to: [g, x[0], x[1]])
        let rows = all.shape[0] - 2
        // Copies of a row: a part would keep the cotangent of x in memory.
        func row(_ i: Int) -> Tensor<Scalar> { apply(Slice(axis: 0, range: rows + i..<rows + i + 1), to: [all]).reshaped(x[1].shape) }
        return [wanted.contains(0) ? all.part(from: 0, shape: x[0].shape) : nil, wanted.contains(1) ? row(0) : nil,
                wanted.contains(2) ? row(1) : nil]
    }
}

/// Means, rounded, what they lack, and reciprocals of the deviations.
struct RowStatistics<Scalar: KernelScalar>: Sendable {
    let means: [Scalar], rests: [Scalar], inverseDeviations: [Scalar]
}

/// The cotangents of x, scale and shift under each other, the latter two a row each, of inputs g, x and scale.
struct LayerNormalizationPullback<Scalar: KernelScalar>: FusedOperation {
    let normalization: LayerNormalization<Scalar>

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let (g, a, scale) = (x[0], x[1], x[2]), columns = scale.count, rows = a.count / columns
        // The value has run before.
        let statistics = normalization.statistics.value!
        var ofScale: [Scalar] = filled(columns, 0), ofShift = ofScale
        return Tensor([rows + 2, columns], uninitializedArray(count: a.count + 2 * columns) { out in
            var own = out._mutatingExtracting(0..<a.count), scales = ofScale.mutableSpan, shifts = ofShift.mutableSpan
            Scalar.layerNormPullback(
                rows: rows, columns: columns, g.span, of: a.span, means: statistics.means.span, rests: statistics.rests.span,
                inverseDeviations: statistics.inverseDeviations.span, scale: scale.span, into: &own, scale: &scales, shift: &shifts)
            var last = out._mutatingExtracting(a.count..<a.count + columns)
            copy(ofScale.span, &last)
            last = out._mutatingExtracting(a.count + columns..<a.count + 2 * columns)
            copy(ofShift.span, &last)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let (g, a, scale) = (x[0], x[1], x[2]), columns = scale.count
        let normalized = apply(NormalizedRows(epsilon: normalization.epsilon), to: [a])
        let own = apply(NormalizedRowsPullback(epsilon: normalization.epsilon), to: [g * scale, a])
        let parts = [own, (g * normalized).sum(to: scale.shape), g.sum(to: scale.shape)]
        return concatenated(parts.map { $0.reshaped([$0.count / columns, columns]) }, alongAxis: 0)
    }
}

/// Rows of the last axis with mean 0 and variance 1.
struct NormalizedRows<Scalar: KernelScalar>: DifferentiableOperation {
    let epsilon: Scalar

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        Tensor(x[0].shape, normalizedRows(x[0], epsilon).normalized)
    }

    // The Jacobian of a row is symmetric.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(NormalizedRowsPullback(epsilon: epsilon), to: [dx[0]!, x[0]])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(NormalizedRowsPullback(epsilon: epsilon), to: [g, x[0]])]
    }
}

/// r (g − mean g − y mean(g y)) in rows, y being x normalised and r = 1/√(σ² + ε), of inputs g and x.
struct NormalizedRowsPullback<Scalar: KernelScalar>: FusedOperation {
    let epsilon: Scalar

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let g = x[0], columns = g.shape[g.rank - 1]
        let (y, inverses) = normalizedRows(x[1], epsilon)
        return Tensor(g.shape, uninitializedArray(count: g.count) {
            Scalar.normalizeRowsPullback(
                rows: inverses.count, columns: columns, g.span, normalized: y.span, inverseDeviations: inverses.span, into: &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        normalizationPullback(x[0], x[1], alongAxes: [-1], epsilon)
    }
}

/// The columns of the last axis with mean 0 and variance 1.
struct NormalizedColumns<Scalar: KernelScalar>: DifferentiableOperation {
    let epsilon: Scalar

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { ColumnNormalization(x[0], epsilon: epsilon).normalized }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(NormalizedColumnsPullback(epsilon: epsilon), to: [dx[0]!, x[0]])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(NormalizedColumnsPullback(epsilon: epsilon), to: [g, x[0]])]
    }
}

/// As ``NormalizedRowsPullback``, in columns.
struct NormalizedColumnsPullback<Scalar: KernelScalar>: FusedOperation {
    let epsilon: Scalar

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> { ColumnNormalization(x[1], epsilon: epsilon).pullback(x[0]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        normalizationPullback(x[0], x[1], alongAxes: Array(0..<x[1].rank - 1), epsilon)
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func normalizationPullback<Scalar: KernelScalar>(
    _ g: Tensor<Scalar>, _ x: Tensor<Scalar>, alongAxes axes: [Int], _ epsilon: Scalar
) -> Tensor<Scalar> {
    // x of one axis is one row of columns: each its own mean.
    guard !axes.isEmpty else { return g * 0 }
    let centred = x - x.mean(alongAxes: axes, keepingAxes: true)
    let inverse = (centred.squared().mean(alongAxes: axes, keepingAxes: true) + epsilon).squareRoot().reciprocal()
    let y = centred * inverse
    let projected = g - g.mean(alongAxes: axes, keepingAxes: true) - y * (g * y).mean(alongAxes: axes, keepingAxes: true)
    return inverse * projected
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func normalizedRows<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ epsilon: Scalar
) -> (normalized: [Scalar], inverseDeviations: [Scalar]) {
    let columns = x.shape[x.rank - 1], rows = x.count / columns
    var means: [Scalar] = filled(rows, 0), inverses: [Scalar] = filled(rows, 0)
    let normalized: [Scalar] = uninitializedArray(count: x.count) { y in
        var meanSpan = means.mutableSpan, inverseSpan = inverses.mutableSpan
        Scalar.normalizeRows(
            rows: rows, columns: columns, of: x.span, epsilon: epsilon, into: &y, means: &meanSpan, inverseDeviations: &inverseSpan)
    }
    return (normalized, inverses)
}

/// The columns of the last axis, normalised over all other axes, on plain data.
struct ColumnNormalization<Scalar: KernelScalar> {
    let normalized: Tensor<Scalar>
    let means: [Scalar], variances: [Scalar]
    private let inverseDeviations: [Scalar]
    private let rows: Int, columns: Int

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ x: Tensor<Scalar>, epsilon: Scalar) {
        let columns = x.shape[x.rank - 1], rows = x.count / columns
        (self.rows, self.columns) = (rows, columns)
        // The mean of what is left corrects the rounding of a mean far larger than the deviation.
        let rough = columnMeans(x.span, rows, columns, divisor: -Scalar(rows))
        let nearly: [Scalar] = uninitializedArray(count: x.count) {
            Scalar.addRow(rows: rows, columns: columns, x.span, rough.span, into: &$0)
        }
        let correction = columnMeans(nearly.span, rows, columns, divisor: -Scalar(rows))
        let centred: [Scalar] = uninitializedArray(count: x.count) {
            Scalar.addRow(rows: rows, columns: columns, nearly.span, correction.span, into: &$0)
        }
        let squares: [Scalar] = uninitializedArray(count: x.count) { Scalar.apply(.square, centred.span, into: &$0) }
        let variances = columnMeans(squares.span, rows, columns, divisor: Scalar(rows))
        let inverses = variances.map { 1 / ($0 + epsilon).squareRoot() }
        means = zip(rough, correction).map { -($0 + $1) }
        self.variances = variances
        inverseDeviations = inverses
        normalized = Tensor(x.shape, uninitializedArray(count: x.count) {
            Scalar.multiplyRow(rows: rows, columns: columns, centred.span, inverses.span, into: &$0)
        })
    }

    /// r (g − mean g − y mean(g y)).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func pullback(_ g: Tensor<Scalar>) -> Tensor<Scalar> {
        let products: [Scalar] = uninitializedArray(count: g.count) { Scalar.multiply(g.span, normalized.span, into: &$0) }
        let mean = columnMeans(g.span, rows, columns, divisor: Scalar(rows))
        let slope = columnMeans(products.span, rows, columns, divisor: Scalar(rows))
        return Tensor(g.shape, uninitializedArray(count: g.count) { out in
            project(g.span, normalized.span, mean.span, slope.span, inverseDeviations.span, &out)
        })
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func columnMeans<Scalar: KernelScalar>(_ x: Span<Scalar>, _ rows: Int, _ columns: Int, divisor: Scalar) -> [Scalar] {
    let sums: [Scalar] = uninitializedArray(count: columns) { Scalar.columnSums(rows: rows, columns: columns, of: x, into: &$0) }
    return sums.map { $0 / divisor }
}

/// outᵢₖ = rₖ (gᵢₖ − mₖ − yᵢₖ sₖ).
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func project<Scalar: KernelScalar>(
    _ g: Span<Scalar>, _ y: Span<Scalar>, _ mean: Span<Scalar>, _ slope: Span<Scalar>, _ inverse: Span<Scalar>, _ out: inout MutableSpan<Scalar>
) {
    var start = 0
    while start < g.count {
        for k in mean.indices { out[start + k] = inverse[k] * (g[start + k] - mean[k] - y[start + k] * slope[k]) }
        start += mean.count
    }
}
