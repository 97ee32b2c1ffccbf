import Autodiff
import Kernels

extension Tensor {
    /// sign(x), +1 or −1, with the straight-through derivative 1[|x| ≤ 1].
    ///
    /// Differs from `torch.sign`: sign(0) is +1 unless `ties` says otherwise. NaN gives −1, as a bit matrix has it.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func signBinarized(ties: TieRule = .paper) -> Tensor {
        apply(ClippedStep(high: 1, low: -1, middle: ties == .paper ? 1 : 0, isEdgeOpen: false), to: [self])
    }

    /// bool(x), 1 where x ≥ 0 and 0 elsewhere, with the straight-through derivative 1[|x| ≤ 1] (BiBERT, §3.2).
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func boolBinarized(ties: TieRule = .paper) -> Tensor {
        apply(ClippedStep(high: 1, low: 0, middle: ties == .paper ? 1 : 0, isEdgeOpen: ties == .torchSign), to: [self])
    }

    /// αᵢ sign(xᵢ − μᵢ) in each row i of the last axis, with μᵢ its mean and αᵢ = mean |xᵢ|: a binarised table of embeddings.
    ///
    /// The derivative is 1[|xᵢ − μᵢ| ≤ 1], then the centring; α counts as a constant.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func binarizedRows(ties: TieRule = .paper) -> Tensor { apply(ScaledSigns(groups: .rows, ties: ties), to: [self]) }

    /// αⱼ sign(xⱼ − μⱼ) in each column j of the last axis, with μⱼ and αⱼ over all earlier axes: the binarised weights of a layer, whose
    /// outputs are its last axis. Derivative as in ``binarizedRows(ties:)``.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func binarizedColumns(ties: TieRule = .paper) -> Tensor { apply(ScaledSigns(groups: .columns, ties: ties), to: [self]) }
}

/// Two values by the sign of x, a third one at 0, and the derivative of the identity within the unit interval.
struct ClippedStep<Scalar: KernelScalar>: DifferentiableOperation {
    let high: Scalar, low: Scalar, middle: Scalar
    let isEdgeOpen: Bool

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], span = a.span
        let (high, low, middle) = (high, low, middle)
        return Tensor(shape: a.shape, elements: uninitializedArray(count: a.count) { y in
            for i in span.indices { y[i] = span[i] > 0 ? high : span[i] == 0 ? middle : low }
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { dx[0]! * inside(x[0]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g * inside(x[0])]
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func inside(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
        guard isEdgeOpen else { return unitMask(x) }
        return Tensor(shape: x.shape, elements: x.elements.map { abs($0) < 1 ? 1 : 0 })
    }
}

/// 1 where |x| ≤ 1, 0 elsewhere: a constant.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func unitMask<Scalar: KernelScalar>(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    let span = x.span
    return Tensor(shape: x.shape, elements: uninitializedArray(count: x.count) { mask in
        for i in span.indices { mask[i] = abs(span[i]) <= 1 ? 1 : 0 }
    })
}

/// Mean and scale of each group of weights: μ, and α = mean |w| of the uncentred weights.
struct GroupStatistics<Scalar: KernelScalar> {
    enum Groups: Sendable { case rows, columns }

    let means: [Scalar], scales: [Scalar]

    /// Sums in `Double`. Without elements both are 0.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ weights: Tensor<Scalar>, _ groups: Groups) {
        let columns = weights.shape[weights.rank - 1], rows = columns == 0 ? 0 : weights.count / columns
        let (count, length) = groups == .rows ? (rows, columns) : (columns, rows)
        var sums = [Double](repeating: 0, count: count), magnitudes = sums
        let span = weights.span
        switch groups {
        case .rows:
            for i in 0..<rows {
                for j in 0..<columns {
                    let w = Double(span[i * columns + j])
                    sums[i] += w
                    magnitudes[i] += abs(w)
                }
            }
        case .columns:
            for i in 0..<rows {
                for j in 0..<columns {
                    let w = Double(span[i * columns + j])
                    sums[j] += w
                    magnitudes[j] += abs(w)
                }
            }
        }
        let divisor = Double(max(1, length))
        means = sums.map { Scalar($0 / divisor) }
        scales = magnitudes.map { Scalar($0 / divisor) }
    }

    /// sign(w − μ), times α if `isScaled`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func signs(of weights: Tensor<Scalar>, _ groups: Groups, ties: TieRule, isScaled: Bool) -> Tensor<Scalar> {
        let columns = weights.shape[weights.rank - 1], rows = columns == 0 ? 0 : weights.count / columns
        let span = weights.span, middle: Scalar = ties == .paper ? 1 : 0
        var y = [Scalar](repeating: 0, count: weights.count)
        for i in 0..<rows {
            for j in 0..<columns {
                let group = groups == .rows ? i : j, w = span[i * columns + j], mean = means[group]
                let sign: Scalar = w > mean ? 1 : w == mean ? middle : -1
                y[i * columns + j] = isScaled ? scales[group] * sign : sign
            }
        }
        return Tensor(shape: weights.shape, elements: y)
    }
}

/// x less the mean of each group.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func centered<Scalar: KernelScalar>(_ x: Tensor<Scalar>, _ groups: GroupStatistics<Scalar>.Groups) -> Tensor<Scalar> {
    x - x.mean(alongAxes: groups == .rows ? [x.rank - 1] : Array(0..<x.rank - 1), keepingAxes: true)
}

/// α sign(w − μ) in groups: derivative 1 where |w − μ| ≤ 1, not α, and then through the centring.
struct ScaledSigns<Scalar: KernelScalar>: DifferentiableOperation {
    let groups: GroupStatistics<Scalar>.Groups
    let ties: TieRule

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        require(x[0].rank >= 2, "binarised weights of shape \(x[0].shape); expected at least two axes")
        return GroupStatistics(x[0], groups).signs(of: x[0], groups, ties: ties, isScaled: true)
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        centered(dx[0]!, groups) * unitMask(centered(x[0], groups).stoppingGradient())
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [centered(g * unitMask(centered(x[0], groups).stoppingGradient()), groups)]
    }
}
