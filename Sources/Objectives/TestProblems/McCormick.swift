import Kernels
import RealModule

extension TestProblems {
    /// sin(x + y) + (x − y)² − 1.5x + 2.5y + 1 on [−1.5, 4] × [−3, 4].
    public struct McCormick<Scalar: KernelScalar & Real>: TwiceDifferentiablePlanarTestProblem {
        public init() {}

        public var name: String { "McCormick" }
        public var citation: String {
            "McCormick 1976, Computability of global solutions to factorable nonconvex programs"
        }
        public var bounds: Bounds<Scalar> { Bounds(lower: [-1.5, -3], upper: [4, 4]) }
        public var minimum: Scalar { -Scalar.pi / 3 - Scalar(3).squareRoot() / 2 }
        public var minimizers: [[Scalar]] { [[-0.54719755119659775, -1.5471975511965977]] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let difference = x - y, cosine = Scalar.cos(x + y)
            let value = .sin(x + y) + difference * difference - 1.5 * x + 2.5 * y + 1
            return (value, cosine + 2 * difference - 1.5, cosine - 2 * difference + 2.5)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func secondPartials(_ x: Scalar, _ y: Scalar) -> (xx: Scalar, xy: Scalar, yy: Scalar) {
            let sine = Scalar.sin(x + y)
            return (2 - sine, -2 - sine, 2 - sine)
        }
    }
}
