import Kernels
import Objectives
import Randomness
import RealModule
import Testing

@Suite struct TestProblemTests {
    static let names = TestProblems.all().map(\.name)

    /// Each listed problem in its smallest dimension and, where it scales, in a larger one.
    static func problems<Scalar: KernelScalar & Real>(_ name: String, _: Scalar.Type = Double.self) -> [any TestProblem<Scalar>] {
        let entry = TestProblems.named(name, Scalar.self)!
        return [entry.smallest] + [4, 5, 12].filter { $0 != entry.dimensions.smallest && entry.dimensions.contains($0) }.map(entry.problem)
    }

    static func randomPoint<Scalar: KernelScalar & Real>(_ problem: any TestProblem<Scalar>, _ stream: inout RandomStream) -> [Scalar] {
        let unit: [Scalar] = stream.uniform(count: problem.dimension), bounds = problem.bounds
        return unit.indices.map { bounds.lower[$0] + unit[$0] * (bounds.upper[$0] - bounds.lower[$0]) }
    }

    @Test func thereAreManyAndNamesAreUnique() {
        #expect(Self.names.count >= 25)
        #expect(Set(Self.names).count == Self.names.count)
        #expect(TestProblems.named("no such problem") == nil)
        for entry in TestProblems.all() {
            #expect(!entry.smallest.citation.isEmpty)
            #expect(entry.smallest.dimension == entry.dimensions.smallest)
        }
    }

    @Test(arguments: names) func minimumIsAttained(_ name: String) {
        for problem in Self.problems(name) {
            // Bukin's ridge and Schwefel's sum amplify the rounding of the minimiser and of the constant.
            let tolerance = name == "Bukin 6" ? 1e-6 : name == "Schwefel" ? 1e-11 : 1e-13
            #expect(!problem.minimizers.isEmpty)
            for point in problem.minimizers {
                let isInside = problem.bounds.contains(point.span)
                #expect(isInside)
                let value = problem.value(at: point.span)
                #expect(abs(value - problem.minimum) <= tolerance * max(1, abs(problem.minimum)), "\(value) at \(point)")
            }
        }
        for problem in Self.problems(name, Float.self) {
            let tolerance: Float = name == "Bukin 6" ? 0.05 : name == "Schwefel" ? 3e-3 : 2e-5
            for point in problem.minimizers {
                let value = problem.value(at: point.span)
                #expect(abs(value - problem.minimum) <= tolerance * max(1, abs(problem.minimum)), "Float: \(value) at \(point)")
            }
        }
    }

