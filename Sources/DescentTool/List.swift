import ArgumentParser
import Reproductions

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the papers, their modules and what works.")

    @Flag(help: "Print one JSON array.")
    var json = false

    @Flag(help: "Print a Markdown table, as the README shows it.")
    var markdown = false

    func validate() throws {
        if json && markdown { throw ValidationError("--json and --markdown exclude each other.") }
    }

    func run() throws {
        if json { return try printJSON(Paper.all) }
        if markdown {
            print("| paper | module | status |\n|---|---|---|")
            for paper in Paper.all {
                print("| `\(paper.slug)`: [\(paper.title)](https://arxiv.org/abs/\(paper.arXiv)) | \(paper.module) | \(paper.status.rawValue) |")
            }
            return
        }
        var table = Table("\(Paper.all.count) papers", columns: ["slug", "status"])
        for paper in Paper.all { table.append(paper.slug, paper.status.rawValue) }
        print(table.text)
    }
}
