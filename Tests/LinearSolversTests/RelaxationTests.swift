import Kernels
import LinearAlgebra
import LinearSolvers
import RealModule
import Testing

private typealias SOR = SuccessiveOverRelaxation<Double>

/// Normal numbers, drawn again until ‖b‖² ≤ n.
private func truncatedNormal(_ n: Int, _ seed: UInt64) -> [Double] {
    for trial in 0..<100 {
        let b = normals(n, seed + 1000 * UInt64(trial))
        if norm(b) <= Double(n).squareRoot() { return b }
    }
    fatalError("no draw of \(n) normal numbers was short")
}

private func nothing() -> [Double] { [] }

/// "Learning to Relax": checks 1 to 6 and 10 of its numbers.
@Suite struct RelaxationTests {
    let a = PoissonOperator<Double>(Grid(rows: 10, columns: 10))

    @Test func optimalFactor() {
        #expect(abs(a.jacobiRadius - 0.9594929736) < 1e-10)
        let best = SOR.optimalRelaxation(jacobiRadius: a.jacobiRadius)
        #expect(abs(best - 1.5603879213) < 1e-10 && abs(best - 2 / (1 + Double.sin(.pi / 11))) < 1e-14)
        #expect(SOR.optimalRelaxation(jacobiRadius: 0) == 1)
    }

    /// The matrix of a sweep, column by column, and its spectral radius by powers; for the order of the unknowns and for red-black.
    @Test(arguments: [RelaxationOrder.forward, .redBlack]) func spectralRadius(_ order: RelaxationOrder) {
        let beta = a.jacobiRadius, best = SOR.optimalRelaxation(jacobiRadius: beta)
        let cases = [(1, 0.920627), (1.2, 0.880262), (1.4, 0.805890), (best, 0.560388), (1.6, 0.6), (1.8, 0.8), (1.9, 0.9)]
        let zero = [Double](repeating: 0, count: 100)
        for (omega, expected) in cases {
            #expect(abs(SOR.spectralRadius(relaxation: omega, jacobiRadius: beta) - expected) < 1e-6)
            var power = Matrix<Double>(rows: 100, columns: 100) { _, _ in 0 }
            for j in 0..<100 {
                var x = zero, work = [Double](repeating: 0, count: a.workCount)
                x[j] = 1
                var span = x.mutableSpan, workSpan = work.mutableSpan
                _ = a.relax(&span, zero.span, relaxation: omega, order: order, measuring: false, work: &workSpan)
                for i in 0..<100 { power[i, j] = x[i] }
            }
            // ‖Mᵏ‖^(1/k) for k = 2¹²: at ω* an eigenvalue is defective, which costs a factor of k.
            var logarithm = 0.0
            for _ in 0..<12 {
                power = power * power
                let size = power.frobeniusNorm
                logarithm = 2 * logarithm + Double.log(size)
                for i in 0..<100 { for j in 0..<100 { power[i, j] /= size } }
            }
            let radius = Double.exp(logarithm / 4096)
            #expect(abs(radius - expected) < 4e-3, "ω = \(omega): \(radius)")
        }
    }

    @Test func meanCounts() {
        let best = SOR.optimalRelaxation(jacobiRadius: a.jacobiRadius)
        let cases = [(1, 188), (1.2, 123), (1.4, 75), (best, 38), (1.6, 40), (1.8, 86), (1.9, 177)]
        for (omega, expected) in cases {
            let solver = SOR(relaxation: omega, tolerance: .relativeToInitialResidual(1e-8))
            var total = 0
            for seed in 0..<60 {
                let solution = solver.solve(a, truncatedNormal(100, UInt64(seed)))
                #expect(solution.status == .converged)
                total += solution.iterations
                let rho = SOR.spectralRadius(relaxation: omega, jacobiRadius: a.jacobiRadius), tau = 0.17
                #expect(Double(solution.iterations) <= 1 + Double.log(1e-8) / Double.log(rho + tau * (1 - rho)) + 1)
            }
            let mean = Double(total) / 60
            #expect(abs(mean / Double(expected) - 1) < 0.03, "ω = \(omega): \(mean), expected \(expected)")
        }
    }

