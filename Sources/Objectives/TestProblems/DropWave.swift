import Kernels
import RealModule

extension TestProblems {
    /// −(1 + cos 12r)/(r²/2 + 2) with r = ‖(x, y)‖₂ on [−5.12, 5.12]².
    public struct DropWave<Scalar: KernelScalar & Real>: PlanarTestProblem {
        public init() {}

        public var name: String { "Drop-wave" }
        public var citation: String { "Molga, Smutnicki 2005, Test functions for optimization needs" }
        public var bounds: Bounds<Scalar> { Bounds(-5.12...5.12, dimension: 2) }
        public var minimum: Scalar { -1 }
        public var minimizers: [[Scalar]] { [[0, 0]] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let r = (x * x + y * y).squareRoot()
            let wave = 1 + Scalar.cos(12 * r), bowl = r * r / 2 + 2
            let slope = (12 * .sin(12 * r) * bowl + wave * r) / (bowl * bowl)
            let factor = r > 0 ? slope / r : 0
            return (-wave / bowl, factor * x, factor * y)
        }
    }
}
