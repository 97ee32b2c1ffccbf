import Foundation
import Kernels
import Objectives
import Testing

@Suite struct SolverLoopTests {
    let rosenbrock = TestProblems.Rosenbrock<Double>(dimension: 2)

    @Test func convergesAndCountsHonestly() throws {
        let counted = CountingObjective(TestProblems.ConvexQuadratic<Double>(dimension: 5, condition: 10))
        let solution = GradientDescent().solve(counted, from: [3, -1, 0, 4, 2], stopping: .gradientNorm(atMost: 1e-7))
        #expect(solution.status == .converged, "\(solution.reason)")
        #expect(solution.evaluations == counted.counts)
        #expect(solution.work["axpy"] == solution.evaluations.values)
        #expect(solution.gradientNorm! <= 1e-7)
        for x in try solution.get() { #expect(abs(x - 1) < 1e-6) }
        #expect(solution.reason.contains("gradient norm"))
    }

    @Test func convergesInFloat() throws {
        let problem = TestProblems.ConvexQuadratic<Float>(dimension: 5, condition: 10)
        let solution = GradientDescent<Float>().solve(problem, from: [3, -1, 0, 4, 2], stopping: .gradientNorm(atMost: 1e-3))
        for x in try solution.get() { #expect(abs(x - 1) < 1e-2) }
    }

    @Test func iterationCapOfOne() throws {
        let solution = GradientDescent().solve(rosenbrock, from: [-1.2, 1], stopping: .iterations(1))
        #expect(solution.status == .iterationLimit)
        #expect(solution.iterations == 1)
        #expect(throws: NotConvergedError.self) { try solution.get() }
    }

    @Test func defaultLimitsHold() {
        let solution = GradientDescent().solve(rosenbrock, from: [-1.2, 1], stopping: .gradientNorm(atMost: 0))
        #expect(solution.status != .converged)
        #expect(solution.iterations <= 10_000)
    }

    @Test func ownLimitReplacesTheDefault() {
        let slow = GradientDescent<Double>(firstStep: 1e-9)
        let flat = ClosureObjective<Double>(dimension: 1) { $0[0] } valueAndGradient: { x, g in g[0] = 1; return x[0] }
        let solution = slow.solve(flat, from: [0], stopping: .iterations(20) || .value(atMost: -.infinity))
        #expect(solution.status == .iterationLimit)
        #expect(solution.iterations == 20)
        let descent = ConstantStep().solve(flat, from: [0], stopping: .iterations(12_000))
        #expect(descent.iterations == 12_000)
        let capped = ConstantStep().solve(flat, from: [0], stopping: .value(atMost: -1e9))
        #expect(capped.iterations == 10_000)
    }

    @Test func alreadyThere() {
        let solution = GradientDescent().solve(rosenbrock, from: [1, 1], stopping: .gradientNorm(atMost: 1e-8))
        #expect(solution.status == .converged)
        #expect(solution.iterations == 0)
        #expect(solution.evaluations.total == 1)
    }

    @Test func evaluationAndTimeLimits() {
        let few = GradientDescent().solve(rosenbrock, from: [-1.2, 1], stopping: .evaluations(30))
        #expect(few.status == .evaluationLimit)
        #expect(few.evaluations.total >= 30)
        let brief = GradientDescent().solve(rosenbrock, from: [-1.2, 1], stopping: .wallTime(.zero))
        #expect(brief.status == .timeLimit)
    }

    @Test func nonFiniteIsNeverConvergence() {
        let undefined = ClosureObjective<Double>(dimension: 1) { _ in .nan } valueAndGradient: { _, g in g[0] = 0; return .nan }
        let solution = GradientDescent().solve(undefined, from: [2], stopping: .gradientNorm(atMost: 1) || .value(atMost: 5))
        #expect(solution.status == .nonFinite)
        #expect(solution.iterate == [2])

        let unbounded = ClosureObjective<Double>(dimension: 1) { _ in -.infinity } valueAndGradient: { _, g in g[0] = 1; return -.infinity }
        #expect(GradientDescent().solve(unbounded, from: [2], stopping: .value(atMost: 0)).status == .nonFinite)

        let ignoresX = ClosureObjective<Double>(dimension: 1) { _ in 1 } valueAndGradient: { _, g in g[0] = 0; return 1 }
        #expect(GradientDescent().solve(ignoresX, from: [.nan]).status == .nonFinite)
    }

    @Test func keepsTheBestIterate() {
        // Fixed steps of 1 from 2.5 on |x|-like values: 2.5, 1.5, 0.5, 0.5, 1.5 …
        let vee = ClosureObjective<Double>(dimension: 1) { abs($0[0]) } valueAndGradient: { x, g in g[0] = 1; return abs(x[0]) }
        let solution = ConstantStep().solve(vee, from: [2.25], stopping: .iterations(6))
        #expect(solution.iterate == [0.25])
        #expect(solution.value == 0.25)
        #expect(solution.status == .iterationLimit)
    }

    @Test func theMethodsOwnEndIsReported() {
        let wrongSign = ClosureObjective<Double>(dimension: 1) { $0[0] * $0[0] } valueAndGradient: { x, g in
            g[0] = -2 * x[0]
            return x[0] * x[0]
        }
        let solution = GradientDescent().solve(wrongSign, from: [1])
        #expect(solution.status == .lineSearchFailed)
        #expect(solution.iterate == [1])
    }

    @Test(arguments: [3, 10, 17]) func resumedRunRepeatsTheUninterruptedOne(_ cut: Int) throws {
        func check<Scalar: KernelScalar>(_ problem: any Objective<Scalar>, from start: [Scalar]) throws {
            let solver = GradientDescent<Scalar>(firstStep: 0.3)
            var whole = solver.makeRun(problem, from: start, traceCapacity: 8)
            let expected = solver.solve(problem, resuming: &whole, stopping: .iterations(40))

            var run = solver.makeRun(problem, from: start, traceCapacity: 8)
            _ = solver.solve(problem, resuming: &run, stopping: .iterations(cut))
            let saved = try JSONEncoder().encode(run)
            var restored = try JSONDecoder().decode(SolverRun<GradientDescent<Scalar>.State>.self, from: saved)
            let resumed = solver.solve(problem, resuming: &restored, stopping: .iterations(40))

            #expect(resumed.iterate == expected.iterate)
            #expect(resumed.value == expected.value)
            #expect(resumed.gradientNorm == expected.gradientNorm)
            #expect(resumed.evaluations == expected.evaluations)
            #expect(resumed.work == expected.work)
            #expect(resumed.iterations == 40)
            #expect(resumed.trace.records.map(\.value) == expected.trace.records.map(\.value))
            #expect(resumed.trace.records.map(\.iteration) == expected.trace.records.map(\.iteration))
            #expect(restored.state.gradient == whole.state.gradient)
        }
        try check(TestProblems.Rosenbrock<Double>(dimension: 3), from: [-1.2, 1, 0.7])
        try check(TestProblems.Rosenbrock<Float>(dimension: 3), from: [-1.2, 1, 0.7])
    }

    @Test func stepByHand() {
        let solver = GradientDescent<Double>()
        var state = solver.makeState(rosenbrock, from: [-1.2, 1])
        while state.evaluations.gradients < 5 { #expect(solver.step(&state, rosenbrock) == nil) }
        let solution = solver.solve(rosenbrock, from: [-1.2, 1], stopping: .iterations(4))
        #expect(state.iterate == solution.iterate)
    }
}

/// Steps of −1 in each variable, whatever the value.
struct ConstantStep: IterativeSolver {
    struct State: SolverState {
        var iterate: [Double]
        var value: Double
        var gradientNorm: Double? { nil }
        var stepNorm: Double? { 1 }
        var evaluations = EvaluationCounts()
    }

    func makeState(_ problem: any Objective<Double>, from start: [Double]) -> State {
        State(iterate: start, value: problem.value(at: start.span))
    }

    func step(_ state: inout State, _ problem: any Objective<Double>) -> Termination? {
        for i in state.iterate.indices { state.iterate[i] -= 1 }
        state.value = problem.value(at: state.iterate.span)
        return nil
    }
}
