import Kernels
import LinearAlgebra
import LinearSolvers
import RealModule
import Testing

private let mixed = GridSides(planes: .init(low: .neumann, high: .dirichlet), rows: .neumann, columns: .init(low: .dirichlet, high: .neumann))
private let grids = [Grid(rows: 1, columns: 1), Grid(rows: 1, columns: 9), Grid(rows: 6, columns: 4), Grid(rows: 13, columns: 30),
                     Grid(planes: 1, rows: 2, columns: 3), Grid(planes: 5, rows: 4, columns: 11)]

@Suite struct PoissonTests {
    /// Entry by entry from the definition, the energy, and symmetry.
    @Test func operators() {
        for grid in grids {
            for sides in [GridSides.dirichlet, .neumann, mixed] {
                let a = PoissonOperator<Double>(grid, sides: sides, scale: 1.5, shift: 0.25), n = grid.count
                let ends = grid.dimension == 3 ? [sides.planes, sides.rows, sides.columns] : [sides.rows, sides.columns]
                let steps = grid.dimension == 3 ? [grid.rows * grid.columns, grid.columns, 1] : [grid.columns, 1]
                let dense = Matrix<Double>(rows: n, columns: n) { i, j in
                    var value = i == j ? 0.25 : 0
                    for (axis, step) in steps.enumerated() {
                        let size = grid.sizes[axis], at = i / step % size
                        if i == j { value += 1.5 * (2 - (at == 0 && ends[axis].low == .neumann ? 1 : 0) - (at == size - 1 && ends[axis].high == .neumann ? 1 : 0)) }
                        if at > 0 && j == i - step || at + 1 < size && j == i + step { value -= 1.5 }
                    }
                    return value
                }
                #expect(a.sparse().dense() == dense && a.diagonal == dense.diagonal, "\(grid)")
                let x = normals(n, 1)
                var y = [Double](repeating: 0, count: n), span = y.mutableSpan
                let energy = a.applyMeasuring(x.span, into: &span)
                y = a.apply(x)
                #expect(distance(y, dense.apply(x)) <= 1e-14 * norm(x) * 20)
                #expect(abs(energy - zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-12 * norm(x) * norm(y))
                #expect(a.adjointDefect() < 1e-15)
                let floats = PoissonOperator<Float>(grid, sides: sides, scale: 1.5, shift: 0.25).apply(x.map { Float($0) })
                #expect(distance(floats.map { Double($0) }, y) < 1e-5 * norm(x))
            }
        }
    }

    @Test func eigenvalues() throws {
        for grid in grids {
            for sides in [GridSides.dirichlet, .neumann, mixed] {
                let a = PoissonOperator<Double>(grid, sides: sides, scale: 0.5, shift: 0.1)
                let values = try SymmetricEigen(a.sparse().dense()).values, range = a.eigenvalueRange
                #expect(abs(values.first! - range.lowerBound) < 1e-12 && abs(values.last! - range.upperBound) < 1e-12, "\(grid)")
            }
        }
        // Deep Conjugate Direction, check 9.
        let range = PoissonOperator<Double>(Grid(rows: 64, columns: 64)).eigenvalueRange
        #expect(abs(range.lowerBound - 0.0046711) < 1e-6 && abs(range.upperBound - 7.99533) < 1e-5)
    }

    @Test func fastSolver() throws {
        for grid in grids {
            let sides = GridSides(planes: .dirichlet, rows: .neumann, columns: .dirichlet)
            for sides in [GridSides.dirichlet, sides, .neumann] {
                let a = PoissonOperator<Double>(grid, sides: sides, scale: 2, shift: 0.3), b = normals(grid.count, 1)
                let x = try FastPoissonSolver(a).solve(b)
                #expect(trueResidual(a, x, b) < 1e-12 * norm(b), "\(grid)")
                #expect(distance(x, try Cholesky(a.sparse().dense()).solve(b)) < 1e-11 * norm(x))
            }
            // As a preconditioner of itself it takes one step.
            let a = PoissonOperator<Double>(grid), b = normals(grid.count, 2)
            #expect(ConjugateGradient<Double>().solve(a, b, preconditioner: FastPoissonSolver(a)).iterations == 1)
        }
        let singular = PoissonOperator<Double>(Grid(rows: 8, columns: 6), sides: .neumann), b = normals(48, 1)
        #expect(throws: LinearAlgebraError.singular(pivot: 0)) { try FastPoissonSolver(singular).solve(b) }
        let mean = b.reduce(0, +) / 48, balanced = b.map { $0 - mean }
        let x = try FastPoissonSolver(singular).solve(balanced)
        #expect(trueResidual(singular, x, balanced) < 1e-12 && abs(x.reduce(0, +)) < 1e-12)
        #expect(throws: LinearAlgebraError.nonFinite(row: 1, column: 0)) { try FastPoissonSolver(singular).solve([0, .nan] + b.dropFirst(2)) }
    }

