// A matrix from a tenth of its entries, and one from measurements of which a tenth is grossly wrong.
import Descent

let model = LowRankModel<Double>(rows: 600, columns: 400, rank: 4, condition: 5)
let problem = try MatrixCompletion(rows: 600, columns: 400, observations: model.observations(probability: 0.1))
let completed = try AlternatingMinimization<Double>(rank: 4).solve(problem)
let factors = LowRankFactors(rows: 600, columns: 400, rank: 4, parameters: completed.iterate)
print(completed.status, completed.reason, "error", model.relativeError(of: factors))
print(completed.work)

// The search rank is twice the true one: the sub-gradient method does not mind.
let target = Matrix<Double>.diagonal([1, 0.5, 0, 0, 0, 0, 0, 0])
let gaussian = GaussianMeasurements<Double>(rows: 8, columns: 8, count: 400, deviation: 1)
var measured = gaussian.apply(target)
for i in stride(from: 0, to: 400, by: 10) { measured[i] += 1000 }
let sensing = try MatrixSensing(gaussian, measurements: measured)
let robust = SubgradientMethod<Double>(steps: .normalized(scale: 1e-3))
    .solve(sensing, from: try sensing.signSpectralStart(rank: 4, scale: 1e-3))
let factor = Matrix(rows: 8, columns: 4, elements: try robust.get())
print(robust.iterations, "steps, error", (multiply(factor, factor, transposeB: true) - target).frobeniusNorm)
