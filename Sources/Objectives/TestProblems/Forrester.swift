import Kernels
import RealModule

extension TestProblems {
    /// (6x − 2)² sin(12x − 4) on [0, 1].
    public struct Forrester<Scalar: KernelScalar & Real>: TestProblem {
        public init() {}

        public var dimension: Int { 1 }
        public var name: String { "Forrester" }
        public var citation: String { "Forrester, Sóbester, Keane 2008, Engineering Design via Surrogate Modelling" }
        public var bounds: Bounds<Scalar> { Bounds(0...1, dimension: 1) }
        public var minimum: Scalar { -6.0207400557670828 }
        public var minimizers: [[Scalar]] { [[0.75724875784185587]] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            let a = 6 * x[0] - 2
            return a * a * .sin(2 * a)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            let a = 6 * x[0] - 2
            gradient[0] = 12 * a * .sin(2 * a) + 12 * a * a * .cos(2 * a)
            return value(at: x)
        }
    }
}
