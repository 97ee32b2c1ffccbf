import Kernels
import LinearAlgebra
import LinearSolvers

/// The pressure equation of an incompressible fluid on a grid: the (negative) Laplacian of five or seven points over the cells that are
/// fluid, with open sides (pressure 0 beyond) and closed ones (no flow).
///
///     (A p)[i] = Σ over neighbours j that are not solid (p[i] − p[j]),   p = 0 beyond an open side; rows of solid cells are 0.
///
/// Without solid cells this is `PoissonOperator` of `LinearSolvers`, as a matrix. The spacing of the grid is 1: A is h² times the Laplacian. Solid cells and fluid without an open side make A singular, for which
/// there is ``projection``.
public struct PressureProblem: Sendable {
    public let grid: Grid
    /// Dirichlet sides are open, Neumann sides closed.
    public let sides: GridSides
    /// Which cells are left out.
    public let isSolid: [Bool]
    public let matrix: SparseMatrix<Double>
    /// The orthogonal projector off the null space: 0 in solid cells, and mean 0 over each part of the fluid that touches no open side.
    /// `nil` where A is not singular.
    public let projection: ClosureOperator<Double>?

    /// - Parameters:
    ///   - sides: Default: all are open.
    ///   - isSolid: whether the cell of these indices, in the order of `Grid.sizes`, is left out. Default: none is.
    public init(_ grid: Grid, sides: GridSides = .dirichlet, isSolid: ([Int]) -> Bool = { _ in false }) {
        let sizes = grid.sizes, axes = sizes.indices, n = grid.count
        let ends = (sizes.count == 3 ? [sides.planes] : []) + [sides.rows, sides.columns]
        let strides = axes.map { sizes[($0 + 1)...].reduce(1, *) }
        func indices(_ cell: Int) -> [Int] { axes.map { cell / strides[$0] % sizes[$0] } }
        let solid = (0..<n).map { isSolid(indices($0)) }
        var triplets: [SparseMatrix<Double>.Triplet] = [], touchesOpen = [Bool](repeating: false, count: n)
        var neighbours = [[Int]](repeating: [], count: n)
        for cell in 0..<n where !solid[cell] {
            let place = indices(cell)
            var diagonal = 0.0
            for axis in axes {
                for isEnd in [false, true] {
                    if place[axis] == (isEnd ? sizes[axis] - 1 : 0) {
                        guard (isEnd ? ends[axis].high : ends[axis].low) == .dirichlet else { continue }
                        diagonal += 1
                        touchesOpen[cell] = true
                        continue
                    }
                    let other = isEnd ? cell + strides[axis] : cell - strides[axis]
                    guard !solid[other] else { continue }
                    diagonal += 1
                    neighbours[cell].append(other)
                    triplets.append(.init(row: cell, column: other, value: -1))
                }
            }
            triplets.append(.init(row: cell, column: cell, value: diagonal))
        }
        guard let matrix = try? SparseMatrix(rows: n, columns: n, triplets: triplets) else { fatalError("indices lie within the grid") }

        // Parts of the fluid, and which have no open side.
        var part = [Int](repeating: -1, count: n), parts: [[Int]] = []
        for seed in 0..<n where !solid[seed] && part[seed] < 0 {
            var cells = [seed], next = 0
            part[seed] = parts.count
            while next < cells.count {
                for other in neighbours[cells[next]] where part[other] < 0 {
                    part[other] = parts.count
                    cells.append(other)
                }
                next += 1
            }
            parts.append(cells)
        }
        let floating = parts.filter { cells in !cells.contains { touchesOpen[$0] } }
        (self.grid, self.sides, self.isSolid, self.matrix) = (grid, sides, solid, matrix)
        guard !floating.isEmpty || solid.contains(true) else {
            projection = nil
            return
        }
        let map: ClosureOperator<Double>.Map = { x, y in
            for i in solid.indices { y[i] = solid[i] ? 0 : x[i] }
            for cells in floating {
                var mean = 0.0
                for i in cells { mean += x[i] }
                mean /= Double(cells.count)
                for i in cells { y[i] -= mean }
            }
        }
        projection = ClosureOperator(rows: n, columns: n, apply: map, applyAdjoint: map)
    }
}
