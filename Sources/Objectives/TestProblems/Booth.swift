import Kernels
import RealModule

extension TestProblems {
    /// (x + 2y − 7)² + (2x + y − 5)² on [−10, 10]².
    public struct Booth<Scalar: KernelScalar & Real>: TwiceDifferentiablePlanarTestProblem {
        public init() {}

        public var name: String { "Booth" }
        public var citation: String {
            "Jamil, Yang 2013, A literature survey of benchmark functions for global optimisation problems"
        }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: 2) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [[1, 3]] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let p = x + 2 * y - 7, q = 2 * x + y - 5
            return (p * p + q * q, 2 * p + 4 * q, 4 * p + 2 * q)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func secondPartials(_ x: Scalar, _ y: Scalar) -> (xx: Scalar, xy: Scalar, yy: Scalar) {
            (10, 8, 10)
        }
    }
}
