import Kernels

extension Tensor {
    /// The function that `function` names, elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func applying(_ function: ElementwiseFunction) -> Tensor { apply(Elementwise(function), to: [self]) }
    /// eˣ, elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func exp() -> Tensor { apply(Elementwise(.exp), to: [self]) }
    /// ln x, elementwise: −∞ at 0, NaN below.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func log() -> Tensor { apply(Elementwise(.log), to: [self]) }
    /// tanh x, elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func tanh() -> Tensor { apply(Elementwise(.tanh), to: [self]) }
    /// 1 / (1 + e⁻ˣ), elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func logistic() -> Tensor { apply(Elementwise(.logistic), to: [self]) }
    /// (2/√π) ∫₀ˣ exp(−t²) dt, elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func erf() -> Tensor { apply(Elementwise(.erf), to: [self]) }
    /// √x, elementwise: NaN below 0; the derivative at 0 is +∞.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func squareRoot() -> Tensor { apply(Elementwise(.sqrt), to: [self]) }
    /// 1/x, elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func reciprocal() -> Tensor { apply(Elementwise(.reciprocal), to: [self]) }
    /// max(x, 0), elementwise; the derivative at 0 is 0.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func relu() -> Tensor { apply(Elementwise(.relu), to: [self]) }
    /// x Φ(x) with the normal distribution function Φ, elementwise. Differs from the tanh approximation that some models were trained with.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func gelu() -> Tensor { apply(Elementwise(.gelu), to: [self]) }
    /// x / (1 + e⁻ˣ), elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func silu() -> Tensor { apply(Elementwise(.silu), to: [self]) }
    /// ln(1 + eˣ), elementwise, without overflow.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func softplus() -> Tensor { apply(Elementwise(.softplus), to: [self]) }
    /// sin x, elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func sin() -> Tensor { apply(Elementwise(.sin), to: [self]) }
    /// cos x, elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func cos() -> Tensor { apply(Elementwise(.cos), to: [self]) }
    /// |x|, elementwise; the derivative at 0 is 0.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func magnitude() -> Tensor { apply(Elementwise(.abs), to: [self]) }
    /// x², elementwise.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func squared() -> Tensor { apply(Elementwise(.square), to: [self]) }
}

/// y = f(x), elementwise. Its derivative is a function p of what is kept, s: of y where that is possible, since y mostly is
/// kept by the next operation anyway; else of x.
struct Elementwise<Scalar: KernelScalar>: DifferentiableOperation {
    let function: ElementwiseFunction

    init(_ function: ElementwiseFunction) { self.function = function }

    var derivativesRead: DerivativeOperands { function.derivativeReadsOutput ? .output : .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0]
        return Tensor(a.extents, uninitializedArray(count: a.count) { Scalar.apply(function, a.span, into: &$0) })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(ElementwisePullback(function), to: [dx[0]!, function.derivativeReadsOutput ? y : x[0]])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(ElementwisePullback(function), to: [g, function.derivativeReadsOutput ? y : x[0]])]
    }
}

/// g ∘ p(s), of inputs g and s.
struct ElementwisePullback<Scalar: KernelScalar>: DifferentiableOperation {
    let function: ElementwiseFunction

    init(_ function: ElementwiseFunction) { self.function = function }

    var derivativesRead: DerivativeOperands { .inputs }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1]
        return Tensor(a.extents, uninitializedArray(count: a.count) {
            Scalar.pullback(function, a.span, saved: b.span, into: &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        guard let ds = dx[1] else { return apply(self, to: [dx[0]!, x[1]]) }
        guard let dg = dx[0] else { return x[0] * function.secondDerivative(x[1]) * ds }
        return apply(ElementwisePullbackTangent(function), to: [x[0], x[1], dg, ds])
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent h: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [wanted.contains(0) ? apply(self, to: [h, x[1]]) : nil,
         wanted.contains(1) ? h * x[0] * function.secondDerivative(x[1]) : nil]
    }
}

/// dg ∘ p(s) + g ∘ p′(s) ∘ ds, of inputs g, s, dg, ds.
struct ElementwisePullbackTangent<Scalar: KernelScalar>: FusedOperation {
    let function: ElementwiseFunction

    init(_ function: ElementwiseFunction) { self.function = function }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let a = x[0], b = x[1], c = x[2], d = x[3]
        return Tensor(a.extents, uninitializedArray(count: a.count) {
            Scalar.pullbackTangent(
                function, a.span, saved: b.span, c.span, savedTangent: d.span, into: &$0)
        })
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func definition(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        x[2] * function.derivative(x[1]) + x[0] * function.secondDerivative(x[1]) * x[3]
    }
}

extension ElementwiseFunction {
    /// p(s), the derivative of the function in terms of what is kept, as a differentiable expression.
    func derivative<Scalar: KernelScalar>(_ s: Tensor<Scalar>) -> Tensor<Scalar> {
        apply(ElementwisePullback(self), to: [.ones(s.shape), s])
    }

    /// p′(s), as a differentiable expression. (It need not be the second derivative in x: for tanh, s = y and p′ = −2y.)
    func secondDerivative<Scalar: KernelScalar>(_ s: Tensor<Scalar>) -> Tensor<Scalar> {
        switch self {
        case .exp: .ones(s.shape)                                       // p = s
        case .log: -s.reciprocal().squared()                            // p = 1/s
        case .tanh: -2 * s                                              // p = 1 − s²
        case .logistic: 1 - 2 * s                                       // p = s (1 − s)
        case .erf: -2 * s * derivative(s)                               // p = (2/√π) exp(−s²)
        case .sqrt: -0.5 * s.squared().reciprocal()                     // p = 1/(2s)
        case .reciprocal: -2 * s                                        // p = −s²
        case .relu, .abs: .zeros(s.shape)
        case .gelu: (2 - s.squared()) * normalDensity(s)                // p = Φ(s) + s φ(s)
        case .silu:                                                     // p = σ + s σ (1 − σ)
            { sigma in sigma * (1 - sigma) * (2 + s * (1 - 2 * sigma)) }(s.logistic())
        case .softplus: { sigma in sigma * (1 - sigma) }(s.logistic())  // p = σ(s)
        case .sin: -s.sin()                                             // p = cos s
        case .cos: -s.cos()                                             // p = −sin s
        case .square: Tensor(shape: s.shape, repeating: 2)              // p = 2s
        }
    }
}

/// φ(s) = exp(−s²/2) / √(2π).
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func normalDensity<Scalar: KernelScalar>(_ s: Tensor<Scalar>) -> Tensor<Scalar> {
    Scalar(0.398942280401432677939946059934) * (-0.5 * s.squared()).exp()
}
