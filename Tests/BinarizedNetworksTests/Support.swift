import Autodiff
import BinarizedNetworks
import Kernels
import NeuralNetworks
import Randomness

func normal<Scalar: KernelScalar>(_ shape: [Int], seed: UInt64, deviation: Scalar = 1) -> Tensor<Scalar> {
    var random = RandomStream(seed: seed)
    return Tensor(shape: shape, elements: random.normal(count: shape.reduce(1, *), standardDeviation: deviation))
}

func integers(_ count: Int, below bound: Int, seed: UInt64) -> [Int] {
    var random = RandomStream(seed: seed, stream: 77)
    return (0..<count).map { _ in Int(random.nextUInt64() % UInt64(bound)) }
}

func configuration<Scalar: KernelScalar>(
    _: Scalar.Type = Scalar.self, size: Int = 32, heads: Int = 2, hidden: Int = 72, layers: Int = 2, length: Int = 12
) -> TransformerEncoder<Scalar>.Configuration {
    var configuration = TransformerEncoder<Scalar>.Configuration()
    (configuration.vocabularySize, configuration.size, configuration.layers, configuration.heads) = (23, size, layers, heads)
    (configuration.hidden, configuration.maximumLength, configuration.dropout) = (hidden, length, 0)
    return configuration
}

/// Initial parameters, and noise of this deviation on all of them, biases and norms included.
func parameters<Body: Module>(_ network: Network<Body>, seed: UInt64, noise: Body.Scalar) -> [Body.Scalar] {
    let start = network.initialParameters(seed: seed)
    let added: Tensor<Body.Scalar> = normal([start.count], seed: seed + 1000, deviation: noise)
    return zip(start, added.elements).map { $0 + $1 }
}

func tokens(_ count: Int, _ length: Int, seed: UInt64, isPresent: [[Bool]]? = nil) -> TokenBatch {
    let all = integers(count * length, below: 23, seed: seed)
    return TokenBatch((0..<count).map { Array(all[$0 * length..<($0 + 1) * length]) }, isPresent: isPresent)
}

/// The largest difference of two tensors of one shape, against the largest element.
func difference<Scalar: KernelScalar>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Double {
    guard a.shape == b.shape else { return .infinity }
    let scale = max(1, a.elements.map { abs(Double($0)) }.max() ?? 0)
    return zip(a.elements, b.elements).map { abs(Double($0) - Double($1)) }.max().map { $0 / scale } ?? 0
}
