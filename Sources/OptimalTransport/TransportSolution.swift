import Kernels
import LinearAlgebra
import Objectives

/// What a transport solver hands back.
public struct TransportSolution<Scalar: KernelScalar>: Sendable {
    public let problem: TransportProblem<Scalar>
    /// P, in the form in which the method has it.
    public let plan: any TransportPlan<Scalar>
    /// f, the dual variables of the source; empty for a method that has none.
    public let sourcePotential: [Scalar]
    /// g, the dual variables of the target; empty for a method that has none.
    public let targetPotential: [Scalar]
    /// ⟨P, C⟩.
    public let transportCost: Scalar
    /// What the method minimises, regularisation and penalties included, at P.
    public let primalValue: Scalar
    /// What the method's dual maximises, at f and g; NaN for a method that has none.
    public let dualValue: Scalar
    /// ‖P1 − a‖₁ + ‖Pᵀ1 − b‖₁. For a relaxed marginal: the distance from the one that the potentials ask for.
    public let marginalError: Scalar
    /// `converged`, `iterationLimit`, `stagnated`, `nonFinite` …
    public let status: SolverStatus
    /// Why the solver ended, as a sentence.
    public let reason: String
    public let iterations: Int
    /// ``marginalError`` as the iterations saw it, in their order.
    public let marginalErrors: [Double]
    /// Wall time.
    public let seconds: Double

    public init(
        problem: TransportProblem<Scalar>, plan: any TransportPlan<Scalar>, sourcePotential: [Scalar], targetPotential: [Scalar],
        transportCost: Scalar, primalValue: Scalar, dualValue: Scalar, marginalError: Scalar, status: SolverStatus, reason: String,
        iterations: Int, marginalErrors: [Double] = [], seconds: Double = 0
    ) {
        self.problem = problem
        self.plan = plan
        (self.sourcePotential, self.targetPotential) = (sourcePotential, targetPotential)
        (self.transportCost, self.primalValue, self.dualValue) = (transportCost, primalValue, dualValue)
        self.marginalError = marginalError
        (self.status, self.reason) = (status, reason)
        (self.iterations, self.marginalErrors, self.seconds) = (iterations, marginalErrors, seconds)
    }

    /// ``primalValue`` − ``dualValue``: how far P and the potentials can be from optimal, once the marginals hold.
    public var dualityGap: Scalar { primalValue - dualValue }

    /// The solution, if the solver converged.
    ///
    /// - Throws: `NotConvergedError`.
    public func get() throws(NotConvergedError) -> TransportSolution {
        guard status == .converged else { throw NotConvergedError(status: status, reason: reason) }
        return self
    }

    /// (Σⱼ Pᵢⱼ yⱼ) / Σⱼ Pᵢⱼ: where the mass of each source point goes in the mean. NaN for a point that sends none.
    ///
    /// - Parameter y: what stands at the targets, one a row: their points, or labels.
    /// - Precondition: `y` has as many rows as there are targets.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func barycentricMap(of y: Matrix<Scalar>) -> Matrix<Scalar> {
        require(y.rows == plan.columns, "\(y.rows) rows for \(plan.columns) targets; expected equally many")
        var image = plan.multiplied(by: y)
        let mass = plan.apply([Scalar](repeating: 1, count: plan.columns))
        for i in 0..<image.rows {
            var row = image.mutableRow(i)
            for k in row.indices { row[k] /= mass[i] }
        }
        return image
    }
}
