import Kernels
import RealModule

extension TestProblems {
    /// (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)² on [−4.5, 4.5]².
    public struct Beale<Scalar: KernelScalar & Real>: TwiceDifferentiablePlanarTestProblem {
        public init() {}

        public var name: String { "Beale" }
        public var citation: String {
            "Beale 1958, On an iterative method for finding a local minimum of a function of more than one variable"
        }
        public var bounds: Bounds<Scalar> { Bounds(-4.5...4.5, dimension: 2) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [[3, 0.5]] }
        public var standardStart: [Scalar] { [1, 1] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let targets: [Scalar] = [1.5, 2.25, 2.625]
            var value: Scalar = 0, dx: Scalar = 0, dy: Scalar = 0
            for k in 1...3 {
                let power = Scalar.pow(y, k), slope = Scalar(k) * x * .pow(y, k - 1)
                let residual = targets[k - 1] - x + x * power
                value += residual * residual
                dx += 2 * residual * (power - 1)
                dy += 2 * residual * slope
            }
            return (value, dx, dy)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func secondPartials(_ x: Scalar, _ y: Scalar) -> (xx: Scalar, xy: Scalar, yy: Scalar) {
            let targets: [Scalar] = [1.5, 2.25, 2.625]
            var xx: Scalar = 0, xy: Scalar = 0, yy: Scalar = 0
            for k in 1...3 {
                let power = Scalar.pow(y, k), mixed = Scalar(k) * .pow(y, k - 1)
                let residual = targets[k - 1] - x + x * power
                xx += 2 * (power - 1) * (power - 1)
                xy += 2 * ((power - 1) * x * mixed + residual * mixed)
                // k(k − 1)yᵏ⁻² vanishes for k = 1, also at y = 0.
                let bend = k == 1 ? 0 : x * Scalar(k * (k - 1)) * .pow(y, k - 2)
                yy += 2 * (x * mixed * x * mixed + residual * bend)
            }
            return (xx, xy, yy)
        }
    }
}
