import Kernels
import RealModule

extension TestProblems {
    /// 418.98288727243371 n − Σ xᵢ sin √|xᵢ| on [−500, 500]ⁿ.
    ///
    /// The box is part of the problem: outside it the function is unbounded below. The value at the minimiser is 0 up to rounding of
    /// about 400 n ε.
    public struct Schwefel<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Schwefel" }
        public var citation: String { "Schwefel 1981, Numerical Optimization of Computer Models" }
        public var bounds: Bounds<Scalar> { Bounds(-500...500, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 420.96874635998203, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in x.indices { sum += 418.98288727243371 - x[i] * .sin(abs(x[i]).squareRoot()) }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in x.indices {
                let root = abs(x[i]).squareRoot()
                gradient[i] = -.sin(root) - root * .cos(root) / 2
            }
            return value(at: x)
        }
    }
}
