import ArgumentParser
import Reproductions

@main
struct DescentTool: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "descent", abstract: "Optimisation numerics.")
}
