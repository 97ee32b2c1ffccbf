import Kernels
import RealModule

extension TestProblems {
    /// Σ xᵢ²/4000 − Π cos(xᵢ/√i) + 1 on [−600, 600]ⁿ.
    public struct Griewank<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Griewank" }
        public var citation: String { "Griewank 1981, Generalized descent for global optimization" }
        public var bounds: Bounds<Scalar> { Bounds(-600...600, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var product: Scalar = 1
            for i in x.indices { product *= .cos(x[i] / Scalar(i + 1).squareRoot()) }
            return Scalar.dot(x, x) / 4000 - product + 1
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(x.count)
            requireDimension(gradient.count, "gradient")
            // The product without factor i is what stands to its right times what stands to its left: no division by a cosine of 0.
            var product: Scalar = 1
            for i in x.indices.reversed() {
                gradient[i] = product
                product *= .cos(x[i] / Scalar(i + 1).squareRoot())
            }
            let value = Scalar.dot(x, x) / 4000 - product + 1
            var left: Scalar = 1
            for i in x.indices {
                let root = Scalar(i + 1).squareRoot()
                gradient[i] = x[i] / 2000 + left * gradient[i] * .sin(x[i] / root) / root
                left *= .cos(x[i] / root)
            }
            return value
        }
    }
}
