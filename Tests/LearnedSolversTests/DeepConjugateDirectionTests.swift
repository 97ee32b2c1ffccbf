import Foundation
import Kernels
import LearnedSolvers
import LinearAlgebra
import LinearSolvers
import Objectives
import Randomness
import Testing

/// The Laplacian of a grid in two dimensions, zero all around.
func laplacian(_ rows: Int, _ columns: Int) -> PoissonOperator<Double> { PoissonOperator(Grid(rows: rows, columns: columns)) }

func normal(_ count: Int, seed: UInt64) -> [Double] {
    var random = RandomStream(seed: seed)
    return random.normal(count: count)
}

func norm(_ x: [Double]) -> Double { Double.nrm2(x.span) }

func difference(_ x: [Double], _ y: [Double]) -> [Double] { zip(x, y).map { $0 - $1 } }

/// A⁻¹ by a factorisation.
struct ExactInverse: LinearOperator {
    let factors: Cholesky<Double>
    let rows: Int
    var columns: Int { rows }

    init(_ a: any LinearOperator<Double>) throws {
        factors = try Cholesky(a.dense())
        rows = a.rows
    }

    func apply(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        guard let solution = try? factors.solve(x.indices.map { x[$0] }) else { fatalError("a vector of \(x.count) elements for \(rows) unknowns") }
        for i in solution.indices { y[i] = solution[i] }
    }

    func applyAdjoint(_ y: Span<Double>, into x: inout MutableSpan<Double>) { apply(y, into: &x) }
}

/// A model that is not linear, and one that is noise.
struct CubicDirection: DirectionModel {
    func direction(for r: Span<Double>) -> [Double] { r.indices.map { max(0, r[$0]) + 3 * r[$0] * r[$0] * r[$0] + 0.5 * r[$0] } }
}

struct NoiseDirection: DirectionModel {
    func direction(for r: Span<Double>) -> [Double] {
        normal(r.count, seed: r[0].bitPattern ^ r[r.count / 2].bitPattern)
    }
}

struct ConstantDirection: DirectionModel {
    let value: [Double]
    func direction(for r: Span<Double>) -> [Double] { value }
}

@Suite struct DeepConjugateDirectionTests {
    /// Check 1.
    @Test func exactInverseEndsAtOnce() throws {
        let a = laplacian(16, 16), b = normal(256, seed: 1)
        let solution = DeepConjugateDirection(model: OperatorDirection(try ExactInverse(a)), tolerance: .relativeToInitialResidual(1e-13)).solve(a, b)
        #expect(solution.status == .converged && solution.iterations == 1 && solution.preconditionerApplications == 1)
        #expect(solution.residualNorm < 1e-13 * norm(b))
    }

    /// Check 2: textbook conjugate gradients, written out here.
    @Test(arguments: [1, 2]) func residualsGiveConjugateGradients(_ history: Int) {
        let a = laplacian(16, 16), b = normal(256, seed: 2)
        var x = [Double](repeating: 0, count: 256), r = b, p = b, norms = [norm(b)]
        for _ in 0..<30 {
            let image = a.apply(p), square = Double.dot(r.span, r.span), alpha = square / Double.dot(p.span, image.span)
            for i in x.indices { (x[i], r[i]) = (x[i] + alpha * p[i], r[i] - alpha * image[i]) }
            let beta = Double.dot(r.span, r.span) / square
            for i in x.indices { p[i] = r[i] + beta * p[i] }
            norms.append(norm(r))
        }
        let solution = DeepConjugateDirection(model: ResidualDirection(), history: history, iterationLimit: 30)
            .solve(a, b, recordsResiduals: true)
        let worst = zip(solution.residualNorms, norms).map { abs($0 - $1) / norms[0] }.max()!
        #expect(worst < 1e-12)
        let kept = norms[30] == norms.min() ? norm(difference(solution.iterate, x)) / norm(x) : 0
        #expect(kept < 1e-12)
    }