    /// The number of cycles does not grow with the grid, in two and three dimensions, for sizes of every kind and all sides.
    @Test func multigridCounts() throws {
        let wide = [Grid(rows: 15, columns: 15), Grid(rows: 63, columns: 63), Grid(rows: 64, columns: 64), Grid(rows: 100, columns: 37),
                    Grid(rows: 255, columns: 255), Grid(rows: 256, columns: 256), Grid(planes: 15, rows: 15, columns: 15),
                    Grid(planes: 16, rows: 32, columns: 24), Grid(planes: 31, rows: 31, columns: 31)]
        for grid in wide {
            for sides in [GridSides.dirichlet, mixed] {
                let a = PoissonOperator<Double>(grid, sides: sides), b = normals(grid.count, 1)
                let solution = try Multigrid(startsFull: false, tolerance: .relativeToRightHandSide(1e-8)).solve(a, b, recordsResiduals: true)
                #expect(solution.status == .converged && solution.iterations <= (grid.dimension == 2 ? 13 : 17), "\(grid): \(solution.iterations)")
                #expect(trueResidual(a, solution.iterate, b) <= 1.0001e-8 * norm(b))
                let grids = try MultigridHierarchy(a)
                let cg = ConjugateGradient<Double>(tolerance: .relativeToRightHandSide(1e-8)).solve(a, b, preconditioner: grids)
                #expect(cg.status == .converged && cg.iterations <= (grid.dimension == 2 ? 10 : 13), "\(grid): \(cg.iterations)")
            }
        }
    }

    /// A cycle is a symmetric operator, and a large shift or a small one changes little.
    @Test func cycleIsSymmetric() throws {
        for grid in [Grid(rows: 30, columns: 17), Grid(planes: 9, rows: 8, columns: 12)] {
            for sweeps in [1, 2] {
                let cycle = try MultigridHierarchy(PoissonOperator<Double>(grid, sides: mixed, shift: 0.2), sweepsBefore: sweeps, sweepsAfter: sweeps)
                #expect(cycle.adjointDefect() < 1e-14)
            }
        }
        for shift in [1e-3, 0.1, 10] {
            let a = PoissonOperator<Double>(Grid(rows: 60, columns: 60), shift: shift), b = normals(3600, 3)
            #expect(try Multigrid().solve(a, b).iterations <= 12)
        }
    }

    /// Full multigrid alone is about as close to the continuous solution as the discrete one is.
    @Test func fullMultigrid() throws {
        let n = 127, h = 1 / Double(n + 1)
        let a = PoissonOperator<Double>(Grid(rows: n, columns: n))
        let u = (0..<n * n).map { Double.sin(.pi * h * Double($0 / n + 1)) * Double.sin(2 * .pi * h * Double($0 % n + 1)) }
        let b = u.map { $0 * 5 * .pi * .pi * h * h }
        let discrete = try FastPoissonSolver(a).solve(b)
        var x = [Double](repeating: 0, count: n * n), span = x.mutableSpan
        try MultigridHierarchy(a, isSymmetric: false).fullMultigrid(b.span, into: &span)
        x = span.indices.map { span[$0] }
        #expect(distance(x, u) < 3 * distance(discrete, u), "\(distance(x, u)), \(distance(discrete, u))")
    }

    @Test func multigridOnSingularAndBadData() throws {
        let a = PoissonOperator<Double>(Grid(rows: 40, columns: 33), sides: .neumann), b = normals(1320, 1)
        let mean = b.reduce(0, +) / 1320, balanced = b.map { $0 - mean }
        let solution = try Multigrid().solve(a, balanced)
        #expect(solution.status == .converged && trueResidual(a, solution.iterate, balanced) < 1e-7 * norm(b))
        #expect(try Multigrid().solve(a, b).status == .stagnated)
        #expect(try Multigrid().solve(a, [.nan] + b.dropFirst()).status == .nonFinite)
        #expect(try Multigrid(iterationLimit: 1).solve(a, balanced).status == .iterationLimit)
        #expect(throws: LinearAlgebraError.self) { try Multigrid().solve(PoissonOperator<Double>(Grid(rows: 8, columns: 8), shift: -5), normals(64, 1)) }
        let zero = try Multigrid().solve(a, [Double](repeating: 0, count: 1320))
        #expect(zero.status == .converged && zero.iterations == 0)
        let tiny = PoissonOperator<Double>(Grid(rows: 3, columns: 2)), direct = try Multigrid().solve(tiny, [1, 2, 3, 4, 5, 6])
        #expect(direct.status == .converged && direct.iterations <= 1)
        for scale in [1e-200, 1e200] {
            let scaled = balanced.map { $0 * scale }
            let solution = try Multigrid().solve(a, scaled)
            #expect(solution.status == .converged, "scale \(scale): \(solution.reason)")
        }
    }
}
