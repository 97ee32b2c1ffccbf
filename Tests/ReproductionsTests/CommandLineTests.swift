import Foundation
import Testing

/// The executable itself, as a user runs it; built beside the tests.
@Suite struct CommandLineTests {
    struct Run {
        let status: Int32
        let output: String
        let errors: String
    }

    private func descent(_ arguments: [String], environment: [String: String] = [:]) throws -> Run {
        let process = Process()
        process.executableURL = Self.products.appendingPathComponent("descent")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe(), errors = Pipe()
        (process.standardOutput, process.standardError) = (output, errors)
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let errorText = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Run(status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
                   errors: String(decoding: errorText, as: UTF8.self))
    }

    /// The folder of the test runner's program.
    private static let products = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()

    @Test func infoNamesTheTierThatIsForced() throws {
        let run = try descent(["info", "--json"], environment: ["DESCENT_ISA": "scalar", "DESCENT_NUM_THREADS": "3"])
        #expect(run.status == 0)
        let facts = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(facts["tier"] as? String == "scalar" && facts["threads"] as? Int == 3)
        #expect((facts["blas"] as? String)?.contains("OpenBLAS") == true)
    }

    @Test(arguments: [("DESCENT_ISA", "bogus"), ("DESCENT_NUM_THREADS", "none"), ("DESCENT_NUM_THREADS", "0")])
    func badEnvironmentIsSaidAtOnce(_ name: String, _ value: String) throws {
        for command in ["info", "tour"] {
            let run = try descent([command], environment: [name: value])
            #expect(run.status != 0 && run.output.isEmpty)
            #expect(run.errors.contains("\(name) is '\(value)'"), "\(run.errors)")
        }
    }

    /// Two epochs at once, and one and one by way of a checkpoint, print the same.
    @Test func trainingResumes() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("train-\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let common = ["train", "digits", "--model", "mlp", "--optimizer", "sgd", "--threads", "1", "--json"]
        let whole = try descent(common + ["--epochs", "2"])
        let first = try descent(common + ["--epochs", "1", "--checkpoint", path])
        let second = try descent(common + ["--epochs", "2", "--checkpoint", path, "--resume"])
        #expect(whole.status == 0 && first.status == 0 && second.status == 0, "\(second.errors)")
        let lines = whole.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(second.output.split(separator: "\n") == lines.suffix(2))

        let other = try descent(["train", "digits", "--model", "cnn", "--optimizer", "sgd", "--checkpoint", path, "--resume"])
        #expect(other.status != 0 && other.errors.contains("in \(path)"), "\(other.errors)")
        let alone = try descent(["train", "digits", "--resume"])
        #expect(alone.status != 0 && alone.errors.contains("--checkpoint"))
    }

