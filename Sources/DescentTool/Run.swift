import ArgumentParser
import Descent
import Foundation
import Reproductions

/// What `tour` and `reproduce` share.
struct RunOptions: ParsableArguments {
    @Flag(help: "A small form with the same checks.")
    var quick = false

    @Option(help: "The seed of every random draw.")
    var seed: UInt64 = 0

    @Option(help: "How many threads to use (default: DESCENT_NUM_THREADS, else all cores).")
    var threads: Int?

    @Flag(help: "Print one JSON object for each report instead of text.")
    var json = false

    @Option(help: "Also write a self-contained page of the reports into this folder.")
    var report: String?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected at least 1.") }
    }

    /// Runs each and prints its report; exits with 1 if a check fails.
    func run(_ reproductions: [Reproduction]) throws {
        try DescentTool.checkEnvironment()
        if let threads { Threads.count = threads }
        var reports: [Report] = []
        for reproduction in reproductions {
            let bar = ProgressBar()
            let report = try reproduction.report(seed: seed, quick: quick) { bar.show($0, $1) }
            bar.clear()
            if json { try printJSON(report) } else { print(report.text + "\n") }
            reports.append(report)
        }
        if let report {
            let directory = URL(fileURLWithPath: report, isDirectory: true)
            let drawn = try HTMLReport(reports).write(to: directory)
            note("wrote \(directory.appendingPathComponent("index.html").path)"
                + (drawn ? "" : "; gnuplot is not installed, so figures are given as data and scripts"))
        }
        if !reports.allSatisfy(\.passed) { throw ExitCode(1) }
    }
}

struct Tour: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the hot-loop families on real data, with their speed-ups in the same run.")

    @OptionGroup var options: RunOptions

    func run() throws {
        try options.run([.tour])
    }
}

struct Reproduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run papers' claims as checks with tables and figures.",
        discussion: "Exits with 1 if a check fails. `descent list` shows the slugs.")

    @Argument(help: "Slugs of papers.")
    var slugs: [String] = []

    @Flag(help: "Every paper that has a reproduction.")
    var all = false

    @OptionGroup var options: RunOptions

    func validate() throws {
        if all == !slugs.isEmpty { throw ValidationError("Name one or more papers, or give --all.") }
        for slug in slugs { _ = try reproduction(slug) }
    }

    func run() throws {
        try options.run(all ? Reproduction.all : slugs.map(reproduction))
    }

    private func reproduction(_ slug: String) throws -> Reproduction {
        if let found = Reproduction.all.first(where: { $0.slug == slug }) { return found }
        guard let paper = Paper.all.first(where: { $0.slug == slug }) else {
            throw ValidationError("'\(slug)' is no paper's slug; `descent list` shows them.")
        }
        throw ValidationError("'\(slug)' is \(paper.status.rawValue) and has no reproduction yet.")
    }
}
