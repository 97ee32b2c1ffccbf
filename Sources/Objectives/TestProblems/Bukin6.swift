import Kernels
import RealModule

extension TestProblems {
    /// 100 √|y − 0.01x²| + 0.01 |x + 10| on [−15, −5] × [−3, 3]: a sharp curved ridge.
    public struct Bukin6<Scalar: KernelScalar & Real>: PlanarTestProblem {
        public init() {}

        public var name: String { "Bukin 6" }
        public var citation: String { "Bukin 1997, New minimization strategy for non-smooth functions" }
        public var bounds: Bounds<Scalar> { Bounds(lower: [-15, -3], upper: [-5, 3]) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [[-10, 1]] }
        public var isDifferentiable: Bool { false }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let t = y - x * x / 100
            let root = abs(t).squareRoot()
            let slope = t == 0 ? 0 : 50 * sign(t) / root
            return (100 * root + abs(x + 10) / 100, -slope * x / 50 + sign(x + 10) / 100, slope)
        }
    }
}