    /// A table of texts becomes a student, a packed model, and classes again.
    @Test func binaryClassifierOfAUsersTable() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bibert-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        let words = ["good", "bad", "film", "a", "is", "the", "not"]
        try Data((["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + words).joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path("vocab.txt")))
        var rows = ["sentence\tlabel"]
        for i in 0..<96 { rows.append("the \(words[2 + i % 5]) is \(i % 2 == 0 ? "good" : "bad")\t\(i % 2 == 0 ? "yes" : "no")") }
        try Data(rows.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path("train.tsv")))
        let text = ["--vocabulary", path("vocab.txt"), "--length", "12", "--task", "sst-2"]
        let train = try descent(
            ["bibert", "train", path("train.tsv"), "--validation", path("train.tsv"), "--output", path("student"), "--size", "32", "--layers", "1",
             "--heads", "2", "--teacher-epochs", "10", "--teacher-rate", "5e-3", "--epochs", "10", "--learning-rate", "5e-3", "--matching", "0.1"] + text)
        #expect(train.status == 0 && train.output.contains("96 rows, classes no, yes"), "\(train.errors)")
        let export = try descent(["bibert", "export", path("student"), path("packed")])
        #expect(export.status == 0, "\(export.errors)")
        let run = try descent(["bibert", "run", path("packed"), "--table", path("train.tsv")] + text)
        let classes = run.output.split(separator: "\n")
        let right = classes.enumerated().count { ($0 % 2 == 0 ? "yes" : "no") == $1 }
        #expect(run.status == 0 && classes.count == 96 && right > 90, "\(right) right; \(run.errors)")
        let wrong = try descent(["bibert", "run", path("student")] + text)
        #expect(wrong.status != 0 && wrong.errors.contains("holds 'student'; expected 'classifier'"), "\(wrong.errors)")
        let account = try descent(["bibert", "account"])
        #expect(account.output.contains("31.2×") && account.output.contains("56.3×"))
    }

    /// A user's own triplets: names, a header, a rank of 2; predictions of what is missing and of what is asked for.
    @Test func completionOfAUsersTriplets() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("complete-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        func write(_ name: String, _ lines: [String]) throws { try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path(name))) }
        func value(_ i: Int, _ j: Int) -> Double { 3 + Double(i % 7 - 3) * Double(j % 5 - 2) / 2 + Double(i % 3) * Double(j % 4 - 1) }
        var lines = ["user,\"film, or book\",rating"], missing = 0
        for i in 0..<60 {
            for j in 0..<40 {
                if (i * 7 + j * 11) % 5 == 0 { missing += 1 } else { lines.append("u\(i),\"f,\(j)\",\(value(i, j))") }
            }
        }
        try write("ratings.csv", lines)
        let run = try descent(["complete", path("ratings.csv"), "--output", path("out.csv"), "--json"])
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        let summary = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(summary["rows"] as? Int == 60 && summary["columns"] as? Int == 40 && summary["predictions"] as? Int == missing)
        let (error, ofTheMean) = (summary["heldOutError"] as? Double ?? .nan, summary["heldOutErrorOfTheMean"] as? Double ?? .nan)
        #expect(error < 0.1 * ofTheMean, "\(error) \(ofTheMean)")
        let predictions = try String(contentsOfFile: path("out.csv"), encoding: .utf8).split(separator: "\n")
        #expect(predictions.count == missing + 1 && predictions[0] == "user,\"film, or book\",rating")
        for line in predictions.dropFirst() {
            let parts = line.split(separator: ",")
            let i = Int(parts[0].dropFirst())!, j = Int(parts[2].dropLast())!, predicted = Double(parts[3])!
            #expect(abs(predicted - value(i, j)) < 0.5, "\(line), expected \(value(i, j))")
        }

        try write("ask.csv", ["user,film", "u0,\"f,0\"", "u5,\"f,1\""])
        let asked = try descent(["complete", path("ratings.csv"), "--rank", "3", "--predict", path("ask.csv"), "--output", path("asked.csv")])
        #expect(asked.status == 0 && asked.output.contains("2 predictions"), "\(asked.errors)")

        for (name, content, message) in [
            ("word.csv", ["a,b,1", "a,c,good"], "line 2 of"), ("short.csv", ["a,b,1", "a,c"], "expected 3 fields"), ("four.csv", ["1,2,3,4"], "has 4 fields a line"),
            ("nan.csv", ["1,2,3", "1,3,nan"], "expected a finite number"), ("twice.csv", ["1,2,3", "4,5,6", "1,2,3"], "was given on line 1 already"),
            ("empty.csv", [], "has no entries"), ("one.csv", ["1,2,3"], "both parts must hold some"),
        ] {
            try write(name, content)
            let wrong = try descent(["complete", path(name)])
            #expect(wrong.status != 0 && wrong.errors.contains(message), "\(name): \(wrong.errors)")
        }
        let large = try descent(["complete", path("ratings.csv"), "--rank", "41"])
        #expect(large.status != 0 && large.errors.contains("--rank is 41; the matrix has 60 rows and 40 columns"), "\(large.errors)")
        let absent = try descent(["complete", path("none.csv")])
        #expect(absent.status != 0 && absent.errors.contains("none.csv"))
    }

    /// Logistic regression on a sphere from a user's file, with equations of a second one; and what is wrong with files.
    @Test func solvesAUsersFile() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("solve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ text: String) throws -> String {
            let path = folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: path)
            return path.path
        }
        let lines = (0..<60).map { i in "\(i % 2 == 0 ? 1 : -1) 1:\(i % 2 == 0 ? 1 : -1) 2:\(0.1 * Double(i % 7)) 3:\(0.05 * Double(i % 11))" }
        let data = try file("data.libsvm", lines.joined(separator: "\n")), output = folder.appendingPathComponent("x.txt").path
        let plain = try descent(["solve", data, "--json", "--output", output])
        #expect(plain.status == 0 && plain.errors.isEmpty, "\(plain.errors)")
        let result = try #require(try JSONSerialization.jsonObject(with: Data(plain.output.utf8)) as? [String: Any])
        let x = try #require(result["x"] as? [Double])
        #expect(result["status"] as? String == "converged" && result["accuracy"] as? Double == 1)
        #expect(abs(x.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
        let written = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").compactMap { Double($0) }
        #expect(written.count == x.count && zip(written, x).allSatisfy { abs($0 - $1) < 1e-14 })

