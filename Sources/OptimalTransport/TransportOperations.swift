import Autodiff
import Kernels
import LinearAlgebra
import Objectives
import Synchronization

// Transport as operations of Autodiff, and so as objectives: `TensorObjective(dimension: n * d) { x in sinkhornDivergence(…) }`.

/// The entropic transport value of points x [n, d] with weights a [n] to points y [m, d] with weights b [m]: a number.
///
/// First derivatives by all four are those of the envelope theorem: f, g and sums of the plan. They are as exact as the marginals; second
/// ones are refused (differentiate ``entropicPotentials(from:to:cost:solver:)`` instead). Derivatives by weights mean something along
/// changes that keep the mass.
///
/// - Returns: NaN where the solver did not converge or the input is no transport problem.
public func entropicTransport<Scalar: KernelScalar>(
    from x: Tensor<Scalar>, _ a: Tensor<Scalar>, to y: Tensor<Scalar>, _ b: Tensor<Scalar>, cost: PointCost = .squaredEuclidean,
    solver: Sinkhorn<Scalar>
) -> Tensor<Scalar> {
    apply(TransportValue(cost: cost, solver: solver, isDivergence: false), to: [x, a, y, b])
}

/// The Sinkhorn divergence of two weighted sets of points; see ``SinkhornDivergence`` and
/// ``entropicTransport(from:_:to:_:cost:solver:)``.
public func sinkhornDivergence<Scalar: KernelScalar>(
    from x: Tensor<Scalar>, _ a: Tensor<Scalar>, to y: Tensor<Scalar>, _ b: Tensor<Scalar>, cost: PointCost = .squaredEuclidean,
    solver: Sinkhorn<Scalar>
) -> Tensor<Scalar> {
    apply(TransportValue(cost: cost, solver: solver, isDivergence: true), to: [x, a, y, b])
}

/// The potentials f and g of uniform points x [n, d] to y [m, d], one after the other: n + m numbers.
///
/// Derivatives by the points come from the implicit function theorem, whatever way the solver took; a loss must not depend on the constant
/// that f and g may exchange (what does is left out).
///
/// - Returns: NaNs where the solver did not converge.
public func entropicPotentials<Scalar: KernelScalar>(
    from x: Tensor<Scalar>, to y: Tensor<Scalar>, cost: PointCost = .squaredEuclidean, solver: Sinkhorn<Scalar>
) -> Tensor<Scalar> {
    apply(TransportPotentials(cost: cost, solver: solver), to: [x, y])
}

/// What was solved for the last inputs: a derivative asks for the solution that its value had.
final class LastSolution<Scalar: KernelScalar, Solution: Sendable>: Sendable {
    private let last = Mutex<(inputs: [Tensor<Scalar>], solution: Solution)?>(nil)

    func callAsFunction(_ inputs: [Tensor<Scalar>], solve: () -> Solution?) -> Solution? {
        if let known = last.withLock({ $0 }), known.inputs == inputs { return known.solution }
        guard let solution = solve() else { return nil }
        last.withLock { $0 = (inputs, solution) }
        return solution
    }
}

private struct TransportValue<Scalar: KernelScalar>: DifferentiableOperation {
    enum Solution: Sendable {
        case transport(TransportSolution<Scalar>)
        case divergence(SinkhornDivergence<Scalar>.Solution)
    }

    let cost: PointCost
    let solver: Sinkhorn<Scalar>
    let isDivergence: Bool
    private let last = LastSolution<Scalar, Solution>()

    init(cost: PointCost, solver: Sinkhorn<Scalar>, isDivergence: Bool) {
        (self.cost, self.solver, self.isDivergence) = (cost, solver, isDivergence)
    }

    var derivativesRead: DerivativeOperands { .inputs }

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        switch solution(inputs) {
        case .transport(let solution): Tensor(solution.dualValue)
        case .divergence(let solution): Tensor(solution.value)
        case nil: Tensor(.nan)
        }
    }

    func vjp(_ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        // All gradients in one vector, by an operation that has no derivative itself: those of sums with a fixed plan would be wrong.
        let gradient = apply(TransportGradient(value: self), to: inputs)
        var results: [Tensor<Scalar>?] = [], start = 0
        for (k, input) in inputs.enumerated() {
            results.append(wanted.contains(k) ? gradient.part(from: start, shape: input.shape) * g : nil)
            start += input.count
        }
        return results
    }

    func solution(_ inputs: [Tensor<Scalar>]) -> Solution? {
        last(inputs) {
            guard let geometry = try? Geometry(from: inputs[0].matrix, to: inputs[2].matrix, cost: cost),
                  let problem = try? TransportProblem(geometry, from: inputs[1].elements, to: inputs[3].elements) else { return nil }
            if isDivergence {
                guard let solution = try? SinkhornDivergence(solver).solve(problem), solution.hasConverged else { return nil }
                return .divergence(solution)
            }
            guard let solution = try? solver.solve(problem), solution.status == .converged else { return nil }
            return .transport(solution)
        }
    }
}

private struct TransportGradient<Scalar: KernelScalar>: DifferentiableOperation {
    let value: TransportValue<Scalar>

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        switch value.solution(inputs) {
        case .transport(let solution):
            let (x, y) = solution.pointGradients()
            return Tensor(x.elements + solution.sourcePotential + y.elements + solution.targetPotential)
        case .divergence(let solution):
            let (x, y) = solution.pointGradients()
            return Tensor(x.elements + solution.sourceWeightGradient + y.elements + solution.targetWeightGradient)
        case nil:
            return Tensor(shape: [inputs.reduce(0) { $0 + $1.count }], repeating: .nan)
        }
    }
}

private struct TransportPotentials<Scalar: KernelScalar>: DifferentiableOperation {
    let cost: PointCost
    let solver: Sinkhorn<Scalar>
    private let last = LastSolution<Scalar, TransportSolution<Scalar>>()

    init(cost: PointCost, solver: Sinkhorn<Scalar>) { (self.cost, self.solver) = (cost, solver) }

    var derivativesRead: DerivativeOperands { .inputs }

    func solution(_ inputs: [Tensor<Scalar>]) -> TransportSolution<Scalar>? {
        last(inputs) {
            guard let geometry = try? Geometry(from: inputs[0].matrix, to: inputs[1].matrix, cost: cost),
                  let problem = try? TransportProblem(geometry), let solution = try? solver.solve(problem),
                  solution.status == .converged else { return nil }
            return solution
        }
    }

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        guard let solution = solution(inputs) else {
            return Tensor(shape: [inputs[0].shape[0] + inputs[1].shape[0]], repeating: .nan)
        }
        return Tensor(solution.sourcePotential + solution.targetPotential)
    }

    func vjp(_ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        let gradient = apply(PotentialGradient(potentials: self), to: [inputs[0], inputs[1], g])
        return [gradient.part(from: 0, shape: inputs[0].shape), gradient.part(from: inputs[0].count, shape: inputs[1].shape)]
    }
}

private struct PotentialGradient<Scalar: KernelScalar>: DifferentiableOperation {
    let potentials: TransportPotentials<Scalar>

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        let n = inputs[0].shape[0]
        guard let solution = potentials.solution(Array(inputs[..<2])), let plan = solution.plan as? GibbsPlan<Scalar>,
              let factors = plan.implicitFactors(
                source: Array(inputs[2].elements[..<n]), target: Array(inputs[2].elements[n...]), tolerance: 1e-10)
        else { return Tensor(shape: [inputs[0].count + inputs[1].count], repeating: .nan) }
        let (x, y) = plan.pointGradients(factors: factors)
        return Tensor(x.elements + y.elements)
    }
}
