import Foundation
import Kernels
import LinearAlgebra
import Objectives
import Optimizers
import RealModule
import Synchronization
import Testing
import _TestSupport

/// The deterministic minimisers on the library of test problems.
@Suite struct MinimizerTests {
    /// The smooth problems of the library, in a few dimensions where they have them.
    static func library<Scalar: KernelScalar & Real>(_: Scalar.Type) -> [any TestProblem<Scalar>] {
        TestProblems.all(Scalar.self).flatMap { entry -> [any TestProblem<Scalar>] in
            let sizes = [entry.dimensions.smallest, 4, 8, 20].filter { entry.dimensions.contains($0) && (entry.name != "Michalewicz" || $0 < 5) }
            return Set(sizes).sorted().map { entry.problem(dimension: $0) }.filter(\.isDifferentiable)
        }
    }

    /// Solved: a stationary point within rounding, or the known minimum.
    static func isSolved<Scalar: KernelScalar & Real>(_ solution: Solution<Scalar>, _ problem: any TestProblem<Scalar>) -> Bool {
        solution.status == .converged || abs(solution.value - problem.minimum) <= Scalar.ulpOfOne.squareRoot() * max(1, abs(problem.minimum))
    }

    private func rate<Scalar: KernelScalar & Real, S: IterativeSolver<Scalar>>(
        _ solver: S, _: Scalar.Type, _ problem: (any TestProblem<Scalar>) -> S.Problem?
    ) -> (solved: Int, total: Int, failures: [String]) {
        var solved = 0, total = 0, failures: [String] = []
        let tolerance = Double(Scalar.ulpOfOne.squareRoot())
        for p in Self.library(Scalar.self) {
            guard let converted = problem(p) else { continue }
            let solution = solver.solve(
                converted, from: p.standardStart, stopping: .gradientNorm(atMost: tolerance) || .relativeGradientNorm(atMost: 1e-3 * tolerance) || .iterations(2000))
            total += 1
            if Self.isSolved(solution, p) { solved += 1 } else { failures.append("\(p.name) \(p.dimension): \(solution.status) \(solution.gradientNorm!) \(solution.reason)") }
            if !solution.value.isFinite { failures.append("\(p.name): value \(solution.value)") }
        }
        return (solved, total, failures)
    }

    @Test func solvesTheLibrary() {
        func check<Scalar: KernelScalar & Real>(_ type: Scalar.Type, atLeast share: Double) {
            func expect(_ name: String, _ result: (solved: Int, total: Int, failures: [String])) {
                #expect(Double(result.solved) >= share * Double(result.total), "\(name) \(type): \(result)")
            }
            expect("L-BFGS", rate(LBFGS<Scalar>(), type) { $0 })
            expect("L-BFGS, Hager–Zhang", rate(LBFGS<Scalar>(lineSearch: HagerZhang()), type) { $0 })
            expect("L-BFGS-B", rate(LBFGSB<Scalar>(), type) { $0 })
            expect("Newton-CG", rate(NewtonCG<Scalar>(), type) { $0 as? any TwiceDifferentiableObjective<Scalar> })
            expect("trust region", rate(TrustRegion<Scalar>(), type) { $0 as? any TwiceDifferentiableObjective<Scalar> })
        }
        check(Double.self, atLeast: 0.95)
        check(Float.self, atLeast: 0.95)
    }

    @Test func iterationCapOfOne() {
        let rosenbrock = TestProblems.Rosenbrock<Double>(dimension: 2)
        #expect(LBFGS().solve(rosenbrock, from: [-1.2, 1], stopping: .iterations(1)).status == .iterationLimit)
        #expect(LBFGSB().solve(rosenbrock, from: [-1.2, 1], stopping: .iterations(1)).status == .iterationLimit)
        #expect(NewtonCG().solve(rosenbrock, from: [-1.2, 1], stopping: .iterations(1)).status == .iterationLimit)
        #expect(TrustRegion().solve(rosenbrock, from: [-1.2, 1], stopping: .iterations(1)).status == .iterationLimit)
    }

