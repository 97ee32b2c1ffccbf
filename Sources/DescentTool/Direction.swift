import ArgumentParser
import Descent
import Foundation
import Reproductions

struct Direction: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Deep conjugate directions for pressure problems: train weights, solve with them.",
        subcommands: [TrainDirection.self, SolveDirection.self])
}

/// Even sizes such as 64x64 or 16x16x16.
extension Grid: ExpressibleByArgument {
    public init?(argument: String) {
        let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2 || parts.count == 3, parts.allSatisfy({ $0.map { $0 >= 2 && $0 <= 1024 && $0 % 2 == 0 } ?? false }) else { return nil }
        let sizes = parts.compactMap(\.self)
        self = sizes.count == 2 ? Grid(rows: sizes[0], columns: sizes[1]) : Grid(planes: sizes[0], rows: sizes[1], columns: sizes[2])
    }

    /// As it is given on the command line.
    var argument: String { sizes.map(String.init).joined(separator: "x") }
}

struct TrainDirection: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train the direction network for the Laplacian of a grid with open sides.",
        discussion: "The weights of the epoch with the lowest loss on residuals that were not trained on are written.")

    @Option(help: "Even extents: rows and columns, or planes, rows and columns.")
    var grid = Grid(rows: 64, columns: 64)

    @Option(help: "How many times to go through the residuals.")
    var epochs = 8

    @Option(help: "Residuals to train on.")
    var residuals = 2000

    @Option(help: "Ritz vectors that they are mixed from.")
    var ritzVectors = 1000

    @Option(help: "Where the weights go (safetensors).")
    var output: String

    @Option(help: "Write the state of the training to this file after each epoch.")
    var checkpoint: String?

    @Flag(help: "Go on from the checkpoint.")
    var resume = false

    @Option(help: "The seed of residuals, first weights and order.")
    var seed: UInt64 = 0

    @Option(help: "How many threads to use (default: DESCENT_NUM_THREADS, else all cores).")
    var threads: Int?

    func validate() throws {
        if epochs < 1 { throw ValidationError("--epochs is \(epochs); expected at least 1.") }
        if residuals < 1 { throw ValidationError("--residuals is \(residuals); expected at least 1.") }
        if ritzVectors < 1 { throw ValidationError("--ritz-vectors is \(ritzVectors); expected at least 1.") }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected at least 1.") }
        if resume, checkpoint == nil { throw ValidationError("--resume goes on from a checkpoint: name it with --checkpoint.") }
    }

    func run() throws {
        try DescentTool.checkEnvironment()
        if let threads { Threads.count = threads }
        let system = PoissonOperator<Double>(grid)
        let training = DirectionTraining(grid: grid, ritzVectors: ritzVectors, residuals: residuals, epochs: epochs, seed: seed)
        let trainer = training.trainer(system)
        var state = trainer.makeState()
        if resume, let checkpoint { state = try .init(path: checkpoint, of: trainer.network) }
        print("mixing \(residuals) residuals from \(ritzVectors) Ritz vectors of \(grid.argument)")
        let data = try training.data(system)
        print("training \(trainer.network.parameterCount) parameters" + (state.epoch > 0 ? ", from epoch \(state.epoch + 1) on" : ""))
        let bar = ProgressBar()
        while state.epoch < epochs {
            let start = ContinuousClock.now, before = state.step
            try trainer.train(&state, on: data.training, validation: data.validation, epochs: state.epoch + 1) {
                bar.show((Double($0.epoch) + $0.fraction) / Double(epochs), "epoch \($0.epoch + 1) of \(epochs), loss \(String(format: "%.5f", $0.loss))")
                return .goOn
            }
            bar.clear()
            let record = state.history.last!, time = ContinuousClock.now - start
            let each = 1000 * (Double(time.components.seconds) + 1e-18 * Double(time.components.attoseconds)) / Double(max(1, state.step - before))
            print(String(format: "epoch %d: loss %.5f, validation loss %.5f, %.0f ms a step", record.epoch + 1, record.loss,
                         record.validation!.loss, each))
            if let checkpoint { try state.write(to: checkpoint, of: trainer.network) }
        }
        let command = "descent direction train --grid \(grid.argument) --epochs \(epochs) --residuals \(residuals) "
            + "--ritz-vectors \(ritzVectors) --seed \(seed)"
        try training.model(state, trainer).write(to: output, notes: ["made-by": command])
        print("weights: \(output)")
    }
}

struct SolveDirection: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solve", abstract: "Solve a pressure problem along learned directions, and by other methods to compare.")

    @Option(help: "Even sizes: rows and columns, or planes, rows and columns.")
    var grid = Grid(rows: 64, columns: 64)

    @Option(help: "Weights that `descent direction train` wrote; those that come with the package (two dimensions) if there are none.")
    var weights: String?

    @Option(help: "The right-hand side: \(PressureSource.allCases.map(\.rawValue).joined(separator: ", ")).")
    var source = PressureSource.noise

    @Option(help: "A solid ball in the middle, of this radius in cells.")
    var solidRadius: Int?

    @Flag(help: "Close the sides at both ends of the columns' axis.")
    var closed = false

    @Option(help: "The residual to reach, relative to the first one.")
    var tolerance = 1e-4

    @Option(help: "The seed of a random right-hand side.")
    var seed: UInt64 = 0

    @Option(help: "How many threads to use (default: DESCENT_NUM_THREADS, else all cores).")
    var threads: Int?

    func validate() throws {
        if !(tolerance >= 0 && tolerance < 1) { throw ValidationError("--tolerance is \(tolerance); expected at least 0 and less than 1.") }
        if let solidRadius, solidRadius < 0 { throw ValidationError("--solid-radius is \(solidRadius); expected no negative number.") }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected at least 1.") }
        if weights == nil, grid.dimension == 3 { throw ValidationError("No weights for three dimensions come with the package: name a file with --weights.") }
    }

    func run() throws {
        try DescentTool.checkEnvironment()
        if let threads { Threads.count = threads }
        let model = try weights.map { try NetworkDirection(path: $0, grid: grid) } ?? NetworkDirection.poisson(grid)
        let sides = GridSides(rows: .dirichlet, columns: closed ? .neumann : .dirichlet)
        let problem = PressureProblem(grid, sides: sides) { cell in
            guard let solidRadius else { return false }
            let square = zip(cell, grid.sizes).reduce(0) { $0 + ($1.0 - $1.1 / 2) * ($1.0 - $1.1 / 2) }
            return square <= solidRadius * solidRadius
        }
        let comparison = PressureComparison(problem, source.values(on: grid, seed: seed), model: model, tolerance: tolerance, iterationLimit: 1000, rounds: 3)
        print(comparison.table("\(grid), \(source.rawValue), to \(tolerance) of the first residual").text)
    }
}

extension PressureSource: ExpressibleByArgument {}
