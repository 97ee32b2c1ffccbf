// A Poisson problem by four solvers: one interface, and the count of iterations tells them apart.
import Descent

let a = PoissonOperator<Double>(Grid(rows: 127, columns: 127))
var random = RandomStream(seed: 1)
let b: [Double] = random.normal(count: a.rows)

let cg = ConjugateGradient<Double>().solve(a, b)
let ssor = SSORConjugateGradient<Double>(relaxation: 1.9).solve(a, b)
let multigrid = try Multigrid<Double>().solve(a, b)
let preconditioned = ConjugateGradient<Double>().solve(a, b, preconditioner: try MultigridHierarchy(a))
for (name, solution) in [("cg", cg), ("SSOR-cg", ssor), ("multigrid", multigrid), ("multigrid-cg", preconditioned)] {
    print(name, solution.status, solution.iterations, solution.residualNorm)
}

// With constant coefficients on a rectangle, two sine transforms do it.
let x = try FastPoissonSolver(a).solve(b)
print("first value", x[0], try cg.get()[0])
