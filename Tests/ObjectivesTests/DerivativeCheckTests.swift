import Kernels
import Objectives
import RealModule
import Testing

@Suite struct DerivativeCheckTests {
    /// Σ sin xᵢ + x₀³x₁, with errors to be planted in gradient and Hessian.
    func objective<Scalar: KernelScalar & Real>(
        gradientError: Scalar = 0, diagonalError: Scalar = 0, skewError: Scalar = 0, cubicError: Scalar = 0
    ) -> TwiceDifferentiableClosureObjective<Scalar> {
        func value(_ x: Span<Scalar>) -> Scalar { .sin(x[0]) + .sin(x[1]) + .sin(x[2]) + x[0] * x[0] * x[0] * x[1] }
        return TwiceDifferentiableClosureObjective(dimension: 3) { value($0) } valueAndGradient: { x, g in
            g[0] = .cos(x[0]) + 3 * x[0] * x[0] * x[1]
            g[1] = .cos(x[1]) + x[0] * x[0] * x[0]
            g[2] = (1 + gradientError) * .cos(x[2])
            return value(x)
        } hessianVectorProduct: { x, v, p in
            let mixed: Scalar = 3 * x[0] * x[0]
            let first: Scalar = 6 * x[0] * x[1] - .sin(x[0])
            p[0] = first * v[0] + (mixed + skewError) * v[1]
            p[1] = (mixed - skewError) * v[0] - .sin(x[1]) * v[1]
            p[2] = cubicError * v[2] * v[2] - (1 + diagonalError) * .sin(x[2]) * v[2]
        }
    }

    @Test(arguments: 0..<5) func rightDerivativesPass(_ seed: UInt64) {
        let double: TwiceDifferentiableClosureObjective<Double> = objective()
        let gradient = checkGradient(of: double, at: [0.4, -1.1, 2.0], seed: seed)
        #expect(gradient.passed, "\(gradient.message)")
        #expect(abs(gradient.taylor.slope! - 2) < 0.1)
        let hessian = checkHessian(of: double, at: [0.4, -1.1, 2.0], seed: seed)
        #expect(hessian.passed, "\(hessian.message)")
        #expect(abs(hessian.taylor.slope! - 3) < 0.2, "\(hessian.message)")

        let float: TwiceDifferentiableClosureObjective<Float> = objective()
        let floatGradient = checkGradient(of: float, at: [0.4, -1.1, 2.0], seed: seed)
        #expect(floatGradient.passed, "\(floatGradient.message)")
        let floatHessian = checkHessian(of: float, at: [0.4, -1.1, 2.0], seed: seed)
        #expect(floatHessian.passed, "\(floatHessian.message)")
    }

    @Test(arguments: [1e-4, -0.01, 0.5, -2, 100]) func wrongGradientFails(_ error: Double) {
        for seed in 0..<5 as Range<UInt64> {
            let check = checkGradient(of: objective(gradientError: error), at: [0.4, -1.1, 2.0], seed: seed)
            #expect(!check.passed, "\(check.message)")
            if abs(error) >= 0.01 {
                let float = checkGradient(of: objective(gradientError: Float(10 * error)), at: [0.4, -1.1, 2.0], seed: seed)
                #expect(!float.passed, "\(float.message)")
            }
        }
    }

    @Test func wrongHessianFails() {
        for seed in 0..<5 as Range<UInt64> {
            let diagonal = checkHessian(of: objective(diagonalError: 0.01), at: [0.4, -1.1, 2.0], seed: seed)
            #expect(!diagonal.taylor.passed && !diagonal.gradientTaylor.passed, "\(diagonal.message)")
            let skew = checkHessian(of: objective(skewError: 0.01), at: [0.4, -1.1, 2.0], seed: seed)
            #expect(skew.asymmetry > skew.tolerance && !skew.passed, "\(skew.message)")
            let cubic = checkHessian(of: objective(cubicError: 0.01), at: [0.4, -1.1, 2.0], seed: seed)
            #expect(cubic.nonlinearity > cubic.tolerance && !cubic.passed, "\(cubic.message)")
            let float = checkHessian(of: objective(diagonalError: Float(0.5)), at: [0.4, -1.1, 2.0], seed: seed)
            #expect(!float.gradientTaylor.passed && !float.passed, "\(float.message)")
        }
    }

    @Test func linearAndQuadraticAreExact() {
        func check<Scalar: KernelScalar & Real>(_: Scalar.Type) {
            let linear = ClosureObjective<Scalar>(dimension: 2) { 3 * $0[0] - $0[1] } valueAndGradient: { x, g in
                g[0] = 3
                g[1] = -1
                return 3 * x[0] - x[1]
            }
            let linearCheck = checkGradient(of: linear, at: [1.5, 7])
            #expect(linearCheck.taylor.isExact && linearCheck.passed, "\(linearCheck.message)")
            let quadratic = TestProblems.ConvexQuadratic<Scalar>(dimension: 4, condition: 50)
            let start: [Scalar] = [3, 1, -2, 0.5]
            let gradient = checkGradient(of: quadratic, at: start)
            #expect(!gradient.taylor.isExact && gradient.passed, "\(gradient.message)")
            #expect(abs(gradient.taylor.slope! - 2) < 0.05, "\(gradient.message)")
            let hessian = checkHessian(of: quadratic, at: start)
            #expect(hessian.taylor.isExact && hessian.gradientTaylor.isExact && hessian.passed, "\(hessian.message)")
        }
        check(Double.self)
        check(Float.self)
    }

    @Test func wrongLinearGradientFails() {
        let wrong = ClosureObjective<Double>(dimension: 2) { 3 * $0[0] - $0[1] } valueAndGradient: { x, g in
            g[0] = 3
            g[1] = 1
            return 3 * x[0] - x[1]
        }
        let check = checkGradient(of: wrong, at: [1.5, 7])
        #expect(abs(check.taylor.slope! - 1) < 0.1)
        #expect(!check.passed)
    }

    @Test func valuesThatDisagreeFail() {
        let wrong = ClosureObjective<Double>(dimension: 1) { .sin($0[0]) } valueAndGradient: { x, g in
            g[0] = .cos(x[0])
            return .sin(x[0]) + 1e-3
        }
        let check = checkGradient(of: wrong, at: [0.5])
        #expect(!check.valuesAgree && !check.passed)
    }

    @Test func undefinedFunctionDoesNotPass() {
        let undefined = ClosureObjective<Double>(dimension: 1) { _ in .nan } valueAndGradient: { _, g in g[0] = 1; return .nan }
        #expect(!checkGradient(of: undefined, at: [0.5]).passed)
    }
}
