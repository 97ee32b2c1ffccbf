import ArgumentParser
import Descent

@main
struct DescentTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "descent",
        abstract: "Optimisation numerics: kernels, solvers, and the methods of 45 papers.",
        subcommands: [Info.self, List.self, Tour.self, Reproduce.self, Train.self, BiBERT.self, Direction.self, Complete.self, Solve.self])

    /// A bad environment is the user's to mend, so it is said before any work, and not by a crash in the middle of it.
    static func checkEnvironment() throws {
        if let message = KernelTier.environmentError { throw ValidationError(message) }
        if let message = Threads.environmentError { throw ValidationError(message) }
    }
}
