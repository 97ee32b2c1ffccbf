import Kernels
import RealModule

extension TestProblems {
    /// (1 + (x + y + 1)²(19 − 14x + 3x² − 14y + 6xy + 3y²)) · (30 + (2x − 3y)²(18 − 32x + 12x² + 48y − 36xy + 27y²)) on [−2, 2]².
    ///
    /// Local minima 30, 84 and 840 besides the global 3.
    public struct GoldsteinPrice<Scalar: KernelScalar & Real>: PlanarTestProblem {
        public init() {}

        public var name: String { "Goldstein-Price" }
        public var citation: String { "Goldstein, Price 1971, On descent from local minima" }
        public var bounds: Bounds<Scalar> { Bounds(-2...2, dimension: 2) }
        public var minimum: Scalar { 3 }
        public var minimizers: [[Scalar]] { [[0, -1]] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndPartials(_ x: Scalar, _ y: Scalar) -> (value: Scalar, dx: Scalar, dy: Scalar) {
            let s = x + y + 1, t = 2 * x - 3 * y
            let p: Scalar = 19 - 14 * (x + y) + 3 * (x + y) * (x + y)
            let q: Scalar = 18 - 16 * t + 3 * t * t
            let a = 1 + s * s * p, b = 30 + t * t * q
            // a depends on x + y alone, b on 2x − 3y alone.
            let da: Scalar = 2 * s * p + s * s * (6 * (x + y) - 14)
            let db: Scalar = 2 * t * q + t * t * (6 * t - 16)
            return (a * b, da * b + 2 * a * db, da * b - 3 * a * db)
        }
    }
}
