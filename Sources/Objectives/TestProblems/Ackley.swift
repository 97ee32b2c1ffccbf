import Kernels
import RealModule

extension TestProblems {
    /// −20 exp(−0.2 √(mean xᵢ²)) − exp(mean cos 2πxᵢ) + 20 + e on [−32.768, 32.768]ⁿ.
    ///
    /// It has a cone's tip at its minimiser, and is differentiable elsewhere. Rounding leaves about 4ε of the value 0 there.
    public struct Ackley<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Ackley" }
        public var citation: String { "Ackley 1987, A Connectionist Machine for Genetic Hillclimbing" }
        public var bounds: Bounds<Scalar> { Bounds(-32.768...32.768, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }
        public var isDifferentiable: Bool { false }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            let (radius, cosines) = means(x)
            return -20 * .exp(-0.2 * radius) - .exp(cosines) + 20 + .exp(1)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            let (radius, cosines) = means(x)
            let bowl = 20 * Scalar.exp(-0.2 * radius), waves = Scalar.exp(cosines)
            let n = Scalar(dimension)
            let bowlFactor = radius > 0 ? 0.2 * bowl / (n * radius) : 0
            for i in x.indices {
                gradient[i] = bowlFactor * x[i] + waves * 2 * .pi / n * .sin(2 * .pi * x[i])
            }
            return -bowl - waves + 20 + .exp(1)
        }

        /// √(mean xᵢ²) and mean cos 2πxᵢ.
        private func means(_ x: Span<Scalar>) -> (radius: Scalar, cosines: Scalar) {
            requireDimension(x.count)
            var cosines: Scalar = 0
            for i in x.indices { cosines += .cos(2 * .pi * x[i]) }
            let n = Scalar(dimension)
            return ((Scalar.dot(x, x) / n).squareRoot(), cosines / n)
        }
    }
}
