import Kernels
import RealModule

extension TestProblems {
    /// The problems of Deb, Thiele, Laumanns and Zitzler 2002, Scalable multi-objective optimization test problems, on [0, 1]ⁿ.
    ///
    /// The first M − 1 variables say where on the front a point lies, the last k = n − M + 1 how far from it (g, least where all are ½; 0 in
    /// ``Variant/dtlz6`` and ``Variant/dtlz7``):
    ///
    /// | variant | g | front |
    /// |---|---|---|
    /// | ``Variant/dtlz1`` | 100 (k + Σ ((x − ½)² − cos 20π(x − ½))) | Σ f = ½ |
    /// | ``Variant/dtlz2`` | Σ (x − ½)² | unit sphere |
    /// | ``Variant/dtlz3`` | as in 1 | unit sphere |
    /// | ``Variant/dtlz4`` | as in 2 | unit sphere, with x¹⁰⁰ for x: points crowd at its edges |
    /// | ``Variant/dtlz5`` | as in 2 | a curve for M = 3, angles θⱼ = π/(4(1 + g)) (1 + 2g xⱼ) from j = 2 on |
    /// | ``Variant/dtlz6`` | Σ x^0.1 | as in 5 |
    /// | ``Variant/dtlz7`` | 1 + 9 mean x | 2^(M−1) pieces |
    public struct DTLZ<Scalar: KernelScalar & Real>: MultiObjective, Sendable {
        public enum Variant: String, Sendable, Hashable, CaseIterable {
            case dtlz1, dtlz2, dtlz3, dtlz4, dtlz5, dtlz6, dtlz7
        }

        public let variant: Variant
        public let dimension: Int
        public let objectiveCount: Int

        /// - `dimension`: At least `objectives`; if `nil`, k is the paper's: 5 for the first problem, 20 for the last, 10 for the others.
        /// - Precondition: `objectives` is at least 2.
        public init(_ variant: Variant, objectives: Int = 3, dimension: Int? = nil) {
            let tail = variant == .dtlz1 ? 5 : variant == .dtlz7 ? 20 : 10
            let dimension = dimension ?? objectives - 1 + tail
            require(objectives >= 2 && dimension >= objectives,
                    "\(objectives) objectives in \(dimension) variables; expected at least 2, and no more than variables")
            self.variant = variant
            self.dimension = dimension
            objectiveCount = objectives
        }

        public var bounds: Bounds<Scalar> { Bounds(0...1, dimension: dimension) }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func evaluate(points: Span<Scalar>, into values: inout MutableSpan<Scalar>) {
            let m = objectiveCount
            for k in 0..<requireBatch(points: points.count, values: values.count) {
                let x = points.extracting(k * dimension..<(k + 1) * dimension)
                let g = distance(x)
                if variant == .dtlz7 {
                    var last = Scalar(m)
                    for j in 0..<m - 1 {
                        values[k * m + j] = x[j]
                        last -= x[j] / (1 + g) * (1 + .sin(3 * .pi * x[j]))
                    }
                    values[k * m + m - 1] = (1 + g) * last
                    continue
                }
                // fᵢ multiplies the "along" parts of the variables before one, and that one's "across" part.
                var product = variant == .dtlz1 ? (1 + g) / 2 : 1 + g
                for j in 0..<m - 1 {
                    let (along, across) = parts(x[j], j, g)
                    values[k * m + m - 1 - j] = product * across
                    product *= along
                }
                values[k * m] = product
            }
        }

        private func parts(_ x: Scalar, _ j: Int, _ g: Scalar) -> (along: Scalar, across: Scalar) {
            let angle: Scalar
            switch variant {
            case .dtlz1, .dtlz7: return (x, 1 - x)
            case .dtlz2, .dtlz3: angle = .pi / 2 * x
            case .dtlz4: angle = .pi / 2 * .pow(x, 100)
            case .dtlz5, .dtlz6: angle = j == 0 ? .pi / 2 * x : .pi / (4 * (1 + g)) * (1 + 2 * g * x)
            }
            return (.cos(angle), .sin(angle))
        }

        /// g.
        private func distance(_ x: Span<Scalar>) -> Scalar {
            var sum: Scalar = 0
            for i in objectiveCount - 1..<dimension {
                let offset = x[i] - 0.5
                switch variant {
                case .dtlz1, .dtlz3: sum += 100 * (1 + offset * offset - .cos(20 * .pi * offset))
                case .dtlz2, .dtlz4, .dtlz5: sum += offset * offset
                case .dtlz6: sum += .pow(x[i], 0.1)
                case .dtlz7: sum += x[i]
                }
            }
            return variant == .dtlz7 ? 1 + 9 * sum / Scalar(dimension - objectiveCount + 1) : sum
        }
    }
}
