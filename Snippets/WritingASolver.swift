// A solver of one's own in the frame: the state, one step, and nothing else.
import Descent

struct HeavyBall: IterativeSolver {
    var stepSize = 1e-3, momentum = 0.9

    struct State: SolverState {
        var iterate: [Double], velocity: [Double], gradient: [Double]
        var value = 0.0, gradientNorm: Double? = nil, stepNorm: Double? = nil
        var evaluations = EvaluationCounts()
    }

    func makeState(_ problem: any Objective<Double>, from start: [Double]) -> State {
        let zero = [Double](repeating: 0, count: start.count)
        var state = State(iterate: start, velocity: zero, gradient: zero)
        evaluate(&state, problem)
        return state
    }

    func step(_ state: inout State, _ problem: any Objective<Double>) -> Termination? {
        for i in state.iterate.indices {
            state.velocity[i] = momentum * state.velocity[i] - stepSize * state.gradient[i]
            state.iterate[i] += state.velocity[i]
        }
        state.stepNorm = Double.nrm2(state.velocity.span)
        evaluate(&state, problem)
        return nil
    }

    private func evaluate(_ state: inout State, _ problem: any Objective<Double>) {
        let iterate = state.iterate
        var gradient = state.gradient.mutableSpan
        state.value = problem.valueAndGradient(at: iterate.span, gradient: &gradient)
        state.gradientNorm = Double.nrm2(state.gradient.span)
        state.evaluations.gradients += 1
    }
}

let problem = ClosureObjective<Double>(dimension: 2) { x in
    10 * (x[0] - 1) * (x[0] - 1) + x[1] * x[1]
} valueAndGradient: { x, gradient in
    gradient[0] = 20 * (x[0] - 1)
    gradient[1] = 2 * x[1]
    return 10 * (x[0] - 1) * (x[0] - 1) + x[1] * x[1]
}
print(checkGradient(of: problem, at: [0.3, -0.7]).message)
let solution = HeavyBall().solve(
    problem, from: [-1, 2], stopping: .gradientNorm(atMost: 1e-8) || .iterations(5000))
print(solution.status, solution.reason, try solution.get())
