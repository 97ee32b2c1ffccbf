import Kernels
import LinearAlgebra
import Objectives
import Randomness

/// Sequential quadratic programming with inexact Newton directions, for min f(x) subject to c(x) = 0.
///
/// Each iteration solves the Newton system of the first-order conditions (``NewtonSystem``) by sketching, only as accurately as the next step needs, and goes along
/// the direction as far as the exact augmented Lagrangian falls (``ExactAugmentedLagrangian``, Armijo). The accuracy and both penalties adapt: where the direction
/// is no good descent direction, η₁ ← ν² η₁, η₂ ← η₂/ν, δ ← δ/ν⁴, and the system is solved further from where it stands.
///
/// The direction z counts as accurate once ‖Γ‖_F Ψ ‖Γz − b‖ ≤ θ δ ‖b‖, which makes ‖z − z*‖ ≤ θ δ ‖z*‖ since Ψ ≥ ‖Γ⁻¹‖. Near a solution that meets the
/// second-order conditions steps have length 1, and the residual falls linearly (θ = 1) or superlinearly (``Forcing/residual``).
///
/// A run ends as `singular` where JJᵀ loses its rank numerically, and as `infeasible` if besides the point is stationary for ‖c‖²; the best iterate by residual is
/// kept, with its measured violation. Constraints that depend on each other are singular at the first step.
///
/// Second-order: the problem gives J and the Hessian of the Lagrangian, and a step costs O(n³) for the QR factorisation of Jᵀ, whatever solves the system.
///
/// Differs from the released code: the gradient of the merit function has the Hessian of the Lagrangian, not that of f, so that the tests for descent are
/// consistent; Ψ uses the computed curvature where that is below ξ_B, so that it is a bound; the rank test is relative, where the code stops at an eigenvalue of JJᵀ
/// below 0.01 and so gives up on problems that can be solved.
///
/// Source: Hong, Na, Mahoney & Kolar 2023, algorithm 1 (defaults: the released code).
public struct AdaSketchNewton<Scalar: KernelScalar>: IterativeSolver {
    /// θ of iteration k.
    public enum Forcing: Sendable, Hashable, Codable {
        /// 1: linear convergence.
        case constant
        /// min(1, residual): superlinear convergence.
        case residual
    }

    public let method: NewtonSystemMethod
    public let forcing: Forcing
    public let penalties: Penalties<Scalar>
    public let accuracy: Scalar
    public let minimumCurvature: Scalar
    public let curvatureThreshold: Scalar
    public let armijo: Scalar
    public let growth: Scalar
    public let rankTolerance: Scalar
    public let inverseBound: InverseBound
    public let innerLimit: Int
    public let seed: UInt64

    /// - Parameters:
    ///   - method: How Newton systems are solved.
    ///   - penalties: η₁ and η₂ at the start.
    ///   - accuracy: δ at the start, between 0 and 1; it never rises, nor falls below 10⁻⁶.
    ///   - minimumCurvature: ξ_B.
    ///   - curvatureThreshold: The reduced curvature below which the Hessian is shifted; the paper's experiments with data take 0.01.
    ///   - armijo: β, between 0 and ½.
    ///   - growth: ν, above 1.
    ///   - rankTolerance: J counts as rank deficient if the least eigenvalue of JJᵀ is below this part of the largest so far.
    ///   - inverseBound: Where Ψ comes from.
    ///   - innerLimit: Sketches, or products with Γ, in one iteration at most.
    ///   - seed: of the sketches.
    public init(
        method: NewtonSystemMethod = .automatic, forcing: Forcing = .constant, penalties: Penalties<Scalar> = .init(feasibility: 1, stationarity: 0.1),
        accuracy: Scalar = 0.1, minimumCurvature: Scalar = 0.1, curvatureThreshold: Scalar = 1e-6, armijo: Scalar = 0.1, growth: Scalar = 1.5,
        rankTolerance: Scalar = 1e-8, inverseBound: InverseBound = .analytic, innerLimit: Int = 100_000, seed: UInt64 = 0
    ) {
        require(accuracy > 0 && accuracy < 1, "accuracy is \(accuracy); expected a number between 0 and 1")
        require(minimumCurvature > 0 && curvatureThreshold > 0,
                "minimum curvature is \(minimumCurvature) and its threshold \(curvatureThreshold); expected positive numbers")
        require(armijo > 0 && armijo < 0.5, "Armijo factor is \(armijo); expected a number between 0 and 0.5")
        require(growth > 1, "growth is \(growth); expected a number above 1")
        require(rankTolerance >= 0, "rank tolerance is \(rankTolerance); expected no negative number")
        require(innerLimit >= 1, "inner limit is \(innerLimit); expected at least 1")
        (self.method, self.forcing, self.penalties, self.accuracy) = (method, forcing, penalties, accuracy)
        (self.minimumCurvature, self.curvatureThreshold, self.armijo, self.growth) = (minimumCurvature, curvatureThreshold, armijo, growth)
        (self.rankTolerance, self.inverseBound, self.innerLimit, self.seed) = (rankTolerance, inverseBound, innerLimit, seed)
    }

