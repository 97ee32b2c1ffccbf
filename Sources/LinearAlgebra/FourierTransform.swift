import ComplexModule
import Kernels
import RealModule

/// The discrete Fourier transform of complex data in one or two dimensions, planned once and used often.
///
/// Forward: Xₖ = Σⱼ xⱼ·exp(−2πi·jk/n), with no factor; inverse: the same with +, divided by n. This is NumPy's
/// and SciPy's default. In two dimensions the data lie row-major, rows and columns are both transformed, and n is
/// their product. Any size ≥ 1; sizes with small prime factors are fastest.
///
/// The value may be shared between threads. The same data give the same bits at each call with the same alignment of the
/// buffer, and Swift arrays are always aligned.
public struct FourierTransform<Scalar: KernelScalar & Real>: Sendable {
    /// The number of elements that are transformed together.
    public let count: Int
    private let forwardPlan: FFTWPlan<Scalar>
    private let inversePlan: FFTWPlan<Scalar>

    /// A plan for vectors of `length` elements.
    ///
    /// - Precondition: `length` is at least 1.
    public init(length: Int) { self.init(transformSizes(length)) }

    /// A plan for row-major matrices.
    ///
    /// - Precondition: both sizes are at least 1.
    public init(rows: Int, columns: Int) { self.init(transformSizes(rows, columns)) }

    private init(_ sizes: [Int]) {
        count = sizes.reduce(1, *)
        forwardPlan = FFTWPlan(sizes, .complex(sign: -1))
        inversePlan = FFTWPlan(sizes, .complex(sign: 1))
    }

    /// Transforms `x` in place.
    ///
    /// - Precondition: `x` has ``count`` elements.
    /// - Complexity: O(n log n).
    public func forward(_ x: inout MutableSpan<Complex<Scalar>>) { run(forwardPlan, sign: -1, &x) }

    /// Undoes ``forward(_:)-(MutableSpan<Complex<Scalar>>)`` in place; the factor 1/n is in it.
    ///
    /// - Precondition: `x` has ``count`` elements.
    public func inverse(_ x: inout MutableSpan<Complex<Scalar>>) {
        run(inversePlan, sign: 1, &x)
        divide(&x, by: Scalar(count))
    }

    /// The transform of `x`.
    ///
    /// - Precondition: `x` has ``count`` elements.
    public func forward(_ x: [Complex<Scalar>]) -> [Complex<Scalar>] {
        var result = x
        var span = result.mutableSpan
        forward(&span)
        return result
    }

    /// The inverse transform of `x`, with the factor 1/n.
    ///
    /// - Precondition: `x` has ``count`` elements.
    public func inverse(_ x: [Complex<Scalar>]) -> [Complex<Scalar>] {
        var result = x
        var span = result.mutableSpan
        inverse(&span)
        return result
    }

    private func run(_ plan: FFTWPlan<Scalar>, sign: Int32, _ x: inout MutableSpan<Complex<Scalar>>) {
        requireCount(x.count, count, "argument of a Fourier transform")
        unsafe x.withUnsafeMutableBufferPointer {
            let pointer = UnsafeMutableRawPointer($0.baseAddress!)
            unsafe plan.execute(.complex(sign: sign), pointer, pointer)
        }
    }
}

@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
private func divide<Scalar: KernelScalar & Real>(_ x: inout MutableSpan<Complex<Scalar>>, by divisor: Scalar) {
    let factor = 1 / divisor
    for i in 0..<x.count { x[i] = x[i].multiplied(by: factor) }
}

/// The discrete Fourier transform of real data in one or two dimensions.
///
/// The spectrum of real data has X₋ₖ = X̄ₖ, so only the last dimension's first ⌊n/2⌋ + 1 columns are kept: NumPy's `rfft`
/// and `rfft2`, with its default normalisation (none forward, 1/n inverse).
public struct RealFourierTransform<Scalar: KernelScalar & Real>: Sendable {
    /// The number of real elements.
    public let count: Int
    /// The number of complex elements in the spectrum: rows·(⌊columns/2⌋ + 1), or ⌊length/2⌋ + 1.
    public let spectrumCount: Int
    private let forwardPlan: FFTWPlan<Scalar>
    private let inversePlan: FFTWPlan<Scalar>

    /// A plan for vectors of `length` elements.
    ///
    /// - Precondition: `length` is at least 1.
    public init(length: Int) { self.init(transformSizes(length)) }

    /// A plan for row-major matrices.
    ///
    /// - Precondition: both sizes are at least 1.
    public init(rows: Int, columns: Int) { self.init(transformSizes(rows, columns)) }

    private init(_ sizes: [Int]) {
        count = sizes.reduce(1, *)
        spectrumCount = sizes.dropLast().reduce(1, *) * (sizes.last! / 2 + 1)
        forwardPlan = FFTWPlan(sizes, .realToComplex)
        inversePlan = FFTWPlan(sizes, .complexToReal)
    }

    /// The half spectrum of `x`.
    ///
    /// - Precondition: `x` has ``count`` elements.
    /// - Complexity: O(n log n), about half of the complex transform's.
    public func forward(_ x: [Scalar]) -> [Complex<Scalar>] {
        requireCount(x.count, count, "argument of a real Fourier transform")
        return unsafe [Complex<Scalar>](unsafeUninitializedCapacity: spectrumCount) { spectrum, filled in
            unsafe x.withUnsafeBufferPointer { x in
                // FFTW leaves the input of this kind as it is.
                unsafe forwardPlan.execute(.realToComplex, UnsafeMutableRawPointer(mutating: x.baseAddress!),
                                           UnsafeMutableRawPointer(spectrum.baseAddress!))
            }
            filled = spectrumCount
        }
    }

    /// The real data with the half spectrum `spectrum`, with the factor 1/n. The parts of the spectrum that would have to
    /// vanish for real data (the imaginary part of X₀, for one) are ignored.
    ///
    /// - Precondition: `spectrum` has ``spectrumCount`` elements.
    /// - Complexity: O(n log n), and a copy of the spectrum, which FFTW overwrites.
    public func inverse(_ spectrum: [Complex<Scalar>]) -> [Scalar] {
        requireCount(spectrum.count, spectrumCount, "argument of an inverse real Fourier transform")
        var work = spectrum
        var result = unsafe [Scalar](unsafeUninitializedCapacity: count) { result, filled in
            unsafe work.withUnsafeMutableBufferPointer { work in
                unsafe inversePlan.execute(.complexToReal, UnsafeMutableRawPointer(work.baseAddress!),
                                           UnsafeMutableRawPointer(result.baseAddress!))
            }
            filled = count
        }
        var span = result.mutableSpan
        scale(&span, by: 1 / Scalar(count))
        return result
    }
}