    @Test(arguments: names) func gradientVanishesAtInteriorMinimizers(_ name: String) {
        for problem in Self.problems(name) where problem.isDifferentiable {
            for point in problem.minimizers {
                // The gradient that a minimiser correct to a few 1e-11 may have: curvatures reach 1e4.
                for component in problem.gradient(at: point) { #expect(abs(component) < 1e-6, "\(point)") }
            }
        }
    }

    @Test(arguments: names) func gradientHasTaylorSlopeTwo(_ name: String) {
        var stream = RandomStream(seed: 11)
        for problem in Self.problems(name) {
            for seed in 0..<3 as Range<UInt64> {
                let point = Self.randomPoint(problem, &stream)
                let check = checkGradient(of: problem, at: point, seed: seed)
                #expect(check.passed, "n = \(problem.dimension), \(point): \(check.message)")
            }
        }
    }

    @Test(arguments: names) func hessianHasTaylorSlopeThree(_ name: String) {
        var stream = RandomStream(seed: 12)
        for problem in Self.problems(name) {
            guard let smooth = problem as? any TwiceDifferentiableObjective<Double> else { continue }
            for seed in 0..<3 as Range<UInt64> {
                let point = Self.randomPoint(problem, &stream)
                let check = checkHessian(of: smooth, at: point, seed: seed)
                #expect(check.passed, "n = \(problem.dimension), \(point): \(check.message)")
            }
        }
    }

    @Test func classicalSmoothProblemsHaveHessians() {
        for name in ["Sphere", "Rosenbrock", "Convex quadratic", "Dixon-Price", "Trid", "Zakharov", "Styblinski-Tang",
                     "Rastrigin", "Beale", "Booth", "Himmelblau", "Branin", "Wood", "Powell singular"] {
            #expect(TestProblems.named(name)!.smallest is any TwiceDifferentiableObjective<Double>, "\(name)")
        }
    }

    @Test(arguments: names) func nothingLowerIsFound(_ name: String) {
        var stream = RandomStream(seed: 13)
        for problem in Self.problems(name) {
            let bounds = problem.bounds
            var lowest = Double.infinity
            for trial in 0..<400 {
                // Half anywhere, half near a minimiser.
                var point = Self.randomPoint(problem, &stream)
                if trial % 2 == 1 {
                    let anchor = problem.minimizers[trial % problem.minimizers.count]
                    let noise: [Double] = stream.normal(count: point.count)
                    for i in point.indices { point[i] = anchor[i] + 1e-3 * (bounds.upper[i] - bounds.lower[i]) * noise[i] }
                    var span = point.mutableSpan
                    bounds.project(&span)
                }
                lowest = min(lowest, problem.value(at: point.span))
                if trial % 20 == 0, problem.isDifferentiable {
                    let local = GradientDescent().solve(problem, from: point, stopping: .iterations(50))
                    if bounds.contains(local.iterate.span) { lowest = min(lowest, local.value) }
                }
            }
            #expect(lowest >= problem.minimum - 1e-11 * max(1, abs(problem.minimum)), "\(lowest)")
        }
    }

    @Test(arguments: [
        ("Sphere", 0.1125), ("Ackley", 1.4587215670323208), ("Rastrigin", 19.335664628247468), ("Rosenbrock", 12.1525),
        ("Griewank", 0.02121300715746033), ("Levy", 1.047363363862352), ("Zakharov", 1.4643066406250007),
        ("Dixon-Price", 1.38285), ("Trid", 4.5625), ("Salomon", 1.544799168322906), ("Alpine 1", 0.14168242955571053),
    ]) func valueAtTheCheckPoint(_ name: String, _ expected: Double) {
        let point = (1...5).map { 0.1 * Double($0) - 0.25 }
        let value = TestProblems.named(name)!.problem(dimension: 5).value(at: point.span)
        #expect(abs(value - expected) <= 1e-12 * expected, "\(value)")
    }

    @Test func furtherPublishedValues() {
        func expect(_ problem: any TestProblem<Double>, _ point: [Double], _ expected: Double) {
            let value = problem.value(at: point.span)
            #expect(abs(value - expected) <= 1e-12 * abs(expected), "\(problem.name): \(value)")
        }
        expect(TestProblems.Michalewicz(dimension: 5), (1...5).map { 0.5 * Double($0) }, -0.23490942170244353)
        expect(TestProblems.Hartmann(dimension: 3), [0.5, 0.5, 0.5], -0.6280220150705937)
        expect(TestProblems.Hartmann(dimension: 6), Array(repeating: 0.5, count: 6), -0.5053149917022333)
        expect(TestProblems.Branin(), [0, 0], 55.602112642270264)
        expect(TestProblems.Branin(), [2.5, 7.5], 24.129964413622268)
        for (dimension, minimum) in [(2, -1.8013034100985525), (5, -4.6876581790881463), (10, -9.6601517156413414)] {
            let problem = TestProblems.Michalewicz<Double>(dimension: dimension)
            #expect(abs(problem.minimum - minimum) < 1e-14 * abs(minimum) * 10)
        }
        // Hand-calculated: (1 − 0)² + … of Wood's function at the usual start, 19192.
        expect(TestProblems.Wood(), [-3, -1, -3, -1], 19192)
        // Powell's at (3, −1, 0, 1): 49 + 5 + 1 + 160.
        expect(TestProblems.PowellSingular(dimension: 4), [3, -1, 0, 1], 215)
        expect(TestProblems.GoldsteinPrice(), [1.8, 0.2], 84)
        expect(TestProblems.GoldsteinPrice(), [-0.6, -0.4], 30)
    }

    @Test func rosenbrockHasItsSecondMinimum() {
        let problem = TestProblems.Rosenbrock<Double>(dimension: 4)
        let solution = GradientDescent().solve(problem, from: [-0.776, 0.613, 0.382, 0.146], stopping: .gradientNorm(atMost: 1e-6) || .iterations(20_000))
        #expect(solution.status == .converged)
        #expect(abs(solution.value - 3.70142) < 1e-4)
    }

    @Test func convexQuadraticHasItsCondition() {
        let problem = TestProblems.ConvexQuadratic<Double>(dimension: 6, condition: 1e6)
        #expect(problem.eigenvalues.first == 1)
        #expect(abs(problem.eigenvalues.last! - 1e6) < 1e-8)
        // Q = I − (2/n)·11ᵀ: column k of Q is the eigenvector of eigenvalue k.
        for k in 0..<6 {
            let eigenvector = (0..<6).map { ($0 == k ? 1.0 : 0.0) - 1.0 / 3 }
            var product = [Double](repeating: .nan, count: 6)
            var span = product.mutableSpan
            problem.hessianVectorProduct(at: eigenvector.span, direction: eigenvector.span, into: &span)
            for i in 0..<6 { #expect(abs(product[i] - problem.eigenvalues[k] * eigenvector[i]) < 1e-9) }
        }
    }

    @Test func crossInTrayDoesNotOverflowFloat() {
        let problem = TestProblems.CrossInTray<Float>()
        let point: [Float] = [1, 0.001]
        let value = problem.value(at: point.span)
        #expect(value.isFinite && value < -1)
    }
}
