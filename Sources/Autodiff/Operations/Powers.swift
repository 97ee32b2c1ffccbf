import Kernels
import RealModule

extension Tensor {
    /// xᵖ, elementwise, for a constant p. Computed in `Double`.
    ///
    /// x⁰ is 1. Below 0 the power is NaN unless p is a whole number. At 0 the derivative is that of the formula p xᵖ⁻¹: 0 for p > 1, infinite
    /// for 0 < p < 1.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func power(_ exponent: Scalar) -> Tensor { apply(Power(exponent: exponent), to: [self]) }

    /// x held between two bounds, elementwise. The derivative is 1 from bound to bound, bounds included, and 0 beyond. NaN stays.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func clamped(to range: ClosedRange<Scalar>) -> Tensor { apply(Clamp(range: range), to: [self]) }
}

struct Power<Scalar: KernelScalar>: DifferentiableOperation {
    let exponent: Scalar

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(a.extents, uninitializedArray(count: a.count) { raise(a.span, exponent, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { slope(x[0], dx[0]!) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [slope(x[0], g)]
    }

    // x⁰ is constant also at 0, where 0 x⁻¹ is no number.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func slope(_ x: Tensor<Scalar>, _ g: Tensor<Scalar>) -> Tensor<Scalar>? {
        exponent == 0 ? nil : exponent * (g * x.power(exponent - 1))
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func raise<Scalar: KernelScalar>(_ x: Span<Scalar>, _ exponent: Scalar, into y: inout MutableSpan<Scalar>) {
    // The real power is NaN for every negative base, the whole one is not.
    if let whole = Int(exactly: exponent) {
        for i in x.indices { y[i] = Scalar(Double.pow(Double(x[i]), whole)) }
    } else {
        let exponent = Double(exponent)
        for i in x.indices { y[i] = Scalar(Double.pow(Double(x[i]), exponent)) }
    }
}

struct Clamp<Scalar: KernelScalar>: DifferentiableOperation {
    let range: ClosedRange<Scalar>

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(a.extents, uninitializedArray(count: a.count) { clamp(a.span, range, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? { dx[0]! * inside(x[0]) }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [g * inside(x[0])]
    }

    /// 1 from bound to bound, 0 elsewhere.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func inside(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
        Tensor(x.extents, uninitializedArray(count: x.count) { indicate(x.span, range, into: &$0) })
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func clamp<Scalar: KernelScalar>(_ x: Span<Scalar>, _ range: ClosedRange<Scalar>, into y: inout MutableSpan<Scalar>) {
    let (low, high) = (range.lowerBound, range.upperBound)
    for i in x.indices { y[i] = x[i] < low ? low : x[i] > high ? high : x[i] }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func indicate<Scalar: KernelScalar>(_ x: Span<Scalar>, _ range: ClosedRange<Scalar>, into y: inout MutableSpan<Scalar>) {
    let (low, high) = (range.lowerBound, range.upperBound)
    for i in x.indices { y[i] = x[i] >= low && x[i] <= high ? 1 : 0 }
}
