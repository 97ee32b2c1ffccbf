import Kernels
import RealModule

extension TestProblems {
    /// −0.0001 (|sin x sin y exp |100 − r/π|| + 1)^0.1 with r = ‖(x, y)‖₂ on [−10, 10]².
    ///
    /// It is evaluated by logarithms: the exponential alone would overflow `Float`.
    public struct CrossInTray<Scalar: KernelScalar & Real>: PlanarTestProblem {
        public init() {}

        public var name: String { "Cross-in-tray" }
        public var citation: String {
            "Mishra 2006, Some new test functions for global optimization and performance of repulsive particle swarm method"
        }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: 2) }
        public var minimum: Scalar { -2.0626118708227369 }
        public var minimizers: [[Scalar]] {
            [[1.34940661715391, 1.34940661715391], [1.34940661715391, -1.34940661715391],
             [-1.34940661715391, 1.34940661715391], [-1.34940661715391, -1.34940661715391]]
        }
        public var isDifferentiable: Bool { false }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let r = (x * x + y * y).squareRoot()
            let sx = Scalar.sin(x), sy = Scalar.sin(y)
            guard sx != 0, sy != 0 else { return (-0.0001, 0, 0) }
            // log of what is added to 1; below, log(1 + exp(l)) and exp(l)/(1 + exp(l)) without overflow.
            let l = .log(abs(sx * sy)) + abs(100 - r / .pi)
            let e = Scalar.exp(-abs(l))
            let softplus = max(l, 0) + .log(onePlus: e), share = l >= 0 ? 1 / (1 + e) : e / (1 + e)
            let value = -0.0001 * Scalar.exp(softplus / 10)
            let radial = r > 0 ? -sign(100 - r / .pi) / (.pi * r) : 0
            let slope = value * share / 10
            return (value, slope * (.cos(x) / sx + radial * x), slope * (.cos(y) / sy + radial * y))
        }
    }
}
