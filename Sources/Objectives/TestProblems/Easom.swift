import Kernels
import RealModule

extension TestProblems {
    /// −cos x cos y exp(−(x − π)² − (y − π)²) on [−100, 100]²: flat but for one narrow well.
    public struct Easom<Scalar: KernelScalar & Real>: PlanarTestProblem {
        public init() {}

        public var name: String { "Easom" }
        public var citation: String { "Easom 1990, A survey of global optimization techniques" }
        public var bounds: Bounds<Scalar> { Bounds(-100...100, dimension: 2) }
        public var minimum: Scalar { -1 }
        public var minimizers: [[Scalar]] { [[Scalar.pi, Scalar.pi]] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let u = x - .pi, v = y - .pi
            let bell = Scalar.exp(-u * u - v * v)
            let cx = Scalar.cos(x), cy = Scalar.cos(y)
            return (-cx * cy * bell, (.sin(x) + 2 * u * cx) * cy * bell, (.sin(y) + 2 * v * cy) * cx * bell)
        }
    }
}