    /// Check 3, against the flexible method of LinearSolvers and the preconditioned one.
    @Test func linearModelsArePreconditioners() throws {
        let a = laplacian(16, 16), b = normal(256, seed: 3)
        let m = try SSORPreconditioner(a, relaxation: 1.5)
        let ours = DeepConjugateDirection(model: OperatorDirection(m), tolerance: .relativeToInitialResidual(1e-10))
            .solve(a, b, recordsResiduals: true)
        let theirs = ConjugateGradient<Double>(tolerance: .relativeToRightHandSide(1e-10))
            .solve(a, b, preconditioner: m, recordsResiduals: true)
        let flexible = FlexibleConjugateGradient<Double>(memory: 2, tolerance: .relativeToRightHandSide(1e-10))
            .solve(a, b, preconditioner: m, recordsResiduals: true)
        let worst = zip(ours.residualNorms.prefix(11), theirs.residualNorms).map { abs($0 - $1) / norm(b) }.max()!
        let worstFlexible = zip(ours.residualNorms.prefix(11), flexible.residualNorms).map { abs($0 - $1) / norm(b) }.max()!
        #expect(worst < 1e-11 && worstFlexible < 1e-11)
        #expect(norm(difference(ours.iterate, theirs.iterate)) < 1e-8 * norm(theirs.iterate))
    }

    /// Check 4: with all directions kept the iterate is the Galerkin solution in the span of what the model gave.
    @Test func fullHistoryIsGalerkin() throws {
        let a = laplacian(12, 12), b = normal(144, seed: 4), solver = DeepConjugateDirection(model: CubicDirection(), history: nil)
        let system = LinearSystem<Double>(a, b)
        var state = solver.makeState(system), basis: [[Double]] = [], residual = b
        for _ in 0..<8 {
            let unit = residual.map { $0 / norm(residual) }
            basis.append(CubicDirection().direction(for: unit.span))
            _ = solver.step(&state, system)
            let q = Matrix(rows: 144, columns: basis.count) { basis[$1][$0] }
            let image = Matrix(rows: 144, columns: basis.count) { a.apply(basis[$1])[$0] }
            let y = try Cholesky(q.transposed() * image).solve(q.transposed() * b)
            let x = q * y
            residual = difference(b, a.apply(x))
            #expect(abs(norm(residual) - state.residualNorm) < 1e-10 * norm(b) || state.residualNorm < norm(residual))
            #expect(norm(difference(x, state.latestIterate)) < 1e-11 * norm(x))
        }
    }

    /// Check 5.
    @Test(arguments: [0, 1, 2, 5]) func energyErrorNeverGrows(_ history: Int) throws {
        let a = laplacian(10, 14), b = normal(140, seed: 5), exact = try ExactInverse(a).apply(b)
        func run(_ model: some DirectionModel) {
            let solver = DeepConjugateDirection(model: model, history: history), system = LinearSystem<Double>(a, b)
            var state = solver.makeState(system), before = Double.infinity
            for _ in 0..<25 {
                let error = difference(state.latestIterate, exact), energy = Double.dot(error.span, a.apply(error).span)
                #expect(energy <= before * (1 + 1e-12), "\(model) with \(history)")
                before = energy
                _ = solver.step(&state, system)
            }
            let finite = state.latestIterate.allSatisfy { $0.isFinite }
            #expect(finite)
        }
        run(NoiseDirection())
        run(CubicDirection())
        run(ConstantDirection(value: normal(140, seed: 77)))
    }

    /// d orthogonal to r: a step of length 0, and no NaN.
    @Test func orthogonalDirectionStaysPut() {
        let a = SparseMatrix<Double>.identity(2)
        let solver = DeepConjugateDirection(model: ConstantDirection(value: [0, 1]), history: 0, iterationLimit: 3)
        let solution = solver.solve(a, [1, 0])
        #expect(solution.status == .iterationLimit && solution.iterate == [0, 0] && solution.residualNorm == 1)
    }

    /// Check 10.
    @Test func scaleOfTheSystemDoesNotMatter() throws {
        let b = normal(256, seed: 6)
        let model = OperatorDirection(try SSORPreconditioner(laplacian(16, 16), relaxation: 1.2))
        let counts = [1e-3, 1, 1e3].map { c in
            DeepConjugateDirection(model: model, tolerance: .relativeToInitialResidual(1e-8))
                .solve(PoissonOperator(Grid(rows: 16, columns: 16), scale: c), b).iterations
        }
        #expect(Set(counts).count == 1 && counts[0] > 5)
        for power in [1e-140, 1e140] {
            let solution = DeepConjugateDirection(model: model, tolerance: .relativeToInitialResidual(1e-8)).solve(laplacian(16, 16), b.map { $0 * power })
            #expect(solution.status == .converged && solution.iterations == counts[0])
        }
    }

