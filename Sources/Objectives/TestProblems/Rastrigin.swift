import Kernels
import RealModule

extension TestProblems {
    /// 10n + Σ (xᵢ² − 10 cos 2πxᵢ) on [−5.12, 5.12]ⁿ.
    public struct Rastrigin<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Rastrigin" }
        public var citation: String {
            "Rastrigin 1974, Systems of extremal control; in n variables: Mühlenbein, Schomisch, Born 1991, The parallel genetic algorithm as function optimizer"
        }
        public var bounds: Bounds<Scalar> { Bounds(-5.12...5.12, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            // 10 − 10 cos 2πx as a square keeps the digits near the minimum.
            for i in x.indices {
                let s = Scalar.sin(.pi * x[i])
                sum += x[i] * x[i] + 20 * s * s
            }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in x.indices { gradient[i] = 2 * x[i] + 20 * .pi * .sin(2 * .pi * x[i]) }
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(v.count, "direction")
            for i in x.indices { product[i] = (2 + 40 * .pi * .pi * .cos(2 * .pi * x[i])) * v[i] }
        }
    }
}
