import ConstrainedOptimization
import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Testing

@Suite struct AdaSketchNewtonTests {
    private typealias Solver = AdaSketchNewton<Double>

    /// Iterations of an independent computation with exact directions, in the order of the library; BT12 and the singular starts apart.
    private static let iterations = [
        "HS6": 9, "HS7": 10, "HS9": 5, "HS26": 11, "HS27": 10, "HS28": 1, "HS39": 13, "HS40": 3, "HS42": 4, "HS46": 12, "HS47": 14, "HS48": 1,
        "HS49": 13, "HS50": 8, "HS51": 1, "HS52": 1, "BT3": 1, "HS56": 5, "HS77": 8, "HS78": 4, "HS79": 4, "HS100LNP": 8, "BT2": 11, "BT5": 5,
        "BT10": 7, "GENHS28": 1,
    ]

    private func isSolved(_ solution: ConstrainedSolution<Double>, _ p: ConstrainedTestProblem<Double>) -> Bool {
        solution.status == .converged && solution.point.residual <= 1e-4
            && abs(solution.point.value - p.minimum) <= 1e-4 * max(1, abs(p.minimum))
    }

    @Test(arguments: [NewtonSystemMethod.direct, .automatic, .sketch(.block(size: 8)), .gmres(restart: 20)])
    func solvesTheLibrary(_ method: NewtonSystemMethod) {
        for p in ConstrainedTestProblems.all(Double.self) where !p.hasSingularStart {
            let solution = Solver(method: method).solve(p.problem, from: p.start)
            #expect(isSolved(solution, p), "\(p.name): \(solution.status) \(solution.point.value) \(solution.reason)")
            if method == .direct, let expected = Self.iterations[p.name] { #expect(solution.iterations == expected, "\(p.name)") }
            if method == .automatic { #expect(solution.work["inner steps"] == 0) }
        }
    }

    /// To a tight tolerance the known minimum and minimiser come out.
    @Test func minimaAreThoseOfTheLibrary() {
        for p in ConstrainedTestProblems.all(Double.self) where !p.hasSingularStart && p.name != "BT12" {
            let solution = Solver(method: .direct).solve(p.problem, from: p.start, stopping: .gradientNorm(atMost: 1e-9))
            #expect(solution.status == .converged, "\(p.name): \(solution.reason)")
            #expect(abs(solution.point.value - p.minimum) <= 1e-8 * max(1, abs(p.minimum)), "\(p.name): \(solution.point.value)")
            if let minimizer = p.minimizer {
                // At degenerate minimisers (powers of 4 and 6) a small gradient leaves much room.
                #expect(norm(minus(solution.point.x, minimizer)) <= 0.05, "\(p.name): \(solution.point.x)")
            }
        }
    }

    @Test(arguments: [ProjectionSketch.row, .gaussian]) func solvesBySingleSketches(_ sketch: ProjectionSketch) {
        var solved = 0, tried = 0
        // The others take up to ten million sketches, which is what the reproduction is for.
        for p in ConstrainedTestProblems.all(Double.self) where !["HS46", "HS49", "HS27", "BT12", "HS47"].contains(p.name) && !p.hasSingularStart {
            tried += 1
            solved += isSolved(Solver(method: .sketch(sketch)).solve(p.problem, from: p.start), p) ? 1 : 0
        }
        #expect(solved == tried)
    }

    /// Check 7: quadratic objectives under linear constraints take one iteration of length 1.
    @Test(arguments: ["HS28", "HS48", "HS51", "HS52", "BT3", "GENHS28"]) func quadraticProgramsTakeOneIteration(_ name: String) {
        for method in [NewtonSystemMethod.direct, .sketch(.row), .sketch(.block(size: 4)), .gmres(restart: 30)] {
            let p = problem(name), solution = Solver(method: method).solve(p.problem, from: p.start)
            #expect(solution.status == .converged && solution.iterations == 1 && solution.work["unit steps"] == 1, "\(method)")
        }
    }

    /// Check 8: a Jacobian without full rank at the start ends the first step.
    @Test(arguments: ["HS61", "BYRDSPHR"]) func singularStartIsSaid(_ name: String) {
        let p = problem(name)
        #expect(p.hasSingularStart)
        for method in [NewtonSystemMethod.direct, .sketch(.row)] {
            let solution = Solver(method: method).solve(p.problem, from: p.start)
            #expect(solution.status == .singular && solution.iterations == 1 && solution.point.x == p.start)
            #expect(solution.reason.contains("\(solution.point.constraintViolation)"), "\(solution.reason)")
            #expect(throws: NotConvergedError.self) { try solution.get() }
        }
    }

    /// Check 9: accepted steps lower the merit as Armijo asks, along directions of descent, and penalties move one way only.
    @Test(arguments: ["HS77", "HS7", "BT2", "HS27"]) func stepsKeepTheirPromises(_ name: String) {
        let p = problem(name)
        for method in [NewtonSystemMethod.direct, .sketch(.row)] {
            let solver = Solver(method: method)
            var state = solver.makeState(p.problem, from: p.start), steps = 0
            while state.gradientNorm! > 1e-4, steps < 60 {
                let before = state
                let end = solver.step(&state, p.problem)
                #expect(end == nil)
                steps += 1
                let slope = state.slope!, square = before.point.residual * before.point.residual
                let isGuarded = state.penalties.feasibility > 1e8 || state.penalties.stationarity < 1e-8
                #expect(isGuarded || slope <= -state.penalties.stationarity / 2 * square)
                let merit = before.point.merit(state.penalties)
                #expect(state.point.merit(state.penalties) <= merit + 0.1 * state.stepLength! * slope + 1e-14 * abs(merit))
                #expect(state.penalties.feasibility >= before.penalties.feasibility && state.penalties.stationarity <= before.penalties.stationarity)
                #expect(state.accuracy <= before.accuracy && state.accuracy >= 1e-6)
            }
            #expect(state.gradientNorm! <= 1e-4, "\(name)")
        }
    }

    @Test func computedBoundSavesSteps() {
        let p = problem("HS77")
        let analytic = Solver(method: .sketch(.row)).solve(p.problem, from: p.start)
        let computed = Solver(method: .sketch(.row), inverseBound: .computed).solve(p.problem, from: p.start)
        #expect(isSolved(analytic, p) && isSolved(computed, p))
        #expect(1.2 * Double(computed.work["inner steps"]!) < Double(analytic.work["inner steps"]!))
    }

    /// Check 6: a forcing sequence that goes to zero costs sketches and not iterations.
    @Test func residualForcingConverges() {
        let p = problem("HS78"), solution = Solver(method: .sketch(.row), forcing: .residual).solve(p.problem, from: p.start)
        #expect(isSolved(solution, p) && solution.iterations == 4)
    }

    @Test func iterationCapOfOne() {
        let p = problem("HS77"), solution = Solver(method: .direct).solve(p.problem, from: p.start, stopping: .gradientNorm(atMost: 1e-9) || .iterations(1))
        #expect(solution.status == .iterationLimit && solution.iterations == 1)
        #expect(solution.point.residual.isFinite)
    }

    @Test func startAtTheSolutionTakesNoStep() {
        let p = problem("HS6"), solution = Solver().solve(p.problem, from: [1, 1], multipliers: [0])
        #expect(solution.status == .converged && solution.iterations == 0)
    }

    @Test(arguments: [NewtonSystemMethod.direct, .sketch(.row), .sketch(.block(size: 4))]) func resumesToTheSameBits(_ method: NewtonSystemMethod) throws {
        let p = problem("HS77"), solver = Solver(method: method, seed: 7)
        let start = p.start + [0.0, 0]
        var whole = solver.makeRun(p.problem, from: start)
        let once: Solution<Double> = solver.solve(p.problem, resuming: &whole)
        var run = solver.makeRun(p.problem, from: start)
        let part: Solution<Double> = solver.solve(p.problem, resuming: &run, stopping: .iterations(3))
        #expect(part.status == .iterationLimit)
        run = try JSONDecoder().decode(SolverRun<AdaSketchNewton<Double>.State>.self, from: JSONEncoder().encode(run))
        let resumed: Solution<Double> = solver.solve(p.problem, resuming: &run)
        #expect(resumed.iterate == once.iterate && resumed.iterations == once.iterations && resumed.work == once.work)
    }

    @Test func seedsDecideSketches() {
        let p = problem("HS77")
        func run(_ seed: UInt64) -> [Double] { Solver(method: .sketch(.row), seed: seed).solve(p.problem, from: p.start).point.x }
        #expect(run(1) == run(1))
        #expect(run(1) != run(2))
    }

    @Test func singlePrecision() {
        for name in ["HS28", "HS42", "HS78", "HS50"] {
            let p = ConstrainedTestProblems.all(Float.self).first { $0.name == name }!
            let solution = AdaSketchNewton<Float>().solve(p.problem, from: p.start)
            #expect(solution.status == .converged && abs(solution.point.value - p.minimum) <= 2e-3 * max(1, abs(p.minimum)), "\(name): \(solution.reason)")
        }
    }

    /// min x₁² + 2x₂² without constraints is one Newton step; as many constraints as variables is a system of equations.
    @Test func noConstraintsAndAsManyAsVariables() {
        let free = FormulaProblem<Double>(dimension: 2, constraintCount: 0) { x in x[0] * x[0] + 2 * x[1] * x[1] } constraints: { _ in [] }
        let first = Solver().solve(free, from: [3, -1])
        #expect(first.status == .converged && first.iterations == 1 && first.point.value < 1e-20)
        let square = FormulaProblem<Double>(dimension: 2, constraintCount: 2) { x in x[0] } constraints: { x in [x[0] * x[0] - 2, x[1] - x[0]] }
        let second = Solver().solve(square, from: [1, 1])
        #expect(second.status == .converged && abs(second.point.x[0] - 2.0.squareRoot()) < 1e-4)
    }
}

/// What data can do to a run: a status with its reason, and the best point with its measured violation.
@Suite struct BadProblemTests {
    private typealias Solver = AdaSketchNewton<Double>
    private let methods: [NewtonSystemMethod] = [.direct, .automatic, .sketch(.row), .sketch(.block(size: 8)), .gmres(restart: 10)]

    private func expectMeasured(_ solution: ConstrainedSolution<Double>, _ problem: FormulaProblem<Double>, _ status: SolverStatus...) {
        #expect(status.contains(solution.status), "\(solution.status): \(solution.reason)")
        let again = KKTPoint(problem, at: solution.point.x, multipliers: solution.point.multipliers)
        #expect(again.constraintViolation == solution.point.constraintViolation && solution.point.residual.isFinite)
    }

    @Test func constraintsThatCannotBeMet() {
        let problem = FormulaProblem<Double>(dimension: 2, constraintCount: 1) { x in x[0] + x[1] * x[1] } constraints: { x in [x[0] * x[0] + 1] }
        for method in methods {
            let solution = Solver(method: method).solve(problem, from: [2, 1], stopping: .gradientNorm(atMost: 1e-4) || .iterations(500))
            expectMeasured(solution, problem, .infeasible, .singular, .iterationLimit, .lineSearchFailed, .brokeDown)
            #expect(solution.point.constraintViolation >= 1)
        }
        // From the place itself it is said at once.
        let there = Solver().solve(problem, from: [0, 1])
        expectMeasured(there, problem, .infeasible)
    }

    @Test func dependentConstraints() {
        for gap in [0.0, 1] {  // consistent, and not
            let problem = FormulaProblem<Double>(dimension: 3, constraintCount: 2) { x in x[0] * x[0] + x[1] * x[1] + x[2] * x[2] } constraints: { x in
                let sum = x[0] + x[1]
                return [sum - 1, 2 * sum - SecondOrderJet(2 + gap)]
            }
            for method in methods {
                let solution = Solver(method: method).solve(problem, from: [2, 1, 1])
                expectMeasured(solution, problem, .singular)
                #expect(solution.reason.contains("full rank"))
            }
        }
    }

    /// Two circles that touch in (1, 0): the Jacobian loses its rank where they meet, and there are no multipliers.
    @Test func rankLostOnTheWay() {
        let problem = FormulaProblem<Double>(dimension: 2, constraintCount: 2) { x in x[1] } constraints: { x in
            [x[0] * x[0] + x[1] * x[1] - 1, .pow(x[0] - 2, 2) + x[1] * x[1] - 1]
        }
        for method in [NewtonSystemMethod.direct, .sketch(.block(size: 8))] {
            let solution = Solver(method: method, rankTolerance: 1e-6).solve(problem, from: [1.2, 1])
            expectMeasured(solution, problem, .singular)
            #expect(solution.iterations > 1 && solution.point.constraintViolation < 0.1, "\(solution.point.x)")
        }
    }

    @Test func notANumber() {
        let outside = FormulaProblem<Double>(dimension: 2, constraintCount: 1) { x in .log(x[0]) } constraints: { x in [x[0] - x[1]] }
        let solution = Solver().solve(outside, from: [-1, 0])
        #expect(solution.status == .nonFinite && solution.point.x == [-1, 0])
        // A trial outside the domain is a step that is too long.
        let inside = FormulaProblem<Double>(dimension: 2, constraintCount: 1) { x in x[0] - 2 * .log(x[0]) } constraints: { x in [x[0] - x[1]] }
        for method in methods {
            let found = Solver(method: method).solve(inside, from: [9, 9])
            #expect(found.status == .converged && abs(found.point.x[0] - 2) < 1e-3, "\(method): \(found.reason)")
        }
        let nan = FormulaProblem<Double>(dimension: 1, constraintCount: 1) { x in x[0] } constraints: { x in [SecondOrderJet(.nan) * x[0]] }
        #expect(Solver().solve(nan, from: [1]).status == .nonFinite)
    }

    @Test func cancelledByTheObserver() {
        let p = problem("HS77"), solution = Solver(method: .direct).solve(p.problem, from: p.start, observer: Observer { _ in .cancel })
        #expect(solution.status == .cancelled && solution.point.x == p.start)
    }
}
