import Kernels
import RealModule

extension TestProblems {
    /// −Σᵢ αᵢ exp(−Σⱼ Aᵢⱼ (xⱼ − Pᵢⱼ)²) with α = (1, 1.2, 3, 3.2) on [0, 1]ⁿ, n = 3 or 6.
    ///
    /// Other local minima: −3.0898 and −1.0008 for n = 3, −3.2032 for n = 6.
    public struct Hartmann<Scalar: KernelScalar & Real>: TestProblem {
        public let dimension: Int
        private let widths: [[Scalar]]
        private let centers: [[Scalar]]

        /// - Precondition: `dimension` is 3 or 6.
        public init(dimension: Int) {
            require(dimension == 3 || dimension == 6, "dimension is \(dimension); expected 3 or 6")
            self.dimension = dimension
            if dimension == 3 {
                widths = [[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]]
                centers = [[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]
                    .map { (row: [Scalar]) in row.map { $0 / 10_000 } }
            } else {
                widths = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14],
                          [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
                centers = [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                           [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
                    .map { (row: [Scalar]) in row.map { $0 / 10_000 } }
            }
        }

        public var name: String { "Hartmann \(dimension)" }
        public var citation: String {
            "Hartman 1973, Some experiments in global optimization; Dixon, Szegö 1978, The global optimization problem: an introduction"
        }
        public var bounds: Bounds<Scalar> { Bounds(0...1, dimension: dimension) }
        public var minimum: Scalar { dimension == 3 ? -3.8627797873326625 : -3.3223680114155148 }
        public var minimizers: [[Scalar]] {
            dimension == 3
                ? [[0.11458887665506897, 0.55564889461693004, 0.85254698468667744]]
                : [[0.20168951100670542, 0.15001069182345797, 0.47687397422189699,
                    0.27533243049405607, 0.31165161660011324, 0.65730053406562031]]
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in 0..<4 { sum -= term(i, x) }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            gradient.update(repeating: 0)
            for i in 0..<4 {
                let term = term(i, x)
                for j in x.indices { gradient[j] += 2 * term * widths[i][j] * (x[j] - centers[i][j]) }
            }
            return value(at: x)
        }

        private func term(_ i: Int, _ x: Span<Scalar>) -> Scalar {
            let heights: [Scalar] = [1, 1.2, 3, 3.2]
            var exponent: Scalar = 0
            for j in x.indices {
                let offset = x[j] - centers[i][j]
                exponent += widths[i][j] * offset * offset
            }
            return heights[i] * .exp(-exponent)
        }
    }
}
