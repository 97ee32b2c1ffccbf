import Autodiff
import Kernels
import LinearAlgebra
import Objectives

/// The entropic transport value of uniform weights at costs C [n, m], a number: for costs of any kind, made from what one likes.
///
/// Its derivative by Cᵢⱼ is Pᵢⱼ, the envelope theorem's, and as exact as the marginals; second derivatives are refused.
///
/// - Returns: NaN where the solver did not converge or a cost is not finite.
/// - Complexity: that of the solver, and n m numbers for the plan.
public func entropicTransport<Scalar: KernelScalar>(costs c: Tensor<Scalar>, solver: Sinkhorn<Scalar>) -> Tensor<Scalar> {
    apply(CostTransport(solver: solver), to: [c])
}

private struct CostTransport<Scalar: KernelScalar>: DifferentiableOperation {
    let solver: Sinkhorn<Scalar>
    private let last = LastSolution<Scalar, TransportSolution<Scalar>>()

    init(solver: Sinkhorn<Scalar>) { self.solver = solver }

    var derivativesRead: DerivativeOperands { .inputs }

    func solution(_ c: Tensor<Scalar>) -> TransportSolution<Scalar>? {
        last([c]) {
            guard let geometry = try? Geometry(cost: c.matrix), let problem = try? TransportProblem(geometry),
                  let solution = try? solver.solve(problem), solution.status == .converged else { return nil }
            return solution
        }
    }

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> { Tensor(solution(inputs[0])?.dualValue ?? .nan) }

    func vjp(_ inputs: [Tensor<Scalar>], output: Tensor<Scalar>, cotangent g: Tensor<Scalar>, wanted: InputSet) -> [Tensor<Scalar>?] {
        [apply(CostTransportPlan(transport: self), to: inputs) * g]
    }
}

/// The plan, of which no derivative is taken.
private struct CostTransportPlan<Scalar: KernelScalar>: DifferentiableOperation {
    let transport: CostTransport<Scalar>

    func value(_ inputs: [Tensor<Scalar>]) -> Tensor<Scalar> {
        guard let plan = transport.solution(inputs[0])?.plan as? GibbsPlan<Scalar> else { return Tensor(shape: inputs[0].shape, repeating: .nan) }
        return Tensor(plan.dense())
    }
}
