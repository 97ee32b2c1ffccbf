import Kernels
import Objectives

/// Gradient descent with Armijo backtracking: the solver that the frame is tried out with.
struct GradientDescent<Scalar: KernelScalar>: IterativeSolver {
    var firstStep: Scalar = 1
    var decrease: Scalar = 1e-4

    struct State: SolverState {
        var iterate: [Scalar]
        var value: Scalar
        var gradient: [Scalar]
        var gradientNorm: Scalar?
        var stepNorm: Scalar?
        var step: Scalar
        var evaluations = EvaluationCounts()
        var work: [String: Int] = [:]
    }

    func makeState(_ problem: any Objective<Scalar>, from start: [Scalar]) -> State {
        var state = State(iterate: start, value: 0, gradient: start, step: firstStep)
        evaluate(&state, problem)
        return state
    }

    func step(_ state: inout State, _ problem: any Objective<Scalar>) -> Termination? {
        let square = state.gradientNorm! * state.gradientNorm!
        var step = state.step * 2
        for _ in 0..<100 {
            let trial = zip(state.iterate, state.gradient).map { $0 - step * $1 }
            state.work["axpy", default: 0] += 1
            state.evaluations.values += 1
            if problem.value(at: trial.span) < state.value - decrease * step * square {
                state.iterate = trial
                state.step = step
                state.stepNorm = step * state.gradientNorm!
                evaluate(&state, problem)
                return nil
            }
            step /= 2
        }
        return Termination(.lineSearchFailed, "no decrease along the negative gradient after 100 halvings")
    }

    private func evaluate(_ state: inout State, _ problem: any Objective<Scalar>) {
        let iterate = state.iterate
        var gradient = state.gradient.mutableSpan
        state.value = problem.valueAndGradient(at: iterate.span, gradient: &gradient)
        state.gradientNorm = Scalar.dot(state.gradient.span, state.gradient.span).squareRoot()
        state.evaluations.gradients += 1
    }
}

extension Objective {
    func gradient(at x: [Scalar]) -> [Scalar] {
        var gradient = [Scalar](repeating: .nan, count: dimension)
        var span = gradient.mutableSpan
        _ = valueAndGradient(at: x.span, gradient: &span)
        return gradient
    }
}
