// Entropic transport between two clouds of points, and how far apart they are without the bias of ε.
import Descent

var random = RandomStream(seed: 1)
let source = Matrix<Double>(rows: 200, columns: 2, elements: random.normal(count: 400))
let target = Matrix<Double>(rows: 300, columns: 2, elements: random.normal(count: 600).map { 0.5 * $0 + 1 })

let geometry = try Geometry(from: source, to: target)
let problem = try TransportProblem(geometry)
let solver = Sinkhorn(epsilon: 0.05 * geometry.meanCost())
let solution = try solver.solve(problem).get()
print(solution.status, solution.iterations, solution.marginalError, solution.transportCost)

// Where the mass of each source point goes, without the plan.
let image = solution.barycentricMap(of: target)
print("first point", source[0, 0], source[0, 1], "to", image[0, 0], image[0, 1])

let divergence = try SinkhornDivergence(solver).solve(problem)
print("divergence", divergence.value, "gradient", divergence.pointGradients().source[0, 0])
