// Exact and sparse transport: a plan, its proof, and one with at most four sources for each target.
import Descent

var random = RandomStream(seed: 1)
let source = Matrix<Double>(rows: 60, columns: 2, elements: random.normal(count: 120))
let target = Matrix<Double>(rows: 40, columns: 2, elements: random.normal(count: 80).map { 0.5 * $0 + 1 })
let problem = try TransportProblem(Geometry(from: source, to: target))

let exact = try ExactTransport().solve(problem).get()
print(exact.reason, "cost", exact.transportCost, "gap", exact.dualityGap)

let sparse = SmoothTransport(.sparsityConstrained(atMost: 4), gamma: 100).solve(problem)
print(sparse.status, sparse.reason)
print("cost", sparse.transportCost, "entries", sparse.plan.sparse(above: 0).values.count)
