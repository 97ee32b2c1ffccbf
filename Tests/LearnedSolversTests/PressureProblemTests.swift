import LearnedSolvers
import LinearAlgebra
import LinearSolvers
import Testing

@Suite struct PressureProblemTests {
    /// Without solid cells: the operator of LinearSolvers, for any mixture of sides.
    @Test func agreesWithTheStencil() {
        let mixed = GridSides(planes: .init(low: .neumann, high: .dirichlet), rows: .neumann, columns: .init(low: .dirichlet, high: .neumann))
        for grid in [Grid(rows: 5, columns: 7), Grid(rows: 1, columns: 3), Grid(planes: 3, rows: 4, columns: 2)] {
            for sides in [GridSides.dirichlet, .neumann, mixed] {
                let problem = PressureProblem(grid, sides: sides), stencil = PoissonOperator<Double>(grid, sides: sides)
                #expect(problem.matrix.dense() == stencil.dense(), "\(grid) \(sides)")
                #expect((problem.projection == nil) == (sides != .neumann))
            }
        }
    }

    /// Solid cells have zero rows, and what the projector removes is the null space.
    @Test func solidCellsAreLeftOut() throws {
        let grid = Grid(rows: 6, columns: 9)
        // A closed wall parts the grid; the left part has no open side.
        let sides = GridSides(rows: .neumann, columns: .init(low: .neumann, high: .dirichlet))
        let problem = PressureProblem(grid, sides: sides) { $0[1] == 3 || $0 == [2, 6] }
        let dense = problem.matrix.dense(), projection = try #require(problem.projection).dense()
        #expect(dense == dense.transposed())
        let product = (dense * projection).elements, close = zip(product, dense.elements).allSatisfy { abs($0 - $1) < 1e-14 }
        #expect(close)
        let twice = (projection * projection).elements, idempotent = zip(twice, projection.elements).allSatisfy { abs($0 - $1) < 1e-14 }
        #expect(idempotent)
        let rank = try SymmetricEigen(dense).values.count { $0 > 1e-9 }
        let trace = (0..<grid.count).reduce(0) { $0 + projection[$1, $1] }
        #expect(rank == 54 - 7 - 1 && abs(trace - Double(rank)) < 1e-9)
    }
}
