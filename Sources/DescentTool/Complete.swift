import ArgumentParser
import Descent
import Foundation

struct Complete: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Complete a matrix of which some entries are known: a CSV file of row, column, value.",
        discussion: """
            Rows and columns may be named by anything: numbers, users, films. A header is found by itself. The rank and the regularisation are chosen by the error on \
            a part of the entries that is held out, unless they are given; then all entries are used.
            """)

    @Argument(help: "The file: a row, a column and a value on each line.")
    var file: String

    @Option(help: "Write the predictions to this file (default: no file, only the report).")
    var output: String?

    @Option(help: "Predict the entries of this CSV file, a row and a column on each line (default: all that are not in the first file).")
    var predict: String?

    @Option(help: "The rank (default: chosen by the held-out part).")
    var rank: Int?

    @Option(help: "The share of the entries that is held out for the choice.")
    var heldOut = 0.1

    @Option(help: "The most rounds of alternating minimisation.")
    var rounds = 100

    @Option(help: "The seed of the held-out part and the start.")
    var seed: UInt64 = 0

    @Option(help: "How many threads to use (default: DESCENT_NUM_THREADS, else all cores).")
    var threads: Int?

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    func validate() throws {
        if let rank, rank < 1 { throw ValidationError("--rank is \(rank); expected at least 1.") }
        if !(heldOut > 0 && heldOut < 1) { throw ValidationError("--held-out is \(heldOut); expected a number between 0 and 1.") }
        if rounds < 1 { throw ValidationError("--rounds is \(rounds); expected at least 1.") }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected at least 1.") }
        if predict != nil, output == nil { throw ValidationError("--predict names entries whose prediction goes to a file: name it with --output.") }
    }

    struct Summary: Encodable {
        let rows: Int, columns: Int, entries: Int, rank: Int
        let regularization: Double, heldOutError: Double, heldOutErrorOfTheMean: Double, trainingError: Double
        let rounds: Int, status: String, reason: String, predictions: Int
    }

    func run() throws {
        try DescentTool.checkEnvironment()
        if let threads { Threads.count = threads }
        let data = try Triplets(path: file)
        let problem = try MatrixCompletion<Double>(rows: data.rowNames.names.count, columns: data.columnNames.names.count, observations: data.centered)
        if let rank, rank > min(problem.rows, problem.columns) {
            throw ValidationError("--rank is \(rank); the matrix has \(problem.rows) rows and \(problem.columns) columns.")
        }
        let places = output == nil ? [] : try self.places(data, problem)

        let (training, held) = problem.holdingOut(share: heldOut, seed: seed)
        guard training.count > 0, held.count > 0 else {
            throw ValidationError("\(file) has \(problem.count) entries, of which \(held.count) would be held out; both parts must hold some. Try another --held-out.")
        }
        let bar = ProgressBar()
        let selection = rank.map { RankSelection<Double>(ranks: [$0], share: heldOut, seed: seed) } ?? RankSelection(share: heldOut, seed: seed)
        var tried = 0
        let candidates = try selection.candidates(problem) { rank, _ in
            bar.show(0.8 * Double(tried) / Double(selection.ranks.count * selection.regularizations.count), "rank \(rank)")
            tried += 1
        }
        guard let best = candidates.first, best.error.isFinite else {
            bar.clear()
            throw ValidationError("no rank could be fitted to \(file).")
        }
        let solution = try AlternatingMinimization<Double>(rank: best.rank, regularization: best.regularization, seed: seed)
            .solve(problem, stopping: .iterations(rounds), observer: Observer { progress in
                bar.show(0.8 + 0.2 * Double(progress.iteration) / Double(rounds), "round \(progress.iteration) at rank \(best.rank)")
                return .proceed
            })
        bar.clear()
        let factors = LowRankFactors(rows: problem.rows, columns: problem.columns, rank: best.rank, parameters: solution.iterate)
        guard solution.iterate.allSatisfy(\.isFinite) else { throw ValidationError("the completion of \(file) is not finite: \(solution.reason).") }
        if let output { try write(places, factors, data, to: output) }

        let meanError = held.norm / Double(held.count).squareRoot()
        let summary = Summary(
            rows: problem.rows, columns: problem.columns, entries: problem.count, rank: best.rank, regularization: best.regularization, heldOutError: best.error,
            heldOutErrorOfTheMean: meanError, trainingError: problem.residualNorm(factors) / Double(problem.count).squareRoot(), rounds: solution.iterations,
            status: solution.status.rawValue, reason: solution.reason, predictions: places.count)
        if json { return try printJSON(summary) }
        print("\(problem.rows) rows, \(problem.columns) columns, \(problem.count) entries")
        for candidate in candidates.prefix(5) { print("rank \(candidate.rank), λ = \(text(candidate.regularization)): error \(text(candidate.error)) on the held-out part") }
        print("chosen: rank \(best.rank); the mean alone has error \(text(meanError)) there")
        print("\(solution.iterations) rounds on all entries, \(solution.status.rawValue); error on the known entries \(text(summary.trainingError))")
        if meanError <= best.error { print("The completion is no better than the mean: the entries show no low-rank structure, or are too few.") }
        if let output { print("\(places.count) predictions in \(output)") }
    }

    /// The places to predict.
    private func places(_ data: Triplets, _ problem: MatrixCompletion<Double>) throws -> [(row: Int, column: Int)] {
        guard let predict else {
            let cells = problem.rows * problem.columns
            guard cells - problem.count <= 20_000_000 else {
                throw ValidationError("\(cells - problem.count) entries are missing, too many for a file; name those that you want with --predict.")
            }
            return (0..<problem.rows).flatMap { i in
                let known = Set(problem.byRows.row(i).map(\.column))
                return (0..<problem.columns).filter { !known.contains($0) }.map { (i, $0) }
            }
        }
        let table = try CSV.read(path: predict, header: .absent)
        guard table.rows == 0 || table.columns == 2 else { throw ValidationError("\(predict) has \(table.columns) fields a line; expected a row and a column.") }
        var result: [(row: Int, column: Int)] = []
        for i in 0..<table.rows {
            if let row = data.rowNames.numbers[table[i, 0]], let column = data.columnNames.numbers[table[i, 1]] {
                result.append((row, column))
            } else if i > 0 { // A first line that names nothing is a header.
                throw ValidationError("line \(table.line(i)) of \(predict): row '\(table[i, 0])' or column '\(table[i, 1])' is not in \(file).")
            }
        }
        return result
    }

    private func write(_ places: [(row: Int, column: Int)], _ factors: LowRankFactors<Double>, _ data: Triplets, to path: String) throws {
        var text = data.header + "\n"
        for (row, column) in places {
            text += "\(quoted(data.rowNames.names[row])),\(quoted(data.columnNames.names[column])),\(factors[row, column] + data.mean)\n"
        }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ValidationError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

/// A user's file of row, column, value.
private struct Triplets {
    struct Names {
        var names: [String] = []
        var numbers: [String: Int] = [:]

        mutating func number(_ name: String) -> Int {
            if let number = numbers[name] { return number }
            numbers[name] = names.count
            names.append(name)
            return names.count - 1
        }
    }

    var rowNames = Names(), columnNames = Names()
    let header: String
    /// The mean value, which is taken off.
    let mean: Double
    let centered: [SparseMatrix<Double>.Triplet]

    init(path: String) throws {
        let table: CSVTable
        do {
            table = try CSV.read(path: path)
        } catch {
            throw ValidationError("\(path): \(error)")
        }
        guard table.rows > 0 else { throw ValidationError("\(path) has no entries.") }
        guard table.columns == 3 else { throw ValidationError("\(path) has \(table.columns) fields a line; expected a row, a column and a value.") }
        var triplets: [SparseMatrix<Double>.Triplet] = [], lines: [Int: Int] = [:]
        for i in 0..<table.rows {
            guard let value = Double(table[i, 2].trimmingCharacters(in: .whitespaces)), value.isFinite else {
                throw ValidationError("line \(table.line(i)) of \(path): the value is '\(table[i, 2])'; expected a finite number.")
            }
            let row = rowNames.number(table[i, 0]), column = columnNames.number(table[i, 1])
            if let first = lines.updateValue(table.line(i), forKey: row << 32 | column) {
                throw ValidationError("line \(table.line(i)) of \(path): row '\(table[i, 0])', column '\(table[i, 1])' was given on line \(first) already.")
            }
            triplets.append(.init(row: row, column: column, value: value))
        }
        header = table.names.map { $0.map(quoted).joined(separator: ",") } ?? "row,column,value"
        let mean = triplets.reduce(0) { $0 + $1.value } / Double(triplets.count)
        self.mean = mean
        centered = triplets.map { .init(row: $0.row, column: $0.column, value: $0.value - mean) }
    }
}

/// A field as CSV has it.
private func quoted(_ field: String) -> String {
    field.contains { ",\"\n\r".contains($0) } ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
}

private func text(_ x: Double) -> String { String(format: "%.4g", x) }
