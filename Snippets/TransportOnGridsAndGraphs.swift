// Transport on a grid, such as between two images, and between pairs of a graph.
import Descent
import Foundation

// Two bumps on 64×64 pixels. The 4096² costs are never formed.
let n = 64
func bump(_ row: Double, _ column: Double) -> [Double] {
    let values = (0..<n * n).map { k in
        let (x, y) = (Double(k / n) / Double(n) - row, Double(k % n) / Double(n) - column)
        return exp(-50 * (x * x + y * y)) + 1e-4
    }
    let sum = values.reduce(0, +)
    return values.map { $0 / sum }
}
let axis = GridAxis<Double>(count: n, spacing: 1 / Double(n))
let images = try TransportProblem(Geometry(grid: [axis, axis]), from: bump(0.3, 0.3), to: bump(0.7, 0.6))
let solution = try Sinkhorn<Double>(epsilon: 0.01).solve(images).get()
print(solution.status, solution.iterations, solution.transportCost)

// Three sources and three targets of which some are pairs: no mass goes between the others.
let costs = try SparseMatrix<Double>(rows: 3, columns: 3, triplets: [
    .init(row: 0, column: 0, value: 1), .init(row: 0, column: 1, value: 2), .init(row: 1, column: 1, value: 1),
    .init(row: 2, column: 1, value: 3), .init(row: 2, column: 2, value: 0),
])
let graph = try TransportProblem(Geometry(sparseCost: costs), from: [0.5, 0.3, 0.2], to: [0.4, 0.5, 0.1])
let exact = try ExactTransport().solve(graph).get()
print("cost", exact.transportCost, "entropic", try Sinkhorn<Double>(epsilon: 0.01).solve(graph).get().transportCost)

// Targets that the pairs cannot fill are reported.
let unfit = try TransportProblem(Geometry(sparseCost: costs), from: [0.2, 0.6, 0.2], to: [0.4, 0.5, 0.1])
print(try Sinkhorn<Double>(epsilon: 0.01).solve(unfit).reason)
