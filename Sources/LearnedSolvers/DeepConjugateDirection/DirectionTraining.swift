import Autodiff
import Kernels
import LinearAlgebra
import LinearSolvers
import NeuralNetworks
import Optimizers
import Randomness

/// How the weights of a ``DirectionNetwork`` are made for one system matrix, without solutions: unit residuals are mixed from Ritz
/// vectors (``RitzVectors/mixtures(count:shift:using:)``), and ``DirectionLoss`` is minimised by Adam.
///
/// ```swift
/// let training = DirectionTraining(grid: Grid(rows: 64, columns: 64), seed: 1)
/// let model = try training.run(on: laplacian)
/// ```
///
/// The defaults are a form of the paper's for a 64 × 64 grid that ends within minutes. The paper took 10 000 Ritz vectors of a 64³ or
/// 128³ grid with a shift of 500, 20 000 residuals, and a step of 10⁻⁴ for up to 1000 epochs. Residuals that judge are split off first;
/// the paper's released program judged by residuals that it trained on.
///
/// Source: Kaneda et al. 2023, arXiv 2205.10763, §5.
public struct DirectionTraining: Sendable {
    public let grid: Grid
    public let depth: DirectionNetwork<Float>.Depth
    public let filters: Int
    public let ritzVectors: Int, shift: Int
    public let residuals: Int, validationResiduals: Int
    public let batchSize: Int, epochs: Int
    public let learningRate: Schedule
    public let seed: UInt64

    /// - Parameters:
    ///   - grid: of even sizes.
    ///   - ritzVectors: the dimension of the Krylov space.
    ///   - shift: Θ, how many more than half of the Ritz vectors weigh 9; a twentieth of them if `nil`, as in the paper.
    ///   - residuals: how many are trained on.
    ///   - validationResiduals: how many judge each epoch. The weights of the best epoch are kept.
    ///   - epochs: passes over the residuals.
    ///   - learningRate: of Adam, by step; 10⁻³ for the first three quarters, then 10⁻⁴, if `nil`.
    ///   - seed: of the Krylov space, the residuals, the first weights and the order.
    public init(
        grid: Grid, depth: DirectionNetwork<Float>.Depth = .shallow, filters: Int = 16, ritzVectors: Int = 1000, shift: Int? = nil,
        residuals: Int = 2000, validationResiduals: Int = 200, batchSize: Int = 10, epochs: Int = 8, learningRate: Schedule? = nil,
        seed: UInt64 = 0
    ) {
        require(residuals >= 1 && validationResiduals >= 1, "\(residuals) and \(validationResiduals) residuals; expected at least 1 each")
        require(epochs >= 1 && batchSize >= 1, "\(epochs) epochs in batches of \(batchSize); expected at least 1")
        (self.grid, self.depth, self.filters) = (grid, depth, filters)
        (self.ritzVectors, self.shift) = (ritzVectors, shift ?? ritzVectors / 20)
        (self.residuals, self.validationResiduals) = (residuals, validationResiduals)
        (self.batchSize, self.epochs, self.seed) = (batchSize, epochs, seed)
        let steps = (residuals + batchSize - 1) / batchSize * epochs
        self.learningRate = learningRate ?? .constant(1e-3).then(1e-4, after: steps * 3 / 4)
    }

    public typealias Training = Trainer<DirectionNetwork<Float>, Adam<Float>, Tensor<Float>>

    /// The residuals to train on and those to judge by.
    ///
    /// - Throws: `LinearAlgebraError` if a product is not finite.
    public func data(
        _ system: any LinearOperator<Double>
    ) throws(LinearAlgebraError) -> (training: PairedTensors<Float>, validation: PairedTensors<Float>) {
        let n = grid.count
        require(system.rows == n && system.columns == n, "a \(system.rows)×\(system.columns) operator on a grid of \(grid); expected \(n) unknowns")
        var random = RandomStream(seed: seed, stream: 11)
        // A·g lies in the range, so that a singular system brings no null vectors in.
        let start = system.apply(random.normal(count: n) as [Double])
        let ritz = try RitzVectors(system, start: start, count: ritzVectors)
        let mixtures = ritz.mixtures(count: residuals + validationResiduals, shift: shift, using: &random)
        func part(_ rows: Range<Int>) -> PairedTensors<Float> {
            let elements = mixtures.elements[rows.lowerBound * n..<rows.upperBound * n].map { Float($0) }
            let tensor = Tensor(shape: [rows.count] + grid.sizes + [1], elements: elements)
            return PairedTensors(tensor, targets: tensor)
        }
        return (part(0..<residuals), part(residuals..<residuals + validationResiduals))
    }

    /// The training itself, for use step by step with checkpoints.
    public func trainer(_ system: any LinearOperator<Double>) -> Training {
        Trainer(Network(DirectionNetwork(dimensions: grid.dimension, depth: depth, filters: filters)),
                loss: DirectionLoss(singlePrecision(system)).trainingLoss, optimizer: Adam(learningRate: learningRate), batchSize: batchSize,
                seed: seed)
    }

    /// Trains and returns the weights of the epoch with the lowest validation loss.
    ///
    /// - Parameter observer: as for `Trainer`; the training state may be read from what it is given.
    /// - Throws: `LinearAlgebraError` or `TrainingError` if a number is not finite.
    public func run(
        on system: any LinearOperator<Double>, observer: (TrainingProgress) -> TrainingProgress.Reaction = { _ in .goOn }
    ) throws -> NetworkDirection {
        let data = try data(system), trainer = trainer(system)
        var state = trainer.makeState()
        try trainer.train(&state, on: data.training, validation: data.validation, epochs: epochs, observer: observer)
        return model(state, trainer)
    }

    /// The best weights of a state, or those at hand before the first epoch has ended.
    public func model(_ state: Training.State, _ trainer: Training) -> NetworkDirection {
        NetworkDirection(trainer.network, parameters: state.best?.parameters ?? state.parameters, grid: grid)
    }
}

/// A symmetric operator on vectors of `Float`, computed in `Double`.
private func singlePrecision(_ system: any LinearOperator<Double>) -> ClosureOperator<Float> {
    let map: ClosureOperator<Float>.Map = { x, y in
        let product = system.apply(x.indices.map { Double(x[$0]) })
        for i in product.indices { y[i] = Float(product[i]) }
    }
    return ClosureOperator(rows: system.rows, columns: system.columns, apply: map, applyAdjoint: map)
}
