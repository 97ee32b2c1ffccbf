import Kernels
import RealModule

extension TestProblems {
    /// Σ xᵢ² on [−5.12, 5.12]ⁿ.
    public struct Sphere<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public let dimension: Int

        public init(dimension: Int) { self.dimension = checkedDimension(dimension, 1...) }

        public var name: String { "Sphere" }
        public var citation: String { "De Jong 1975, An analysis of the behavior of a class of genetic adaptive systems" }
        public var bounds: Bounds<Scalar> { Bounds(-5.12...5.12, dimension: dimension) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [Array(repeating: 0, count: dimension)] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            return Scalar.dot(x, x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            for i in x.indices { gradient[i] = 2 * x[i] }
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(v.count, "direction")
            for i in v.indices { product[i] = 2 * v[i] }
        }
    }

    /// Stops with a message if a problem does not exist in `dimension`.
    static func checkedDimension(_ dimension: Int, _ allowed: PartialRangeFrom<Int>) -> Int {
        require(allowed.contains(dimension),
                "dimension is \(dimension); expected at least \(allowed.lowerBound)")
        return dimension
    }
}
