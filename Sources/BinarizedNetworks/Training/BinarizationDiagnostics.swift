import Autodiff
import Kernels
import RealModule

/// The entropy of a bit that is 1 with probability `density`, in bits: −p log₂ p − (1 − p) log₂(1 − p). 0 for 0 and 1, NaN for what is no
/// probability.
///
/// Of an attention matrix of one binary value this is 0: nothing of the scores is left (BiBERT, §3.2).
public func binaryEntropy(_ density: Double) -> Double {
    guard density > 0, density < 1 else { return density == 0 || density == 1 ? 0 : .nan }
    return -(density * Double.log2(density) + (1 - density) * Double.log2(1 - density))
}

/// How often binarising turns the direction of an error: the share of elements where x − t and f(x) − t have opposite signs.
///
/// x are latent numbers, f(x) binarised ones and t the teacher's. There the gradient of (f(x) − t)² pushes x away from t (BiBERT, §3.3). For
/// x, t ~ N(0, 1) and f = sign it is 0.1417.
///
/// - Precondition: equal shapes.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func directionMismatch<Scalar: KernelScalar>(latent x: Tensor<Scalar>, binarized f: Tensor<Scalar>, teacher t: Tensor<Scalar>) -> Double {
    require(x.shape == f.shape && x.shape == t.shape, "shapes \(x.shape), \(f.shape) and \(t.shape); expected equal ones")
    let (x, f, t) = (x.elements, f.elements, t.elements)
    var opposite = 0
    for i in x.indices where (x[i] - t[i]) * (f[i] - t[i]) < 0 { opposite += 1 }
    return Double(opposite) / Double(max(1, x.count))
}
