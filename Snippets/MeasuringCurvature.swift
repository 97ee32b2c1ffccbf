// The curvature of a network's loss: diagonal, trace, spectrum, sharpness, and how sharp it is along an optimiser's own step.
import Descent

let digits = try Dataset<Float>.digits()
let network = Network(MLP<Float>([64, 32, 10]))
let images = Tensor(digits.features.map { $0 / 16 }), labels = digits.labels!
let loss = TensorObjective<Float>(dimension: network.parameterCount) { crossEntropy(network(images, $0), labels: labels) }
let parameters = network.initialParameters(seed: 1)

// Computed and linearised once; every product after that costs about one and a half gradients.
let hessian = HessianOperator(of: loss, at: parameters)

let diagonal = try HutchinsonDiagonal<Float>(probes: 8).estimate(hessian)
print("diagonal from 8 products:", diagonal.values.suffix(3), "±", diagonal.standardErrors!.suffix(3))
let plain = try HutchinsonTrace<Float>(probes: 30).estimate(hessian), better = try XTrace<Float>(products: 30).estimate(hessian)
print("trace from 30 products:", plain.value, "±", plain.standardError!, "or", better.value, "±", better.standardError!)

let ends = Lanczos<Float>(largest: 2, smallest: 1).solve(hessian)
print(ends.status, "after", ends.products, "products:", ends.largest.map(\.value), ends.smallest.map(\.value))
let density = try StochasticLanczosQuadrature<Float>(probes: 2, steps: 30).estimate(hessian)
print("share of eigenvalues above a tenth of the largest:", 1 - density.cumulative(at: Double(ends.largest[0].value) / 10))

// Two steps from the same gradient.
let slope = gradient(of: { crossEntropy(network(images, $0), labels: labels) })(Tensor(parameters)).elements
for (name, step) in [("gradient", slope.map { -$0 }), ("signs", slope.map { $0 > 0 ? -1 : 1 })] {
    let along = try DirectionalSharpness(of: hessian, gradient: slope, along: step)
    print(name, "sharpness", along.value, "correlation", along.gradientCorrelation, "best decrease", along.bestDecrease ?? .infinity)
}
