import Kernels

/// y[p, f] = Σ x[p + t, c] w[t, c, f] + b[f] over taps t ∈ {−1, 0, 1} along each axis and channels c, with zeros around the grid; then
/// max(·, 0) if `rectified`, and + r: a convolution of 2-D or 3-D grids that keeps their extents, in one pass.
///
/// For few channels (up to about 64) and strides of 1 this is several times faster than ``conv2D(_:_:stride:padding:)``: nothing is
/// gathered, and the sums of a tile of places stay in registers.
///
/// The derivative of max(z, 0) + r is taken where y > r, which differs from z > 0 only where z is below the rounding of y.
///
/// - Parameters:
///   - x: shape [images, rows, columns, channels] or [images, planes, rows, columns, channels].
///   - filters: shape [3, 3, channels, filters] or [3, 3, 3, channels, filters].
///   - bias: b, shape [filters].
///   - rectified: whether negative sums become 0. Default: no.
///   - residual: r, of the result's shape.
/// - Returns: the shape of x with filters in place of channels.
/// - Precondition: shapes as above.
/// - Complexity: O(places · taps · channels · filters).
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func gridConvolution<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ filters: Tensor<Scalar>, bias: Tensor<Scalar>? = nil, rectified: Bool = false, residual: Tensor<Scalar>? = nil
) -> Tensor<Scalar> {
    let axes = x.rank - 2
    require(axes == 2 || axes == 3,
            "gridConvolution of a tensor of shape \(x.shape); expected [images, rows, columns, channels] or [images, planes, rows, columns, channels]")
    let channels = x.shape[axes + 1]
    require(filters.rank == axes + 2 && filters.shape.prefix(axes).allSatisfy { $0 == 3 } && filters.shape[axes] == channels,
            "gridConvolution: filters of shape \(filters.shape) for grids of shape \(x.shape); expected \([Int](repeating: 3, count: axes) + [channels]) and their number")
    let count = filters.shape[axes + 1]
    if let bias { require(bias.shape == [count], "gridConvolution: bias of shape \(bias.shape) for \(count) filters; expected [\(count)]") }
    let form = GridConvolutionForm(
        images: x.shape[0], planes: axes == 3 ? x.shape[1] : 1, rows: x.shape[axes - 1], columns: x.shape[axes], channels: channels,
        filters: count, isThreeDimensional: axes == 3)
    if let residual {
        let shape = form.resultShape
        require(residual.shape == shape, "gridConvolution: residual of shape \(residual.shape); expected \(shape), the result's")
    }
    let operation = GridConvolution<Scalar>(
        product: GridProduct(form: form, missing: .result), hasBias: bias != nil, hasResidual: residual != nil, rectified: rectified)
    return apply(operation, to: [x, filters] + [bias, residual].compactMap(\.self))
}

extension GridConvolutionForm {
    private func gridShape(_ last: Int) -> [Int] { [images] + (isThreeDimensional ? [planes] : []) + [rows, columns, last] }

    fileprivate var inputShape: [Int] { gridShape(channels) }
    fileprivate var resultShape: [Int] { gridShape(filters) }
    fileprivate var weightShape: [Int] { [Int](repeating: 3, count: isThreeDimensional ? 3 : 2) + [channels, filters] }
}

/// The whole operation, of inputs x, w and where there are such b and r.
private struct GridConvolution<Scalar: KernelScalar>: DeferrableOperation {
    let product: GridProduct<Scalar>
    let hasBias: Bool, hasResidual: Bool, rectified: Bool

    private var biasIndex: Int? { hasBias ? 2 : nil }
    private var residualIndex: Int? { hasResidual ? (hasBias ? 3 : 2) : nil }

    var derivativesRead: DerivativeOperands { rectified ? [.inputs, .output] : .inputs }

