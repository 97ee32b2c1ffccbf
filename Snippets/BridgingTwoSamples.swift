// A Schrödinger bridge from a normal sample to a swiss roll: ends, map and paths.
import Descent

let roll = Synthetic.swissRoll(count: 2000, noise: 0.8, seed: 1) as Dataset<Double>
let target = Matrix<Double>(rows: 2000, columns: 2) { roll.features[$0, 2 * $1] / 7.5 }
var random = RandomStream(seed: 1)
let source = Matrix<Double>(rows: 2000, columns: 2, elements: random.normal(count: 4000))

let problem = SchrodingerBridgeProblem(source: source, target: target, noise: 0.1)
let solution = LightSB<Double>(components: 50, learningRate: 1e-3, steps: 200).solve(problem)
print(solution.reason, "loss", solution.loss)

let bridge = solution.bridge
let start = source.submatrix(rows: 0..<3, columns: 0..<2)
let ends = bridge.samplePlan(from: start, random: &random)  // one end for each start
let path = bridge.simulate(from: start, steps: 50, random: &random)  // dX = g dt + √ε dW
print("mean end", bridge.barycentricProjection(of: start).elements)
print("drawn", ends.elements, "by a path", path[50].elements)
