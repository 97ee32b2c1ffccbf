import Kernels

/// The greatest element of each channel in each window of an image.
///
/// Of equal elements the first, row by row, takes the derivative, as in PyTorch. NaN counts as greatest.
///
/// - Parameters:
///   - x: shape [images, rows, columns, channels].
///   - window: rows and columns.
///   - stride: steps between windows. Default: the window, so that windows neither overlap nor leave a gap.
/// - Returns: shape [images, ⌊(rows − window)/stride⌋ + 1, and so for columns, channels]; what is left over at the end is not seen.
/// - Precondition: windows fit the images.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func maxPool2D<Scalar: KernelScalar>(_ x: Tensor<Scalar>, window: (Int, Int), stride: (Int, Int)? = nil) -> Tensor<Scalar> {
    apply(MaximumPooling(form: WindowForm(x.shape, window, stride ?? window, .valid, "maxPool2D")), to: [x])
}

/// The mean of each channel in each window of an image.
///
/// - Parameters: as for ``maxPool2D(_:window:stride:)``.
/// - Returns: as for ``maxPool2D(_:window:stride:)``.
/// - Precondition: windows fit the images.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func averagePool2D<Scalar: KernelScalar>(_ x: Tensor<Scalar>, window: (Int, Int), stride: (Int, Int)? = nil) -> Tensor<Scalar> {
    apply(AveragePooling(form: WindowForm(x.shape, window, stride ?? window, .valid, "averagePool2D"), isAdjoint: false), to: [x])
}

struct MaximumPooling<Scalar: KernelScalar>: DifferentiableOperation {
    let form: WindowForm

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        var maxima: [Scalar] = filled(elementCount(form.resultShape), -.infinity)
        var out = maxima.mutableSpan
        maximum(a.span, form, &out)
        return Tensor(form.resultShape, maxima)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(Selection(places: placesOfMaxima(x[0], y, form), shape: y.shape, isAdjoint: false), to: [dx[0]!])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(Selection(places: placesOfMaxima(x[0], y, form), shape: x[0].shape, isAdjoint: true), to: [g])]
    }
}

/// The elements at some places, or the adjoint: elements added at their places among zeros.
struct Selection<Scalar: KernelScalar>: DifferentiableOperation {
    let places: [Int], shape: [Int], isAdjoint: Bool

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        guard isAdjoint else { return Tensor(shape, uninitializedArray(count: places.count) { select(a.span, places.span, &$0) }) }
        var elements: [Scalar] = filled(elementCount(shape), 0)
        var out = elements.mutableSpan
        addSelected(a.span, places.span, &out)
        return Tensor(shape, elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(Selection(places: places, shape: x[0].shape, isAdjoint: !isAdjoint), to: [g])]
    }
}

/// Means over windows, or the adjoint: each number spread evenly over its window.
struct AveragePooling<Scalar: KernelScalar>: DifferentiableOperation {
    let form: WindowForm, isAdjoint: Bool

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], shape = isAdjoint ? form.imageShape : form.resultShape
        var elements: [Scalar] = filled(elementCount(shape), 0)
        var out = elements.mutableSpan
        if isAdjoint { spread(a.span, form, &out) } else { average(a.span, form, &out) }
        return Tensor(shape, elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(AveragePooling(form: form, isAdjoint: !isAdjoint), to: [g])]
    }
}

extension WindowForm {
    /// The shape of a result with the images' channels.
    fileprivate var resultShape: [Int] { [images, rows.places, columns.places, channels] }

    /// Calls `body` with the first element of each run of channels in the result, and of each one in its window, the last of them first.
    @inline(__always)
    fileprivate func forEachElement(_ body: (_ place: Int, _ element: Int) -> Void) {
        var place = 0
        for image in 0..<images {
            for i in 0..<rows.places {
                for j in 0..<columns.places {
                    for p in (0..<rows.window).reversed() {
                        let row = (image * rows.extent + i * rows.stride + p) * columns.extent + j * columns.stride
                        for q in (0..<columns.window).reversed() { body(place, (row + q) * channels) }
                    }
                    place += channels
                }
            }
        }
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func maximum<Scalar: KernelScalar>(_ x: Span<Scalar>, _ form: WindowForm, _ y: inout MutableSpan<Scalar>) {
    form.forEachElement { place, element in
        for c in 0..<form.channels {
            let best = y[place &+ c], candidate = x[element &+ c]
            y[place &+ c] = candidate > best || candidate.isNaN ? candidate : best
        }
    }
}

/// The place of each window's greatest element, the first of equal ones.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func placesOfMaxima<Scalar: KernelScalar>(_ x: Tensor<Scalar>, _ y: Tensor<Scalar>, _ form: WindowForm) -> [Int] {
    var places = [Int](repeating: -1, count: y.count)
    findMaxima(x.span, y.span, form, &places)
    return places
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func findMaxima<Scalar: KernelScalar>(_ x: Span<Scalar>, _ y: Span<Scalar>, _ form: WindowForm, _ places: inout [Int]) {
    var out = places.mutableSpan
    // Without a branch that data decides: the first of equal ones is written last, and NaN, which equals nothing, is looked for after that.
    form.forEachElement { place, element in
        for c in 0..<form.channels {
            let before = out[place &+ c]
            out[place &+ c] = x[element &+ c] == y[place &+ c] ? element &+ c : before
        }
    }
    guard places.contains(-1) else { return }
    out = places.mutableSpan
    form.forEachElement { place, element in
        for c in 0..<form.channels where y[place + c].isNaN && x[element + c].isNaN { out[place + c] = element + c }
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func select<Scalar: KernelScalar>(_ x: Span<Scalar>, _ places: Span<Int>, _ y: inout MutableSpan<Scalar>) {
    for i in places.indices { y[i] = x[places[i]] }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func addSelected<Scalar: KernelScalar>(_ x: Span<Scalar>, _ places: Span<Int>, _ y: inout MutableSpan<Scalar>) {
    for i in places.indices { y[places[i]] += x[i] }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func average<Scalar: KernelScalar>(_ x: Span<Scalar>, _ form: WindowForm, _ y: inout MutableSpan<Scalar>) {
    form.forEachElement { place, element in
        for c in 0..<form.channels { y[place + c] += x[element + c] }
    }
    let count = Scalar(form.rows.window * form.columns.window)
    for i in y.indices { y[i] /= count }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func spread<Scalar: KernelScalar>(_ y: Span<Scalar>, _ form: WindowForm, _ x: inout MutableSpan<Scalar>) {
    let share = 1 / Scalar(form.rows.window * form.columns.window)
    form.forEachElement { place, element in
        for c in 0..<form.channels { x[element + c] += share * y[place + c] }
    }
}
