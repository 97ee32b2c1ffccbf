import Kernels
import RealModule

extension TestProblems {
    /// 100(a² − b)² + (a − 1)² + (c − 1)² + 90(c² − d)² + 10.1((b − 1)² + (d − 1)²) + 19.8(b − 1)(d − 1) on [−10, 10]⁴.
    public struct Wood<Scalar: KernelScalar & Real>: TestProblem, TwiceDifferentiableObjective {
        public init() {}

        public var dimension: Int { 4 }
        public var name: String { "Wood" }
        public var citation: String { "Colville 1968, A comparative study of nonlinear programming codes" }
        public var bounds: Bounds<Scalar> { Bounds(-10...10, dimension: 4) }
        public var minimum: Scalar { 0 }
        public var minimizers: [[Scalar]] { [[1, 1, 1, 1]] }
        public var standardStart: [Scalar] { [-3, -1, -3, -1] }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func value(at x: Span<Scalar>) -> Scalar {
            requireDimension(x.count)
            let p = x[0] * x[0] - x[1], q = x[2] * x[2] - x[3]
            let a = x[0] - 1, b = x[1] - 1, c = x[2] - 1, d = x[3] - 1
            let bends = 100 * p * p + 90 * q * q, squares = a * a + c * c
            return bends + squares + 10.1 * (b * b + d * d) + 19.8 * b * d
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
            requireDimension(gradient.count, "gradient")
            let p = x[0] * x[0] - x[1], q = x[2] * x[2] - x[3]
            let b = x[1] - 1, d = x[3] - 1
            gradient[0] = 400 * p * x[0] + 2 * (x[0] - 1)
            gradient[1] = -200 * p + 20.2 * b + 19.8 * d
            gradient[2] = 360 * q * x[2] + 2 * (x[2] - 1)
            gradient[3] = -180 * q + 20.2 * d + 19.8 * b
            return value(at: x)
        }

        @specialized(where Scalar == Float) @specialized(where Scalar == Double)
        public func hessianVectorProduct(
            at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
        ) {
            requireDimension(x.count)
            requireDimension(v.count, "direction")
            let a = 1200 * x[0] * x[0] - 400 * x[1] + 2, c = 1080 * x[2] * x[2] - 360 * x[3] + 2
            product[0] = a * v[0] - 400 * x[0] * v[1]
            product[1] = 220.2 * v[1] - 400 * x[0] * v[0] + 19.8 * v[3]
            product[2] = c * v[2] - 360 * x[2] * v[3]
            product[3] = 200.2 * v[3] - 360 * x[2] * v[2] + 19.8 * v[1]
        }
    }
}
