import Descent
import Foundation
import Workloads

/// Our side of `Benchmarks/compare`: one JSON request a line on standard input, one JSON answer a line on standard output.
///
///     {"do": "prepare", "id": "c", "case": "xnor", "data": {"a": "a.npy", "b": "b.npy"}, "numbers": {}}
///     {"do": "time", "id": "c"}                 → {"seconds": …, "work": …, "unit": …}
///     {"do": "write", "id": "c", "path": "c.npy"}
///     {"do": "release", "id": "c"}
///     {"do": "info"}
///     {"do": "problems"}                        → {"problems": [{"name": …, "start": …, "minimum": …}, …]}
///     {"do": "evaluate", "problem": 0, "x": […]} → {"value": …, "gradient": […]}
///     {"do": "minimize", "problem": 0, "method": "lbfgs", "numbers": {"tolerance": …, "evaluations": …}} → {"run": …}
@main
struct CompareRunner {
    struct Request: Decodable {
        var `do`: String
        var id: String?
        var `case`: String?
        var path: String?
        var data: [String: String]?
        var numbers: [String: Double]?
        var problem: Int?
        var method: String?
        var x: [Double]?
    }

    struct Answer: Encodable {
        var seconds: Double?
        var work: Double?
        var unit: String?
        var tier: String?
        var blas: String?
        var problems: [Minimization.Problem]?
        var value: Double?
        var gradient: [Double]?
        var run: Minimization.Run?
        var error: String?
    }

    static func main() {
        var cases: [String: Case] = [:]
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        while let line = readLine() {
            var answer = Answer()
            do {
                let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
                switch request.do {
                case "prepare":
                    cases[try request.id.orThrow("id")] = try Case.make(
                        try request.case.orThrow("case"), data: request.data ?? [:], numbers: request.numbers ?? [:])
                case "time":
                    let workload = try cases[request.id ?? ""].orThrow("case \(request.id ?? "")").workload
                    answer.seconds = workload.seconds()
                    answer.work = workload.work
                    answer.unit = workload.unit.rawValue
                case "write":
                    try cases[request.id ?? ""].orThrow("case \(request.id ?? "")").write(try request.path.orThrow("path"))
                case "release": cases[request.id ?? ""] = nil
                case "info":
                    answer.tier = KernelTier.active.rawValue
                    answer.blas = BLASLibrary.configuration
                case "problems":
                    answer.problems = Minimization.problems.map { .init(name: $0.name, start: $0.standardStart, minimum: $0.minimum) }
                case "evaluate":
                    let (value, gradient) = Minimization.evaluate(try request.problem.orThrow("problem"), at: try request.x.orThrow("x"))
                    (answer.value, answer.gradient) = (value, gradient)
                case "minimize":
                    let numbers = request.numbers ?? [:]
                    answer.run = try Minimization.run(
                        try request.method.orThrow("method"), on: try request.problem.orThrow("problem"),
                        tolerance: try numbers["tolerance"].orThrow("tolerance"), evaluations: Int(try numbers["evaluations"].orThrow("evaluations")))
                default: throw RunnerError(text: "unknown request '\(request.do)'")
                }
            } catch {
                answer.error = "\(error)"
            }
            print(String(decoding: (try? encoder.encode(answer)) ?? Data("{}".utf8), as: UTF8.self))
            fflush(nil)
        }
    }
}

struct RunnerError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

extension Optional {
    func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw RunnerError(text: "no \(what)") }
        return self
    }
}
