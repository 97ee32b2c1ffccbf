import Kernels
import RealModule

extension TestProblems {
    /// Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)² on [−5, 10]ⁿ, n ≥ 2: a curved valley.
    ///
    /// From n = 4 on there is a second local minimum near (−1, 1, …, 1).
    public struct Rosenbrock<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 2...) }

        public var name: String { "Rosenbrock" }
        public var citation: String {
            "Rosenbrock 1960, An automatic method for finding the greatest or least value of a function"
        }
        public var bounds: Bounds<Scalar> { Bounds(-5...10, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 1, count: dimension)] }
        public var standardStart: [Scalar] { (0..<dimension).map { $0 % 2 == 0 ? -1.2 : 1 } }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in 0..<dimension - 1 {
                let bend = x[i + 1] - x[i] * x[i], slope = 1 - x[i]
                sum += 100 * bend * bend + slope * slope
            }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(x.count)
            requireDimension(gradient.count, "gradient")
            var sum: Scalar = 0
            gradient[0] = 0
            for i in 0..<dimension - 1 {
                let bend = x[i + 1] - x[i] * x[i], slope = 1 - x[i]
                sum += 100 * bend * bend + slope * slope
                gradient[i] -= 400 * x[i] * bend + 2 * slope
                gradient[i + 1] = 200 * bend
            }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(x.count)
            requireDimension(v.count, "direction")
            product[0] = 0
            for i in 0..<dimension - 1 {
                let curvature: Scalar = 1200 * x[i] * x[i] - 400 * x[i + 1] + 2
                let coupling: Scalar = -400 * x[i]
                product[i] += curvature * v[i] + coupling * v[i + 1]
                product[i + 1] = 200 * v[i + 1] + coupling * v[i]
            }
        }
    }
}
