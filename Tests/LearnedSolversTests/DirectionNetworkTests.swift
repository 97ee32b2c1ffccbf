import Autodiff
import Foundation
import Kernels
import LearnedSolvers
import LinearAlgebra
import LinearSolvers
import NeuralNetworks
import Randomness
import Testing

@Suite struct DirectionNetworkTests {
    /// Check 8.
    @Test func parameterCounts() {
        #expect(Network(DirectionNetwork<Float>(dimensions: 3)).parameterCount == 97_457)
        #expect(Network(DirectionNetwork<Float>(dimensions: 3, depth: .deep)).parameterCount == 152_881)
        #expect(Network(DirectionNetwork<Float>(dimensions: 2)).parameterCount == 32_657)
        #expect(Network(DirectionNetwork<Float>(dimensions: 2, depth: .deep)).parameterCount == 51_217)
    }

    /// The layers written out with other operations.
    @Test(arguments: DirectionNetwork<Double>.Depth.allCases) func layers(_ depth: DirectionNetwork<Double>.Depth) {
        let network = Network(DirectionNetwork<Double>(dimensions: 2, depth: depth, filters: 3))
        var parameters = network.initialParameters(seed: 1)
        // Biases too must be seen.
        let more = normal(parameters.count, seed: 2)
        for i in parameters.indices { parameters[i] += 0.05 * more[i] }
        let named = Dictionary(uniqueKeysWithValues: network.tree(parameters).map { ($0.name, $0.tensor) })
        func linear(_ x: Tensor<Double>, _ name: String) -> Tensor<Double> {
            conv2D(x, named[name + ".weight"]!, padding: .same) + named[name + ".bias"]!
        }
        func conv(_ x: Tensor<Double>, _ name: String) -> Tensor<Double> { linear(x, name).relu() }
        let x = Tensor<Double>(shape: [2, 6, 8, 1], elements: normal(96, seed: 3))
        let f = linear(x, "first")
        var la = conv(f, "fine0")
        var lb = conv(la, "fine1")
        la = conv(lb, "fine2") + la
        lb = conv(la, "fine3")
        if depth == .deep {
            la = conv(lb, "fine4") + la
            lb = conv(la, "fine5")
        }
        var a = averagePool2D(lb, window: (2, 2))
        for i in 0..<(depth == .deep ? 5 : 3) { a = conv(conv(a, "coarse\(2 * i)"), "coarse\(2 * i + 1)") + a }
        let up = Tensor<Double>(shape: [2, 6, 8, 3], elements: (0..<288).map {
            let (image, row, column, c) = ($0 / 144, $0 / 24 % 6, $0 / 3 % 8, $0 % 3)
            return a[image, row / 2, column / 2, c]
        })
        var u = up + lb
        for i in 0..<(depth == .deep ? 3 : 2) { u = conv(conv(u, "last\(2 * i)"), "last\(2 * i + 1)") + u }
        let expected = affine(u, named["direction.weight"]!, named["direction.bias"]!)
        let output = network(x, Tensor(parameters))
        let worst = zip(output.elements, expected.elements).map { abs($0 - $1) }.max()!
        #expect(output.shape == [2, 6, 8, 1] && worst < 1e-12 * norm(expected.elements))
    }

    /// The whole gradient of the loss through the network in three dimensions, against central differences along random directions.
    @Test func gradientOfTheNetwork() {
        let network = Network(DirectionNetwork<Double>(dimensions: 3, filters: 4)), grid = Grid(planes: 4, rows: 2, columns: 6)
        let a = PoissonOperator<Double>(grid), loss = DirectionLoss(a)
        let parameters = network.initialParameters(seed: 4)
        let r = Tensor<Double>(shape: [2] + grid.sizes + [1], elements: normal(96, seed: 5))
        let slope = gradient(of: { loss(network(r, $0), r) })(Tensor(parameters))
        for seed in 6..<9 as Range<UInt64> {
            let direction = normal(parameters.count, seed: seed), h = 1e-6
            func moved(_ t: Double) -> Double { loss(network(r, Tensor(zip(parameters, direction).map { $0 + t * $1 })), r).scalar }
            let central = (moved(h) - moved(-h)) / (2 * h), analytic = Double.dot(slope.span, direction.span)
            #expect(abs(central - analytic) < 1e-6 * max(abs(analytic), norm(slope.elements)))
        }
    }

