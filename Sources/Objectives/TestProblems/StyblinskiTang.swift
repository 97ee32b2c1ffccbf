import Kernels
import RealModule

extension TestProblems {
    /// ½ Σ (xᵢ⁴ − 16xᵢ² + 5xᵢ) on [−5, 5]ⁿ.
    public struct StyblinskiTang<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Styblinski-Tang" }
        public var citation: String {
            "Styblinski, Tang 1990, Experiments in nonconvex optimization: stochastic approximation with function smoothing and simulated annealing"
        }
        public var bounds: Bounds<Scalar> { Bounds(-5...5, dimension: dimension) }
        public var minimum: Scalar { -39.166165703771415 * Scalar(dimension) }
        public var minimizers: [[Scalar]] { [Array(repeating: -2.9035340277711771, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in x.indices {
                let square = x[i] * x[i]
                sum += square * square - 16 * square + 5 * x[i]
            }
            return sum / 2
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in x.indices { gradient[i] = (2 * x[i] * x[i] - 16) * x[i] + 2.5 }
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(v.count, "direction")
            for i in x.indices { product[i] = (6 * x[i] * x[i] - 16) * v[i] }
        }
    }
}
