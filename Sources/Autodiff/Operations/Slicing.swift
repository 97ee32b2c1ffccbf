import Kernels

extension Tensor {
    /// The part with indices `range` along an axis; −1 is the last. Along the first axis no copy is made.
    ///
    /// - Precondition: the range lies in the axis.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func slice(_ axis: Int, _ range: Range<Int>) -> Tensor {
        let axis = resolvedAxes([axis], "slice")[0]
        require(range.lowerBound >= 0 && range.upperBound <= extents[axis],
                "slice \(range) along axis \(axis) of shape \(shape); expected a part of 0..<\(extents[axis])")
        guard range.count < extents[axis] else { return self }
        var target = shape
        target[axis] = range.count
        if extents[..<axis].allSatisfy({ $0 == 1 }) {
            let inner = elementCount(Array(extents[(axis + 1)...]))
            return part(from: range.lowerBound * inner, shape: target)
        }
        return apply(Slice(axis: axis, range: range), to: [self])
    }

    /// The tensor at one index of the first axis, which goes. No copy.
    ///
    /// - Precondition: there is such an index.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func at(_ index: Int) -> Tensor {
        require(rank > 0 && index >= 0 && index < extents[0], "index \(index) of the first axis of shape \(shape)")
        let target = Array(extents.dropFirst())
        return part(from: index * elementCount(target), shape: target)
    }

    /// Neighbouring elements, in row-major order, under a shape of their own: how a network's weights lie in one vector. No copy, and the
    /// derivative with respect to the whole is put together once.
    ///
    /// - Precondition: the part lies inside.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func part(from start: Int, shape target: [Int]) -> Tensor {
        let size = elementCount(target)
        require(start >= 0 && start + size <= count,
                "part of shape \(target) from element \(start) of shape \(shape): \(start + size) elements needed, \(count) there")
        return apply(ContiguousSlice(start: start, shape: target), to: [self])
    }

    /// The tensor with zeros added before and after along an axis; −1 is the last.
    ///
    /// - Precondition: neither number is negative.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func padded(_ axis: Int, before: Int, after: Int) -> Tensor {
        let axis = resolvedAxes([axis], "padded")[0]
        require(before >= 0 && after >= 0, "padding by \(before) and \(after); expected no negative number")
        return before + after == 0 ? self : apply(Padding(axis: axis, before: before, after: after), to: [self])
    }

    /// The tensor cut along an axis into parts of the given lengths.
    ///
    /// - Precondition: the lengths add up to the axis's extent.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func split(_ axis: Int, lengths: [Int]) -> [Tensor] {
        let axis = resolvedAxes([axis], "split")[0]
        require(lengths.reduce(0, +) == extents[axis], "split of extent \(extents[axis]) into \(lengths); expected lengths that add up to it")
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return slice(axis, start..<start + length)
        }
    }
}

/// Neighbouring elements from `start` on. Reverse mode treats it by itself: see ``pullback(_:from:through:inputCount:)``.
struct ContiguousSlice<Scalar: KernelScalar>: DifferentiableOperation {
    let start: Int, shape: [Int]

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        Tensor(Extents(shape), count: elementCount(shape), storage: x[0].storage, offset: x[0].offset + start, trace: nil)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [assemble([(start, g)], x[0].shape)]
    }
}

/// The sum of parts, each placed at its offset in zeros: the adjoint of several contiguous slices.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func assemble<Scalar: KernelScalar>(_ parts: [(offset: Int, part: Tensor<Scalar>)], _ shape: [Int]) -> Tensor<Scalar> {
    let parts = parts.sorted { $0.offset < $1.offset }
    return apply(Assembly(offsets: parts.map(\.offset), shape: shape), to: parts.map(\.part))
}

struct Assembly<Scalar: KernelScalar>: DeferrableOperation {
    /// Ascending.
    let offsets: [Int]
    let shape: [Int]

    var derivativesRead: DerivativeOperands { [] }

    func resultShape(_ x: [Tensor<Scalar>]) -> [Int] { shape }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        Tensor(shape, uninitializedArray(count: elementCount(shape)) { out in
            var filled = 0
            for (offset, part) in zip(offsets, x) {
                if offset > filled {
                    var gap = out._mutatingExtracting(filled..<offset)
                    gap.update(repeating: 0)
                    filled = offset
                }
                // What an earlier part covers is added to; the rest is written.
                let covered = min(max(0, filled - offset), part.count)
                if covered > 0 {
                    var shared = out._mutatingExtracting(offset..<offset + covered)
                    Scalar.axpy(1, part.span.extracting(0..<covered), &shared)
                }
                if covered < part.count {
                    var fresh = out._mutatingExtracting(offset + covered..<offset + part.count)
                    copy(part.span.extracting(covered..<part.count), &fresh)
                    filled = offset + part.count
                }
            }
            if filled < out.count {
                var rest = out._mutatingExtracting(filled..<out.count)
                rest.update(repeating: 0)
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        let varied = x.indices.filter { dx[$0] != nil }
        return apply(Assembly(offsets: varied.map { offsets[$0] }, shape: shape), to: varied.map { dx[$0]! })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        x.indices.map { wanted.contains($0) ? g.part(from: offsets[$0], shape: x[$0].shape) : nil }
    }
}

struct Slice<Scalar: KernelScalar>: DifferentiableOperation {
    let axis: Int, range: Range<Int>

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        var shape = a.shape
        let outer = elementCount(Array(shape[..<axis])), inner = elementCount(Array(shape[(axis + 1)...]))
        let whole = shape[axis] * inner, length = range.count * inner
        shape[axis] = range.count
        return Tensor(shape, uninitializedArray(count: outer * length) { out in
            for o in 0..<outer {
                let start = o * whole + range.lowerBound * inner
                var target = out._mutatingExtracting(o * length..<(o + 1) * length)
                copy(a.span.extracting(start..<start + length), &target)
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g.padded(axis, before: range.lowerBound, after: x[0].shape[axis] - range.upperBound)]
    }
}

struct Padding<Scalar: KernelScalar>: DifferentiableOperation {
    let axis: Int, before: Int, after: Int

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        var shape = a.shape
        let outer = elementCount(Array(shape[..<axis])), inner = elementCount(Array(shape[(axis + 1)...]))
        let length = shape[axis] * inner
        shape[axis] += before + after
        let whole = shape[axis] * inner
        var elements: [Scalar] = filled(outer * whole, 0)
        var out = elements.mutableSpan
        for o in 0..<outer {
            let start = o * whole + before * inner
            var target = out._mutatingExtracting(start..<start + length)
            copy(a.span.extracting(o * length..<(o + 1) * length), &target)
        }
        return Tensor(shape, elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g.slice(axis, before..<before + x[0].shape[axis])]
    }
}
