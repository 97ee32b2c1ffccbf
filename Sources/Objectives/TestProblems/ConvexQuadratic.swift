import Kernels
import RealModule

extension TestProblems {
    /// ½ (x − 1)ᵀ Q Λ Q (x − 1): a convex quadratic of given condition number κ, on [−10, 10]ⁿ.
    ///
    /// Λ holds n eigenvalues spaced evenly in the logarithm from 1 to κ, and Q = I − (2/n)·11ᵀ is a reflection, so the axes of the
    /// ellipsoid are not the coordinates'. A product with the Hessian costs O(n).
    public struct ConvexQuadratic<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        /// The eigenvalues of the Hessian, ascending.
        public let eigenvalues: [Scalar]

        /// - Precondition: `dimension` is at least 1 and `condition` at least 1.
        public init(dimension: Int, condition: Scalar) {
            require(condition >= 1, "condition is \(condition); expected at least 1")
            let last = Scalar(max(1, checkedDimension(dimension, 1...) - 1))
            eigenvalues = (0..<dimension).map { .pow(condition, Scalar($0) / last) }
        }

        public var dimension: Int { eigenvalues.count }
        public var name: String { "Convex quadratic" }
        public var citation: String { "a textbook example" }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 1, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            // (2/n)·1ᵀ(x − 1)
            let shift = 2 * mean(x) - 2
            var sum: Scalar = 0
            for i in x.indices {
                let reflected = x[i] - 1 - shift
                sum += eigenvalues[i] * reflected * reflected
            }
            return sum / 2
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in x.indices { gradient[i] = x[i] - 1 }
            applyHessian(to: &gradient)
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(v.count, "direction")
            requireDimension(product.count, "product")
            for i in v.indices { product[i] = v[i] }
            applyHessian(to: &product)
        }

        private func applyHessian(to v: inout MutableSpan<Scalar>) {
            let shift = 2 * mean(v.span)
            for i in v.indices { v[i] = eigenvalues[i] * (v[i] - shift) }
            let back = 2 * mean(v.span)
            for i in v.indices { v[i] -= back }
        }

        private func mean(_ v: Span<Scalar>) -> Scalar {
            var sum: Scalar = 0
            for i in v.indices { sum += v[i] }
            return sum / Scalar(dimension)
        }
    }
}
