import Autodiff
import Kernels
import Randomness

/// How a parameter begins.
///
/// For a weight of shape [… , in, out], fanIn is the product of all extents but the last and fanOut that of all but the one before the
/// last: for a filter [kh, kw, c, f] these are kh·kw·c and kh·kw·f.
public enum Initializer: Sendable, Hashable {
    case zeros
    case ones
    /// N(0, σ²).
    case normal(standardDeviation: Double)
    /// Uniform in [−bound, bound).
    case uniform(bound: Double)
    /// Uniform with bound √(6 / (fanIn + fanOut)): keeps the variance of what passes forwards and backwards through linear layers and
    /// tanh (Glorot & Bengio 2010).
    case glorotUniform
    /// N(0, 2 / (fanIn + fanOut)).
    case glorotNormal
    /// N(0, 2 / fanIn): for ReLU, which halves the variance (He et al. 2015).
    case heNormal
    /// Uniform with bound √(6 / fanIn).
    case heUniform
    /// N(0, 1 / fanIn) (LeCun et al. 1998).
    case lecunNormal

    /// Elements of a parameter of this shape.
    func elements<Scalar: KernelScalar>(_ shape: [Int], using random: inout RandomStream) -> [Scalar] {
        let count = shape.reduce(1, *)
        let receptive = Double(shape.dropLast(2).reduce(1, *))
        let fanIn = receptive * Double(shape.count >= 2 ? shape[shape.count - 2] : 1), fanOut = receptive * Double(shape.last ?? 1)
        func normal(_ variance: Double) -> [Scalar] {
            random.normal(count: count, standardDeviation: Scalar(variance.squareRoot()))
        }
        func uniform(_ bound: Double) -> [Scalar] {
            let unit: [Scalar] = random.uniform(count: count)
            return unit.map { Scalar(bound) * (2 * $0 - 1) }
        }
        return switch self {
        case .zeros: [Scalar](repeating: 0, count: count)
        case .ones: [Scalar](repeating: 1, count: count)
        case .normal(let deviation): normal(deviation * deviation)
        case .uniform(let bound): uniform(bound)
        case .glorotUniform: uniform((6 / (fanIn + fanOut)).squareRoot())
        case .glorotNormal: normal(2 / (fanIn + fanOut))
        case .heNormal: normal(2 / fanIn)
        case .heUniform: uniform((6 / fanIn).squareRoot())
        case .lecunNormal: normal(1 / fanIn)
        }
    }
}