    /// Each sweep against a plain loop over the matrix, and the fused residual.
    @Test(arguments: RelaxationOrder.allCases) func sweepsAgree(_ order: RelaxationOrder) throws {
        let sides = GridSides(planes: .init(low: .neumann, high: .dirichlet), rows: .neumann, columns: .init(low: .dirichlet, high: .neumann))
        for grid in [Grid(rows: 1, columns: 1), Grid(rows: 7, columns: 5), Grid(rows: 20, columns: 33), Grid(planes: 4, rows: 3, columns: 18)] {
            for sides in [GridSides.dirichlet, sides] {
                let a = PoissonOperator<Double>(grid, sides: sides, scale: 0.7, shift: 0.3), sparse = a.sparse(), n = grid.count
                let b = normals(n, 1), start = normals(n, 2)
                var x = start, work = [Double](repeating: 0, count: a.workCount), y = start, none = nothing(), plain = start
                var xs = x.mutableSpan, ws = work.mutableSpan, ys = y.mutableSpan, ns = none.mutableSpan
                let square = a.relax(&xs, b.span, relaxation: 1.4, order: order, measuring: true, work: &ws)
                let sparseSquare = sparse.relax(&ys, b.span, relaxation: 1.4, order: order, measuring: true, work: &ns)
                let dense = sparse.dense()
                let forward = Array(0..<n)
                func parity(_ i: Int) -> Int { (i % grid.columns + i / grid.columns % grid.rows + i / (grid.columns * grid.rows)) % 2 }
                let path: [Int] = switch order {
                case .forward: forward
                case .backward: Array(forward.reversed())
                case .symmetric: forward + Array(forward.reversed())
                case .redBlack: forward.filter { parity($0) == 0 } + forward.filter { parity($0) == 1 }
                }
                for i in path { plain[i] += 1.4 * (b[i] - (0..<n).reduce(0) { $0 + dense[i, $1] * plain[$1] }) / dense[i, i] }
                #expect(distance(x, plain) < 1e-12 * norm(plain) && distance(y, plain) < 1e-12 * norm(plain), "\(grid)")
                let residual = trueResidual(sparse, plain, b)
                #expect(abs(square.squareRoot() - residual) < 1e-11 * residual + 1e-14 && abs(sparseSquare.squareRoot() - residual) < 1e-11 * residual + 1e-14)
            }
        }
    }

    /// A right-hand side for which the residual is an eigenvector: ‖rₖ‖ = |λ|ᵏ ‖r₀‖. For Gauss–Seidel on the grid, λ = μ² of the smooth mode.
    @Test func eigenvectorCount() {
        let mu = Double.cos(.pi / 11), lambda = mu * mu
        // Eigenvector of the Gauss–Seidel sweep: μ^(i + j) sin sin.
        let v = (0..<100).map { index in
            let i = Double(index / 10 + 1), j = Double(index % 10 + 1)
            return Double.pow(mu, i + j) * Double.sin(.pi * i / 11) * Double.sin(.pi * j / 11)
        }
        let solution = SOR(relaxation: 1, tolerance: .relativeToInitialResidual(1e-8)).solve(a, [Double](repeating: 0, count: 100), from: v)
        #expect(solution.iterations == Int((Double.log(1e-8) / Double.log(lambda)).rounded(.up)), "\(solution.iterations)")
    }

    @Test func failures() throws {
        let b = normals(100, 3)
        for omega in [2, 2.5] {
            let solution = SOR(relaxation: omega, iterationLimit: 10_000).solve(a, b)
            #expect(solution.status == .iterationLimit || solution.status == .nonFinite)
            #expect(solution.iterate.allSatisfy { $0.isFinite } && solution.residualNorm <= norm(b))
        }
        let one = SOR(relaxation: 1, iterationLimit: 1).solve(a, b)
        #expect(one.status == .iterationLimit && one.iterations == 1 && one.residualNorm < norm(b))
        let zero = try SparseMatrix<Double>(rows: 2, columns: 2, triplets: [.init(row: 0, column: 1, value: 1), .init(row: 1, column: 0, value: 1)])
        let singular = SOR(relaxation: 1).solve(zero, [1, 2])
        #expect(singular.status == .singular && singular.iterate == [0, 0])
        #expect(SSORConjugateGradient<Double>().solve(zero, [1, 2]).status == .singular)
        #expect(throws: LinearAlgebraError.singular(pivot: 0)) { try SSORPreconditioner(zero) }
        #expect(throws: LinearAlgebraError.singular(pivot: 1)) { try JacobiPreconditioner(diagonal: [1.0, 0]) }
        #expect(SOR(relaxation: 1).solve(a, [.nan] + b.dropFirst()).status == .nonFinite)
        #expect(SOR(relaxation: 1).solve(a, [Double](repeating: 0, count: 100)).iterations == 0)
    }