    @Test func countsHonestlyAndRosenbrockIsQuick() throws {
        let counted = CountingObjective(TestProblems.Rosenbrock<Double>(dimension: 2))
        func check(_ name: String, _ solution: Solution<Double>, atMost limit: Int) {
            #expect(solution.status == .converged, "\(name): \(solution.reason)")
            #expect(solution.iterate.allSatisfy { abs($0 - 1) < 1e-6 }, "\(name)")
            #expect(solution.evaluations == counted.counts, "\(name)")
            #expect(solution.evaluations.gradients <= limit, "\(name): \(solution.evaluations)")
            counted.reset()
        }
        check("L-BFGS", LBFGS().solve(counted, from: [-1.2, 1]), atMost: 80)
        check("L-BFGS-B", LBFGSB().solve(counted, from: [-1.2, 1]), atMost: 60)
        check("Newton-CG", NewtonCG().solve(counted, from: [-1.2, 1]), atMost: 160)
        check("trust region", TrustRegion().solve(counted, from: [-1.2, 1]), atMost: 50)
    }

    @Test func wrongGradientsAndNaNAreNotConvergence() {
        let wrong = ClosureObjective<Double>(dimension: 1) { $0[0] * $0[0] } valueAndGradient: { x, g in
            g[0] = -2 * x[0]
            return x[0] * x[0]
        }
        for status in [LBFGS().solve(wrong, from: [1]).status, LBFGSB().solve(wrong, from: [1]).status] {
            #expect(status == .lineSearchFailed)
        }
        // Defined for x < 2 only, lowest at the edge of the first long step: the search must come back.
        let cliff = ClosureObjective<Double>(dimension: 1) { x in x[0] < 2 ? (x[0] - 1.9) * (x[0] - 1.9) : .nan } valueAndGradient: { x, g in
            g[0] = x[0] < 2 ? 2 * (x[0] - 1.9) : .nan
            return x[0] < 2 ? (x[0] - 1.9) * (x[0] - 1.9) : .nan
        }
        for solution in [LBFGS().solve(cliff, from: [-100]), LBFGS(lineSearch: HagerZhang()).solve(cliff, from: [-100]), LBFGSB().solve(cliff, from: [-100])] {
            #expect(solution.status == .converged && abs(solution.iterate[0] - 1.9) < 1e-6, "\(solution.reason)")
        }
        let unbounded = ClosureObjective<Double>(dimension: 1) { -$0[0] } valueAndGradient: { x, g in
            g[0] = -1
            return -x[0]
        }
        #expect(LBFGS().solve(unbounded, from: [0], stopping: .iterations(500)).status != .converged)
    }

    /// Another value each time it is asked, which no descent can make sense of.
    @Test func objectivesThatAreNotDeterministicAreFoundOut() {
        let start = [3.0, -2]
        for (name, solution) in [
            ("L-BFGS", LBFGS().solve(Drifting(), from: start)), ("L-BFGS-B", LBFGSB().solve(Drifting(), from: start)),
            ("Newton-CG", NewtonCG().solve(Drifting(), from: start)), ("trust region", TrustRegion().solve(Drifting(), from: start)),
        ] {
            #expect(solution.status == .brokeDown, "\(name): \(solution.status)")
            #expect(solution.reason.contains("expected one that is deterministic"), "\(name): \(solution.reason)")
            #expect(solution.iterate == start && solution.value == 13 + 1, "\(name): the best point is kept")
        }
    }

