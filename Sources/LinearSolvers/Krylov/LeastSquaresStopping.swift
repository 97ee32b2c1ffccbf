import Kernels
import Objectives

/// When LSQR and LSMR stop: SciPy's rules.
///
/// * ‖r‖ ≤ `b`·‖b‖ + `a`·‖A‖·‖x‖: the system is consistent and solved.
/// * ‖Aᵀr‖ ≤ `a`·‖A‖·‖r‖: x is a least-squares solution.
/// * the condition of A is estimated to be at least `condition`: the run ends as `singular`; what x would gain is noise.
///
/// `a` and `b` are the relative errors of A and of b. Each rule counts too when it holds to the last bit.
public struct LeastSquaresStopping: Sendable, Hashable, Codable {
    public let a: Double
    public let b: Double
    public let condition: Double

    /// - Parameters:
    ///   - a: SciPy's `atol`. Default: 1e-6, SciPy's.
    ///   - b: SciPy's `btol`. Default: 1e-6.
    ///   - condition: SciPy's `conlim`. Default: 1e8.
    public init(a: Double = 1e-6, b: Double = 1e-6, condition: Double = 1e8) {
        require(a >= 0 && b >= 0, "tolerances are \(a) and \(b); expected none below 0")
        require(condition > 0, "condition limit is \(condition); expected a number above 0")
        (self.a, self.b, self.condition) = (a, b, condition)
    }

    /// What the rules say of the estimates of a run; norms of r, b and x in one unit.
    func evaluate<Scalar: KernelScalar>(
        residual: Scalar, gradient: Scalar, rightHandSide: Scalar, matrix: Scalar, solution: Scalar, condition estimate: Scalar
    ) -> Termination? {
        let epsilon = Double(Scalar.ulpOfOne)
        let r = Double(residual), g = Double(gradient), size = Double(matrix), x = Double(solution), given = Double(rightHandSide)
        if r <= b * given + a * size * x || r <= epsilon * (given + size * x) {
            return Termination(.converged, "the residual norm is \(r / given) of that of the right-hand side")
        }
        if g <= max(a, epsilon) * size * r {
            return Termination(.converged, "a least-squares solution: ‖Aᵀr‖ is \(g / (size * r)) of ‖A‖·‖r‖")
        }
        if Double(estimate) >= min(condition, 1 / epsilon) {
            return Termination(.singular, "the condition of the operator is estimated to be \(estimate), at least \(min(condition, 1 / epsilon))")
        }
        return nil
    }
}
