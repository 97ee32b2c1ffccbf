import Kernels

/// Σᵢ aᵢ bᵢ of two vectors, shape [].
///
/// - Precondition: one axis each, of equal extents.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func dot<Scalar: KernelScalar>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
    require(a.rank == 1 && a.shape == b.shape, "dot of shapes \(a.shape) and \(b.shape); expected vectors of equal length")
    return apply(DotProduct(), to: [a, b])
}

/// a bᵀ of two vectors, shape [a.count, b.count].
///
/// - Precondition: one axis each.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func outerProduct<Scalar: KernelScalar>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
    require(a.rank == 1 && b.rank == 1, "outerProduct of shapes \(a.shape) and \(b.shape); expected vectors")
    return a.expanded(atAxis: 1) * b
}

extension Tensor {
    /// √(Σ x²) over all elements, shape []: without overflow, and with derivative 0 at x = 0.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func norm() -> Tensor { apply(EuclideanNorm(), to: [self]) }

    /// The sums of the elements up to each one along an axis, itself included; −1 is the last axis, the default. Added in `Double`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func cumulativeSum(alongAxis axis: Int = -1) -> Tensor {
        apply(CumulativeSum(axis: resolvedAxes([axis], "cumulativeSum")[0], isReversed: false), to: [self])
    }
}

struct DotProduct<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1]
        return Tensor(Scalar.dot(a.span, b.span))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        let first = dx[0].map { apply(self, to: [$0, x[1]]) }, second = dx[1].map { apply(self, to: [x[0], $0]) }
        guard let first, let second else { return first ?? second }
        return first + second
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [wanted.contains(0) ? g * x[1] : nil, wanted.contains(1) ? g * x[0] : nil]
    }
}

struct EuclideanNorm<Scalar: KernelScalar>: DifferentiableOperation {
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(Scalar.nrm2(a.span))
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        y.scalar == 0 ? nil : dot((x[0] / y).flattened(), dx[0]!.flattened())
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [y.scalar == 0 ? nil : g * (x[0] / y)]
    }
}

/// Sums of the elements up to each one, or from each one on: each is the other's adjoint.
struct CumulativeSum<Scalar: KernelScalar>: DifferentiableOperation {
    let axis: Int, isReversed: Bool

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], inner = elementCount(Array(a.shape[(axis + 1)...]))
        return Tensor(a.extents, uninitializedArray(count: a.count) {
            accumulate(a.span, a.shape[axis], inner, isReversed: isReversed, into: &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { apply(self, to: [dx[0]!]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(CumulativeSum(axis: axis, isReversed: !isReversed), to: [g])]
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func accumulate<Scalar: KernelScalar>(
    _ x: Span<Scalar>, _ length: Int, _ inner: Int, isReversed: Bool, into y: inout MutableSpan<Scalar>
) {
    guard !x.isEmpty else { return }
    for block in stride(from: 0, to: x.count, by: length * inner) {
        for i in 0..<inner {
            var sum = 0.0
            for k in 0..<length {
                let place = block + (isReversed ? length - 1 - k : k) * inner + i
                sum += Double(x[place])
                y[place] = Scalar(sum)
            }
        }
    }
}
