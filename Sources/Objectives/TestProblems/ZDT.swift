import Kernels
import RealModule

extension TestProblems {
    /// The two-objective problems of Zitzler, Deb and Thiele 2000, Comparison of multiobjective evolutionary algorithms.
    ///
    /// f₁ depends on x₁, and f₂ = g·h(f₁, g), where g of the other variables is least, 1, on the Pareto front:
    ///
    /// | variant | g | h | front |
    /// |---|---|---|---|
    /// | ``Variant/zdt1`` | 1 + 9 mean xᵢ | 1 − √(f₁/g) | convex |
    /// | ``Variant/zdt2`` | the same | 1 − (f₁/g)² | concave |
    /// | ``Variant/zdt3`` | the same | 1 − √(f₁/g) − (f₁/g) sin 10πf₁ | five pieces |
    /// | ``Variant/zdt4`` | 1 + 10(n − 1) + Σ (xᵢ² − 10 cos 4πxᵢ) | 1 − √(f₁/g) | convex, many local fronts |
    /// | ``Variant/zdt6`` | 1 + 9 (mean xᵢ)^¼ | 1 − (f₁/g)² | concave, from f₁ = 0.2807753 on |
    ///
    /// f₁ = x₁, but 1 − exp(−4x₁) sin⁶(6πx₁) in ``Variant/zdt6``. The box is [0, 1]ⁿ, in ``Variant/zdt4`` with [−5, 5] from x₂ on. ZDT5, on
    /// bit strings, is left out.
    public struct ZDT<Scalar: KernelScalar & Real>: MultiObjective, Sendable {
        public enum Variant: String, Sendable, Hashable, CaseIterable {
            case zdt1, zdt2, zdt3, zdt4, zdt6
        }

        public let variant: Variant
        public let dimension: Int

        /// - `dimension`: At least 2; the paper's if `nil`: 30 for the first three, 10 for the others.
        public init(_ variant: Variant, dimension: Int? = nil) {
            let dimension = dimension ?? (variant == .zdt4 || variant == .zdt6 ? 10 : 30)
            require(dimension >= 2, "dimension is \(dimension); expected at least 2")
            self.variant = variant
            self.dimension = dimension
        }

        public var objectiveCount: Int { 2 }

        public var bounds: Bounds<Scalar> {
            guard variant == .zdt4 else { return Bounds(0...1, dimension: dimension) }
            return Bounds(lower: [0] + Array(repeating: -5, count: dimension - 1), upper: [1] + Array(repeating: 5, count: dimension - 1))
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func evaluate(points: Span<Scalar>, into values: inout MutableSpan<Scalar>) {
            for k in 0..<requireBatch(points: points.count, values: values.count) {
                let x = points.extracting(k * dimension..<(k + 1) * dimension)
                let first = variant == .zdt6 ? 1 - .exp(-4 * x[0]) * .pow(.sin(6 * .pi * x[0]), 6) : x[0]
                let g = distance(x), ratio = first / g
                let shape: Scalar = switch variant {
                case .zdt1, .zdt4: 1 - ratio.squareRoot()
                case .zdt2, .zdt6: 1 - ratio * ratio
                case .zdt3: 1 - ratio.squareRoot() - ratio * .sin(10 * .pi * first)
                }
                values[2 * k] = first
                values[2 * k + 1] = g * shape
            }
        }

        /// g.
        private func distance(_ x: Span<Scalar>) -> Scalar {
            var sum: Scalar = 0
            for i in 1..<dimension { sum += variant == .zdt4 ? x[i] * x[i] - 10 * .cos(4 * .pi * x[i]) : x[i] }
            let others = Scalar(dimension - 1)
            return switch variant {
            case .zdt1, .zdt2, .zdt3: 1 + 9 * sum / others
            case .zdt4: 1 + 10 * others + sum
            case .zdt6: 1 + 9 * .root(sum / others, 4)
            }
        }
    }
}
