import Kernels
import RealModule

extension TestProblems {
    /// (x₁ − 1)² + Σ_{i≥2} i (2xᵢ² − xᵢ₋₁)² on [−10, 10]ⁿ.
    public struct DixonPrice<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 2...) }

        public var name: String { "Dixon-Price" }
        public var citation: String {
            "Dixon, Price 1989, Truncated Newton method for sparse unconstrained optimization using automatic differentiation"
        }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: dimension) }
        public var minimum: Scalar { 0 }
        /// xᵢ = 2^(2^(1−i) − 1), and the same point with the other sign of xₙ.
        public var minimizers: [[Scalar]] {
            var point = [Scalar](repeating: 1, count: dimension)
            for i in 1..<dimension { point[i] = (point[i - 1] / 2).squareRoot() }
            var mirrored = point
            mirrored[dimension - 1].negate()
            return [point, mirrored]
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum = (x[0] - 1) * (x[0] - 1)
            for i in 1..<dimension {
                let t = 2 * x[i] * x[i] - x[i - 1]
                sum += Scalar(i + 1) * t * t
            }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            let value = value(at: x)
            gradient[0] = 2 * (x[0] - 1)
            for i in 1..<dimension {
                let t = 2 * Scalar(i + 1) * (2 * x[i] * x[i] - x[i - 1])
                gradient[i - 1] -= t
                gradient[i] = 4 * x[i] * t
            }
            return value
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(x.count)
            requireDimension(v.count, "direction")
            product[0] = 2 * v[0]
            for i in 1..<dimension {
                let weight = 2 * Scalar(i + 1)
                let t = weight * (2 * x[i] * x[i] - x[i - 1]), change = weight * (4 * x[i] * v[i] - v[i - 1])
                product[i - 1] -= change
                product[i] = 4 * (x[i] * change + v[i] * t)
            }
        }
    }
}
