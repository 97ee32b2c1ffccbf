import Kernels

extension Tensor {
    /// The sum of all elements, shape [].
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sum() -> Tensor { rank == 0 ? self : sum(alongAxes: Array(0..<rank)) }

    /// The sums along the given axes.
    ///
    /// - Parameters:
    ///   - axes: each once; −1 is the last.
    ///   - keepingAxes: whether the axes stay, with extent 1.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sum(alongAxes axes: [Int], keepingAxes: Bool = false) -> Tensor {
        let axes = resolvedAxes(axes, "sum")
        let sums = axes.allSatisfy { extents[$0] == 1 } ? self : apply(SumAlongAxes(axes: axes), to: [self])
        if keepingAxes { return sums.reshaped(extents.indices.map { axes.contains($0) ? 1 : extents[$0] }) }
        return sums.reshaped(extents.indices.filter { !axes.contains($0) }.map { extents[$0] })
    }

    /// The mean of all elements, shape [].
    ///
    /// - Precondition: there is at least one.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func mean() -> Tensor { rank == 0 ? self : mean(alongAxes: Array(0..<rank)) }

    /// The means along the given axes; −1 is the last.
    ///
    /// - Precondition: these axes are not empty.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func mean(alongAxes axes: [Int], keepingAxes: Bool = false) -> Tensor {
        let count = resolvedAxes(axes, "mean").reduce(1) { $0 * extents[$1] }
        require(count > 0, "mean of no elements, axes \(axes) of shape \(shape); expected at least one")
        return sum(alongAxes: axes, keepingAxes: keepingAxes) / Scalar(count)
    }

    /// The variances along the given axes, divided by the number of elements (`correction` 0, the default) or that less
    /// `correction`. Differs from PyTorch's `var`, whose default correction is 1; NumPy's is 0.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func variance(alongAxes axes: [Int], keepingAxes: Bool = false, correction: Int = 0) -> Tensor {
        let count = resolvedAxes(axes, "variance").reduce(1) { $0 * extents[$1] }
        require(count > correction, "variance of \(count) elements with correction \(correction); expected more elements")
        let centred = self - mean(alongAxes: axes, keepingAxes: true)
        return centred.squared().sum(alongAxes: axes, keepingAxes: keepingAxes) / Scalar(count - correction)
    }

    /// The greatest elements along an axis; −1 is the last. Equal ones share the derivative equally; NaN wins.
    ///
    /// - Precondition: the axis is not empty.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func max(alongAxis axis: Int, keepingAxis: Bool = false) -> Tensor {
        let axis = resolvedAxes([axis], "max")[0]
        require(extents[axis] > 0, "max of no elements, axis \(axis) of shape \(shape); expected at least one")
        // The last axis is contiguous.
        let last = axis == rank - 1 ? self : movingAxisToEnd(axis)
        let maxima = apply(RowMaximum(), to: [last])
        return keepingAxis ? maxima.reshaped(extents.indices.map { $0 == axis ? 1 : extents[$0] }) : maxima
    }

    /// The least elements along an axis: −max(−x).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func min(alongAxis axis: Int, keepingAxis: Bool = false) -> Tensor {
        -(-self).max(alongAxis: axis, keepingAxis: keepingAxis)
    }

    /// The place of the greatest element in each row of the last axis, the first of equal ones; a NaN counts as greatest.
    ///
    /// - Precondition: the last axis is not empty.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func argmax() -> [Int] {
        let columns = extents.last ?? 1
        require(columns > 0, "argmax of rows of shape \(shape); expected a last axis that is not empty")
        return placesOfMaxima(span, columns)
    }

    /// Sums over what broadcasting to this tensor's shape repeats: the adjoint of ``broadcast(to:)``.
    ///
    /// - Precondition: `target` broadcasts to ``shape``.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sum(to target: [Int]) -> Tensor {
        let shape = shape
        guard target != shape else { return self }
        require(target.count <= rank && broadcastShape(shape, target, "sum(to:)") == shape,
                "sum of shape \(shape) to \(target); expected a shape that broadcasts to it")
        let missing = rank - target.count
        let axes = (0..<rank).filter { $0 < missing || target[$0 - missing] == 1 && extents[$0] != 1 }
        return (axes.isEmpty ? self : apply(SumAlongAxes(axes: axes), to: [self])).reshaped(target)
    }

    /// As ``sum(to:)``; a tensor that has the shape is passed on.
    __consuming func sum(to target: Extents) -> Tensor { target == extents ? self : sum(to: target.shape) }

    /// The tensor repeated along axes of extent 1 and along new leading ones.
    ///
    /// - Precondition: ``shape`` broadcasts to `target`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func broadcast(to target: [Int]) -> Tensor {
        let shape = shape
        guard target != shape else { return self }
        require(broadcastShape(shape, target, "broadcast(to:)") == target, "shape \(shape) does not broadcast to \(target)")
        return apply(BroadcastTo(shape: target), to: [self])
    }

    /// Axes counted from 0, in ascending order.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func resolvedAxes(_ axes: [Int], _ operation: String) -> [Int] {
        let resolved = axes.map { $0 < 0 ? $0 + rank : $0 }
        require(resolved.allSatisfy { $0 >= 0 && $0 < rank } && Set(resolved).count == axes.count,
                "\(operation) along axes \(axes) of shape \(shape); expected different axes in \(-rank)..<\(rank)")
        return resolved.sorted()
    }
}

