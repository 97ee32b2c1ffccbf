import Kernels
import LinearAlgebra

extension Tensor {
    /// The same elements, in the same order, under another shape; −1 stands once for the extent that makes the count fit. No copy.
    ///
    /// - Precondition: the number of elements is the same.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func reshaped(_ target: [Int]) -> Tensor {
        guard target != shape else { return self }
        var target = target
        if let free = target.firstIndex(of: -1) {
            let known = target.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
            require(target.count { $0 == -1 } == 1 && known > 0 && count % known == 0,
                    "reshape of \(shape) to \(target): no extent for −1 fits \(count) elements")
            target[free] = count / known
        }
        require(elementCount(target) == count, "reshape of \(shape) to \(target): \(count) elements do not fit")
        return apply(Reshape(shape: target), to: [self])
    }

    /// All elements as a vector. No copy.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func flattened() -> Tensor { reshaped([count]) }

    /// The tensor with a new axis of extent 1 before `axis`; −1 adds it after the last one. No copy.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func expanded(atAxis axis: Int) -> Tensor {
        let place = axis < 0 ? axis + rank + 1 : axis
        require(place >= 0 && place <= rank, "expanded at axis \(axis) of shape \(shape); expected \(-rank - 1)...\(rank)")
        var target = shape
        target.insert(1, at: place)
        return reshaped(target)
    }

    /// The tensor with axes permuted: axis i of the result is axis `order[i]` of this one. The default reverses them, which
    /// transposes a matrix.
    ///
    /// - Precondition: `order` names each axis once.
    /// - Complexity: O(count), a copy; matrix products take transposed operands without one.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func transposed(_ order: [Int]? = nil) -> Tensor {
        let order = order ?? (0..<rank).reversed()
        require(order.sorted() == Array(0..<rank), "transposed(\(order)) of shape \(shape); expected each of 0..<\(rank) once")
        return order == Array(0..<rank) ? self : apply(Permutation(order: order), to: [self])
    }

    /// The tensor with two axes exchanged; negative ones count from the end.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func transposed(_ a: Int, _ b: Int) -> Tensor {
        let axes = resolvedAxes(a == b ? [a] : [a, b], "transposed")
        var order = Array(0..<rank)
        order.swapAt(axes[0], axes.last!)
        return transposed(order)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func movingAxisToEnd(_ axis: Int) -> Tensor {
        transposed((0..<rank).filter { $0 != axis } + [axis])
    }
}

/// The tensors joined along an axis; −1 is the last.
///
/// - Precondition: at least one tensor, and equal shapes but for that axis.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func concatenated<Scalar: KernelScalar>(_ tensors: [Tensor<Scalar>], alongAxis axis: Int = 0) -> Tensor<Scalar> {
    require(!tensors.isEmpty, "concatenation of no tensors; expected at least one")
    let axis = tensors[0].resolvedAxes([axis], "concatenated")[0]
    for tensor in tensors {
        var other = tensor.shape
        if other.count == tensors[0].rank { other[axis] = tensors[0].shape[axis] }
        require(other == tensors[0].shape, "concatenated: shapes \(tensors[0].shape) and \(tensor.shape) differ beyond axis \(axis)")
    }
    return tensors.count == 1 ? tensors[0] : apply(Concatenation(axis: axis), to: tensors)
}

/// The tensors, all of one shape, along a new axis; −1 adds it after the last one.
///
/// - Precondition: at least one tensor, and equal shapes.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func stacked<Scalar: KernelScalar>(_ tensors: [Tensor<Scalar>], alongAxis axis: Int = 0) -> Tensor<Scalar> {
    require(!tensors.isEmpty, "stack of no tensors; expected at least one")
    for tensor in tensors {
        require(tensor.shape == tensors[0].shape, "stacked: shapes \(tensors[0].shape) and \(tensor.shape) differ")
    }
    let place = axis < 0 ? axis + tensors[0].rank + 1 : axis
    return concatenated(tensors.map { $0.expanded(atAxis: place) }, alongAxis: place)
}

struct Reshape<Scalar: KernelScalar>: DifferentiableOperation {
    let shape: [Int]

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        Tensor(Extents(shape), count: x[0].count, storage: x[0].storage, offset: x[0].offset, trace: nil)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { dx[0]!.reshaped(shape) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g.reshaped(x[0].shape)]
    }
}

