import Kernels
import Objectives

/// The state of an ``Optimizer`` that runs as a solver: the iterate with its value and gradient, and the optimiser's own state.
public struct MinimizationState<Scalar: KernelScalar, OptimizerState: Codable & Sendable>: SolverState {
    public private(set) var iterate: [Scalar]
    public private(set) var value: Scalar
    /// ∇f at ``iterate``.
    public private(set) var gradient: [Scalar]
    public private(set) var gradientNorm: Scalar?
    public private(set) var stepNorm: Scalar?
    public internal(set) var evaluations = EvaluationCounts()
    public internal(set) var optimizer: OptimizerState

    init(_ problem: any Objective<Scalar>, from start: [Scalar], optimizer: OptimizerState) {
        problem.requireDimension(start.count, "start")
        iterate = start
        value = 0
        gradient = start
        self.optimizer = optimizer
        evaluate(problem)
    }

    mutating func move(_ step: (inout [Scalar], [Scalar], inout OptimizerState) -> Void) {
        step(&iterate, gradient, &optimizer)
    }

    mutating func evaluate(_ problem: any Objective<Scalar>) {
        let iterate = iterate
        var span = gradient.mutableSpan
        value = problem.valueAndGradient(at: iterate.span, gradient: &span)
        gradientNorm = Scalar.nrm2(gradient.span)
        evaluations.gradients += 1
    }

    /// Evaluates at the new iterate, and measures its distance from `before`.
    mutating func evaluate(_ problem: any Objective<Scalar>, movedFrom before: consuming [Scalar]) {
        var difference = before
        var span = difference.mutableSpan
        Scalar.axpy(-1, iterate.span, &span)
        stepNorm = Scalar.nrm2(difference.span)
        evaluate(problem)
    }
}