/// Sums along axes, which stay with extent 1.
struct SumAlongAxes<Scalar: KernelScalar>: DifferentiableOperation {
    let axes: [Int]

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        var shape = x[0].shape, current = x[0]
        // Neighbouring axes are summed together, from the last on.
        var last = axes.count - 1
        while last >= 0 {
            var first = last
            while first > 0, axes[first - 1] == axes[first] - 1 { first -= 1 }
            let outer = elementCount(Array(shape[..<axes[first]])), inner = elementCount(Array(shape[(axes[last] + 1)...]))
            let length = elementCount(Array(shape[axes[first]...axes[last]]))
            for axis in axes[first]...axes[last] { shape[axis] = 1 }
            let part = current
            current = Tensor(shape, uninitializedArray(count: outer * inner) { sums(part.span, outer, length, inner, &$0) })
            last = first - 1
        }
        return current
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g.broadcast(to: x[0].shape)]
    }
}

/// y[o, i] = Σₗ x[o, l, i].
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func sums<Scalar: KernelScalar>(_ x: Span<Scalar>, _ outer: Int, _ length: Int, _ inner: Int, _ y: inout MutableSpan<Scalar>) {
    guard inner > 0 else { return }
    for o in 0..<outer {
        let block = x.extracting(o * length * inner..<(o + 1) * length * inner)
        if inner == 1 {
            y[o] = Scalar.sum(block)
        } else {
            var part = y._mutatingExtracting(o * inner..<(o + 1) * inner)
            Scalar.columnSums(rows: length, columns: inner, of: block, into: &part)
        }
    }
}

struct BroadcastTo<Scalar: KernelScalar>: DifferentiableOperation {
    let shape: [Int]

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        if a.count == 1 { return Tensor(shape: shape, repeating: a.scalar) }
        let plan = BroadcastPlan(shape, a.shape, shape), count = elementCount(shape)
        return Tensor(shape, uninitializedArray(count: count) { out in
            guard count > 0 else { return }
            let source = a.span
            plan.forEachBlock { place, i, _ in
                var part = out._mutatingExtracting(place..<place + plan.inner)
                if plan.runsA { copy(source.extracting(i..<i + plan.inner), &part) } else { part.update(repeating: source[i]) }
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g.sum(to: x[0].shape)]
    }
}

/// The greatest element of each row of the last axis, which goes.
struct RowMaximum<Scalar: KernelScalar>: DifferentiableOperation {
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        let columns = a.shape.last!
        let shape = Array(a.shape.dropLast())
        let places = placesOfMaxima(a.span, columns)
        return Tensor(shape, places.enumerated().map { a.storage[a.offset + $0 * columns + $1] })
    }

    /// 1/j for each of the j greatest elements of a row, 0 elsewhere.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func shares(_ x: Tensor<Scalar>, _ y: Tensor<Scalar>) -> Tensor<Scalar> {
        let columns = x.shape.last!
        var shares: [Scalar] = filled(x.count, 0)
        fillShares(x.span, y.span, columns, &shares)
        return Tensor(x.shape, shares)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        (shares(x[0], y) * dx[0]!).sum(alongAxes: [-1])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [shares(x[0], y) * g.reshaped(g.shape + [1])]
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func placesOfMaxima<Scalar: KernelScalar>(_ x: Span<Scalar>, _ columns: Int) -> [Int] {
    (0..<x.count / columns).map { row in
        var best = row * columns
        for i in row * columns..<(row + 1) * columns where x[i] > x[best] || x[i].isNaN && !x[best].isNaN { best = i }
        return best - row * columns
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func fillShares<Scalar: KernelScalar>(_ x: Span<Scalar>, _ y: Span<Scalar>, _ columns: Int, _ shares: inout [Scalar]) {
    for row in 0..<y.count {
        let range = row * columns..<(row + 1) * columns
        var equal = 0
        for i in range where x[i] == y[row] { equal += 1 }
        for i in range where x[i] == y[row] { shares[i] = 1 / Scalar(equal) }
    }
}