    @Test func edges() {
        func check<S: IterativeSolver<Double>>(_ name: String, _ solver: S, _ problem: (Quadric) -> S.Problem) {
            let empty = solver.solve(problem(Quadric(scale: 1, dimension: 0)), from: [])
            #expect(empty.status == .converged && empty.iterate.isEmpty, "\(name)")
            let atTheMinimum = solver.solve(problem(Quadric(scale: 1, dimension: 2)), from: [1, 1])
            #expect(atTheMinimum.status == .converged && atTheMinimum.iterations == 0 && atTheMinimum.evaluations.gradients == 1, "\(name)")
            var iterations: [Int] = []
            for scale in [1e-100, 1, 1e100] {
                let solution = solver.solve(
                    problem(Quadric(scale: scale, dimension: 3)), from: [2, -1, 0.5], stopping: .relativeGradientNorm(atMost: 1e-9) || .iterations(300))
                #expect(solution.status == .converged, "\(name) at \(scale): \(solution.reason)")
                #expect(solution.iterate.allSatisfy { abs($0 - 1) < 1e-7 }, "\(name) at \(scale): \(solution.iterate)")
                iterations.append(solution.iterations)
            }
            #expect(iterations.max()! - iterations.min()! <= 15, "\(name): \(iterations)")
            let nonFinite = solver.solve(problem(Quadric(scale: .nan, dimension: 2)), from: [2, 3])
            #expect(nonFinite.status == .nonFinite && nonFinite.iterate == [2, 3], "\(name)")
        }
        check("L-BFGS", LBFGS()) { $0 }
        check("L-BFGS, Hager–Zhang", LBFGS(lineSearch: HagerZhang())) { $0 }
        check("L-BFGS-B", LBFGSB()) { $0 }
        check("Newton-CG", NewtonCG()) { $0 }
        check("trust region", TrustRegion()) { $0 }
    }

    @Test func noStepClimbs() {
        func check<S: IterativeSolver<Double>>(_ name: String, _ solver: S, _ problem: S.Problem, from start: [Double]) {
            var state = solver.makeState(problem, from: start), climbs = 0
            for _ in 0..<60 {
                let before = state.value
                if solver.step(&state, problem) != nil { break }
                // HagerZhang and MoreThuente let a value rise within their slack of 10⁻⁶.
                if state.value > before + 1e-6 * abs(before) { climbs += 1 }
            }
            #expect(climbs == 0, "\(name)")
        }
        func checkAll<P: TestProblem<Double> & TwiceDifferentiableObjective<Double>>(_ problem: P) {
            let start = problem.standardStart
            check("L-BFGS on \(problem.name)", LBFGS(), problem, from: start)
            check("L-BFGS-B on \(problem.name)", LBFGSB(), problem, from: start)
            check("Newton-CG on \(problem.name)", NewtonCG(), problem, from: start)
            check("trust region on \(problem.name)", TrustRegion(firstRadius: 10), problem, from: start)
        }
        checkAll(TestProblems.Rosenbrock<Double>(dimension: 4))
        checkAll(TestProblems.Beale<Double>())
        checkAll(TestProblems.PowellSingular<Double>(dimension: 4))
    }

    @Test func theFirstCauchyPointIsTheProjectedStep() {
        // Without pairs the model is θ I: its minimum along the projected path is P(x − g/θ), here with g/θ of length 1. The fourth
        // variable, which goes to −0.538, would meet its bound a little later.
        let g = [3.0, -2, 1, 4, -5, 0.5], length = Double.nrm2(g.span), log = Mutex<[[Double]]>([])
        let linear = ClosureObjective<Double>(dimension: 6) { x in x.indices.reduce(0) { $0 + g[$1] * x[$1] } } valueAndGradient: { x, gradient in
            let point = x.indices.map { x[$0] }
            log.withLock { $0.append(point) }
            for i in x.indices { gradient[i] = g[i] }
            return x.indices.reduce(0) { $0 + g[$1] * x[$1] }
        }
        let bounds = Bounds<Double>(lower: [-0.1, -9, -0.05, -0.55, -9, -9], upper: [9, 0.2, 9, 9, 0.3, 9])
        let solver = LBFGSB<Double>(), problem = Boxed(base: linear, bounds: bounds)
        var state = solver.makeState(problem, from: [0, 0, 0, 0, 0, 0])
        _ = solver.step(&state, problem)
        let expected = bounds.projection(of: g.map { -$0 / length }), second = log.withLock { $0[1] }
        #expect(zip(second, expected).allSatisfy { abs($0 - $1) < 1e-15 }, "\(second) \(expected)")
    }

