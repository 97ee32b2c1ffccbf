// One optimiser three ways: stepped by hand with a state that can be saved, composed of transformations, and as a solver.
import Descent
import Foundation

// By hand, as in a training loop: least squares of y = 2 x + 1.
let xs: [Float] = [0, 1, 2, 3], ys: [Float] = [1, 3, 5, 7]
func gradient(_ w: [Float]) -> [Float] {
    var g: [Float] = [0, 0]
    for (x, y) in zip(xs, ys) {
        let error = w[0] * x + w[1] - y
        g[0] += error * x / 4
        g[1] += error / 4
    }
    return g
}
let adam = AdamW<Float>(learningRate: .warmup(to: 0.1, steps: 10).then(.cosine(from: 0.1, steps: 490), after: 10), weightDecay: 0)
var weights: [Float] = [0, 0], state = adam.initialState(like: weights)
for _ in 0..<250 { adam.step(&weights, gradient: gradient(weights), state: &state) }
let saved = try JSONEncoder().encode(state)
state = try JSONDecoder().decode(MomentState<Float>.self, from: saved)
for _ in 0..<250 { adam.step(&weights, gradient: gradient(weights), state: &state) }
print("by hand", weights)

// Composed: clip, direction, decay, step.
let composed = TransformationOptimizer(chain(Float.self) {
    ClipByGlobalNorm(10)
    ScaleByAdam()
    AddDecayedWeights(0.001)
    ScaleByLearningRate(.cosine(from: 0.1, steps: 500))
})
var others: [Float] = [0, 0], otherState = composed.initialState(like: others)
for _ in 0..<500 { composed.step(&others, gradient: gradient(others), state: &otherState) }
print("composed", others)

// Deterministic problems have better methods.
let rosenbrock = TestProblems.Rosenbrock<Double>(dimension: 10)
let start = [Double](repeating: -1, count: 10)
for (name, solution) in [
    ("L-BFGS", LBFGS().solve(rosenbrock, from: start)), ("trust region", TrustRegion().solve(rosenbrock, from: start)),
    ("Adam", Adam(learningRate: 0.01).solve(rosenbrock, from: start, stopping: .iterations(1000))),
] {
    print(name, solution.status, solution.value, solution.evaluations.total, "evaluations")
}
