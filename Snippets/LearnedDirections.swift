// A Poisson problem along directions of a small network that comes trained, and by conjugate gradients.
import Descent

let grid = Grid(rows: 128, columns: 128)
let laplacian = PoissonOperator<Double>(grid)
var random = RandomStream(seed: 1)
let b: [Double] = random.normal(count: grid.count)

let model = try NetworkDirection.poisson(grid)
let learned = DeepConjugateDirection(model: model).solve(laplacian, b)
let gradients = ConjugateGradient<Double>(tolerance: .relativeToInitialResidual(1e-4)).solve(laplacian, b)
print(learned.status, learned.iterations, "iterations along learned directions,", gradients.iterations, "of conjugate gradients")
