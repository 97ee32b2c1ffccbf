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

    /// Why a run of LSQR or LSMR ends where it stands; `nil` to go on.
    func check<State: BidiagonalizationState>(_ state: State) -> Termination? {
        guard state.norm.isFinite, state.gradient.isFinite else {
            return Termination(.nonFinite, "a product is not finite after \(state.iterations) iterations")
        }
        if state.gradient == 0 { return Termination(.converged, "Aᵀr is 0 after \(state.iterations) iterations") }
        guard state.iterations > 0 else { return nil }
        let epsilon = Double(State.Scalar.ulpOfOne), estimate = Double(state.condition), given = Double(state.rightHandSide)
        let r = Double(state.norm), g = Double(state.gradient), size = Double(state.matrixNorm), x = Double(state.solutionNorm)
        if r <= b * given + a * size * x || r <= epsilon * (given + size * x) {
            return Termination(.converged, "the residual norm is \(r / given) of that of the right-hand side")
        }
        if g <= max(a, epsilon) * size * r {
            return Termination(.converged, "a least-squares solution: ‖Aᵀr‖ is \(g / (size * r)) of ‖A‖·‖r‖")
        }
        if estimate >= min(condition, 1 / epsilon) {
            return Termination(.singular, "the condition of the operator is estimated to be \(estimate), at least \(min(condition, 1 / epsilon))")
        }
        return nil
    }
}

/// What LSQR and LSMR know of a run. Norms are in units of the basis.
protocol BidiagonalizationState: LinearSolverState {
    /// ‖(r, λ x)‖ and the norm of its gradient.
    var norm: Scalar { get }
    var gradient: Scalar { get }
    var rightHandSide: Scalar { get }
    var solutionNorm: Scalar { get }
    var matrixNorm: Scalar { get }
    var condition: Scalar { get }
}
