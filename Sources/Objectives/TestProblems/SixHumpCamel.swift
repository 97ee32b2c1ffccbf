import Kernels
import RealModule

extension TestProblems {
    /// (4 − 2.1x² + x⁴/3)x² + xy + (4y² − 4)y² on [−3, 3] × [−2, 2].
    public struct SixHumpCamel<Scalar: KernelScalar & Real>: TwiceDifferentiablePlanarTestProblem {
        public init() {}

        public var name: String { "Six-hump camel" }
        public var citation: String { "Dixon, Szegö 1978, The global optimization problem: an introduction" }
        public var bounds: Bounds<Scalar> { Bounds(lower: [-3, -2], upper: [3, 2]) }
        public var minimum: Scalar { -1.0316284534898774 }
        public var minimizers: [[Scalar]] {
            [[0.089842013100318, -0.71265640302073963], [-0.089842013100318, 0.71265640302073963]]
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let xx = x * x, yy = y * y
            let value = (4 - 2.1 * xx + xx * xx / 3) * xx + x * y + (4 * yy - 4) * yy
            let dx = (8 - 8.4 * xx + 2 * xx * xx) * x + y
            return (value, dx, x + (16 * yy - 8) * y)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func secondPartials(_ x: Scalar, _ y: Scalar) -> (xx: Scalar, xy: Scalar, yy: Scalar) {
            let xx = x * x
            return (8 - 25.2 * xx + 10 * xx * xx, 1, 48 * y * y - 8)
        }
    }
}
