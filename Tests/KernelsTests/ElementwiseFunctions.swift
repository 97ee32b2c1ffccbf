import Kernels
import _TestSupport

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#endif

/// An elementwise function of the kernels, with its published error for `Float` and `Double`.
enum ElementwiseFunction: String, CaseIterable {
    case exp, log, tanh, logistic, erf, sqrt, reciprocal

    /// The bounds that the documentation states, in ulp.
    var bound: (float: Double, double: Double) {
        switch self {
        case .exp: (1.1, 1.1)
        case .log: (0.9, 1)
        case .tanh: (1.3, 1.75)
        case .logistic: (1.3, 1.4)
        case .erf: (1.2, 1.5)
        case .sqrt, .reciprocal: (0.5, 0.5)
        }
    }

    func apply<Scalar: KernelScalar>(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        switch self {
        case .exp: Scalar.exp(x, into: &y)
        case .log: Scalar.log(x, into: &y)
        case .tanh: Scalar.tanh(x, into: &y)
        case .logistic: Scalar.logistic(x, into: &y)
        case .erf: Scalar.erf(x, into: &y)
        case .sqrt: Scalar.sqrt(x, into: &y)
        case .reciprocal: Scalar.reciprocal(x, into: &y)
        }
    }

    func apply<Scalar: KernelScalar>(_ x: inout MutableSpan<Scalar>) {
        switch self {
        case .exp: Scalar.exp(&x)
        case .log: Scalar.log(&x)
        case .tanh: Scalar.tanh(&x)
        case .logistic: Scalar.logistic(&x)
        case .erf: Scalar.erf(&x)
        case .sqrt: Scalar.sqrt(&x)
        case .reciprocal: Scalar.reciprocal(&x)
        }
    }

    /// The results for `x`, in a new array.
    func callAsFunction<Scalar: KernelScalar>(_ x: [Scalar]) -> [Scalar] {
        var y = [Scalar](repeating: .nan, count: x.count)
        var span = y.mutableSpan
        apply(x.span, into: &span)
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
    }
}
#endif
