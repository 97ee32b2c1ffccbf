import Kernels
import LinearAlgebra

/// y[b, i, j, f] = Σ x[b, i·s + p, j·t + q, c] w[p, q, c, f] over p, q and c: cross-correlation of images with filters, strides (s, t).
///
/// By products of patches with the filters, a few rows of places at a time: the work space is at most about 1 MiB a
/// thread, and derivatives keep x and w alone.
///
/// Differs from PyTorch in the layout: images are [images, rows, columns, channels] and filters [rows, columns, channels, filters], as in
/// JAX's NHWC/HWIO and Keras, so that channels are contiguous. There is no grouping and no dilation.
///
/// - Parameters:
///   - x: shape [images, rows, columns, channels].
///   - filters: shape [window rows, window columns, channels, filters].
///   - stride: steps between windows, in rows and columns. Default: 1 each.
///   - padding: zeros around each image. Default: none.
/// - Returns: shape [images, places along rows, places along columns, filters].
/// - Precondition: equal channels, strides of at least 1, and windows that fit the padded images.
/// - Complexity: O(images · places · window · channels · filters), at the speed of BLAS `gemm`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func conv2D<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ filters: Tensor<Scalar>, stride: (Int, Int) = (1, 1), padding: WindowPadding = .valid
) -> Tensor<Scalar> {
    requireFilters(filters.shape, "conv2D")
    let form = WindowForm(x.shape, (filters.shape[0], filters.shape[1]), stride, padding, "conv2D")
    require(form.channels == filters.shape[2],
            "conv2D: images of shape \(x.shape) have \(form.channels) channels, filters of shape \(filters.shape) have \(filters.shape[2]); expected equal numbers")
    return apply(Convolution(form, filters: filters.shape[3], gives: .result), to: [x, filters])
}

/// y[b, i·s + p, j·t + q, c] = Σ x[b, i, j, f] w[p, q, c, f]: the adjoint of ``conv2D(_:_:stride:padding:)`` in the images, for the same
/// filters, strides and padding. It enlarges images by the stride.
///
/// As PyTorch's `conv_transpose2d` but for the layout. Differs from JAX's `conv_transpose`, which flips the filters unless told not to.
///
/// - Parameters:
///   - x: shape [images, rows, columns, filters].
///   - filters: shape [window rows, window columns, channels, filters].
///   - size: rows and columns of the result. Several sizes convolve to one, so with strides above 1 there is a choice. Default: the
///     smallest, (rows − 1)·stride + window − padding; with ``WindowPadding/same`` the greatest, rows · stride.
/// - Returns: shape [images, rows, columns, channels].
/// - Precondition: as many filters as x has channels, and a convolution of images of that size gives those of x.
/// - Complexity: as the convolution.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func transposedConv2D<Scalar: KernelScalar>(
    _ x: Tensor<Scalar>, _ filters: Tensor<Scalar>, stride: (Int, Int) = (1, 1), padding: WindowPadding = .valid,
    size: (rows: Int, columns: Int)? = nil
) -> Tensor<Scalar> {
    requireFilters(filters.shape, "transposedConv2D")
    let (kernel, shape) = (filters.shape, x.shape)
    require(shape.count == 4, "transposedConv2D of a tensor of shape \(shape); expected [images, rows, columns, filters]")
    require(shape[3] == kernel[3],
            "transposedConv2D: images of shape \(shape) have \(shape[3]) channels, filters of shape \(kernel) are \(kernel[3]); expected equal numbers")
    requireWindow("rows", kernel[0], stride.0, "transposedConv2D")
    requireWindow("columns", kernel[1], stride.1, "transposedConv2D")
    let (top, bottom, left, right) = padding.amounts("transposedConv2D")
    func extent(_ places: Int, _ window: Int, _ stride: Int, _ before: Int?, _ after: Int?) -> Int {
        guard let before, let after else { return places * stride }
        return max(0, (places - 1) * stride + window - before - after)
    }
    let rows = size?.rows ?? extent(shape[1], kernel[0], stride.0, top, bottom)
    let columns = size?.columns ?? extent(shape[2], kernel[1], stride.1, left, right)
    let form = WindowForm([shape[0], rows, columns, kernel[2]], (kernel[0], kernel[1]), stride, padding, "transposedConv2D")
    require(form.rows.places == shape[1] && form.columns.places == shape[2],
            "transposedConv2D to \(rows)×\(columns): those convolve to \(form.rows.places)×\(form.columns.places); expected \(shape[1])×\(shape[2]), as x has")
    return apply(Convolution(form, filters: kernel[3], gives: .images), to: [x, filters])
}

