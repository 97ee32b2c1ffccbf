import ComplexModule
import Kernels
import LinearAlgebra
import RealModule
import Synchronization

/// Xₖ = Σⱼ xⱼ exp(−2πi jk/n) along the last axis: the discrete Fourier transform, complex numbers as pairs of tensors.
///
/// No factor here, 1/n in ``inverseFFT(real:imaginary:)``: NumPy's default. Any n ≥ 1; small prime factors are fastest.
///
/// - Parameter imaginary: of the real part's shape. Default: zeros.
/// - Precondition: the last axis is not empty.
/// - Complexity: O(n log n) a row; derivatives are one transform.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func fft<Scalar: KernelScalar>(
    real: Tensor<Scalar>, imaginary: Tensor<Scalar>? = nil
) -> (real: Tensor<Scalar>, imaginary: Tensor<Scalar>) {
    transformed(real, imaginary, isForward: true, "fft")
}

/// xⱼ = (1/n) Σₖ Xₖ exp(2πi jk/n) along the last axis: undoes ``fft(real:imaginary:)``.
///
/// - Precondition: as for the transform.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func inverseFFT<Scalar: KernelScalar>(
    real: Tensor<Scalar>, imaginary: Tensor<Scalar>? = nil
) -> (real: Tensor<Scalar>, imaginary: Tensor<Scalar>) {
    transformed(real, imaginary, isForward: false, "inverseFFT")
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func transformed<Scalar: KernelScalar>(
    _ real: Tensor<Scalar>, _ imaginary: Tensor<Scalar>?, isForward: Bool, _ operation: String
) -> (real: Tensor<Scalar>, imaginary: Tensor<Scalar>) {
    require(real.rank > 0 && real.shape[real.rank - 1] > 0, "\(operation) of shape \(real.shape); expected a last axis that is not empty")
    let imaginary = imaginary ?? .zeros(real.shape)
    require(imaginary.shape == real.shape, "\(operation): real part of shape \(real.shape), imaginary part of \(imaginary.shape); expected equal shapes")
    let pair = apply(FourierPair(isForward: isForward, isNormalized: !isForward), to: [real, imaginary])
    return (pair.at(0), pair.at(1))
}

/// The transform of inputs real part and imaginary part: both parts of the result, along a new first axis.
struct FourierPair<Scalar: KernelScalar>: DifferentiableOperation {
    /// Whether the exponent is −2πi jk/n, and whether there is a factor 1/n.
    let isForward: Bool, isNormalized: Bool

    var derivativesRead: DerivativeOperands { [] }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func value(_ x: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let length = x[0].shape[x[0].rank - 1]
        // The plan divides by n in the inverse direction.
        let factor: Scalar = isForward ? (isNormalized ? 1 / Scalar(length) : 1) : isNormalized ? 1 : Scalar(length)
        if let x = x as? [Tensor<Double>] {
            return transform(x, doublePlans.plan(length), isForward: isForward, factor: Double(factor)) as! Tensor<Scalar>
        }
        return transform(x as! [Tensor<Float>], floatPlans.plan(length), isForward: isForward, factor: Float(factor)) as! Tensor<Scalar>
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func jvp(_ x: [Tensor<Scalar>], _ dx: [Tensor<Scalar>?], output y: Tensor<Scalar>) -> Tensor<Scalar>? {
        apply(self, to: dx.map { $0 ?? .zeros(x[0].shape) })
    }

    // The adjoint has the conjugate exponent and the same factor.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func vjp(_ x: [Tensor<Scalar>], output y: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let pair = apply(FourierPair(isForward: !isForward, isNormalized: isNormalized), to: [g.at(0), g.at(1)])
        return [pair.at(0), pair.at(1)]
    }
}

/// Plans, made once for each length: making one takes longer than a short transform. At most 64 are kept.
private final class FourierPlans<Scalar: KernelScalar & Real>: Sendable {
    private let plans = Mutex<[Int: FourierTransform<Scalar>]>([:])

    func plan(_ length: Int) -> FourierTransform<Scalar> {
        if let plan = plans.withLock({ $0[length] }) { return plan }
        let plan = FourierTransform<Scalar>(length: length)
        plans.withLock { plans in
            if plans.count >= 64 { plans = [:] }
            plans[length] = plan
        }
        return plan
    }
}

private let floatPlans = FourierPlans<Float>()
private let doublePlans = FourierPlans<Double>()

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func transform<Scalar: KernelScalar & Real>(
    _ x: [Tensor<Scalar>], _ plan: FourierTransform<Scalar>, isForward: Bool, factor: Scalar
) -> Tensor<Scalar> {
    let a = x[0], b = x[1], n = plan.count
    var row = [Complex<Scalar>](repeating: .zero, count: n)
    return Tensor([2] + a.shape, uninitializedArray(count: 2 * a.count) { out in
        let real = a.span, imaginary = b.span
        var numbers = row.mutableSpan
        for start in stride(from: 0, to: a.count, by: n) {
            for j in 0..<n { numbers[j] = Complex(real[start + j], imaginary[start + j]) }
            if isForward { plan.forward(&numbers) } else { plan.inverse(&numbers) }
            for j in 0..<n {
                out[start + j] = factor * numbers[j].real
                out[a.count + start + j] = factor * numbers[j].imaginary
            }
        }
    })
}