    /// A short training lowers the loss, is the same for the same seed, and goes on from a checkpoint to the same bits.
    @Test func training() throws {
        let grid = Grid(rows: 8, columns: 8), a = PoissonOperator<Double>(grid)
        let training = DirectionTraining(grid: grid, filters: 4, ritzVectors: 60, residuals: 40, validationResiduals: 10, epochs: 4, seed: 3)
        let data = try training.data(a), trainer = training.trainer(a)
        #expect(data.training.count == 40 && data.validation.count == 10)
        var whole = trainer.makeState()
        let before = trainer.evaluate(whole, on: data.validation).loss
        try trainer.train(&whole, on: data.training, validation: data.validation, epochs: 4)
        #expect(whole.best!.record.validation!.loss < before)
        let model = try training.run(on: a)
        #expect(model.parameters == whole.best!.parameters)

        let path = NSTemporaryDirectory() + "direction-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var half = trainer.makeState()
        try trainer.train(&half, on: data.training, validation: data.validation, epochs: 2)
        try half.write(to: path, of: trainer.network)
        var rest = try DirectionTraining.Training.State(path: path, of: trainer.network)
        try trainer.train(&rest, on: data.training, validation: data.validation, epochs: 4)
        #expect(rest.parameters == whole.parameters && rest.best!.parameters == whole.best!.parameters)
    }

    @Test func weightsAreReadBack() throws {
        let grid = Grid(planes: 2, rows: 4, columns: 2), network = Network(DirectionNetwork<Float>(dimensions: 3, depth: .deep, filters: 2))
        let model = NetworkDirection(network, parameters: network.initialParameters(seed: 5), grid: grid)
        let path = NSTemporaryDirectory() + "direction-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try model.write(to: path, notes: ["made-by": "a test"])
        let read = try NetworkDirection(path: path, grid: grid), r = normal(16, seed: 6)
        #expect(read.parameters == model.parameters && read.direction(for: r.span) == model.direction(for: r.span))
        #expect(throws: CheckpointError.self) { try NetworkDirection(path: path, grid: Grid(rows: 4, columns: 4)) }
        #expect(throws: CheckpointError.self) { try NetworkDirection(path: path + ".none", grid: grid) }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in [0, 7, 100, bytes.count - 1] {
            try bytes.prefix(count).write(to: URL(fileURLWithPath: path))
            #expect(throws: CheckpointError.self) { try NetworkDirection(path: path, grid: grid) }
        }
    }

    /// The weights that come with the package: few iterations where conjugate gradients need many, and on a larger grid too.
    @Test func storedWeights() throws {
        for (size, most) in [(64, 25), (128, 60)] {
            let a = laplacian(size, size), b = normal(size * size, seed: 7)
            let model = try NetworkDirection.poisson(Grid(rows: size, columns: size))
            let ours = DeepConjugateDirection(model: model).solve(a, b)
            let gradients = ConjugateGradient<Double>(tolerance: .relativeToInitialResidual(1e-4)).solve(a, b)
            #expect(ours.status == .converged && ours.iterations <= most && gradients.iterations > 100)
        }
    }

    /// A network of single precision does not limit the accuracy.
    @Test func smallTolerancesAreReached() throws {
        let a = laplacian(64, 64), b = normal(4096, seed: 8)
        let model = try NetworkDirection.poisson(Grid(rows: 64, columns: 64))
        let solution = DeepConjugateDirection(model: model, tolerance: .relativeToInitialResidual(1e-9)).solve(a, b)
        #expect(solution.status == .converged && norm(difference(b, a.apply(solution.iterate))) <= 1e-9 * norm(b))
    }
}
