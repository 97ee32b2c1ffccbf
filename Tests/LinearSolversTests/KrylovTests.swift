import Foundation
import Kernels
import LinearAlgebra
import LinearSolvers
import Objectives
import Testing

private let tight = ResidualTolerance.relativeToRightHandSide(1e-12)

@Suite struct KrylovTests {
    /// Each method on a system it is made for, against LAPACK.
    @Test func agreeWithLAPACK() throws {
        for (n, seed) in [(1, 1), (2, 2), (7, 3), (40, 4)] as [(Int, UInt64)] {
            let spd = definite(n, seed), b = normals(n, seed + 10), start = normals(n, seed + 20)
            let exact = try Cholesky(spd).solve(b)
            let m = try JacobiPreconditioner(diagonal: spd.diagonal)
            let range = try SymmetricEigen(spd).values
            let solutions: [(String, LinearSolution<Double>)] = [
                ("cg", ConjugateGradient(tolerance: tight).solve(spd, b)),
                ("cg from", ConjugateGradient(tolerance: tight).solve(spd, b, from: start)),
                ("pcg", ConjugateGradient(tolerance: tight).solve(spd, b, from: start, preconditioner: m)),
                ("fcg", FlexibleConjugateGradient(memory: 2, tolerance: tight).solve(spd, b, from: start, preconditioner: m)),
                ("minres", MINRES(tolerance: tight).solve(spd, b, from: start)),
                ("pminres", MINRES(tolerance: tight).solve(spd, b, from: start, preconditioner: m)),
                ("gmres", GMRES(tolerance: tight).solve(spd, b, from: start, preconditioner: m)),
                ("chebyshev", ChebyshevIteration(eigenvalues: range.first!...range.last!, tolerance: tight, iterationLimit: 1000)
                    .solve(spd, b, from: start)),
            ]
            for (name, solution) in solutions {
                let error = distance(solution.iterate, exact) / norm(exact)
                #expect(solution.status == .converged, "\(name) n = \(n): \(solution.reason)")
                #expect(error < 1e-10, "\(name) n = \(n): \(error)")
                let residual = trueResidual(spd, solution.iterate, b)
                #expect(abs(residual - solution.residualNorm) <= 1e-14 * norm(b), "\(name): \(residual), said \(solution.residualNorm)")
            }
        }
    }

    @Test func indefiniteAndUnsymmetric() throws {
        for (n, seed) in [(2, 2), (9, 3), (40, 4)] as [(Int, UInt64)] {
            let symmetric = indefinite(n, seed), general = unsymmetric(n, seed), b = normals(n, seed + 10)
            let x = try LU(symmetric).solve(b), y = try LU(general).solve(b)
            let minres = MINRES(tolerance: tight, iterationLimit: 20 * n).solve(symmetric, b)
            let gmres = GMRES(restart: n, tolerance: tight).solve(general, b)
            let restarted = GMRES(restart: 8, tolerance: tight, iterationLimit: 5000).solve(general, b, from: normals(n, seed + 30))
            for (name, solution, exact) in [("minres", minres, x), ("gmres", gmres, y), ("gmres(8)", restarted, y)] {
                let error = distance(solution.iterate, exact) / norm(exact)
                #expect(solution.status == .converged && error < 1e-9, "\(name) n = \(n): \(error), \(solution.reason)")
            }
            #expect(gmres.iterations <= n)
        }
    }

    /// k distinct eigenvalues take k steps.
    @Test func finiteTermination() {
        let diagonal = (0..<60).map { Double([1, 4, 9, 11, 30][$0 % 5]) }
        let a = Matrix<Double>(rows: 60, columns: 60) { $0 == $1 ? diagonal[$0] : 0 }, b = normals(60, 1)
        let cg = ConjugateGradient(tolerance: tight).solve(a, b)
        #expect(cg.status == .converged && cg.iterations == 5)
        let minres = MINRES(tolerance: tight).solve(a, b)
        #expect(minres.status == .converged && minres.iterations == 5)
        // The Krylov space closes before the cycle is full: the lucky breakdown.
        let gmres = GMRES(restart: 30, tolerance: .relativeToRightHandSide(1e-13)).solve(a, b)
        #expect(gmres.status == .converged && gmres.iterations == 5)
    }