private func requireFilters(_ shape: [Int], _ operation: String) {
    require(shape.count == 4, "\(operation): filters of shape \(shape); expected [rows, columns, channels, filters]")
}

/// The trilinear form Σ g ∘ conv(x, w), with one of its three arguments left out: the gradient in that one.
///
/// The three operations are closed under differentiation: each is linear in both of its inputs, and its adjoints are the other two.
struct Convolution<Scalar: KernelScalar>: DeferrableOperation {
    /// The argument that is left out. Inputs are the other two, in the order images, result, filters.
    enum Argument: Sendable { case images, result, filters }

    let form: WindowForm, filters: Int, missing: Argument

    init(_ form: WindowForm, filters: Int, gives missing: Argument) {
        (self.form, self.filters, self.missing) = (form, filters, missing)
    }

    private var resultShape: [Int] { [form.images, form.rows.places, form.columns.places, filters] }
    private var filterShape: [Int] { [form.rows.window, form.columns.window, form.channels, filters] }

    var derivativesRead: DerivativeOperands { .inputs }

    func resultShape(_ x: [Tensor<Scalar>]) -> [Int] {
        switch missing {
        case .result: resultShape
        case .images: form.imageShape
        case .filters: filterShape
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        switch missing {
        case .result: result(x[0], x[1])
        case .images: images(x[0], x[1])
        case .filters: filterGradient(x[0], x[1])
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        let first = dx[0].map { apply(self, to: [$0, x[1]]) }
        let second = dx[1].map { apply(self, to: [x[0], $0]) }
        guard let first, let second else { return first ?? second }
        return first + second
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        // The cotangent stands for the argument that is missing.
        let first = wanted.contains(0), second = wanted.contains(1)
        switch missing {
        case .result:
            return [first ? gradient(.images, g, x[1]) : nil, second ? gradient(.filters, x[0], g) : nil]
        case .images:
            return [first ? gradient(.result, g, x[1]) : nil, second ? gradient(.filters, g, x[0]) : nil]
        case .filters:
            return [first ? gradient(.images, x[1], g) : nil, second ? gradient(.result, x[0], g) : nil]
        }
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func gradient(_ argument: Argument, _ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
        apply(Convolution(form, filters: filters, gives: argument), to: [a, b])
    }

    // MARK: On plain data

    private var patchLength: Int { form.rows.window * form.columns.window * form.channels }

    /// Whether a patch is one element of the image, with its channels: no patches need to be gathered then.
    private var isPointwise: Bool {
        form.rows.window == 1 && form.columns.window == 1 && form.rows.stride == 1 && form.columns.stride == 1
            && form.rows.places == form.rows.extent && form.columns.places == form.columns.extent && form.rows.before == 0 && form.columns.before == 0
    }

    /// How many rows of places have their patches in the work space at a time, of `available` ones.
    private func blockRows(_ available: Int) -> Int {
        let bytes = max(1, form.columns.places * patchLength) * MemoryLayout<Scalar>.stride
        return max(1, min(available, (1 << 20) / bytes))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func result(_ x: Tensor<Scalar>, _ w: Tensor<Scalar>) -> Tensor<Scalar> {
        let count = elementCount(resultShape), length = patchLength, places = form.columns.places
        guard count > 0, length > 0 else { return .zeros(resultShape) }
        return Tensor(resultShape, uninitializedArray(count: count) { out in
            if isPointwise {
                return LinearAlgebra.multiply(matrix(x.span, length), matrix(w.span, filters), into: &out, rowStride: filters)
            }
            let block = blockRows(form.images * form.rows.places)
            concurrentBlocks(of: &out, blockLength: block * places * filters) { [form, filters] index, part in
                let rows = part.count / filters
                let patches: [Scalar] = uninitializedArray(count: rows * length) {
                    gatherPatches(x.span, form, from: index * block, &$0)
                }
                LinearAlgebra.multiply(matrix(patches.span, length), matrix(w.span, filters), into: &part, rowStride: filters)
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func images(_ g: Tensor<Scalar>, _ w: Tensor<Scalar>) -> Tensor<Scalar> {
        let shape = form.imageShape, length = patchLength
        let count = elementCount(shape)
        guard count > 0, g.count > 0 else { return .zeros(shape) }
        if isPointwise {
            return Tensor(shape, uninitializedArray(count: count) { out in
                LinearAlgebra.multiply(matrix(g.span, filters), matrix(w.span, filters), transposeB: true, into: &out, rowStride: length)
            })
        }
        var elements: [Scalar] = filled(count, 0)
        let block = blockRows(form.rows.places), rowCount = form.columns.places * filters
        var out = elements.mutableSpan
        // Patches of one image overlap, those of different images do not.
        concurrentBlocks(of: &out, blockLength: count / form.images) { [form, filters] image, part in
            for first in stride(from: 0, to: form.rows.places, by: block) {
                let rows = min(block, form.rows.places - first)
                let start = (image * form.rows.places + first) * rowCount
                let patches: [Scalar] = uninitializedArray(count: rows * form.columns.places * length) {
                    LinearAlgebra.multiply(
                        matrix(g.span.extracting(start..<start + rows * rowCount), filters), matrix(w.span, filters),
                        transposeB: true, into: &$0, rowStride: length)
                }
                scatterPatches(patches.span, form, from: first, &part)
            }
        }
        return Tensor(shape, elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func filterGradient(_ x: Tensor<Scalar>, _ g: Tensor<Scalar>) -> Tensor<Scalar> {
        let length = patchLength, count = length * filters
        guard g.count > 0, count > 0 else { return .zeros(filterShape) }
        return Tensor(filterShape, uninitializedArray(count: count) { out in
            if isPointwise {
                return LinearAlgebra.multiply(matrix(x.span, length), matrix(g.span, filters), transposeA: true, into: &out, rowStride: filters)
            }
            let all = form.images * form.rows.places, block = blockRows(all), rowCount = form.columns.places * filters
            for first in stride(from: 0, to: all, by: block) {
                let rows = min(block, all - first)
                let patches: [Scalar] = uninitializedArray(count: rows * form.columns.places * length) {
                    gatherPatches(x.span, form, from: first, &$0)
                }
                LinearAlgebra.multiply(
                    matrix(patches.span, length), matrix(g.span.extracting(first * rowCount..<(first + rows) * rowCount), filters),
                    transposeA: true, beta: first == 0 ? 0 : 1, into: &out, rowStride: filters)
            }
        })
    }
}

/// Contiguous rows of `columns` elements.
@_lifetime(copy elements)
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func matrix<Scalar: KernelScalar>(_ elements: Span<Scalar>, _ columns: Int) -> MatrixView<Scalar> {
    MatrixView(elements, rows: columns == 0 ? 0 : elements.count / columns, columns: columns, rowStride: columns)
}

/// The patches of places, one after the other, from row of places `first` on, counted over all images; as many rows as there is room for.
///
/// An image with padding is copied with it first: each row of places then takes one call for all its windows.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func gatherPatches<Scalar: KernelScalar>(
    _ x: Span<Scalar>, _ form: WindowForm, from first: Int, _ patches: inout MutableSpan<Scalar>
) {
    let across = form.columns.covered(by: 0..<form.columns.places)
    var start = 0, row = first
    while start < patches.count {
        let image = row / form.rows.places, place = row % form.rows.places
        let places = place..<min(form.rows.places, place + (patches.count - start) / form.patchRow)
        let along = form.rows.covered(by: places)
        var part = patches._mutatingExtracting(start..<start + places.count * form.patchRow)
        if along.inside.count == along.length, across.inside.count == across.length {
            gatherRows(x.extracting(form.place(image, along.start, across.start)...), columns: form.columns.extent, form, &part)
        } else {
            var padded: [Scalar] = filled(along.length * across.length * form.channels, 0)
            if !along.inside.isEmpty, !across.inside.isEmpty {
                var span = padded.mutableSpan
                var inside = span._mutatingExtracting(((along.inside.lowerBound * across.length + across.inside.lowerBound) * form.channels)...)
                Scalar.copyRuns(
                    rows: 1, runs: along.inside.count, length: across.inside.count * form.channels,
                    of: x.extracting(form.place(image, along.start + along.inside.lowerBound, across.start + across.inside.lowerBound)...),
                    row: 0, step: form.columns.extent * form.channels, into: &inside, row: 0, step: across.length * form.channels)
            }
            gatherRows(padded.span, columns: across.length, form, &part)
        }
        start += places.count * form.patchRow
        row += places.count
    }
}

/// The patches of rows of places whose windows lie inside x, the first at its beginning.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func gatherRows<Scalar: KernelScalar>(_ x: Span<Scalar>, columns: Int, _ form: WindowForm, _ patches: inout MutableSpan<Scalar>) {
    let step = columns * form.channels
    for row in 0..<patches.count / form.patchRow {
        var part = patches._mutatingExtracting(row * form.patchRow..<(row + 1) * form.patchRow)
        Scalar.copyRuns(
            rows: form.columns.places, runs: form.rows.window, length: form.run, of: x.extracting((row * form.rows.stride * step)...),
            row: form.columns.stride * form.channels, step: step, into: &part, row: form.rows.window * form.run, step: form.run)
    }
}

/// Adds patches to where they lie in one image, from row of places `first` on: the adjoint of gathering them.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func scatterPatches<Scalar: KernelScalar>(
    _ patches: Span<Scalar>, _ form: WindowForm, from first: Int, _ x: inout MutableSpan<Scalar>
) {
    let along = form.rows.covered(by: first..<first + patches.count / form.patchRow)
    let across = form.columns.covered(by: 0..<form.columns.places)
    if along.inside.count == along.length, across.inside.count == across.length {
        var inside = x._mutatingExtracting(form.place(0, along.start, across.start)...)
        return scatterRows(patches, columns: form.columns.extent, form, &inside)
    }
    var padded: [Scalar] = filled(along.length * across.length * form.channels, 0)
    var span = padded.mutableSpan
    scatterRows(patches, columns: across.length, form, &span)
    guard !along.inside.isEmpty, !across.inside.isEmpty else { return }
    var inside = x._mutatingExtracting(form.place(0, along.start + along.inside.lowerBound, across.start + across.inside.lowerBound)...)
    Scalar.addRuns(
        rows: 1, runs: along.inside.count, length: across.inside.count * form.channels,
        of: padded.span.extracting(((along.inside.lowerBound * across.length + across.inside.lowerBound) * form.channels)...),
        row: 0, step: across.length * form.channels, into: &inside, row: 0, step: form.columns.extent * form.channels)
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func scatterRows<Scalar: KernelScalar>(_ patches: Span<Scalar>, columns: Int, _ form: WindowForm, _ x: inout MutableSpan<Scalar>) {
    let step = columns * form.channels
    for row in 0..<patches.count / form.patchRow {
        var part = x._mutatingExtracting((row * form.rows.stride * step)...)
        Scalar.addRuns(
            rows: form.columns.places, runs: form.rows.window, length: form.run,
            of: patches.extracting(row * form.patchRow..<(row + 1) * form.patchRow), row: form.rows.window * form.run, step: form.run,
            into: &part, row: form.columns.stride * form.channels, step: step)
    }
}

extension WindowForm {
    /// The elements of a window's row.
    fileprivate var run: Int { columns.window * channels }

    /// The elements of the patches of one row of places.
    fileprivate var patchRow: Int { columns.places * rows.window * run }

    /// Where an image's element lies among those of all images.
    fileprivate func place(_ image: Int, _ row: Int, _ column: Int) -> Int {
        ((image * rows.extent + row) * columns.extent + column) * channels
    }
}
