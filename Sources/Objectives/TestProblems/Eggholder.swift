import Kernels
import RealModule

extension TestProblems {
    /// −(y + 47) sin √|y + x/2 + 47| − x sin √|x − y − 47| on [−512, 512]². The minimiser lies on the boundary.
    public struct Eggholder<Scalar: KernelScalar & Real>: PlanarTestProblem {
        public init() {}

        public var name: String { "Eggholder" }
        public var citation: String { "Whitley, Rana, Dzubera, Mathias 1996, Evaluating evolutionary algorithms" }
        public var bounds: Bounds<Scalar> { Bounds(-512...512, dimension: 2) }
        public var minimum: Scalar { -959.6406627208508 }
        public var minimizers: [[Scalar]] { [[512, 404.23180511375781]] }
        public var isDifferentiable: Bool { false }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let a = y + x / 2 + 47, b = x - y - 47
            let rootA = abs(a).squareRoot(), rootB = abs(b).squareRoot()
            // The slopes of −(y + 47) sin √|a| in a and of −x sin √|b| in b.
            let slopeA = a == 0 ? 0 : -(y + 47) * .cos(rootA) * sign(a) / (2 * rootA)
            let slopeB = b == 0 ? 0 : -x * .cos(rootB) * sign(b) / (2 * rootB)
            let value = -(y + 47) * .sin(rootA) - x * .sin(rootB)
            return (value, slopeA / 2 + slopeB - .sin(rootB), slopeA - slopeB - .sin(rootA))
        }
    }
}
