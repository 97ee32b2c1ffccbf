import Kernels

extension Tensor {
    /// The slices of the first axis that `indices` name, in that order: an embedding look-up. Shape
    /// [indices.count] + the other axes.
    ///
    /// - Precondition: each index is in range.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func gathered(_ indices: [Int]) -> Tensor {
        require(rank > 0, "gather from a tensor of shape []; expected at least one axis")
        requireIndices(indices, extents[0], "gathered")
        return apply(Gather(indices: indices), to: [self])
    }

    /// Zeros of `count` slices, to which slice i of this tensor's first axis is added at `indices[i]`: the adjoint of
    /// ``gathered(_:)``. An index that is named twice receives both.
    ///
    /// - Precondition: one index for each slice, each in `0..<count`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func scatterAdded(at indices: [Int], count: Int) -> Tensor {
        require(rank > 0 && indices.count == extents[0],
                "scatterAdded: \(indices.count) indices for shape \(shape); expected one for each slice of the first axis")
        requireIndices(indices, count, "scatterAdded")
        return apply(ScatterAdd(indices: indices, count: count), to: [self])
    }

    /// a where `mask` holds, b elsewhere. Neither's derivative sees the other's elements, so a NaN that is not taken does no harm.
    ///
    /// - Precondition: a and b broadcast to a shape of `mask.count` elements.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public static func choose(_ mask: [Bool], _ a: Tensor, _ b: Tensor) -> Tensor {
        let shape = broadcastShape(a.shape, b.shape, "choose")
        require(elementCount(shape) == mask.count, "choose: \(mask.count) conditions for shape \(shape); expected \(elementCount(shape))")
        return apply(Choice(mask: mask), to: [a.broadcast(to: shape), b.broadcast(to: shape)])
    }

    /// Whether each element fulfils a condition: a mask for ``choose(_:_:_:)``.
    @inlinable public func mask(_ condition: (Scalar) -> Bool) -> [Bool] { elements.map(condition) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func requireIndices(_ indices: [Int], _ count: Int, _ operation: String) {
        for index in indices { require(index >= 0 && index < count, "\(operation): index \(index) is outside 0..<\(count)") }
    }
}

struct Gather<Scalar: KernelScalar>: DifferentiableOperation {
    let indices: [Int]

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        let rest = Array(a.shape.dropFirst()), size = elementCount(rest)
        return Tensor([indices.count] + rest, uninitializedArray(count: indices.count * size) { out in
            for (i, index) in indices.enumerated() {
                var target = out._mutatingExtracting(i * size..<(i + 1) * size)
                copy(a.span.extracting(index * size..<(index + 1) * size), &target)
            }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(ScatterAdd(indices: indices, count: x[0].shape[0]), to: [g])]
    }
}

struct ScatterAdd<Scalar: KernelScalar>: DifferentiableOperation {
    let indices: [Int], count: Int

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        let rest = Array(a.shape.dropFirst()), size = elementCount(rest)
        var elements: [Scalar] = filled(count * size, 0)
        var out = elements.mutableSpan
        for (i, index) in indices.enumerated() {
            var target = out._mutatingExtracting(index * size..<(index + 1) * size)
            Scalar.axpy(1, a.span.extracting(i * size..<(i + 1) * size), &target)
        }
        return Tensor([count] + rest, elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(Gather(indices: indices), to: [g])]
    }
}

struct Choice<Scalar: KernelScalar>: DifferentiableOperation {
    let mask: [Bool]

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1]
        return Tensor(a.extents, uninitializedArray(count: mask.count) { select(mask, a.span, b.span, &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(self, to: [dx[0] ?? .zeros(y.shape), dx[1] ?? .zeros(y.shape)])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [wanted.contains(0) ? apply(self, to: [g, .zeros(g.shape)]) : nil, wanted.contains(1) ? apply(self, to: [.zeros(g.shape), g]) : nil]
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func select<Scalar: KernelScalar>(_ mask: [Bool], _ a: Span<Scalar>, _ b: Span<Scalar>, _ y: inout MutableSpan<Scalar>) {
    for i in a.indices { y[i] = mask[i] ? a[i] : b[i] }
}
