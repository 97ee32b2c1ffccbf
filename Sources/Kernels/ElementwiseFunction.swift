/// A function y = f(x) of one number, with its derivative: what a layer or an automatic derivative applies to whole buffers.
///
/// `KernelScalar` has three forms of each: the value (``KernelScalar/apply(_:_:into:)``), the pullback of a cotangent
/// (``KernelScalar/pullback(_:_:saved:into:)``), and the tangent of that, for derivatives of second order
/// (``KernelScalar/pullbackTangent(_:_:saved:_:savedTangent:into:)``).
///
/// The last two read one saved number s for each element: the output y where the derivative is a function of it, else the
/// input x (``derivativeReadsOutput``). Φ and φ are the normal distribution and its density, l(x) = 1 / (1 + e⁻ˣ).
///
/// | case | f(x) | s | derivative |
/// |---|---|---|---|
/// | `exp` | eˣ | y | s |
/// | `log` | ln x | x | 1/s |
/// | `tanh` | tanh x | y | 1 − s² |
/// | `logistic` | l(x) | y | s (1 − s) |
/// | `erf` | (2/√π) ∫₀ˣ exp(−t²) dt | x | (2/√π) exp(−s²) |
/// | `sqrt` | √x | y | 1/(2 s) |
/// | `reciprocal` | 1/x | y | −s² |
/// | `sin` | sin x | x | cos s |
/// | `cos` | cos x | x | −sin s |
/// | `relu` | max(x, 0) | y | 1 for s > 0, 0 for s ≤ 0 |
/// | `gelu` | x Φ(x), exactly | x | Φ(s) + s φ(s) |
/// | `silu` | x l(x) | x | l(s) (1 + s (1 − l(s))) |
/// | `softplus` | ln(1 + eˣ) | x | l(s) |
/// | `abs` | \|x\| | x | sign of s, 0 for 0 |
/// | `square` | x² | x | 2 s |
///
/// `gelu` is the exact one (PyTorch's `approximate='none'`), and its relative error is small for negative x too, where the
/// formula with 1 + erf cancels: in `Float` nothing is left of it below x = −6.
public enum ElementwiseFunction: String, CaseIterable, Sendable, Codable {
    case exp, log, tanh, logistic, erf, sqrt, reciprocal, sin, cos, relu, gelu, silu, softplus, abs, square

    /// Whether the derivative's forms read y = f(x) as their saved number; they read x otherwise.
    public var derivativeReadsOutput: Bool {
        switch self {
        case .exp, .tanh, .logistic, .sqrt, .reciprocal, .relu: true
        case .log, .erf, .sin, .cos, .gelu, .silu, .softplus, .abs, .square: false
        }
    }
}
