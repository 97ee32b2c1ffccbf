import Autodiff
import Datasets
import Foundation
import Kernels
import LinearSolvers
import NeuralNetworks

/// A ``DirectionNetwork`` with its weights, as directions on grids of one size.
///
/// The network computes in `Float`, whatever the solver computes in. The same weights serve any even size: ``on(grid:)``.
public struct NetworkDirection: DirectionModel {
    public let network: Network<DirectionNetwork<Float>>
    public let parameters: [Float]
    public let grid: Grid

    /// - Precondition: a grid of the network's dimension with even sizes; as many parameters as it has.
    public init(_ network: Network<DirectionNetwork<Float>>, parameters: [Float], grid: Grid) {
        require(parameters.count == network.parameterCount, "\(parameters.count) parameters; the network has \(network.parameterCount)")
        require(grid.dimension == network.body.dimensions && grid.sizes.allSatisfy { $0 % 2 == 0 },
                "a grid of \(grid) for a network of \(network.body.dimensions) dimensions; expected as many, of even sizes")
        (self.network, self.parameters, self.grid) = (network, parameters, grid)
    }

    /// The same weights on grids of another size.
    public func on(grid: Grid) -> NetworkDirection { NetworkDirection(network, parameters: parameters, grid: grid) }

    public func direction(for residual: Span<Double>) -> [Double] {
        require(residual.count == grid.count, "residual of \(residual.count) elements on a grid of \(grid); expected \(grid.count)")
        let input = Tensor<Float>(shape: [1] + grid.sizes + [1], elements: residual.indices.map { Float(residual[$0]) })
        return network(input, Tensor(parameters)).elements.map(Double.init)
    }

    // MARK: Files

    /// Writes the weights as safetensors, arrays by the names of the network's parameters.
    ///
    /// - Parameter notes: more metadata, such as what the weights were made with.
    /// - Throws: `CheckpointError` if the file cannot be written.
    public func write(to path: String, notes: [String: String] = [:]) throws(CheckpointError) {
        var arrays: [String: NumericArray] = [:]
        for block in network.layout.blocks { arrays[block.name] = NumericArray(Array(parameters[block.range]), shape: block.shape) }
        var metadata = notes
        metadata["descent.direction-network"] = network.body.depth.rawValue
        do {
            try Data(Safetensors.write(arrays, metadata: metadata)).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CheckpointError("cannot write the weights \(path): \(error)")
        }
    }

    /// Reads weights that ``write(to:notes:)`` wrote, for this grid.
    ///
    /// - Throws: `CheckpointError` that says what is wrong: a file that is missing, truncated or of another kind, a network of another
    ///   dimension than the grid, and parameters that are missing, too many, of another shape, or not finite.
    public init(path: String, grid: Grid) throws(CheckpointError) {
        let file: (arrays: [String: NumericArray], metadata: [String: String])
        do { file = try Safetensors.read(path: path) } catch { throw CheckpointError("cannot read the weights \(path): \(error)") }
        guard let name = file.metadata["descent.direction-network"], let depth = DirectionNetwork<Float>.Depth(rawValue: name) else {
            throw CheckpointError("\(path) holds no weights of a direction network")
        }
        guard let first = file.arrays["first.weight"], first.shape.count >= 2, let filters = first.shape.last, filters > 0,
              first.shape.count == grid.dimension + 2
        else { throw CheckpointError("\(path) holds no weights for a grid of \(grid.dimension) dimensions") }
        let network = Network(DirectionNetwork<Float>(dimensions: grid.dimension, depth: depth, filters: filters))
        guard file.arrays.count == network.layout.blocks.count else {
            throw CheckpointError("\(path) has \(file.arrays.count) parameters; the network has \(network.layout.blocks.count)")
        }
        var parameters: [Float] = []
        for block in network.layout.blocks {
            guard let array = file.arrays[block.name], array.shape == block.shape else {
                throw CheckpointError("\(path) has no parameter '\(block.name)' of shape \(block.shape)")
            }
            parameters += array.values() as [Float]
        }
        guard Float.maxAbs(parameters.span).isFinite else { throw CheckpointError("\(path) has a weight that is not finite") }
        self.init(network, parameters: parameters, grid: grid)
    }

    /// Weights that come with the package, trained for the five-point Laplacian of a 64 × 64 grid with zeros around it (32 657 numbers).
    ///
    /// Made by `descent direction train`; the file's metadata and `Weights/README.md` have the command and the seed. They serve
    /// larger grids of even sizes too, with somewhat more iterations.
    ///
    /// - Throws: `CheckpointError` if the package's resource cannot be read.
    public static func poisson(_ grid: Grid) throws(CheckpointError) -> NetworkDirection {
        guard let path = Bundle.module.path(forResource: "Weights/poisson-64x64", ofType: "safetensors") else {
            throw CheckpointError("the package's weights 'poisson-64x64' are missing")
        }
        return try NetworkDirection(path: path, grid: grid)
    }
}