        let equations = try file("equations.csv", "0,1,-1,0.2\n")
        let linear = try descent(["solve", data, "--linear", equations, "--directions", "block", "--json"])
        let y = try #require((try JSONSerialization.jsonObject(with: Data(linear.output.utf8)) as? [String: Any])?["x"] as? [Double])
        #expect(linear.status == 0 && abs(y[1] - y[2] - 0.2) < 1e-4)

        let apart = try file("apart.csv", "1,0,0,5\n")
        let infeasible = try descent(["solve", data, "--linear", apart, "--iterations", "50"])
        #expect(infeasible.status == 1 && infeasible.output.contains("‖c‖"), "\(infeasible.output)")
        for (arguments, message) in [
            (["solve", "no-such-file"], "no-such-file"),
            (["solve", try file("one.libsvm", "1 1:2\n1 1:3\n")], "1 different labels in 2 lines; expected 2"),
            (["solve", try file("bad.libsvm", "1 1:x\n")], "index:value"),
            (["solve", data, "--linear", try file("short.csv", "1,2\n")], "has 2 columns; expected 4"),
            (["solve", data, "--radius", "0"], "0 constraints on 3 columns"),
            (["solve", data, "--radius", "nan"], "--radius is nan"),
        ] {
            let run = try descent(arguments)
            #expect(run.status != 0 && run.errors.contains(message), "\(arguments): \(run.errors)")
        }
    }

    @Test func misuseNamesWhatWasGiven() throws {
        for (arguments, message) in [
            (["reproduce", "no-such-paper"], "'no-such-paper' is no paper's slug"),
            (["reproduce", "grokking"], "'grokking' is planned"),
            (["reproduce"], "Name one or more papers"),
            (["reproduce", "bibert", "--all"], "Name one or more papers"),
            (["tour", "--threads", "0"], "--threads is 0"),
            (["list", "--json", "--markdown"], "exclude each other"),
        ] {
            let process = try descent(arguments)
            #expect(process.status != 0 && process.errors.contains(message), "\(arguments): \(process.errors)")
        }
    }

    @Test func reproduceGivesOneObjectAndNoProgressInAPipe() throws {
        let run = try descent(["reproduce", "bibert", "--quick", "--json", "--seed", "5"])
        #expect(run.status == 0 && run.errors.isEmpty)
        let report = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(report["slug"] as? String == "bibert" && report["seed"] as? Int == 5 && report["quick"] as? Bool == true)
    }

    @Test func listHasEveryPaper() throws {
        let papers = try JSONSerialization.jsonObject(with: Data(descent(["list", "--json"]).output.utf8)) as? [[String: Any]]
        #expect(papers?.count == 45)
        #expect(try descent(["list", "--markdown"]).output.split(separator: "\n").count == 47)
    }
}
