import Kernels
import RealModule

extension TestProblems {
    /// (y − 5.1x²/(4π²) + 5x/π − 6)² + 10(1 − 1/(8π)) cos x + 10 on [−5, 10] × [0, 15].
    public struct Branin<Scalar: KernelScalar & Real>: TwiceDifferentiablePlanarTestProblem {
        public init() {}

        public var name: String { "Branin" }
        public var citation: String {
            "Branin 1972, Widely convergent method for finding multiple solutions of simultaneous nonlinear equations"
        }
        public var bounds: Bounds<Scalar> { Bounds(lower: [-5, 0], upper: [10, 15]) }
        public var minimum: Scalar { 10 / (8 * Scalar.pi) }
        public var minimizers: [[Scalar]] { [[-Scalar.pi, 12.275], [Scalar.pi, 2.275], [3 * Scalar.pi, 2.475]] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let (valley, slope) = valley(x, y)
            let waves = 10 - 10 / (8 * Scalar.pi)
            let value = valley * valley + waves * .cos(x) + 10
            return (value, 2 * valley * slope - waves * .sin(x), 2 * valley)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func secondPartials(_ x: Scalar, _ y: Scalar) -> (xx: Scalar, xy: Scalar, yy: Scalar) {
            let (valley, slope) = valley(x, y)
            let bend = -5.1 / (2 * Scalar.pi * Scalar.pi)
            let waves = 10 - 10 / (8 * Scalar.pi)
            return (2 * slope * slope + 2 * valley * bend - waves * .cos(x), 2 * slope, 2)
        }

        /// The squared term's root and its derivative in x.
        private func valley(_ x: Scalar, _ y: Scalar) -> (value: Scalar, slope: Scalar) {
            let a = 5.1 / (4 * Scalar.pi * Scalar.pi), b = 5 / Scalar.pi
            return (y - a * x * x + b * x - 6, b - 2 * a * x)
        }
    }
}