    /// M⁻¹A has its eigenvalues in (0, 1], and a condition below Axelsson's bound; iterations stay below theirs.
    @Test func conditionOfSSOR() throws {
        let dense = a.sparse().dense()
        let expected = [(2 * 2.0.squareRoot() - 2, 9.38, 17), (1, 6.89, 15), (1.3, 4.24, 13), (1.5, 3.28, 13), (1.7, 3.38, 15), (1.9, 7.99, 19)]
        for (omega, condition, count) in expected {
            let m = try SSORPreconditioner(a, relaxation: omega)
            // The eigenvalues of M⁻¹A are those of Gᵀ M⁻¹ G with A = G Gᵀ.
            let g = try Cholesky(dense).lower
            let values = try SymmetricEigen(multiply(g, m.dense() * g, transposeA: true)).values
            #expect(values.first! > 0 && values.last! <= 1 + 1e-12)
            #expect(abs(values.last! / values.first! - condition) < 0.02, "ω = \(omega): \(values.last! / values.first!)")
            var total = 0
            for seed in 0..<10 {
                total += ConjugateGradient<Double>(tolerance: .relativeToRightHandSide(1e-8))
                    .solve(a, truncatedNormal(100, UInt64(seed)), preconditioner: m).iterations
            }
            #expect(abs(Double(total) / 10 - Double(count)) <= 1.5, "ω = \(omega): \(Double(total) / 10) for \(count)")
        }
    }

    /// Eisenstat's form has the iterates of the plain one, on stencils and on rows.
    @Test func eisenstat() throws {
        for shift in [0, 0.5] {
            let a = PoissonOperator<Double>(Grid(rows: 13, columns: 17), shift: shift), sparse = a.sparse(), b = normals(221, 1)
            for omega in [0.83, 1.3, 1.9] {
                let operators: [any RelaxableOperator<Double>] = [a, sparse]
                for base in operators {
                    for limit in [1, 2, 5, 12] {
                        let plain = ConjugateGradient<Double>(tolerance: .absolute(0), iterationLimit: limit)
                            .solve(base, b, preconditioner: try SSORPreconditioner(base, relaxation: omega))
                        let trick = SSORConjugateGradient<Double>(relaxation: omega, tolerance: .absolute(0), iterationLimit: limit).solve(base, b)
                        #expect(distance(plain.iterate, trick.iterate) < 1e-12 * norm(plain.iterate))
                        #expect(abs(plain.residualNorm - trick.residualNorm) < 1e-12 * norm(b))
                        #expect(trick.applications == 0)
                    }
                }
            }
            let solution = SSORConjugateGradient<Double>(relaxation: 1.5, tolerance: .relativeToRightHandSide(1e-10)).solve(a, b, from: normals(221, 2))
            #expect(solution.status == .converged && trueResidual(a, solution.iterate, b) <= 1e-10 * norm(b))
        }
    }

    /// L Lᵀ is A on the pattern of A, and M-matrices need no shift.
    @Test func incompleteCholesky() throws {
        let a = PoissonOperator<Double>(Grid(rows: 9, columns: 8)), sparse = a.sparse(), b = normals(72, 1)
        let m = try IncompleteCholesky(sparse)
        let product = multiply(m.lower.dense(), m.lower.dense(), transposeB: true)
        for i in 0..<72 {
            for entry in sparse.row(i) { #expect(abs(product[i, entry.column] - entry.value) < 1e-14) }
        }
        #expect(m.adjointDefect() < 1e-15 && m.shift == 0)
        let z = m.apply(b), back = product.apply(z)
        #expect(distance(back, b) < 1e-12 * norm(b))
        let plain = ConjugateGradient<Double>().solve(a, b).iterations, faster = ConjugateGradient<Double>().solve(a, b, preconditioner: m)
        #expect(faster.status == .converged && faster.iterations * 3 < plain * 2, "\(faster.iterations) of \(plain)")
        // Positive definite, but the incomplete factor breaks down (Kershaw 1978).
        let kershaw: [[Double]] = [[3, -2, 0, 2], [-2, 3, -2, 0], [0, -2, 3, -2], [2, 0, -2, 3]]
        let triplets = (0..<16).filter { kershaw[$0 / 4][$0 % 4] != 0 }.map { SparseMatrix<Double>.Triplet(row: $0 / 4, column: $0 % 4, value: kershaw[$0 / 4][$0 % 4]) }
        let hard = try SparseMatrix(rows: 4, columns: 4, triplets: triplets)
        #expect(throws: LinearAlgebraError.notPositiveDefinite(pivot: 3)) { try IncompleteCholesky(hard) }
        let shifted = try IncompleteCholesky(shifting: hard)
        #expect(shifted.shift > 0)
        #expect(ConjugateGradient<Double>().solve(hard, [1, 2, 3, 4], preconditioner: shifted).status == .converged)
        #expect(throws: LinearAlgebraError.nonFinite(row: 0, column: 0)) {
            try IncompleteCholesky(SparseMatrix<Double>(rows: 1, columns: 1, triplets: [.init(row: 0, column: 0, value: .nan)]))
        }
    }