struct Permutation<Scalar: KernelScalar>: DifferentiableOperation {
    let order: [Int]

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        let shape = order.map { a.shape[$0] }
        return Tensor(shape, uninitializedArray(count: a.count) { permute(a.span, a.shape, order, &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        var inverse = order
        for (i, axis) in order.enumerated() { inverse[axis] = i }
        return [apply(Permutation(order: inverse), to: [g])]
    }
}

/// y = x with axes permuted. The result is written in order; blocks of its last two axes are transposed tile by tile.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func permute<Scalar: KernelScalar>(_ x: Span<Scalar>, _ shape: [Int], _ order: [Int], _ y: inout MutableSpan<Scalar>) {
    guard !y.isEmpty else { return }
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in (0..<shape.count - 1).reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    // Axes that stay neighbours are one.
    var axes: [(extent: Int, step: Int)] = []
    for axis in order where shape[axis] > 1 {
        if let last = axes.last, last.step == strides[axis] * shape[axis] {
            axes[axes.count - 1] = (last.extent * shape[axis], strides[axis])
        } else {
            axes.append((shape[axis], strides[axis]))
        }
    }
    guard let last = axes.popLast() else { return y[0] = x[0] }
    if last.step == 1 {
        // Whole runs move, along two axes at a time.
        let runs = axes.popLast() ?? (1, 0), rows = axes.popLast() ?? (1, 0), row = runs.extent * last.extent
        var index = [Int](repeating: 0, count: axes.count), source = 0
        for place in stride(from: 0, to: y.count, by: rows.extent * row) {
            var part = y._mutatingExtracting(place..<place + rows.extent * row)
            Scalar.copyRuns(
                rows: rows.extent, runs: runs.extent, length: last.extent, of: x.extracting(source..<x.count), row: rows.step,
                step: runs.step, into: &part, row: row, step: last.extent)
            advance(&index, &source, axes)
        }
        return
    }
    // The axis that is contiguous in x is read along within a tile.
    let contiguous = axes.firstIndex { $0.step == 1 }!
    let across = axes.remove(at: contiguous)
    let acrossStep = axes[contiguous...].reduce(last.extent) { $0 * $1.extent }
    let tile = 16
    var index = [Int](repeating: 0, count: axes.count), source = 0, places = [Int](repeating: 0, count: axes.count)
    var size = last.extent
    for axis in axes.indices.reversed() {
        if axis == contiguous - 1 { size *= across.extent }
        places[axis] = size
        size *= axes[axis].extent
    }
    for _ in 0..<y.count / (last.extent * across.extent) {
        let place = zip(index, places).reduce(0) { $0 + $1.0 * $1.1 }
        for i0 in stride(from: 0, to: across.extent, by: tile) {
            for j0 in stride(from: 0, to: last.extent, by: tile) {
                for i in i0..<min(i0 + tile, across.extent) {
                    for j in j0..<min(j0 + tile, last.extent) {
                        y[place + i * acrossStep + j] = x[source + i + j * last.step]
                    }
                }
            }
        }
        advance(&index, &source, axes)
    }
}

private func advance(_ index: inout [Int], _ source: inout Int, _ axes: [(extent: Int, step: Int)]) {
    for axis in axes.indices.reversed() {
        index[axis] += 1
        source += axes[axis].step
        if index[axis] < axes[axis].extent { return }
        source -= axes[axis].step * index[axis]
        index[axis] = 0
    }
}

struct Concatenation<Scalar: KernelScalar>: DifferentiableOperation {
    let axis: Int

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        var shape = x[0].shape
        shape[axis] = x.reduce(0) { $0 + $1.shape[axis] }
        let outer = elementCount(Array(shape[..<axis])), inner = elementCount(Array(shape[(axis + 1)...]))
        return Tensor(shape, uninitializedArray(count: elementCount(shape)) { out in
            var place = 0
            for o in 0..<outer {
                for part in x {
                    let length = part.shape[axis] * inner
                    var target = out._mutatingExtracting(place..<place + length)
                    copy(part.span.extracting(o * length..<(o + 1) * length), &target)
                    place += length
                }
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(self, to: x.indices.map { dx[$0] ?? .zeros(x[$0].shape) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        var start = 0
        return x.indices.map { i in
            let range = start..<start + x[i].shape[axis]
            start = range.upperBound
            return wanted.contains(i) ? g.slice(axis, range) : nil
        }
    }
}