    /// ‖(∇ₓL, c)‖ ≤ 10⁻⁴, the paper's; √ε for `Float`.
    public var defaultStopping: StoppingCriterion { .gradientNorm(atMost: max(1e-4, Double(Scalar.ulpOfOne.squareRoot()))) }

    public struct State: SolverState {
        public internal(set) var point: KKTPoint<Scalar>
        public internal(set) var penalties: Penalties<Scalar>
        /// δ.
        public internal(set) var accuracy: Scalar
        public internal(set) var stepNorm: Scalar?
        /// α of the last step.
        public internal(set) var stepLength: Scalar?
        /// The slope of the merit function along the last direction; at most −η₂/2 times the squared residual, unless the penalties reached their guards.
        public internal(set) var slope: Scalar?
        public internal(set) var evaluations: EvaluationCounts
        /// `"newton systems"`, `"inner steps"`, `"unit steps"` and `"factorizations"`.
        public internal(set) var work: [String: Int] = [:]
        var random: RandomStream
        /// The largest eigenvalue of JJᵀ so far, by which ranks are judged.
        var jacobianScale: Scalar = 0

        /// x followed by λ.
        public var iterate: [Scalar] { point.x + point.multipliers }
        /// ‖(∇ₓL, c)‖, so that the iterate that a run keeps is the one nearest to the first-order conditions: f alone says nothing where c ≠ 0. NaN if f is not
        /// finite.
        public var value: Scalar { point.value.isFinite ? point.residual : .nan }
        public var gradientNorm: Scalar? { point.residual }
    }

    /// - Precondition: `start` is x, or x followed by λ; without λ it is 0. The problem has no bounds, and no more constraints than variables.
    public func makeState(_ problem: any TwiceDifferentiableConstrainedObjective<Scalar>, from start: [Scalar]) -> State {
        let n = problem.dimension, m = problem.constraintCount
        require(start.count == n || start.count == n + m, "start has \(start.count) elements; expected \(n) of x, or \(n + m) of x and λ")
        require(m <= n, "\(m) constraints on \(n) variables; expected no more constraints than variables")
        let bounds = problem.bounds
        require(bounds.lower.allSatisfy { $0 == -.infinity } && bounds.upper.allSatisfy { $0 == .infinity },
                "a variable has a bound; expected equality constraints only")
        let multipliers = start.count == n ? [Scalar](repeating: 0, count: m) : Array(start[n...])
        return State(
            point: KKTPoint(problem, at: Array(start[..<n]), multipliers: multipliers), penalties: penalties, accuracy: accuracy,
            evaluations: EvaluationCounts(gradients: 1), random: RandomStream(seed: seed))
    }

    public func step(_ state: inout State, _ problem: any TwiceDifferentiableConstrainedObjective<Scalar>) -> Termination? {
        do throws(LinearAlgebraError) {
            let system = try NewtonSystem(
                problem, at: state.point, minimumCurvature: minimumCurvature, curvatureThreshold: curvatureThreshold,
                inverseBound: inverseBound)
            state.evaluations.hessianProducts += system.variables
            state.jacobianScale = max(state.jacobianScale, system.greatestJacobianEigenvalue)
            if let end = rankDeficiency(system, state) { return end }
            let direction = try direction(&state, system)
            return lineSearch(&state, problem, along: direction)
        } catch .nonFinite {
            return Termination(.nonFinite, "a derivative is not finite")
        } catch {
            return Termination(.brokeDown, "the Newton system: \(error)")
        }
    }

    /// What to say if J has no full rank.
    private func rankDeficiency(_ system: NewtonSystem<Scalar>, _ state: State) -> Termination? {
        guard system.constraints > 0, !(system.leastJacobianEigenvalue > rankTolerance * state.jacobianScale) else { return nil }
        let violation = state.point.constraintViolation
        let pulled = system.jacobian.transposed() * state.point.constraints, slope = Scalar.nrm2(pulled.span)
        let eigenvalues = "the eigenvalues of JJᵀ go from \(system.leastJacobianEigenvalue) to \(system.greatestJacobianEigenvalue)"
        // What c changes by along the directions that J has lost.
        let lost = 10 * (rankTolerance * state.jacobianScale).squareRoot()
        if violation > lost * max(1, Scalar.nrm2(state.point.x.span)), slope <= lost * violation {
            return Termination(.infeasible, "‖c‖ is \(violation) where ‖c‖² is stationary, and \(eigenvalues): no point near by meets the constraints")
        }
        return Termination(.singular, "the Jacobian of the constraints has no full rank, \(eigenvalues); ‖c‖ is \(violation)")
    }

