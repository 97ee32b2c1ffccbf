import Kernels
import RealModule

extension TestProblems {
    /// With wᵢ = 1 + (xᵢ − 1)/4: sin²(πw₁) + Σ_{i<n} (wᵢ − 1)² (1 + 10 sin²(πwᵢ + 1)) + (wₙ − 1)² (1 + sin²(2πwₙ)) on [−10, 10]ⁿ.
    public struct Levy<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Levy" }
        public var citation: String {
            "Levy, Montalvo 1985, The tunneling algorithm for the global minimization of functions; this form: Laguna, Martí 2005"
        }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 1, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            let first = Scalar.sin(.pi * (1 + (x[0] - 1) / 4))
            var sum = first * first
            for i in 0..<dimension - 1 {
                let u = (x[i] - 1) / 4, s = Scalar.sin(.pi * (1 + u) + 1)
                sum += u * u * (1 + 10 * s * s)
            }
            let u = (x[dimension - 1] - 1) / 4, s = Scalar.sin(2 * .pi * (1 + u))
            return sum + u * u * (1 + s * s)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            let value = value(at: x)
            for i in 0..<dimension - 1 {
                let u = (x[i] - 1) / 4, angle = .pi * (1 + u) + 1, s = Scalar.sin(angle)
                gradient[i] = (2 * u * (1 + 10 * s * s) + u * u * 10 * .pi * .sin(2 * angle)) / 4
            }
            let u = (x[dimension - 1] - 1) / 4, angle = 2 * .pi * (1 + u), s = Scalar.sin(angle)
            gradient[dimension - 1] = (2 * u * (1 + s * s) + u * u * 2 * .pi * .sin(2 * angle)) / 4
            gradient[0] += .pi * .sin(2 * .pi * (1 + (x[0] - 1) / 4)) / 4
            return value
        }
    }
}
