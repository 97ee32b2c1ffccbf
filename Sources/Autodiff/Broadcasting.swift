import Kernels

/// The shape that two operands broadcast to, by NumPy's rule: axes are matched from the last, and an axis of extent 1 or
/// one that is missing repeats.
func broadcastShape(_ a: [Int], _ b: [Int], _ operation: @autoclosure () -> String) -> [Int] {
    if a == b { return a }
    let rank = max(a.count, b.count)
    var shape = [Int](repeating: 1, count: rank)
    for i in 1...max(1, rank) where rank > 0 {
        let p = i <= a.count ? a[a.count - i] : 1, q = i <= b.count ? b[b.count - i] : 1
        require(p == q || p == 1 || q == 1,
                "\(operation()): shapes \(a) and \(b) do not broadcast: extents \(p) and \(q) of axis \(rank - i) differ")
        shape[rank - i] = p == 1 ? q : p
    }
    return shape
}

/// How the elements of a result are laid out against two operands that broadcast to it: `outer` blocks of `inner`
/// elements, in which each operand either runs along or stays on one element.
struct BroadcastPlan {
    /// Extents of the axes before the inner block, with the operands' steps along them.
    private(set) var outer: [(extent: Int, stepA: Int, stepB: Int)] = []
    private(set) var inner = 1
    private(set) var runsA = true, runsB = true

    init(_ shape: [Int], _ a: [Int], _ b: [Int]) {
        var sizeA = 1, sizeB = 1
        var axes: [(extent: Int, stepA: Int, stepB: Int)] = []
        for i in 1...max(1, shape.count) where !shape.isEmpty {
            let extent = shape[shape.count - i]
            let p = i <= a.count ? a[a.count - i] : 1, q = i <= b.count ? b[b.count - i] : 1
            axes.append((extent, p == 1 ? 0 : sizeA, q == 1 ? 0 : sizeB))
            sizeA *= p
            sizeB *= q
        }
        axes.removeAll { $0.extent == 1 }
        // Axes along which both operands go on as one run belong together.
        var merged: [(extent: Int, stepA: Int, stepB: Int)] = []
        for axis in axes {
            if let last = merged.last, axis.stepA == last.stepA * last.extent, axis.stepB == last.stepB * last.extent {
                merged[merged.count - 1].extent *= axis.extent
            } else {
                merged.append(axis)
            }
        }
        guard let first = merged.first else { return }
        inner = first.extent
        runsA = first.stepA != 0
        runsB = first.stepB != 0
        outer = Array(merged.dropFirst())
    }

    /// Calls `body` with the places of each block: in the result, in the first operand, in the second.
    func forEachBlock(_ body: (_ out: Int, _ a: Int, _ b: Int) -> Void) {
        let blocks = outer.reduce(1) { $0 * $1.extent }
        var index = [Int](repeating: 0, count: outer.count)
        var a = 0, b = 0
        for block in 0..<blocks {
            body(block * inner, a, b)
            for axis in outer.indices {
                index[axis] += 1
                a += outer[axis].stepA
                b += outer[axis].stepB
                if index[axis] < outer[axis].extent { break }
                a -= outer[axis].stepA * index[axis]
                b -= outer[axis].stepB * index[axis]
                index[axis] = 0
            }
        }
    }
}

/// An elementwise function of two operands on buffers of equal length, and with one operand a single number.
struct BinaryKernel<Scalar: KernelScalar> {
    let both: (Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>) -> Void
    let left: (Scalar, Span<Scalar>, inout MutableSpan<Scalar>) -> Void
    let right: (Span<Scalar>, Scalar, inout MutableSpan<Scalar>) -> Void
    /// With the second operand one row for all of the first one's; of functions whose operands may be exchanged.
    var row: ((_ rows: Int, _ columns: Int, Span<Scalar>, Span<Scalar>, inout MutableSpan<Scalar>) -> Void)?
}

/// The kernel on plain data, operands broadcast.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func broadcast<Scalar: KernelScalar>(
    _ a: Tensor<Scalar>, _ b: Tensor<Scalar>, _ operation: @autoclosure () -> String, _ kernel: BinaryKernel<Scalar>
) -> Tensor<Scalar> {
    let shape = broadcastShape(a.shape, b.shape, operation())
    let count = elementCount(shape)
    let plan = BroadcastPlan(shape, a.shape, b.shape)
    let inner = plan.inner
    return Tensor(shape, uninitializedArray(count: count) { out in
        guard count > 0 else { return }
        let x = a.span, y = b.span
        if let row = kernel.row, plan.outer.count == 1, plan.runsA, plan.runsB {
            // One of the two stays on its row.
            let rows = plan.outer[0]
            if rows.stepB == 0 { row(rows.extent, inner, x, y, &out) } else { row(rows.extent, inner, y, x, &out) }
            return
        }
        plan.forEachBlock { place, i, j in
            var part = out._mutatingExtracting(place..<place + inner)
            switch (plan.runsA, plan.runsB) {
            case (true, true): kernel.both(x.extracting(i..<i + inner), y.extracting(j..<j + inner), &part)
            case (false, _): kernel.left(x[i], y.extracting(j..<j + inner), &part)
            case (true, false): kernel.right(x.extracting(i..<i + inner), y[j], &part)
            }
        }
    })
}
