import Objectives
import Testing

@Suite struct StoppingCriterionTests {
    let rosenbrock = TestProblems.Rosenbrock<Double>(dimension: 2)

    func solve(_ stopping: StoppingCriterion) -> Solution<Double> {
        GradientDescent().solve(rosenbrock, from: [-1.2, 1], stopping: stopping || .iterations(100_000))
    }

    @Test func eachCriterionStopsWhereItSays() {
        #expect(solve(.gradientNorm(atMost: 1e-3)).gradientNorm! <= 1e-3)
        let relative = solve(.relativeGradientNorm(atMost: 1e-4))
        #expect(relative.status == .converged)
        let first = rosenbrock.gradient(at: [-1.2, 1]).map { $0 * $0 }.reduce(0, +).squareRoot()
        #expect(relative.gradientNorm! <= 1e-4 * first)
        #expect(relative.gradientNorm! > 1e-7 * first)
        let target = solve(.value(atMost: 0.5))
        #expect(target.status == .converged)
        #expect(target.value <= 0.5 && target.value > 0.01)
        for stagnating in [StoppingCriterion.valueChange(atMost: 1e-4), .relativeValueChange(atMost: 1e-3), .stepNorm(atMost: 1e-3)] {
            #expect(solve(stagnating).status == .stagnated)
        }
    }

    @Test func orStopsAtTheEarlierAndConvergenceSpeaksFirst() {
        let both = solve(.iterations(0) || .value(atMost: 1e9))
        #expect(both.status == .converged)
        #expect(solve(.value(atMost: 1e9) || .iterations(0)).status == .converged)
        #expect(solve(.iterations(3) || .value(atMost: 0.5)).iterations == 3)
    }

    @Test func andWaitsForBoth() {
        let solution = solve(.iterations(50) && .value(atMost: 1e9))
        #expect(solution.iterations == 50)
        #expect(solution.status == .converged)
        #expect(solution.reason.contains(", and "))
        let limits = solve(.iterations(50) && .evaluations(10))
        #expect(limits.iterations == 50)
        #expect(limits.status == .iterationLimit)
    }

    @Test func limitInsideAndDoesNotReplaceTheDefault() {
        let solution = ConstantStep().solve(TestProblems.Sphere<Double>(dimension: 1), from: [0],
                                            stopping: .iterations(20_000) && .value(atMost: -1))
        #expect(solution.iterations == 10_000)
    }
}
