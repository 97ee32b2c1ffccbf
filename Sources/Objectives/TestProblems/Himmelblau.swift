import Kernels
import RealModule

extension TestProblems {
    /// (x² + y − 11)² + (x + y² − 7)² on [−5, 5]², with four minimisers.
    public struct Himmelblau<Scalar: KernelScalar & Real>: TwiceDifferentiablePlanarTestProblem {
        public init() {}

        public var name: String { "Himmelblau" }
        public var citation: String { "Himmelblau 1972, Applied Nonlinear Programming" }
        public var bounds: Bounds<Scalar> { Bounds(-5...5, dimension: 2) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] {
            [[3, 2], [-2.8051180869527448, 3.1313125182505730],
             [-3.7793102533777469, -3.2831859912861694], [3.5844283403304917, -1.8481265269644036]]
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let p = x * x + y - 11, q = x + y * y - 7
            return (p * p + q * q, 4 * x * p + 2 * q, 2 * p + 4 * y * q)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func secondPartials(_ x: Scalar, _ y: Scalar) -> (xx: Scalar, xy: Scalar, yy: Scalar) {
            (12 * x * x + 4 * y - 42, 4 * (x + y), 12 * y * y + 4 * x - 26)
        }
    }
}
