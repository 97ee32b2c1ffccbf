import Kernels
import RealModule

extension TestProblems {
    /// Σ (xᵢ − 1)² − Σ xᵢ xᵢ₋₁ on [−n², n²]ⁿ: a convex quadratic with a tridiagonal Hessian.
    public struct Trid<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Trid" }
        public var citation: String { "Neumaier's collection; Hedar 2005, Global optimization test problems" }
        public var bounds: Bounds<Scalar> {
            let side = Scalar(dimension * dimension)
            return Bounds(-side...side, dimension: dimension)
        }
        /// −n(n + 4)(n − 1)/6.
        public var minimum: Scalar { -Scalar(dimension * (dimension + 4) * (dimension - 1)) / 6 }
        /// xᵢ = i(n + 1 − i).
        public var minimizers: [[Scalar]] { [(1...dimension).map { Scalar($0 * (dimension + 1 - $0)) }] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum = (x[0] - 1) * (x[0] - 1)
            for i in 1..<max(1, dimension) { sum += (x[i] - 1) * (x[i] - 1) - x[i] * x[i - 1] }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            hessianVectorProduct(at: x, direction: x, into: &gradient)
            for i in x.indices { gradient[i] -= 2 }
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(v.count, "direction")
            requireDimension(product.count, "product")
            for i in v.indices {
                var sum = 2 * v[i]
                if i > 0 { sum -= v[i - 1] }
                if i + 1 < dimension { sum -= v[i + 1] }
                product[i] = sum
            }
        }
    }
}
