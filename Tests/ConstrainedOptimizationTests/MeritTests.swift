import ConstrainedOptimization
import Kernels
import LinearAlgebra
import Objectives
import Randomness
import RealModule
import Testing

/// The exact augmented Lagrangian, and the derivatives below it.
@Suite struct MeritTests {
    private let penalties = Penalties<Double>(feasibility: 1.3, stationarity: 0.2)

    /// Check 1 of the brief: the gradient against central differences on HS78.
    @Test func gradientAgreesWithCentralDifferences() {
        let merit = ExactAugmentedLagrangian(problem("HS78").problem, penalties: penalties)
        for seed in 0..<5 as Range<UInt64> {
            var random = RandomStream(seed: seed)
            let x: [Double] = random.normal(count: 8)
            var gradient = x, difference = x
            var span = gradient.mutableSpan
            let value = merit.valueAndGradient(at: x.span, gradient: &span)
            let plain = merit.value(at: x.span)
            #expect(value == plain)
            for i in 0..<8 {
                // Fourth order: errors of h⁴ and of ε/h.
                func at(_ step: Double) -> Double {
                    var y = x
                    y[i] += step
                    return merit.value(at: y.span)
                }
                let h = 1e-3
                difference[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
            }
            let error = norm(minus(gradient, difference)) / norm(gradient)
            #expect(error <= 1e-9, "seed \(seed): \(error)")
        }
    }

    /// Of all problems, by Taylor slopes and the adjoint identity.
    @Test func derivativesOfTheLibrary() {
        for p in ConstrainedTestProblems.all(Double.self) {
            let check = checkConstraints(of: p.problem, at: p.start.map { $0 + 0.1 })
            #expect(check.passed, "\(p.name): \(check.message)")
            let merit = ExactAugmentedLagrangian(p.problem, penalties: penalties)
            let gradient = checkGradient(of: merit, at: p.start.map { $0 + 0.1 } + [Double](repeating: 0.3, count: p.problem.constraintCount))
            #expect(gradient.passed, "\(p.name): \(gradient.message)")
        }
    }

    /// A wrong sign in the Hessian or the Jacobian does not pass.
    @Test func wrongDerivativesFail() {
        struct Wrong: TwiceDifferentiableConstrainedObjective {
            let base = problem("HS78").problem
            var pushSign = 1.0, pullSign = 1.0, hessianSign = 1.0
            var dimension: Int { base.dimension }
            var constraintCount: Int { base.constraintCount }
            func value(at x: Span<Double>) -> Double { base.value(at: x) }
            func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double { base.valueAndGradient(at: x, gradient: &gradient) }
            func constraints(at x: Span<Double>, into values: inout MutableSpan<Double>) { base.constraints(at: x, into: &values) }
            func jacobianProduct(at x: Span<Double>, direction v: Span<Double>, into product: inout MutableSpan<Double>) {
                base.jacobianProduct(at: x, direction: v, into: &product)
                Double.scale(pushSign, &product)
            }
            func transposedJacobianProduct(at x: Span<Double>, multipliers u: Span<Double>, into product: inout MutableSpan<Double>) {
                base.transposedJacobianProduct(at: x, multipliers: u, into: &product)
                Double.scale(pullSign, &product)
            }
            func lagrangianHessianProduct(
                at x: Span<Double>, multipliers: Span<Double>, direction v: Span<Double>, into product: inout MutableSpan<Double>
            ) {
                base.lagrangianHessianProduct(at: x, multipliers: multipliers, direction: v, into: &product)
                Double.scale(hessianSign, &product)
            }
        }
        let x = [-1.7, 1.6, 1.8, -0.8, -0.7]
        #expect(checkConstraints(of: Wrong(), at: x).passed)
        #expect(!checkConstraints(of: Wrong(pushSign: -1), at: x).passed)
        #expect(!checkConstraints(of: Wrong(pullSign: -1), at: x).passed)
        #expect(!checkConstraints(of: Wrong(hessianSign: -1), at: x).passed)
        // The matrices that follow from products are those of the formulas.
        let u = [0.3, -0.2, 0.5], wrong = Wrong(), right = problem("HS78").problem
        let jacobians = (wrong.jacobian(at: x.span), right.jacobian(at: x.span))
        let hessians = (wrong.lagrangianHessian(at: x.span, multipliers: u.span), right.lagrangianHessian(at: x.span, multipliers: u.span))
        #expect(jacobians.0 == jacobians.1 && hessians.0 == hessians.1)
    }

    /// Check 2: the descent identity of the exact direction, with and without a shift; and the slope from Γz against the gradient of the merit.
    @Test(arguments: ["HS78", "HS77", "HS40", "HS6"]) func descentIdentity(_ name: String) throws {
        let problem = problem(name)
        var shifts = Set<Bool>()
        for seed in 0..<20 as Range<UInt64> {
            var random = RandomStream(seed: seed)
            let x = zip(problem.start, random.normal(count: problem.start.count) as [Double]).map { $0 + 0.3 * $1 }
            let point = KKTPoint(problem.problem, at: x, multipliers: random.normal(count: problem.problem.constraintCount))
            let system = try NewtonSystem(problem.problem, at: point), n = x.count
            shifts.insert(system.shift > 0)
            let z = try LU(system.matrix).solve(system.rightHandSide), dx = Array(z[..<n]), dm = Array(z[n...])
            let merit = ExactAugmentedLagrangian(problem.problem, penalties: penalties)
            let both = x + point.multipliers
            var gradient = both
            var span = gradient.mutableSpan
            _ = merit.valueAndGradient(at: both.span, gradient: &span)
            let slope = dot(gradient, z)
            let b = system.matrix.submatrix(rows: 0..<n, columns: 0..<n), curved = b * dx
            let c = point.constraints, g = point.lagrangianGradient
            let identity = -dot(dx, curved) + 2 * dot(c, dm) - 1.3 * dot(c, c) - 0.2 * dot(g, g) - 0.2 * system.shift * dot(g, dx)
            let scale = dot(dx, curved).magnitude + 2 * dot(c, dm).magnitude + dot(c, c) + dot(g, g) + system.shift * dot(g, dx).magnitude
            #expect(abs(slope - identity) <= 1e-10 * scale, "\(slope) \(identity)")
            let fromImage = system.slope(along: z, image: system.image(of: z), penalties: penalties)
            #expect(abs(slope - fromImage) <= 1e-10 * scale, "\(slope) \(fromImage)")
            // And for a direction that solves nothing.
            let other: [Double] = random.normal(count: z.count)
            let along = dot(gradient, other), image = system.slope(along: other, image: system.image(of: other), penalties: penalties)
            #expect(abs(along - image) <= 1e-10 * norm(gradient) * norm(other) * (1 + system.shift))
        }
        if name == "HS6" || name == "HS78" { #expect(shifts == [true, false]) }
    }

    @Test func jetsAgreeWithClosedForms() {
        let x = SecondOrderJet.variables([0.7, -1.3])
        let y = .exp(x[0] * x[1]) + .log(2 + .cos(x[0])) * 3 - .sin(x[1])
        let e = Double.exp(-0.91), value = e + 3 * .log(2 + .cos(0.7)) + .sin(1.3)
        #expect(abs(y.value - value) < 1e-14)
        #expect(abs(y.hessian(0, 1) - e * (1 - 0.91)) < 1e-14 && y.hessian(0, 1) == y.hessian(1, 0))
        #expect(abs(y.hessian(1, 1) - (0.49 * e - .sin(1.3))) < 1e-14)
        let constant = SecondOrderJet<Double>(4) * 2 + 1
        #expect(constant.value == 9 && constant.gradient.isEmpty && constant.hessian(0, 0) == 0)
    }
}