    /// One step of Crank–Nicolson multiplies an eigenmode by (1 − q)/(1 + q), q = κ Δt (4/h²) sin²(π h/2).
    @Test func heatMode() throws {
        let n = 24, h = 1 / Double(n + 1), kappa = 2.5, step = 1e-3
        let grid = Grid(rows: n, columns: n), scale = kappa * step / (2 * h * h)
        let implicit = PoissonOperator<Double>(grid, scale: scale, shift: 1), explicit = PoissonOperator<Double>(grid, scale: -scale, shift: 1)
        let u = (0..<n * n).map { Double.sin(.pi * h * Double($0 / n + 1)) * Double.sin(.pi * h * Double($0 % n + 1)) }
        let solver = SSORConjugateGradient<Double>(relaxation: 1.3, tolerance: .relativeToRightHandSide(1e-13))
        let next = try solver.solve(implicit, explicit.apply(u)).get()
        let sine = Double.sin(.pi * h / 2), q = kappa * step * 4 / (h * h) * sine * sine
        #expect(distance(next, u.map { $0 * (1 - q) / (1 + q) }) < 1e-10 * norm(u))
    }

    /// On a pattern without holes IC(0) is Cholesky's factorisation: the update lᵢⱼ ← (aᵢⱼ − Σ lᵢₖ lⱼₖ)/lⱼⱼ with its sign, which grids, that have no
    /// triangles, never need. With holes L Lᵀ agrees with A where A has entries.
    @Test func incompleteCholeskyOnTriangles() throws {
        let n = 12
        func entry(_ i: Int, _ j: Int) -> Double { i == j ? 4 : 1 / Double(1 + abs(i - j)) * ((i + j) % 3 == 0 ? -1 : 1) }
        let full = Matrix<Double>(rows: n, columns: n) { entry($0, $1) }, banded = Matrix<Double>(rows: n, columns: n) { abs($0 - $1) <= 2 || $0 % 5 == $1 % 5 ? entry($0, $1) : 0 }
        let b = (0..<n).map { Double($0 * 7 % 5 - 2) }
        let exact = try Cholesky(full).solve(b), applied = try IncompleteCholesky(SparseMatrix(full)).apply(b)
        #expect(distance(exact, applied) < 1e-14 * norm(exact))
        let l = try IncompleteCholesky(SparseMatrix(banded)).lower.dense(), product = multiply(l, l, transposeB: true)
        var outside = 0.0
        for i in 0..<n {
            for j in 0..<n where banded[i, j] != 0 { #expect(abs(product[i, j] - banded[i, j]) < 1e-14, "\(i), \(j)") }
            for j in 0..<n where banded[i, j] == 0 { outside = max(outside, abs(product[i, j])) }
        }
        // There is fill to leave out, so the pattern is a real test.
        #expect(outside > 1e-3)
    }

    /// The colours are found once a run; sweeps by themselves give the same bits.
    @Test func colouredSweepsOfARun() {
        let sparse = PoissonOperator<Double>(Grid(rows: 9, columns: 8)).sparse(), b = (0..<72).map { Double($0 % 7) }
        let run = SuccessiveOverRelaxation<Double>(relaxation: 1.3, order: .redBlack, iterationLimit: 5).solve(sparse, b)
        var x = [Double](repeating: 0, count: 72), work: [Double] = []
        for _ in 0..<5 {
            var span = x.mutableSpan, workSpan = work.mutableSpan
            _ = sparse.relax(&span, b.span, relaxation: 1.3, order: .redBlack, measuring: false, work: &workSpan)
        }
        #expect(run.iterate == x)
    }

    @Test func coloring() {
        let order = PoissonOperator<Double>(Grid(rows: 5, columns: 6)).sparse().coloring()
        #expect(Set(order) == Set((0..<30).map { Int32($0) }))
        let red = order.prefix(15).allSatisfy { ($0 / 6 + $0 % 6) % 2 == 0 }
        #expect(red)
    }
}
