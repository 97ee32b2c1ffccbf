import Kernels

extension Tensor {
    /// exp(xₖ) / Σₗ exp(xₗ) along an axis, by default the last. Equal entries share equally, infinite ones too; see
    /// `KernelScalar.softmax`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func softmax(alongAxis axis: Int = -1) -> Tensor { alongLastAxis(axis) { apply(Softmax(), to: [$0]) } }

    /// xₖ − ln Σₗ exp(xₗ) along an axis, by default the last, without overflow.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func logSoftmax(alongAxis axis: Int = -1) -> Tensor {
        self - logSumExp(alongAxis: axis, keepingAxis: true)
    }

    /// ln Σₖ exp(xₖ) along an axis, by default the last, without overflow. An empty row gives −∞.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func logSumExp(alongAxis axis: Int = -1, keepingAxis: Bool = false) -> Tensor {
        let axis = resolvedAxes([axis], "logSumExp")[0]
        let sums = apply(LogSumExp(), to: [axis == rank - 1 ? self : movingAxisToEnd(axis)])
        return keepingAxis ? sums.reshaped(extents.indices.map { $0 == axis ? 1 : extents[$0] }) : sums
    }

    /// `body` on the tensor with an axis moved to the end, and moved back.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func alongLastAxis(_ axis: Int, _ body: (Tensor) -> Tensor) -> Tensor {
        let axis = resolvedAxes([axis], "softmax")[0]
        guard axis < rank - 1 else { return body(self) }
        let result = body(movingAxisToEnd(axis))
        return result.transposed(Array(0..<axis) + [rank - 1] + Array(axis..<rank - 1))
    }
}

/// The mean over rows of −ln softmax(x)[label]: the cross entropy of class scores (logits) against class numbers.
///
/// Computed from the scores directly, without overflow. Differs from PyTorch's `cross_entropy` in nothing but that the
/// classes are always the last axis.
///
/// - Parameters:
///   - logits: scores, classes along the last axis.
///   - labels: the class of each row.
/// - Precondition: at least one row, one label a row, each in `0..<classes`.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func crossEntropy<Scalar: KernelScalar>(_ logits: Tensor<Scalar>, labels: [Int]) -> Tensor<Scalar> {
    crossEntropies(logits, labels: labels).mean()
}

/// −ln softmax(x)[label] for each row: shape of the logits without the last axis.
///
/// - Precondition: as for ``crossEntropy(_:labels:)``.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func crossEntropies<Scalar: KernelScalar>(_ logits: Tensor<Scalar>, labels: [Int]) -> Tensor<Scalar> {
    let classes = logits.shape.last ?? 0
    let rows = classes == 0 ? 0 : logits.count / classes
    require(logits.rank > 0 && labels.count == rows && rows > 0,
            "crossEntropy: \(labels.count) labels for logits of shape \(logits.shape); expected one for each of \(rows) rows, at least one")
    for label in labels { require(label >= 0 && label < classes, "crossEntropy: label \(label) is outside 0..<\(classes)") }
    return apply(CrossEntropy(labels: labels.map(Int32.init)), to: [logits])
}

/// Rows of the last axis.
struct Softmax<Scalar: KernelScalar>: DifferentiableOperation {
    var derivativesRead: DerivativeOperands { .output }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        let columns = a.extents.last!
        return Tensor(a.extents, uninitializedArray(count: a.count) { out in
            guard columns > 0 else { return }
            Scalar.softmax(rows: a.count / columns, columns: columns, of: a.span, stride: columns, into: &out, stride: columns)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(SoftmaxPullback(), to: [dx[0]!, y])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(SoftmaxPullback(), to: [g, y])]
    }
}

/// y ∘ (g − Σₖ gₖ yₖ) in rows, of inputs g and y.
struct SoftmaxPullback<Scalar: KernelScalar>: FusedOperation {
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1]
        let columns = a.extents.last!
        return Tensor(a.extents, uninitializedArray(count: a.count) { out in
            guard columns > 0 else { return }
            Scalar.softmaxPullback(rows: a.count / columns, columns: columns, a.span, softmax: b.span, into: &out)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        x[1] * (x[0] - (x[0] * x[1]).sum(alongAxes: [-1], keepingAxes: true))
    }
}

/// Rows of the last axis, which goes.
struct LogSumExp<Scalar: KernelScalar>: DifferentiableOperation {
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        let columns = a.extents.last!, shape = Array(a.shape.dropLast())
        return Tensor(shape, uninitializedArray(count: elementCount(shape)) { [rows = elementCount(shape)] in
            Scalar.logSumExp(rows: rows, columns: columns, of: a.span, stride: columns, into: &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        (apply(Softmax(), to: [x[0]]) * dx[0]!).sum(alongAxes: [-1])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(Softmax(), to: [x[0]]) * g.reshaped(g.shape + [1])]
    }
}

struct CrossEntropy<Scalar: KernelScalar>: DifferentiableOperation {
    let labels: [Int32]

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(Array(a.shape.dropLast()), uninitializedArray(count: labels.count) {
            Scalar.crossEntropy(rows: labels.count, columns: a.extents.last!, of: a.span, labels: labels.span, into: &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        (apply(CrossEntropyPullback(labels: labels), to: [.ones(y.shape), x[0]]) * dx[0]!).sum(alongAxes: [-1])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(CrossEntropyPullback(labels: labels), to: [g, x[0]])]
    }
}

/// (softmax(x) − onehot(label)) g, of inputs g, one a row, and x.
struct CrossEntropyPullback<Scalar: KernelScalar>: DifferentiableOperation {
    let labels: [Int32]

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1]
        return Tensor(b.extents, uninitializedArray(count: b.count) {
            Scalar.crossEntropyPullback(
                rows: labels.count, columns: b.extents.last!, a.span, of: b.span, labels: labels.span, into: &$0)
        })
    }

    // With q = softmax(x) and d = q − onehot: ∂/∂g gives d ġ; ∂/∂x gives g q ∘ (ẋ − Σ q ẋ).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        let (g, logits) = (x[0], x[1])
        let fromCotangent = dx[0].map { apply(self, to: [$0, logits]) }
        let fromLogits = dx[1].map { apply(SoftmaxPullback(), to: [$0, apply(Softmax(), to: [logits])]) * g.reshaped(g.shape + [1]) }
        guard let fromCotangent, let fromLogits else { return fromCotangent ?? fromLogits }
        return fromCotangent + fromLogits
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent h: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let (g, logits) = (x[0], x[1])
        return [
            wanted.contains(0) ? (apply(self, to: [.ones(g.shape), logits]) * h).sum(alongAxes: [-1]) : nil,
            wanted.contains(1) ? apply(SoftmaxPullback(), to: [h, apply(Softmax(), to: [logits])]) * g.reshaped(g.shape + [1]) : nil,
        ]
    }
}