    /// The recurrences of the textbook, in plain loops.
    @Test func textbookRecurrences() {
        let a = PoissonOperator<Double>(Grid(rows: 16, columns: 16)), b = normals(256, 5)
        var x = [Double](repeating: 0, count: 256), r = b, p = b, rr = r.reduce(0) { $0 + $1 * $1 }
        var norms = [rr.squareRoot()]
        for _ in 0..<30 {
            let q = a.apply(p), alpha = rr / zip(p, q).reduce(0) { $0 + $1.0 * $1.1 }
            for i in 0..<256 {
                x[i] += alpha * p[i]
                r[i] -= alpha * q[i]
            }
            let next = r.reduce(0) { $0 + $1 * $1 }
            for i in 0..<256 { p[i] = r[i] + next / rr * p[i] }
            rr = next
            norms.append(rr.squareRoot())
        }
        let cg = ConjugateGradient<Double>(tolerance: .absolute(0), iterationLimit: 30).solve(a, b, recordsResiduals: true)
        #expect(cg.status == .iterationLimit && cg.residualNorms.count == 31)
        #expect(distance(cg.iterate, x) < 1e-12 * norm(x))
        for (k, (mine, theirs)) in zip(cg.residualNorms, norms).enumerated() {
            #expect(abs(mine - theirs) <= 1e-12 * norms[0], "step \(k): \(mine), \(theirs)")
        }
        // Deep Conjugate Direction, check 2: with the identity and two directions the flexible form gives the same.
        for memory in [1, 2] {
            let flexible = FlexibleConjugateGradient<Double>(memory: memory, tolerance: .absolute(0), iterationLimit: 30)
                .solve(a, b, recordsResiduals: true)
            for (mine, theirs) in zip(flexible.residualNorms, norms) { #expect(abs(mine - theirs) <= 1e-12 * norms[0]) }
        }
    }

    /// Deep Conjugate Direction, checks 1 and 5: an exact inverse takes one step, and noise cannot raise the error in the norm of A.
    @Test func flexibleWithAnyPreconditioner() throws {
        let a = definite(30, 8), b = normals(30, 9), exact = try Cholesky(a).solve(b)
        let one = FlexibleConjugateGradient<Double>(tolerance: .relativeToRightHandSide(1e-13))
            .solve(a, b, preconditioner: try Cholesky(a).inverse())
        #expect(one.status == .converged && one.iterations == 1)
        let noise = NoiseOperator(rows: 30)
        for memory in [0, 1, 2, 30] {
            var previous = Double.infinity
            let solver = FlexibleConjugateGradient<Double>(memory: memory, tolerance: .absolute(0))
            let system = LinearSystem(a, b, preconditioner: noise)
            var state = solver.makeState(system)
            for _ in 0..<25 {
                let end = solver.step(&state, system)
                let e = zip(state.iterate, exact).map { $0 - $1 }
                let energy = zip(e, a.apply(e)).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(end == nil && energy <= previous * (1 + 1e-12))
                previous = energy
            }
        }
    }

    /// Full memory is the Galerkin solution of the span of the directions (check 4): the residual is orthogonal to each of them.
    @Test func fullMemoryIsGalerkin() {
        let a = definite(30, 8), b = normals(30, 9), noise = NoiseOperator(rows: 30)
        let solver = FlexibleConjugateGradient<Double>(memory: 30, tolerance: .absolute(0))
        let system = LinearSystem(a, b, preconditioner: noise)
        var state = solver.makeState(system), moves: [[Double]] = []
        for _ in 0..<12 {
            let before = state.iterate
            _ = solver.step(&state, system)
            moves.append(zip(state.iterate, before).map { $0 - $1 })
            let r = zip(b, a.apply(state.iterate)).map { $0 - $1 }
            for move in moves where norm(move) > 0 {
                let cosine = zip(r, move).reduce(0) { $0 + $1.0 * $1.1 } / (norm(r) * norm(move))
                #expect(abs(cosine) < 1e-10)
            }
        }
    }

    /// After k steps the residual is at most 1/T_k(θ/δ) of the first, and that is attained to within a small factor on a full spectrum.
    @Test func chebyshevBound() {
        let n = 200
        let a = Matrix<Double>(rows: n, columns: n) { $0 == $1 ? 1 + 99 * Double($0) / Double(n - 1) : 0 }
        let b = [Double](repeating: 1, count: n)
        let solution = ChebyshevIteration(eigenvalues: 1...100, tolerance: .absolute(0), iterationLimit: 40).solve(a, b, recordsResiduals: true)
        let c = (10.0 + 1) / (10 - 1)
        for (k, norm) in solution.residualNorms.enumerated() {
            let bound = 2 / (pow(c, Double(k)) + pow(c, Double(-k)))
            let ratio = norm / solution.residualNorms[0] / bound
            #expect(ratio <= 1 + 1e-9 && ratio > 0.3, "step \(k): \(ratio) of the bound")
        }
        let wrong = ChebyshevIteration(eigenvalues: 1...20, tolerance: tight).solve(a, b)
        #expect(wrong.status == .brokeDown && wrong.residualNorm <= 10 * norm(b))
        let point = ChebyshevIteration(eigenvalues: 2...2, tolerance: tight).solve(Matrix<Double>(rows: 3, columns: 3) { $0 == $1 ? 2 : 0 }, [1, 2, 3])
        #expect(point.status == .converged && point.iterations == 1)
    }

    @Test func preconditionedByExactInverse() throws {
        let a = definite(20, 1), b = normals(20, 2), inverse = try Cholesky(a).inverse()
        let cg = ConjugateGradient<Double>().solve(a, b, preconditioner: inverse)
        #expect(cg.status == .converged && cg.iterations == 1 && cg.preconditionerApplications == 2)
        let gmres = GMRES<Double>().solve(a, b, preconditioner: inverse)
        #expect(gmres.status == .converged && gmres.iterations == 1)
        let minres = MINRES<Double>().solve(a, b, preconditioner: inverse)
        #expect(minres.status == .converged && minres.iterations == 1)
    }

    @Test func badData() throws {
        let n = 12, spd = definite(n, 1), symmetric = indefinite(n, 2), b = normals(n, 3)
        let cg = ConjugateGradient<Double>().solve(symmetric, b)
        #expect(cg.status == .brokeDown && cg.reason.contains("not positive definite"))
        #expect(cg.iterate.allSatisfy { $0.isFinite })
        let preconditioner = ConjugateGradient<Double>().solve(spd, b, preconditioner: symmetric)
        #expect(preconditioner.status == .brokeDown && preconditioner.reason.contains("preconditioner"))
        let minres = MINRES<Double>().solve(spd, b, preconditioner: symmetric)
        #expect(minres.status == .brokeDown && minres.iterate.allSatisfy { $0.isFinite })
        for bad in [1, 3] {
            let results: [(String, LinearSolution<Double>)] = [
                ("cg", ConjugateGradient().solve(Spoiled(base: spd, bad: bad), b)),
                ("fcg", FlexibleConjugateGradient().solve(Spoiled(base: spd, bad: bad), b)),
                ("minres", MINRES().solve(Spoiled(base: spd, bad: bad), b)),
                ("gmres", GMRES().solve(Spoiled(base: spd, bad: bad), b)),
                ("chebyshev", ChebyshevIteration(eigenvalues: 1...6).solve(Spoiled(base: spd, bad: bad), b)),
                ("lsqr", LSQR().solve(Spoiled(base: spd, bad: bad), b)),
                ("lsmr", LSMR().solve(Spoiled(base: spd, bad: bad), b)),
            ]
            for (name, solution) in results {
                #expect(solution.status == .nonFinite, "\(name): \(solution.status), \(solution.reason)")
                let isFinite = solution.iterate.allSatisfy { $0.isFinite }
                #expect(isFinite, "\(name)")
            }
        }
        var nan = b
        nan[4] = .nan
        for solution in [ConjugateGradient<Double>().solve(spd, nan), MINRES().solve(spd, nan), GMRES().solve(spd, nan), LSQR().solve(spd, nan),
                         LSMR().solve(spd, nan), FlexibleConjugateGradient().solve(spd, nan)] {
            #expect(solution.status == .nonFinite && solution.iterate == [Double](repeating: 0, count: n))
        }
        #expect(throws: NotConvergedError.self) { try cg.get() }
    }

    @Test func limitOfOne() {
        let a = definite(10, 1), b = normals(10, 2)
        for solution in [ConjugateGradient<Double>(iterationLimit: 1).solve(a, b), FlexibleConjugateGradient(iterationLimit: 1).solve(a, b),
                         MINRES(iterationLimit: 1).solve(a, b), GMRES(iterationLimit: 1).solve(a, b), LSQR(iterationLimit: 1).solve(a, b),
                         LSMR(iterationLimit: 1).solve(a, b), ChebyshevIteration(eigenvalues: 1...9, iterationLimit: 1).solve(a, b)] {
            #expect(solution.status == .iterationLimit && solution.iterations == 1)
            // One step has been worth something.
            #expect(trueResidual(a, solution.iterate, b) < norm(b))
        }
    }

    @Test func trivialSystems() {
        let a = definite(5, 1), zero = [Double](repeating: 0, count: 5)
        for solution in [ConjugateGradient<Double>().solve(a, zero), MINRES().solve(a, zero), GMRES().solve(a, zero), LSQR().solve(a, zero),
                         LSMR().solve(a, zero), FlexibleConjugateGradient().solve(a, zero)] {
            #expect(solution.status == .converged && solution.iterations == 0 && solution.iterate == zero)
        }
        let empty = Matrix<Double>.zeros(rows: 0, columns: 0)
        for solution in [ConjugateGradient<Double>().solve(empty, []), MINRES().solve(empty, []), GMRES().solve(empty, []), LSQR().solve(empty, []),
                         LSMR().solve(empty, [])] {
            #expect(solution.status == .converged && solution.iterate == [])
        }
        let exact = ConjugateGradient<Double>().solve(a, a.apply([1, 2, 3, 4, 5]), from: [1, 2, 3, 4, 5])
        #expect(exact.status == .converged && exact.iterations == 0)
    }

    /// Powers of two scale everything exactly, up to the ends of the range.
    @Test func scaleInvariance() {
        let a = definite(12, 1), b = normals(12, 2)
        for exponent in [-900, -300, 300, 900] {
            let factor = Double(sign: .plus, exponent: exponent, significand: 1), scaled = b.map { $0 * factor }
            let pairs: [(String, LinearSolution<Double>, LinearSolution<Double>)] = [
                ("cg", ConjugateGradient().solve(a, b), ConjugateGradient().solve(a, scaled)),
                ("fcg", FlexibleConjugateGradient().solve(a, b), FlexibleConjugateGradient().solve(a, scaled)),
                ("minres", MINRES().solve(a, b), MINRES().solve(a, scaled)),
                ("gmres", GMRES().solve(a, b), GMRES().solve(a, scaled)),
                ("lsqr", LSQR().solve(a, b), LSQR().solve(a, scaled)),
                ("lsmr", LSMR().solve(a, b), LSMR().solve(a, scaled)),
            ]
            for (name, plain, large) in pairs {
                let same = large.iterate == plain.iterate.map { $0 * factor }
                #expect(same && large.iterations == plain.iterations && large.status == plain.status, "\(name) by 2^\(exponent)")
            }
        }
        // Deep Conjugate Direction, check 10: a scaled operator takes as many steps.
        for factor in [1e-3, 1e3] {
            let scaled = ConjugateGradient<Double>().solve(a.scaled(by: factor), b)
            #expect(scaled.iterations == ConjugateGradient<Double>().solve(a, b).iterations)
        }
    }

    @Test func singularSystems() throws {
        // diag(1 … 9, 0).
        let a = Matrix<Double>(rows: 10, columns: 10) { $0 == $1 && $0 < 9 ? Double($0 + 1) : 0 }
        let consistent = (0..<10).map { $0 < 9 ? 1.0 : 0 }, inconsistent = [Double](repeating: 1, count: 10)
        for solution in [ConjugateGradient(tolerance: tight).solve(a, consistent), MINRES(tolerance: tight).solve(a, consistent),
                         GMRES(tolerance: tight).solve(a, consistent)] {
            #expect(solution.status == .converged && solution.iterate[9] == 0)
        }
        let minres = MINRES(tolerance: tight).solve(a, inconsistent)
        #expect(minres.status == .singular)
        for i in 0..<9 { #expect(abs(minres.iterate[i] - 1 / Double(i + 1)) < 1e-9) }
        let gmres = GMRES(restart: 10, tolerance: tight).solve(a, inconsistent)
        #expect(gmres.status == .singular || gmres.status == .stagnated, "\(gmres.status)")
        #expect(trueResidual(a, gmres.iterate, inconsistent) < 1.0001)
        let cg = ConjugateGradient(tolerance: tight).solve(a, inconsistent)
        #expect(cg.status != .converged && cg.iterate.allSatisfy { $0.isFinite })
        for solution in [LSQR(stopping: .init(a: 1e-12, b: 1e-12)).solve(a, inconsistent), LSMR(stopping: .init(a: 1e-12, b: 1e-12)).solve(a, inconsistent)] {
            #expect(solution.status == .converged)
            for i in 0..<9 { #expect(abs(solution.iterate[i] - 1 / Double(i + 1)) < 1e-9) }
            #expect(abs(solution.residualNorm - 1) < 1e-9)
        }
    }

    /// A cyclic shift: no cycle shorter than n gains anything.
    @Test func stagnationOfGMRES() {
        let a = Matrix<Double>(rows: 8, columns: 8) { ($0 + 1) % 8 == $1 ? 1 : 0 }
        var b = [Double](repeating: 0, count: 8)
        b[0] = 1
        let short = GMRES<Double>(restart: 4, iterationLimit: 100).solve(a, b)
        #expect(short.status == .stagnated && short.iterations == 4)
        let full = GMRES<Double>(restart: 8).solve(a, b)
        #expect(full.status == .converged && full.iterations == 8)
    }

    /// A tolerance that rounding cannot reach is not reached silently.
    @Test func unattainableTolerance() {
        let n = 14
        let hilbert = Matrix<Double>(rows: n, columns: n) { 1 / Double($0 + $1 + 1) }, b = normals(n, 1)
        for solution in [ConjugateGradient<Double>(tolerance: .relativeToRightHandSide(1e-17), iterationLimit: 5000).solve(hilbert, b),
                         MINRES(tolerance: .relativeToRightHandSide(1e-17), iterationLimit: 5000).solve(hilbert, b)] {
            #expect(solution.status != .converged, "\(solution.status): \(solution.reason)")
            #expect(solution.iterate.allSatisfy { $0.isFinite })
        }
    }

    @Test func floats() {
        let a = PoissonOperator<Float>(Grid(rows: 20, columns: 20)), b = normals(400, 1).map { Float($0) }
        for solution in [ConjugateGradient<Float>().solve(a, b), MINRES().solve(a, b), GMRES(restart: 60).solve(a, b), LSQR(stopping: .init(a: 1e-5, b: 1e-5)).solve(a, b)] {
            let r = zip(b, a.apply(solution.iterate)).map { Double($0 - $1) }
            #expect(solution.status == .converged && norm(r) < 3e-3 * norm(b.map { Double($0) }), "\(solution.reason)")
        }
    }
}

/// Not linear at all: noise from the bits of its input.
struct NoiseOperator: LinearOperator {
    let rows: Int
    var columns: Int { rows }

    func apply(_ x: Span<Double>, into y: inout MutableSpan<Double>) {
        let noise = normals(rows, x[0].bitPattern)
        for i in 0..<rows { y[i] = noise[i] }
    }

    func applyAdjoint(_ y: Span<Double>, into x: inout MutableSpan<Double>) { apply(y, into: &x) }
}
