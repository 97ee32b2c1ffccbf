import Kernels
import RealModule

extension TestProblems {
    /// 1 − cos 2πr + 0.1 r with r = ‖x‖₂ on [−100, 100]ⁿ. Not differentiable at its minimiser.
    public struct Salomon<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Salomon" }
        public var citation: String {
            "Salomon 1996, Re-evaluating genetic algorithm performance under coordinate rotation of benchmark functions"
        }
        public var bounds: Bounds<Scalar> { Bounds(-100...100, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }
        public var isDifferentiable: Bool { false }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            let r = Scalar.dot(x, x).squareRoot()
            return 1 - .cos(2 * .pi * r) + 0.1 * r
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            let r = Scalar.dot(x, x).squareRoot()
            let factor = r > 0 ? (2 * .pi * .sin(2 * .pi * r) + 0.1) / r : 0
            for i in x.indices { gradient[i] = factor * x[i] }
            return value(at: x)
        }
    }
}
