import Descent

/// The library of smooth test problems, for `peers/minimize.py`: our minimisers run here, and others ask for values and gradients.
enum Minimization {
    /// Each problem in its smallest dimension and in 4, 8 and 20 variables where it exists in them.
    static let problems: [any TestProblem<Double>] = TestProblems.all(Double.self).flatMap { entry in
        let sizes = Set([entry.dimensions.smallest, 4, 8, 20]).filter { entry.dimensions.contains($0) }
        return sizes.sorted().map { entry.problem(dimension: $0) }.filter(\.isDifferentiable)
    }

    struct Problem: Encodable {
        let name: String, start: [Double], minimum: Double
    }

    /// A run, told by what it evaluated.
    struct Run: Encodable {
        let status: String
        /// Evaluations, and the first of them whose gradient had a norm of at most `tolerance` · max(1, that of the start).
        let evaluations: Int, solvedAt: Int?
    }

    static func evaluate(_ index: Int, at x: [Double]) -> (value: Double, gradient: [Double]) {
        var gradient = x, span = gradient.mutableSpan
        let value = problems[index].valueAndGradient(at: x.span, gradient: &span)
        return (value, gradient)
    }

    static func run(_ method: String, on index: Int, tolerance: Double, evaluations limit: Int) throws -> Run {
        let problem = Recorded(base: problems[index])
        let stopping = StoppingCriterion.gradientNorm(atMost: tolerance) || .relativeGradientNorm(atMost: tolerance) || .evaluations(limit)
        let start = problems[index].standardStart
        let solution = switch method {
        case "lbfgs": LBFGS().solve(problem, from: start, stopping: stopping)
        case "lbfgs-hager-zhang": LBFGS(lineSearch: HagerZhang()).solve(problem, from: start, stopping: stopping)
        case "lbfgsb": LBFGSB().solve(problem, from: start, stopping: stopping)
        default: throw RunnerError(text: "unknown method '\(method)'")
        }
        let norms = problem.norms.elements
        return Run(status: solution.status.rawValue, evaluations: norms.count,
                   solvedAt: norms.firstIndex { $0 <= tolerance * max(1, norms[0]) }.map { $0 + 1 })
    }

    /// A problem, on all of ℝⁿ, that notes the norm of each gradient.
    private struct Recorded: Objective {
        let base: any TestProblem<Double>
        let norms = Log()
        var dimension: Int { base.dimension }

        func value(at x: Span<Double>) -> Double { base.value(at: x) }

        func valueAndGradient(at x: Span<Double>, gradient: inout MutableSpan<Double>) -> Double {
            let value = base.valueAndGradient(at: x, gradient: &gradient)
            norms.elements.append(Double.nrm2(gradient.span))
            return value
        }
    }

    /// Written by one solver, which runs on one thread.
    private final class Log {
        var elements: [Double] = []
    }
}