    /// From a start at which the projected gradient of the crossed box would be 0.
    @Test func crossedBounds() {
        let box = Bounds<Double>(lower: [-2, 1], upper: [2, 0])
        #expect(box.crossed == 1 && !box.contains([0, 0.5].span))
        let solution = LBFGSB().solve(Boxed(base: TestProblems.Rosenbrock<Double>(dimension: 2), bounds: box), from: [1, 0])
        #expect(solution.status == .infeasible && solution.iterate == [1, 0])
        #expect(solution.reason == "bounds of variable 1 are 1.0 and 0.0; expected lower ≤ upper")
    }

    @Test func equalBoundsFixAVariable() {
        let rosenbrock = TestProblems.Rosenbrock<Double>(dimension: 2)
        let solution = LBFGSB().solve(Boxed(base: rosenbrock, bounds: Bounds(lower: [0.5, -2], upper: [0.5, 2])), from: [3, 1])
        #expect(solution.status == .converged && solution.iterate[0] == 0.5 && abs(solution.iterate[1] - 0.25) < 1e-8)
        let fixed = LBFGSB().solve(Boxed(base: rosenbrock, bounds: Bounds(lower: [0.5, 2], upper: [0.5, 2])), from: [3, 1])
        #expect(fixed.status == .converged && fixed.iterate == [0.5, 2] && fixed.iterations == 0)
    }

    @Test func resumesToTheSameBits() throws {
        func check<S: IterativeSolver<Double>>(_ solver: S, _ problem: S.Problem) throws {
            let start = [-1.2, 1, -1.2, 1]
            var whole = solver.makeRun(problem, from: start)
            let expected = solver.solve(problem, resuming: &whole, stopping: .iterations(14))
            var run = solver.makeRun(problem, from: start)
            _ = solver.solve(problem, resuming: &run, stopping: .iterations(6))
            var restored = try JSONDecoder().decode(SolverRun<S.State>.self, from: JSONEncoder().encode(run))
            #expect(solver.solve(problem, resuming: &restored, stopping: .iterations(14)).iterate == expected.iterate)
        }
        let rosenbrock = TestProblems.Rosenbrock<Double>(dimension: 4)
        try check(LBFGS(memory: 3), rosenbrock)
        try check(LBFGSB(memory: 3), rosenbrock)
        try check(NewtonCG(), rosenbrock)
        try check(TrustRegion(), rosenbrock)
    }

    @Test func quadraticsTakeFewIterations() {
        let quadratic = TestProblems.ConvexQuadratic<Double>(dimension: 6, condition: 1e4)
        let start: [Double] = [3, -1, 0, 4, 2, -2]
        #expect(TrustRegion(firstRadius: 1e6).solve(quadratic, from: start, stopping: .gradientNorm(atMost: 1e-6)).iterations <= 6)
        #expect(LBFGS().solve(quadratic, from: start, stopping: .gradientNorm(atMost: 1e-6)).iterations <= 60)
    }

