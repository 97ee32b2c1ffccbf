import Kernels
import RealModule

extension TestProblems {
    /// −|sin x cos y exp |1 − r/π|| with r = ‖(x, y)‖₂ on [−10, 10]².
    public struct HolderTable<Scalar: KernelScalar & Real>: PlanarTestProblem {
        public init() {}

        public var name: String { "Holder table" }
        public var citation: String {
            "Mishra 2006, Some new test functions for global optimization and performance of repulsive particle swarm method"
        }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: 2) }
        public var minimum: Scalar { -19.208502567886732 }
        public var minimizers: [[Scalar]] {
            [[8.0550234757365634, 9.6645900192412729], [8.0550234757365634, -9.6645900192412729],
             [-8.0550234757365634, 9.6645900192412729], [-8.0550234757365634, -9.6645900192412729]]
        }
        public var isDifferentiable: Bool { false }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let r = (x * x + y * y).squareRoot()
            let growth = Scalar.exp(abs(1 - r / .pi)), table = Scalar.sin(x) * .cos(y)
            let value = -abs(table) * growth
            // The derivative of |1 − r/π| by r, over r.
            let radial = r > 0 ? -sign(1 - r / .pi) / (.pi * r) : 0
            let dx = -sign(table) * .cos(x) * .cos(y) * growth + value * radial * x
            let dy = sign(table) * .sin(x) * .sin(y) * growth + value * radial * y
            return (value, dx, dy)
        }
    }
}
