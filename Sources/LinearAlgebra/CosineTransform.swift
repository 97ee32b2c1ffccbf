import CFFTW
import Kernels

/// The factor in front of a real trigonometric transform.
public enum TransformNormalization: Sendable, Hashable, Codable {
    /// The transform is an orthogonal matrix: lengths are kept, and the inverse is the transpose. SciPy's `norm="ortho"`.
    case orthonormal
    /// The plain sums with their factor of 2, SciPy's default.
    case unnormalized
}

/// The discrete cosine transforms II and III in one or two dimensions, planned once and used often.
///
/// Unnormalised, for n elements:
///
///     II:   yₖ = 2·Σⱼ xⱼ·cos(π·k·(2j + 1) / 2n)
///     III:  yₖ = x₀ + 2·Σ_{j≥1} xⱼ·cos(π·j·(2k + 1) / 2n)
///
/// III after II is 2n times the identity in each dimension. Orthonormal, they are orthogonal and each other's inverse: II is
/// scaled by 1/√(2n), and its element 0 by another 1/√2; III is its transpose.
///
/// Differs from SciPy: the default is orthonormal. In two dimensions the data lie row-major and both dimensions are transformed.
/// The value may be shared between threads.
public struct CosineTransform<Scalar: KernelScalar>: Sendable {
    /// The number of elements that are transformed together.
    public let count: Int
    public let normalization: TransformNormalization
    private let sizes: [Int]
    private let second: FFTWPlan<Scalar>
    private let third: FFTWPlan<Scalar>

    /// A plan for vectors of `length` elements.
    ///
    /// - Precondition: `length` is at least 1.
    public init(length: Int, normalization: TransformNormalization = .orthonormal) {
        self.init(transformSizes(length), normalization)
    }

    /// A plan for row-major matrices.
    ///
    /// - Precondition: both sizes are at least 1.
    public init(rows: Int, columns: Int, normalization: TransformNormalization = .orthonormal) {
        self.init(transformSizes(rows, columns), normalization)
    }

    private init(_ sizes: [Int], _ normalization: TransformNormalization) {
        self.sizes = sizes
        self.normalization = normalization
        count = sizes.reduce(1, *)
        second = FFTWPlan(sizes, .realToReal(Array(repeating: FFTW_REDFT10, count: sizes.count)))
        third = FFTWPlan(sizes, .realToReal(Array(repeating: FFTW_REDFT01, count: sizes.count)))
    }

    /// DCT-II in place.
    ///
    /// - Precondition: `x` has ``count`` elements.
    /// - Complexity: O(n log n).
    public func typeII(_ x: inout MutableSpan<Scalar>) {
        second.executeRealToReal(count, &x)
        if normalization == .orthonormal { scaleOrthonormally(&x, firstFactor: Scalar(0.5).squareRoot()) }
    }

    /// DCT-III in place.
    ///
    /// - Precondition: `x` has ``count`` elements.
    /// - Complexity: O(n log n).
    public func typeIII(_ x: inout MutableSpan<Scalar>) {
        requireCount(x.count, count, "argument of a trigonometric transform")
        if normalization == .orthonormal { scaleOrthonormally(&x, firstFactor: Scalar(2).squareRoot()) }
        third.executeRealToReal(count, &x)
    }

    /// The DCT-II of `x`.
    ///
    /// - Precondition: `x` has ``count`` elements.
    public func typeII(_ x: [Scalar]) -> [Scalar] {
        var result = x
        var span = result.mutableSpan
        typeII(&span)
        return result
    }

    /// The DCT-III of `x`.
    ///
    /// - Precondition: `x` has ``count`` elements.
    public func typeIII(_ x: [Scalar]) -> [Scalar] {
        var result = x
        var span = result.mutableSpan
        typeIII(&span)
        return result
    }

    /// Multiplies by 1/√(2n) in each dimension, and index 0 of each by `firstFactor` too.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func scaleOrthonormally(_ x: inout MutableSpan<Scalar>, firstFactor: Scalar) {
        let columns = sizes.last!
        let general = 1 / (Scalar(1 << sizes.count) * Scalar(count)).squareRoot()
        for i in 0..<count / columns {
            let row = sizes.count == 2 && i == 0 ? general * firstFactor : general
            for k in i * columns..<(i + 1) * columns { x[k] *= row }
            x[i * columns] *= firstFactor
        }
    }
}

/// The discrete sine transform I in one or two dimensions, planned once and used often.
///
/// Unnormalised, for n elements: yₖ = 2·Σⱼ xⱼ·sin(π·(j + 1)·(k + 1) / (n + 1)). Twice in a row it is 2(n + 1) times the identity
/// in each dimension; orthonormal, scaled by 1/√(2(n + 1)), it is its own inverse and symmetric. Its vectors are the
/// eigenvectors of the 1-D Laplacian with zero boundary values.
///
/// Differs from SciPy: the default is orthonormal. In two dimensions the data lie row-major and both dimensions are transformed.
/// The value may be shared between threads.
public struct SineTransform<Scalar: KernelScalar>: Sendable {
    /// The number of elements that are transformed together.
    public let count: Int
    public let normalization: TransformNormalization
    private let factor: Scalar
    private let plan: FFTWPlan<Scalar>

    /// A plan for vectors of `length` elements.
    ///
    /// - Precondition: `length` is at least 1.
    public init(length: Int, normalization: TransformNormalization = .orthonormal) {
        self.init(transformSizes(length), normalization)
    }

    /// A plan for row-major matrices.
    ///
    /// - Precondition: both sizes are at least 1.
    public init(rows: Int, columns: Int, normalization: TransformNormalization = .orthonormal) {
        self.init(transformSizes(rows, columns), normalization)
    }

    private init(_ sizes: [Int], _ normalization: TransformNormalization) {
        self.normalization = normalization
        count = sizes.reduce(1, *)
        factor = 1 / sizes.reduce(Scalar(1)) { $0 * 2 * (Scalar($1) + 1) }.squareRoot()
        plan = FFTWPlan(sizes, .realToReal(Array(repeating: FFTW_RODFT00, count: sizes.count)))
    }

    /// DST-I in place.
    ///
    /// - Precondition: `x` has ``count`` elements.
    /// - Complexity: O(n log n); fastest where n + 1 has small prime factors.
    public func typeI(_ x: inout MutableSpan<Scalar>) {
        plan.executeRealToReal(count, &x)
        if normalization == .orthonormal { scale(&x, by: factor) }
    }

    /// The DST-I of `x`.
    ///
    /// - Precondition: `x` has ``count`` elements.
    public func typeI(_ x: [Scalar]) -> [Scalar] {
        var result = x
        var span = result.mutableSpan
        typeI(&span)
        return result
    }
}

extension FFTWPlan {
    func executeRealToReal(_ count: Int, _ x: inout MutableSpan<Scalar>) {
        requireCount(x.count, count, "argument of a trigonometric transform")
        unsafe x.withUnsafeMutableBufferPointer {
            let pointer = UnsafeMutableRawPointer($0.baseAddress!)
            unsafe execute(.realToReal([]), pointer, pointer)
        }
    }
}
