import CFFTW
import Kernels

/// The eigenvectors of differences on a grid: a sine or a cosine transform along each of one to three axes, planned once and used often.
///
/// | axis | forward | its vectors are eigenvectors of 1-D differences |
/// |---|---|---|
/// | ``Axis/sine(_:)`` | DST-I | with zero values one spacing beyond the ends |
/// | ``Axis/cosine(_:)`` | DCT-II | with zero slopes half a spacing beyond the ends |
///
/// Forward has no factor (SciPy's `norm="backward"`); the inverse has all of it. Data lie row-major, the last axis contiguous. The value may be
/// shared between threads.
public struct TrigonometricTransform<Scalar: KernelScalar>: Sendable {
    /// What happens along an axis of so many points.
    public enum Axis: Sendable, Hashable, Codable {
        case sine(Int), cosine(Int)

        public var count: Int {
            switch self {
            case .sine(let n), .cosine(let n): n
            }
        }
    }

    /// The number of elements that are transformed together.
    public let count: Int
    private let factor: Scalar
    private let forwardPlan: FFTWPlan<Scalar>
    private let inversePlan: FFTWPlan<Scalar>

    /// - Precondition: one to three axes of at least 1 point each.
    public init(_ axes: [Axis]) {
        require(axes.count >= 1 && axes.count <= 3, "\(axes.count) axes; expected 1 to 3")
        for axis in axes { require(axis.count >= 1, "transform of size \(axis.count); expected at least 1") }
        let sizes = axes.map(\.count)
        var forward: [fftw_r2r_kind] = [], inverse = forward, product: Scalar = 1
        for axis in axes {
            switch axis {
            case .sine(let n):
                forward.append(FFTW_RODFT00)
                inverse.append(FFTW_RODFT00)
                product *= 2 * (Scalar(n) + 1)
            case .cosine(let n):
                forward.append(FFTW_REDFT10)
                inverse.append(FFTW_REDFT01)
                product *= 2 * Scalar(n)
            }
        }
        count = sizes.reduce(1, *)
        factor = 1 / product
        forwardPlan = FFTWPlan(sizes, .realToReal(forward))
        inversePlan = FFTWPlan(sizes, .realToReal(inverse))
    }

    /// Transforms `x` in place, without a factor.
    ///
    /// - Precondition: `x` has ``count`` elements.
    /// - Complexity: O(n log n).
    public func forward(_ x: inout MutableSpan<Scalar>) { forwardPlan.executeRealToReal(count, &x) }

    /// Undoes ``forward(_:)`` in place.
    ///
    /// - Precondition: `x` has ``count`` elements.
    public func inverse(_ x: inout MutableSpan<Scalar>) {
        inversePlan.executeRealToReal(count, &x)
        scale(&x, by: factor)
    }
}