    /// Step e of the algorithm: accuracy and penalties until the direction is one of descent.
    private func direction(_ state: inout State, _ system: NewtonSystem<Scalar>) throws(LinearAlgebraError) -> [Scalar] {
        var solver = NewtonSystemSolver(system, method: method, limit: innerLimit, random: &state.random)
        let residual = state.point.residual, square = residual * residual
        let theta: Scalar = switch forcing {
        case .constant: 1
        case .residual: min(1, residual)
        }
        state.accuracy = accuracy(state.accuracy, system, state.penalties)
        while true {
            try solver.refine(to: system.residualBound(accuracy: theta * state.accuracy))
            let slope = system.slope(along: solver.z, image: solver.image, penalties: state.penalties)
            state.slope = slope
            if slope <= -state.penalties.stationarity / 2 * square || state.penalties.feasibility > 1e8 || state.penalties.stationarity < 1e-8 { break }
            state.penalties.feasibility *= growth * growth
            state.penalties.stationarity /= growth
            let square = growth * growth
            state.accuracy = accuracy(state.accuracy / (square * square), system, state.penalties)
        }
        state.work["newton systems", default: 0] += 1
        state.work["inner steps", default: 0] += solver.steps
        state.work["factorizations", default: 0] += solver.isExact ? 1 : 0
        return solver.z
    }

    private func accuracy(_ accuracy: Scalar, _ system: NewtonSystem<Scalar>, _ penalties: Penalties<Scalar>) -> Scalar {
        max(min(accuracy, system.descentAccuracy(penalties, armijo: armijo)), 1e-6)
    }

    /// Halves the step until the merit function falls by β α times its slope.
    private func lineSearch(
        _ state: inout State, _ problem: any TwiceDifferentiableConstrainedObjective<Scalar>, along z: [Scalar]
    ) -> Termination? {
        let slope = state.slope!, n = state.point.x.count, merit = state.point.merit(state.penalties)
        guard slope < 0 else {
            return Termination(.brokeDown, "the slope of the merit function along the direction is \(slope) with the penalties at their limits")
        }
        // What rounding may make of two equal values.
        let slack = 8 * Scalar.ulpOfOne * merit.magnitude
        var alpha: Scalar = 1
        while alpha >= Scalar.ulpOfOne {
            func moved(_ from: [Scalar], _ range: Range<Int>) -> [Scalar] {
                var result = from
                var span = result.mutableSpan
                Scalar.axpy(alpha, z.span.extracting(range), &span)
                return result
            }
            let trial = KKTPoint(problem, at: moved(state.point.x, 0..<n), multipliers: moved(state.point.multipliers, n..<z.count))
            state.evaluations.gradients += 1
            if trial.merit(state.penalties) <= merit + alpha * armijo * slope + slack, trial.residual.isFinite {
                state.point = trial
                state.stepLength = alpha
                state.stepNorm = alpha * Scalar.nrm2(z.span.extracting(0..<n))
                if alpha == 1 { state.work["unit steps", default: 0] += 1 }
                return nil
            }
            alpha /= 2
        }
        return Termination(.lineSearchFailed, "no step along the direction lowers the merit function, with slope \(slope)")
    }
}

extension AdaSketchNewton {
    /// Solves the problem from x, and λ = 0 if `multipliers` is `nil`; hands back both with what they leave of the first-order conditions.
    ///
    /// Never says `converged` unless the residual at the point handed back meets the criterion. Costs one more evaluation at the end.
    ///
    /// - `stopping`: ``defaultStopping`` if `nil`. `gradientNorm` and `value` of the state are both the residual ‖(∇ₓL, c)‖.
    public func solve(
        _ problem: any TwiceDifferentiableConstrainedObjective<Scalar>, from x: [Scalar], multipliers: [Scalar]? = nil,
        stopping: StoppingCriterion? = nil, observer: Observer? = nil
    ) -> ConstrainedSolution<Scalar> {
        var run = makeRun(problem, from: x + (multipliers ?? [Scalar](repeating: 0, count: problem.constraintCount)))
        let solution: Solution<Scalar> = solve(problem, resuming: &run, stopping: stopping, observer: observer)
        return ConstrainedSolution(problem, solution)
    }
}
