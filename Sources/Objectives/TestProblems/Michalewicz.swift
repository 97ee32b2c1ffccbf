import Kernels
import RealModule

extension TestProblems {
    /// −Σ sin xᵢ sin²⁰(i xᵢ²/π) on [0, π]ⁿ, 1 ≤ n ≤ 10: steep ridges between plateaus.
    public struct Michalewicz<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int

        public init(dimension: Int) {
            require((1...10).contains(dimension), "dimension is \(dimension); expected 1 to 10, where the minimum is known")
            self.dimension = dimension
        }

        public var name: String { "Michalewicz" }
        public var citation: String { "Michalewicz 1992, Genetic Algorithms + Data Structures = Evolution Programs" }
        public var bounds: Bounds<Scalar> { Bounds(0...Scalar.pi, dimension: dimension) }
        /// The sum of the terms' minima: −1.8013034100985525 for n = 2, −4.6876581790881463 for 5, −9.6601517156413414 for 10.
        public var minimum: Scalar {
            let minimizer = minimizers[0]
            return value(at: minimizer.span)
        }
        public var minimizers: [[Scalar]] {
            let terms: [Scalar] = [
                2.20290552017, 1.57079632679, 1.28499157055, 1.92305846987, 1.72046977257,
                1.57079632679, 1.45441397136, 1.75608652095, 1.65571741682, 1.57079632679,
            ]
            return [Array(terms.prefix(dimension))]
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in x.indices { sum -= .sin(x[i]) * .pow(.sin(Scalar(i + 1) * x[i] * x[i] / .pi), 20) }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in x.indices {
                let angle = Scalar(i + 1) * x[i] * x[i] / .pi
                let ridge = Scalar.sin(angle), ridge19 = Scalar.pow(ridge, 19)
                let slope = 40 * Scalar(i + 1) * x[i] / .pi * .cos(angle)
                gradient[i] = -ridge19 * (.cos(x[i]) * ridge + .sin(x[i]) * slope)
            }
            return value(at: x)
        }
    }
}