    /// min ½ xᵀA x − bᵀx on a box, against projected gradients to convergence; with KKT conditions checked.
    @Test(arguments: [1, 2, 3, 4, 5]) func boxConstrainedQuadratics(_ seed: Int) {
        var numbers = TestNumbers(seed: UInt64(seed))
        let n = 30
        let g = Matrix<Double>(rows: n, columns: n, elements: (0..<n * n).map { _ in numbers.unit() })
        let a = multiply(g, g, transposeA: true), b = (0..<n).map { _ in 5 * numbers.unit() }
        let bounds = Bounds<Double>(lower: (0..<n).map { $0 % 5 == 0 ? -.infinity : -0.5 }, upper: (0..<n).map { $0 % 7 == 0 ? .infinity : 0.5 })
        let problem = BoxQuadratic(a: a, b: b, bounds: bounds)
        let start = (0..<n).map { _ in 3 * numbers.unit() }
        let solution = LBFGSB().solve(problem, from: start, stopping: .gradientNorm(atMost: 1e-9))
        #expect(solution.status == .converged, "\(solution.reason)")
        let isFeasible = bounds.contains(solution.iterate.span)
        #expect(isFeasible)
        let x = solution.iterate
        var gradient = x
        var span = gradient.mutableSpan
        _ = problem.valueAndGradient(at: x.span, gradient: &span)
        let active = (0..<n).filter { x[$0] == bounds.lower[$0] || x[$0] == bounds.upper[$0] }
        #expect(!active.isEmpty && active.count < n)
        for i in 0..<n {
            if x[i] == bounds.lower[i] { #expect(gradient[i] >= -1e-8) } else if x[i] == bounds.upper[i] { #expect(gradient[i] <= 1e-8) } else { #expect(abs(gradient[i]) <= 1e-8) }
        }
        // Independent: projected gradients with step 1/‖A‖.
        var y = [Double](repeating: 0, count: n), grad = y
        let step = 1 / Double.nrm2(a.elements.span)
        for _ in 0..<200_000 {
            var gs = grad.mutableSpan
            _ = problem.valueAndGradient(at: y.span, gradient: &gs)
            for i in 0..<n { y[i] = min(max(y[i] - step * grad[i], bounds.lower[i]), bounds.upper[i]) }
        }
        let reference = problem.value(at: y.span)
        #expect(solution.value <= reference + 1e-10)
    }

    @Test func boundsKeepRosenbrockInItsBox() throws {
        // min on x₁ ≤ 0.5: x = (0.5, 0.25).
        let rosenbrock = TestProblems.Rosenbrock<Double>(dimension: 2)
        let boxed = Boxed(base: rosenbrock, bounds: Bounds(lower: [-2, -2], upper: [0.5, 2]))
        let solution = LBFGSB().solve(boxed, from: [-1.2, 1])
        #expect(solution.status == .converged && solution.iterate[0] == 0.5 && abs(solution.iterate[1] - 0.25) < 1e-8)
    }
}

private struct BoxQuadratic: BoundedObjective {
    let a: Matrix<Double>, b: [Double], bounds: Bounds<Double>
    var dimension: Int { b.count }

    func value(at x: Span<Double>) -> Double {
        var gradient = b, span = gradient.mutableSpan
        return valueAndGradient(at: x, gradient: &span)
    }

    func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
        var value = 0.0
        for i in b.indices {
            var sum = 0.0
            for j in b.indices { sum += a[i, j] * x[j] }
            gradient[i] = sum - b[i]
            value += x[i] * (0.5 * sum - b[i])
        }
        return value
    }
}

private struct Boxed<Base: Objective>: BoundedObjective {
    let base: Base, bounds: Bounds<Base.Scalar>
    var dimension: Int { base.dimension }
    func value(at x: Span<Base.Scalar>) -> Base.Scalar { base.value(at: x) }
    func valueAndGradient(at x: Span<Base.Scalar>, gradient: inout MutableSpan<Base.Scalar>) -> Base.Scalar {
        base.valueAndGradient(at: x, gradient: &gradient)
    }
}

/// ½ s Σ hᵢ (xᵢ − 1)², h = 1, 10, 100 …
private struct Quadric: TwiceDifferentiableObjective {
    let scale: Double, dimension: Int
    func value(at x: Span<Double>) -> Double { x.indices.reduce(0) { $0 + 0.5 * scale * h($1) * (x[$1] - 1) * (x[$1] - 1) } }
    private func h(_ i: Int) -> Double { Double.pow(10, i) }
    func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
        for i in x.indices { gradient[i] = scale * h(i) * (x[i] - 1) }
        return value(at: x)
    }
    func hessianVectorProduct(at x: Span<Double>, direction v: Span<Double>, into product: inout MutableSpan<Double>) {
        for i in v.indices { product[i] = scale * h(i) * v[i] }
    }
}

/// ‖x‖² and the number of the call.
private final class Drifting: TwiceDifferentiableObjective {
    private let calls = Mutex(0.0)
    var dimension: Int { 2 }
    func value(at x: Span<Double>) -> Double {
        x[0] * x[0] + x[1] * x[1] + calls.withLock {
            // So steep that no step pays for it.
            $0 = 100 * $0 + 1
            return $0
        }
    }
    func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
        for i in 0..<2 { gradient[i] = 2 * x[i] }
        return value(at: x)
    }
    func hessianVectorProduct(at x: Span<Double>, direction v: Span<Double>, into product: inout MutableSpan<Double>) {
        for i in 0..<2 { product[i] = 2 * v[i] }
    }
}
