import Kernels
import RealModule

extension TestProblems {
    /// Σ xᵢ² + s² + s⁴ with s = Σ i xᵢ / 2 (i from 1) on [−5, 10]ⁿ.
    public struct Zakharov<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Zakharov" }
        public var citation: String {
            "Jamil, Yang 2013, A literature survey of benchmark functions for global optimisation problems"
        }
        public var bounds: Bounds<Scalar> { Bounds(-5...10, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            let s = weightedSum(x)
            return Scalar.dot(x, x) + s * s + s * s * s * s
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            let s = weightedSum(x)
            for i in x.indices { gradient[i] = 2 * x[i] + (s + 2 * s * s * s) * Scalar(i + 1) }
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(v.count, "direction")
            let s = weightedSum(x), along = weightedSum(v)
            for i in v.indices { product[i] = 2 * v[i] + (1 + 6 * s * s) * along * Scalar(i + 1) }
        }

        private func weightedSum(_ x: Span<Scalar>) -> Scalar {
            var sum: Scalar = 0
            for i in x.indices { sum += Scalar(i + 1) * x[i] }
            return sum / 2
        }
    }
}
