import Autodiff
import Curvature
import Kernels
import LinearAlgebra
import Objectives
import Randomness
import Testing

@Suite struct HessianOperatorTests {
    private func probe(_ seed: UInt64, _ count: Int) -> [Double] {
        var random = RandomStream(seed: seed)
        return random.normal(count: count)
    }

    /// Against central differences of the gradient, element by element: AdaHessian, check 4; directional sharpness, check 6.
    @Test func productsAreThoseOfTheDenseHessian() {
        let (f, x) = smallNetwork(Double.self), n = f.dimension, h = 1e-5
        #expect(n == 64)
        func gradient(_ x: [Double]) -> [Double] {
            var g = x, span = g.mutableSpan
            _ = f.valueAndGradient(at: x.span, gradient: &span)
            return g
        }
        var dense = Matrix<Double>.zeros(rows: n, columns: n)
        for j in 0..<n {
            var up = x, down = x
            up[j] += h
            down[j] -= h
            let (a, b) = (gradient(up), gradient(down))
            for i in 0..<n { dense[i, j] = (a[i] - b[i]) / (2 * h) }
        }
        let hessian = HessianOperator(of: f, at: x)
        for seed in 0..<3 as Range<UInt64> {
            let z = probe(seed, n), exact = dense * z, product = hessian.apply(z)
            #expect(norm(difference(product, exact)) < 1e-6 * norm(exact))
        }
        #expect(hessian.rows == n && hessian.columns == n)
    }

    @Test func productsAreSymmetricAndLinear() {
        let (f, x) = smallNetwork(Double.self), n = f.dimension
        let hessian = HessianOperator(of: f, at: x), u = probe(5, n), z = probe(6, n)
        let hu = hessian.apply(u), hz = hessian.apply(z)
        let scale = norm(hu) * norm(z)
        #expect(abs(dot(u, hz) - dot(z, hu)) < 1e-14 * scale)
        let combined = hessian.apply(zip(u, z).map { 2 * $0 - 3 * $1 })
        #expect(norm(difference(combined, zip(hu, hz).map { 2 * $0 - 3 * $1 })) < 1e-13 * norm(combined))
        #expect(hessian.adjointDefect() < 1e-14)
        #expect(hessian.applyAdjoint(u) == hu)
    }

    /// The linearised operator, the objective's own products, and an operator over these.
    @Test func threeRoutesAgree() {
        func check<Scalar: KernelScalar>(_ type: Scalar.Type, _ tolerance: Scalar) {
            let (f, x) = smallNetwork(type), counted = CountingObjective(f)
            var random = RandomStream(seed: 2)
            let z: [Scalar] = random.normal(count: f.dimension)
            let linear = HessianOperator(of: f, at: x).apply(z), plain = HessianOperator(of: counted, at: x).apply(z)
            var direct = z, span = direct.mutableSpan
            f.hessianVectorProduct(at: x.span, direction: z.span, into: &span)
            let scale = Scalar.maxAbs(direct.span)
            #expect(zip(linear, direct).allSatisfy { abs($0 - $1) <= tolerance * scale })
            #expect(plain == direct)
            #expect(counted.counts.hessianProducts == 1)
        }
        check(Double.self, 1e-14)
        check(Float.self, 1e-5)
    }

    @Test func aPointOfAnotherDimensionIsRefused() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = HessianOperator(of: TensorObjective<Double>(dimension: 3) { $0.squared().sum() }, at: [1, 2])
        }
        #expect(message(of: result).contains("point has 2 elements; the objective has dimension 3"))
    }
}