    @Test func modelsThatFailFallBackOnTheResidual() {
        let a = laplacian(8, 8), b = normal(64, seed: 7)
        for value in [Double.nan, .infinity, 0] {
            let solver = DeepConjugateDirection(model: ConstantDirection(value: [Double](repeating: value, count: 64)), history: 2, iterationLimit: 400)
            let system = LinearSystem<Double>(a, b)
            var state = solver.makeState(system)
            let solution = solver.solve(system, resuming: &state)
            #expect(solution.status == .converged && state.fallbacks == solution.iterations, "\(value)")
        }
        // The same direction again and again: conjugation leaves nothing of it.
        let solver = DeepConjugateDirection(model: ConstantDirection(value: b), history: 2, iterationLimit: 400), system = LinearSystem<Double>(a, b)
        var state = solver.makeState(system)
        let solution = solver.solve(system, resuming: &state)
        #expect(solution.status == .converged && state.fallbacks > 0)
    }

    @Test func endsAreNamed() {
        let a = laplacian(8, 8), b = normal(64, seed: 8), solver = DeepConjugateDirection(model: ResidualDirection(), iterationLimit: 1)
        let one = solver.solve(a, b)
        #expect(one.status == .iterationLimit && one.iterations == 1 && one.residualNorm < norm(b))
        let none = solver.solve(a, [Double](repeating: 0, count: 64))
        #expect(none.status == .converged && none.iterations == 0 && none.iterate.allSatisfy { $0 == 0 })
        var withNaN = b
        withNaN[3] = .nan
        let nan = solver.solve(a, withNaN)
        #expect(nan.status == .nonFinite && nan.iterate.allSatisfy { $0 == 0 })
        let indefinite = DeepConjugateDirection(model: ResidualDirection()).solve(SparseMatrix<Double>.diagonal([1, -2]), [1, 1])
        #expect(indefinite.status == .brokeDown && indefinite.reason.contains("not positive"))
        let single = DeepConjugateDirection(model: ResidualDirection()).solve(SparseMatrix<Double>.diagonal([4]), [8])
        #expect(single.status == .converged && single.iterate == [2])
        let empty = DeepConjugateDirection(model: ResidualDirection()).solve(SparseMatrix<Double>.diagonal([]), [])
        #expect(empty.status == .converged)
        let started = DeepConjugateDirection(model: ResidualDirection(), tolerance: .relativeToInitialResidual(1e-10)).solve(a, b, from: normal(64, seed: 9))
        #expect(started.status == .converged && norm(difference(b, a.apply(started.iterate))) < 1e-8)
    }

    @Test func resumesToTheSameBits() throws {
        let a = laplacian(12, 12), b = normal(144, seed: 10), solver = DeepConjugateDirection(model: CubicDirection(), iterationLimit: 20)
        let whole = solver.solve(a, b), system = LinearSystem<Double>(a, b)
        var state = solver.makeState(system)
        for _ in 0..<7 { _ = solver.step(&state, system) }
        var copy = try JSONDecoder().decode(type(of: state), from: JSONEncoder().encode(state))
        let rest = solver.solve(system, resuming: &copy)
        #expect(rest.iterate == whole.iterate && rest.residualNorm == whole.residualNorm && rest.iterations == whole.iterations)
    }

    /// Solid cells and a fluid without an open side.
    @Test func singularSystemsAreProjected() throws {
        let grid = Grid(rows: 12, columns: 14)
        let problems = [
            PressureProblem(grid, sides: .neumann),
            PressureProblem(grid) { ($0[0] - 6) * ($0[0] - 6) + ($0[1] - 7) * ($0[1] - 7) < 9 },
            PressureProblem(grid, sides: .neumann) { $0[1] == 5 },
        ]
        for problem in problems {
            let projection = try #require(problem.projection)
            let b = normal(grid.count, seed: 11), solver = DeepConjugateDirection(
                model: CubicDirection(), history: 2, tolerance: .relativeToInitialResidual(1e-9), iterationLimit: 2000, projection: projection)
            let solution = solver.solve(problem.matrix, b, from: normal(grid.count, seed: 12))
            let rest = norm(difference(projection.apply(b), problem.matrix.apply(solution.iterate)))
            let outside = norm(difference(solution.iterate, projection.apply(solution.iterate)))
            #expect(solution.status == .converged && rest < 1e-7 && outside < 1e-9)
        }
    }

    @Test func misuseIsNamed() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = DeepConjugateDirection(model: ConstantDirection(value: [1, 2, 3])).solve(SparseMatrix<Double>.identity(2), [1, 2])
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("the model gave 3 elements; expected 2"))
    }
}