    func resultShape(_ x: [Tensor<Scalar>]) -> [Int] { product.form.resultShape }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let input = x[0], weights = x[1], none = Tensor<Scalar>([0], [])
        let bias = biasIndex.map { x[$0] } ?? none, residual = residualIndex.map { x[$0] } ?? none
        return Tensor(product.form.resultShape, uninitializedArray(count: product.form.resultCount) {
            Scalar.convolve(product.form, input.span, weights: weights.span, bias: bias.span, residual: residual.span, rectified: rectified,
                            into: &$0)
        })
    }

    /// g where the rectifier lets it pass.
    private func passed(_ g: Tensor<Scalar>, _ x: [Tensor<Scalar>], _ y: Tensor<Scalar>) -> Tensor<Scalar> {
        guard rectified else { return g }
        return apply(ElementwisePullback(.relu), to: [g, residualIndex.map { y - x[$0] } ?? y])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        var terms: [Tensor<Scalar>] = []
        if let d = dx[0] { terms.append(apply(product, to: [d, x[1]])) }
        if let d = dx[1] { terms.append(apply(product, to: [x[0], d])) }
        if let i = biasIndex, let d = dx[i] { terms.append(Tensor.zeros(y.shape) + d) }
        var tangent: Tensor<Scalar>?
        for term in terms { tangent = tangent.map { $0 + term } ?? term }
        tangent = tangent.map { passed($0, x, y) }
        if let i = residualIndex, let d = dx[i] { tangent = tangent.map { $0 + d } ?? d }
        return tangent
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let slope = passed(g, x, y)
        var result: [Tensor<Scalar>?] = [
            wanted.contains(0) ? apply(GridProduct(form: product.form, missing: .input), to: [slope, x[1]]) : nil,
            wanted.contains(1) ? apply(GridProduct(form: product.form, missing: .weights), to: [x[0], slope]) : nil,
        ]
        if let i = biasIndex { result.append(wanted.contains(i) ? slope.sum(to: [product.form.filters]) : nil) }
        if hasResidual { result.append(g) }
        return result
    }
}

/// The trilinear form Σ g ∘ conv(x, w) with one of its arguments left out: the gradient in that one. Closed under differentiation.
private struct GridProduct<Scalar: KernelScalar>: DeferrableOperation {
    /// The argument that is left out. Inputs are the other two: x w, g w, or x g.
    enum Argument: Sendable { case result, input, weights }

    let form: GridConvolutionForm, missing: Argument

    var derivativesRead: DerivativeOperands { .inputs }

    func resultShape(_ x: [Tensor<Scalar>]) -> [Int] {
        switch missing {
        case .result: form.resultShape
        case .input: form.inputShape
        case .weights: form.weightShape
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1], none: [Scalar] = []
        switch missing {
        case .result:
            return Tensor(form.resultShape, uninitializedArray(count: form.resultCount) {
                Scalar.convolve(form, a.span, weights: b.span, bias: none.span, residual: none.span, rectified: false, into: &$0)
            })
        case .input:
            // The adjoint of a convolution is one with the taps the other way round, and channels and filters exchanged.
            let adjoint = GridConvolutionForm(
                images: form.images, planes: form.planes, rows: form.rows, columns: form.columns, channels: form.filters,
                filters: form.channels, isThreeDimensional: form.isThreeDimensional)
            let weights: [Scalar] = mirrored(b.span, taps: form.isThreeDimensional ? 27 : 9, form.channels, form.filters)
            return Tensor(form.inputShape, uninitializedArray(count: form.inputCount) {
                Scalar.convolve(adjoint, a.span, weights: weights.span, bias: none.span, residual: none.span, rectified: false, into: &$0)
            })
        case .weights:
            return Tensor(form.weightShape, uninitializedArray(count: form.weightCount) {
                Scalar.convolutionWeightGradient(form, a.span, cotangent: b.span, into: &$0)
            })
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        let first = dx[0].map { apply(self, to: [$0, x[1]]) }, second = dx[1].map { apply(self, to: [x[0], $0]) }
        guard let first, let second else { return first ?? second }
        return first + second
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        func gradient(_ argument: Argument, _ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
            apply(GridProduct(form: form, missing: argument), to: [a, b])
        }
        let first = wanted.contains(0), second = wanted.contains(1)
        switch missing {
        case .result: return [first ? gradient(.input, g, x[1]) : nil, second ? gradient(.weights, x[0], g) : nil]
        case .input: return [first ? gradient(.result, g, x[1]) : nil, second ? gradient(.weights, g, x[0]) : nil]
        case .weights: return [first ? gradient(.input, x[1], g) : nil, second ? gradient(.result, x[0], g) : nil]
        }
    }
}

/// v[−t, f, c] = w[t, c, f].
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func mirrored<Scalar: KernelScalar>(_ w: Span<Scalar>, taps: Int, _ channels: Int, _ filters: Int) -> [Scalar] {
    var result: [Scalar] = filled(w.count, 0)
    for t in 0..<taps {
        for c in 0..<channels {
            for f in 0..<filters { result[((taps - 1 - t) * filters + f) * channels + c] = w[(t * channels + c) * filters + f] }
        }
    }
    return result
}
