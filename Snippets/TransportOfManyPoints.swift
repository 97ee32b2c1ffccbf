// Many points: entropic transport on the pairs that matter, and a plan of low rank.
import Descent

var random = RandomStream(seed: 1)
let source = Matrix<Double>(rows: 1000, columns: 2, elements: random.uniform(count: 2000))
let target = Matrix<Double>(rows: 1000, columns: 2, elements: random.uniform(count: 2000).map { $0 * $0 })
let problem = try TransportProblem(Geometry(from: source, to: target))

let fine = try MultiscaleSinkhorn(epsilon: 0.003).solve(problem)
print(fine.transport.status, "cost", fine.transport.transportCost, "skipped", fine.skippedShare, "with a mass of at most", fine.omittedMass)

let coarse = LowRankSinkhorn<Double>(rank: 10).solve(problem)
print(coarse.status, "cost", coarse.transportCost, "marginal error", coarse.marginalError)
if let plan = coarse.plan as? LowRankPlan<Double> { print("what passes through each place", plan.places) }
