import Kernels
import RealModule

extension TestProblems {
    /// −Σ_{i≤m} 1/(‖x − Cᵢ‖² + bᵢ) on [0, 10]⁴: m wells, m = 5, 7 or 10.
    public struct Shekel<Scalar: KernelScalar & Real>: TestProblem {
        /// The number of wells m.
        public let wells: Int

        /// - Precondition: `wells` is 5, 7 or 10.
        public init(wells: Int) {
            require([5, 7, 10].contains(wells), "the number of wells is \(wells); expected 5, 7 or 10")
            self.wells = wells
        }

        public var dimension: Int { 4 }
        public var name: String { "Shekel \(wells)" }
        public var citation: String { "Shekel 1971, Test functions for multimodal search techniques" }
        public var bounds: Bounds<Scalar> { Bounds(0...10, dimension: 4) }
        public var minimum: Scalar {
            switch wells {
            case 5: -10.153199679058227
            case 7: -10.402915336777743
            default: -10.536443153483528
            }
        }
        public var minimizers: [[Scalar]] {
            switch wells {
            case 5: [[4.00003715282, 4.000133276592, 4.00003715282, 4.000133276592]]
            case 7: [[4.000572819251, 3.99960620961, 4.000572819251, 3.99960620961]]
            default: [[4.000746868271, 3.999509480086, 4.000746868271, 3.999509480086]]
            }
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            var sum: Scalar = 0
            for i in 0..<wells { sum -= 1 / Self.denominator(i, x) }
            return sum
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            gradient.update(repeating: 0)
            for i in 0..<wells {
                let denominator = Self.denominator(i, x)
                for j in 0..<4 { gradient[j] += 2 * (x[j] - Self.center(i, j)) / (denominator * denominator) }
            }
            return value(at: x)
        }

        private static func denominator(_ i: Int, _ x: Span<Scalar>) -> Scalar {
            let widths: [Scalar] = [0.1, 0.2, 0.2, 0.4, 0.4, 0.6, 0.3, 0.7, 0.5, 0.5]
            var sum = widths[i]
            for j in 0..<4 {
                let offset = x[j] - center(i, j)
                sum += offset * offset
            }
            return sum
        }

        /// Cᵢⱼ: columns repeat with period 2.
        private static func center(_ i: Int, _ j: Int) -> Scalar {
            let even: [Scalar] = [4, 1, 8, 6, 3, 2, 5, 8, 6, 7], odd: [Scalar] = [4, 1, 8, 6, 7, 9, 3, 1, 2, 3.6]
            return j % 2 == 0 ? even[i] : odd[i]
        }
    }
}
