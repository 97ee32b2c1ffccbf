import Kernels
import _TestSupport

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

extension ElementwiseFunction {
    /// The bounds that the documentation states, in ulp of `Float` and `Double`.
    var bound: (float: Double, double: Double) {
        switch self {
        case .exp: (1.1, 1.1)
        case .log: (0.9, 1)
        case .tanh: (1.3, 1.75)
        case .logistic: (1.3, 1.4)
        case .erf: (1.2, 1.5)
        case .sqrt, .reciprocal, .square: (0.5, 0.5)
        case .sin, .cos: (0.95, 0.95)
        case .relu, .abs: (0, 0)
        case .gelu: (4.5, 4.5)
        case .silu: (3.2, 3.2)
        case .softplus: (1.5, 1.5)
        }
    }

    /// Through the function's own requirement where there is one, so that those are tested too.
    func run<Scalar: KernelScalar>(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        switch self {
        case .exp: Scalar.exp(x, into: &y)
        case .log: Scalar.log(x, into: &y)
        case .tanh: Scalar.tanh(x, into: &y)
        case .logistic: Scalar.logistic(x, into: &y)
        case .erf: Scalar.erf(x, into: &y)
        case .sqrt: Scalar.sqrt(x, into: &y)
        case .reciprocal: Scalar.reciprocal(x, into: &y)
        default: Scalar.apply(self, x, into: &y)
        }
    }

    func run<Scalar: KernelScalar>(_ x: inout MutableSpan<Scalar>) {
        switch self {
        case .exp: Scalar.exp(&x)
        case .log: Scalar.log(&x)
        case .tanh: Scalar.tanh(&x)
        case .logistic: Scalar.logistic(&x)
        case .erf: Scalar.erf(&x)
        case .sqrt: Scalar.sqrt(&x)
        case .reciprocal: Scalar.reciprocal(&x)
        default: Scalar.apply(self, &x)
        }
    }

    /// The results for `x`, in a new array.
    func callAsFunction<Scalar: KernelScalar>(_ x: [Scalar]) -> [Scalar] {
        var y = [Scalar](repeating: .nan, count: x.count)
        var span = y.mutableSpan
        run(x.span, into: &span)
        return y
    }
}

/// The system library's value: the reference for `Float`.
func libraryValue(_ function: ElementwiseFunction, _ x: Double) -> Double {
    switch function {
    case .exp: exp(x)
    case .log: log(x)
    case .tanh: tanh(x)
    case .logistic: x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
    case .erf: erf(x)
    case .sqrt: x.squareRoot()
    case .reciprocal: 1 / x
    case .sin: sin(x)
    case .cos: cos(x)
    case .relu: x <= 0 ? 0 : x
    case .gelu: x.isInfinite ? (x < 0 ? -0.0 : x) : x * erfc(-x / (2 as Double).squareRoot()) / 2
    case .silu: x.isInfinite ? (x < 0 ? -0.0 : x) : x * libraryValue(.logistic, x)
    case .softplus: (x <= 0 ? 0 : x) + log1p(exp(-abs(x)))
    case .abs: abs(x)
    case .square: x * x
    }
}

#if arch(x86_64) && !os(Windows)
/// The system library's value in the widest format: the reference for `Double`.
func libraryValue(_ function: ElementwiseFunction, _ x: Float80) -> Float80 {
    switch function {
    case .exp: exp(x)
    case .log: log(x)
    case .tanh: tanh(x)
    case .logistic: x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
    case .erf: erf(x)
    case .sqrt: x.squareRoot()
    case .reciprocal: 1 / x
    case .sin: sin(x)
    case .cos: cos(x)
    case .relu: x <= 0 ? 0 : x
    case .gelu: x.isInfinite ? (x < 0 ? -0.0 : x) : x * erfc(-x / (2 as Float80).squareRoot()) / 2
    case .silu: x.isInfinite ? (x < 0 ? -0.0 : x) : x * libraryValue(.logistic, x)
    case .softplus: (x <= 0 ? 0 : x) + log1p(exp(-abs(x)))
    case .abs: abs(x)
    case .square: x * x
    }
}
#endif
