import Kernels
import RealModule

extension TestProblems {
    /// Σ over groups of four variables (a, b, c, d): (a + 10b)² + 5(c − d)² + (b − 2c)⁴ + 10(a − d)⁴ on [−4, 5]ⁿ, n a multiple of 4.
    ///
    /// The Hessian at the minimiser is singular, so Newton's method converges only linearly.
    public struct PowellSingular<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        /// - Precondition: `dimension` is a positive multiple of 4.
        public init(dimension: Int) {
            require(dimension > 0 && dimension % 4 == 0, "dimension is \(dimension); expected a positive multiple of 4")
            self.dimension = dimension
        }

        public var name: String { "Powell singular" }
        public var citation: String {
            "Powell 1962, An iterative method for finding stationary values of a function of several variables"
        }
        public var bounds: Bounds<Scalar> { Bounds(-4...5, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }
        public var standardStart: [Scalar] { (0..<dimension).map { [3, -1, 0, 1][$0 % 4] } }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in stride(from: 0, to: dimension, by: 4) {
                let (p, q, r, s) = Self.forms(x, i)
                sum += p * p + 5 * q * q
                sum += r * r * r * r + 10 * s * s * s * s
            }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in stride(from: 0, to: dimension, by: 4) {
                let (p, q, r, s) = Self.forms(x, i)
                Self.scatter(2 * p, 10 * q, 4 * r * r * r, 40 * s * s * s, &gradient, i)
            }
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(x.count)
            requireDimension(v.count, "direction")
            for i in stride(from: 0, to: dimension, by: 4) {
                let (_, _, r, s) = Self.forms(x, i), (dp, dq, dr, ds) = Self.forms(v, i)
                Self.scatter(2 * dp, 10 * dq, 12 * r * r * dr, 120 * s * s * ds, &product, i)
            }
        }

        /// The four linear forms of a group.
        private static func forms(_ x: Span<Scalar>, _ i: Int) -> (Scalar, Scalar, Scalar, Scalar) {
            (x[i] + 10 * x[i + 1], x[i + 2] - x[i + 3], x[i + 1] - 2 * x[i + 2], x[i] - x[i + 3])
        }

        /// The transpose of ``forms(_:_:)``.
        private static func scatter(
            _ p: Scalar, _ q: Scalar, _ r: Scalar, _ s: Scalar, _ result: inout MutableSpan<Scalar>, _ i: Int
        ) {
            result[i] = p + s
            result[i + 1] = 10 * p + r
            result[i + 2] = q - 2 * r
            result[i + 3] = -q - s
        }
    }
}
