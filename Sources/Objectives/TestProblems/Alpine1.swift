import Kernels
import RealModule

extension TestProblems {
    /// Σ |xᵢ sin xᵢ + 0.1 xᵢ| on [−10, 10]ⁿ, with kinks where a term vanishes.
    ///
    /// Each coordinate may also be a zero of sin x = −0.1; ``minimizers`` holds the origin only.
    public struct Alpine1<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Alpine 1" }
        public var citation: String {
            "Rahnamayan, Tizhoosh, Salama 2007, A novel population initialization method for accelerating evolutionary algorithms"
        }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }
        public var isDifferentiable: Bool { false }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in x.indices { sum += abs(x[i] * .sin(x[i]) + 0.1 * x[i]) }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in x.indices {
                let sine = Scalar.sin(x[i])
                gradient[i] = sign(x[i] * sine + 0.1 * x[i]) * (sine + x[i] * .cos(x[i]) + 0.1)
            }
            return value(at: x)
        }
    }

    /// −1, 0 or 1.
    static func sign<Scalar: KernelScalar>(_ x: Scalar) -> Scalar { x > 0 ? 1 : x < 0 ? -1 : 0 }
}
