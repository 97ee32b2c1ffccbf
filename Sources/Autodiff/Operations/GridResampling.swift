import Kernels

/// The mean of each channel over blocks of two places along each axis of a 2-D or 3-D grid, which halves the extents.
///
/// - Parameter x: shape [images, rows, columns, channels] or [images, planes, rows, columns, channels].
/// - Precondition: even extents.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func halvedGrid<Scalar: KernelScalar>(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    let axes = gridAxes(x.shape, "halvedGrid")
    require(x.shape[1...axes].allSatisfy { $0 % 2 == 0 }, "halvedGrid of shape \(x.shape); expected even extents of the grid")
    return apply(GridBlocks(weight: 1 / Scalar(1 << axes), doubles: false), to: [x])
}

/// Each place of a 2-D or 3-D grid repeated twice along each axis, which doubles the extents.
///
/// - Parameter x: shape [images, rows, columns, channels] or [images, planes, rows, columns, channels].
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func doubledGrid<Scalar: KernelScalar>(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    _ = gridAxes(x.shape, "doubledGrid")
    return apply(GridBlocks(weight: 1, doubles: true), to: [x])
}

private func gridAxes(_ shape: [Int], _ operation: String) -> Int {
    require(shape.count == 4 || shape.count == 5,
            "\(operation) of a tensor of shape \(shape); expected [images, rows, columns, channels] or [images, planes, rows, columns, channels]")
    return shape.count - 2
}

/// `weight` times the sum over blocks of two places an axis, or its adjoint: `weight` times each place in all of its block.
private struct GridBlocks<Scalar: KernelScalar>: DifferentiableOperation {
    let weight: Scalar, doubles: Bool

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], axes = a.shape.count - 2, channels = a.shape[axes + 1]
        let shape = a.shape.enumerated().map { axis, extent in
            axis == 0 || axis == axes + 1 ? extent : doubles ? 2 * extent : extent / 2
        }
        var elements: [Scalar] = filled(elementCount(shape), 0)
        guard !elements.isEmpty else { return Tensor(shape, elements) }
        let small = doubles ? a.shape : shape
        let columns = small[axes], rows = small[axes - 1], planes = axes == 3 ? small[1] : 1, depth = axes == 3 ? 2 : 1
        let scaled: [Scalar] = uninitializedArray(count: a.count) { Scalar.affine(weight, a.span, 0, into: &$0) }
        let from = scaled.span
        var out = elements.mutableSpan
        let line = columns * channels
        for index in 0..<small[0] * planes * rows {
            let (slab, row) = (index / rows, index % rows)
            for k in 0..<depth * 2 {
                // The line of the large grid, whose planes are `depth` to one.
                let large = ((slab * depth + k / 2) * rows + row) * 2 + k % 2
                for side in 0..<2 {
                    let fine = large * 2 * line + side * channels
                    if doubles {
                        var part = out._mutatingExtracting(fine...)
                        Scalar.copyRuns(rows: 1, runs: columns, length: channels, of: from.extracting((index * line)...), row: 0,
                                        step: channels, into: &part, row: 0, step: 2 * channels)
                    } else {
                        var part = out._mutatingExtracting(index * line..<(index + 1) * line)
                        Scalar.addRuns(rows: 1, runs: columns, length: channels, of: from.extracting(fine...), row: 0,
                                       step: 2 * channels, into: &part, row: 0, step: channels)
                    }
                }
            }
        }
        return Tensor(shape, elements)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(GridBlocks(weight: weight, doubles: !doubles), to: [g])]
    }
}
