import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// Successive over-relaxation: sweeps of x ← x + ω (b − A·x)ᵢ / aᵢᵢ over the unknowns; Gauss–Seidel for ω = 1.
///
/// For symmetric positive definite A it converges for every ω in (0, 2), for others perhaps. The residual is taken after each sweep, in the same
/// pass, and the run stops at the first sweep with ‖b − A·xₖ‖ ≤ 1e-8 ‖b − A·x₀‖, the cost that "Learning to Relax" (Khodak et al. 2024) counts.
/// A run that does not converge hands back the start, if no later residual was smaller at its end.
///
/// A zero diagonal ends the run as `singular` before the first sweep. ω ≥ 2 is taken: it diverges, to the limit or to `nonFinite`.
///
/// - Complexity: a sweep costs about one product with A.
public struct SuccessiveOverRelaxation<Scalar: KernelScalar>: Sendable {
    public let relaxation: Scalar
    public let order: RelaxationOrder
    public let tolerance: ResidualTolerance
    public let iterationLimit: Int

    /// - Parameters:
    ///   - relaxation: ω, above 0.
    ///   - order: of the unknowns in a sweep.
    ///   - tolerance: 1e-8 of the first residual if `nil` (`Float`: √ε of it).
    ///   - iterationLimit: of sweeps. Default: 10 000, the paper's.
    public init(
        relaxation: Scalar, order: RelaxationOrder = .forward, tolerance: ResidualTolerance? = nil, iterationLimit: Int = 10_000
    ) {
        require(relaxation > 0 && relaxation.isFinite, "relaxation factor is \(relaxation); expected a finite number above 0")
        requireLimit(iterationLimit)
        self.relaxation = relaxation
        self.order = order
        self.tolerance = tolerance ?? .relativeToInitialResidual(max(1e-8, Double(Scalar.ulpOfOne.squareRoot()) / 2))
        self.iterationLimit = iterationLimit
    }

    /// The iterate and the buffers of a run.
    public struct State: Codable, Sendable {
        public fileprivate(set) var iterate: [Scalar]
        public fileprivate(set) var residualNorm: Scalar
        /// Sweeps so far.
        public fileprivate(set) var iterations = 0
        fileprivate let start: [Scalar], startNorm: Scalar, bound: Scalar, badDiagonal: Int?
        fileprivate var work: [Scalar]
        fileprivate let sequence: [Int32]
        /// The bound underflows or overflows in squares; then each norm is taken by itself.
        fileprivate let isExtreme: Bool
    }

    /// - Precondition: A is square; `b` and `start` have as many elements.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func makeState(_ a: any RelaxableOperator<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil) -> State {
        let system = LinearSystem(a, b)
        system.requireSquare("relaxation", start)
        let x = start ?? [Scalar](repeating: 0, count: a.columns)
        var residual = b
        if start != nil {
            system.residual(of: x, into: &residual)
        }
        let norm = norm(residual)
        let bound = tolerance.bound(rightHandSide: b.span, initialResidual: norm)
        let square = bound * bound
        return State(
            iterate: x, residualNorm: norm, start: x, startNorm: norm, bound: bound, badDiagonal: a.badDiagonal,
            work: [Scalar](repeating: 0, count: a.workCount), sequence: a.sequence(order),
            isExtreme: !(square > .leastNormalMagnitude && square * 1e8 < .infinity))
    }

    /// Why the run ends where it stands; `nil` to go on.
    public func check(_ state: State) -> Termination? {
        if let i = state.badDiagonal { return Termination(.singular, "element \(i) of the diagonal is 0 or not finite") }
        guard state.residualNorm.isFinite, state.bound == state.bound else {
            return Termination(.nonFinite, "the residual norm is \(state.residualNorm) after \(state.iterations) sweeps")
        }
        return state.residualNorm <= state.bound
            ? Termination(.converged, "the residual norm \(state.residualNorm) is at most \(state.bound)") : nil
    }

    /// ``check(_:)``, and one sweep if that says nothing.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func step(_ state: inout State, _ a: any RelaxableOperator<Scalar>, _ b: [Scalar]) -> Termination? {
        if let end = check(state) { return end }
        let square = sweep(a, b, &state.iterate, state.sequence, &state.work, measuring: !state.isExtreme)
        if state.isExtreme || !square.isFinite {
            var r = b
            LinearSystem(a, b).residual(of: state.iterate, into: &r)
            state.residualNorm = norm(r)
        } else {
            state.residualNorm = square.squareRoot()
        }
        state.iterations += 1
        return nil
    }

    @inline(__always)
    private func sweep(
        _ a: any RelaxableOperator<Scalar>, _ b: [Scalar], _ x: inout [Scalar], _ sequence: [Int32], _ work: inout [Scalar], measuring: Bool
    ) -> Scalar {
        var xSpan = x.mutableSpan, workSpan = work.mutableSpan
        return a.relax(&xSpan, b.span, relaxation: relaxation, order: order, sequence: sequence.span, measuring: measuring, work: &workSpan)
    }

    /// Sweeps until the tolerance or the limit.
    public func solve(
        _ a: any RelaxableOperator<Scalar>, _ b: [Scalar], from start: [Scalar]? = nil, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        var state = makeState(a, b, from: start)
        return solve(a, b, resuming: &state, recordsResiduals: recordsResiduals)
    }

    /// Goes on with a state. The limit counts from the very first sweep.
    public func solve(
        _ a: any RelaxableOperator<Scalar>, _ b: [Scalar], resuming state: inout State, recordsResiduals: Bool = false
    ) -> LinearSolution<Scalar> {
        var norms = recordsResiduals ? [state.residualNorm] : []
        var end: Termination?
        while end == nil, state.iterations < iterationLimit {
            end = step(&state, a, b)
            if recordsResiduals, end == nil { norms.append(state.residualNorm) }
        }
        let termination = end ?? check(state)
            ?? Termination(.iterationLimit, "all \(iterationLimit) sweeps are done; the residual norm is \(state.residualNorm)")
        let isBetter = state.residualNorm <= state.startNorm || !state.startNorm.isFinite
        return LinearSolution(
            iterate: isBetter ? state.iterate : state.start, status: termination.status, reason: termination.reason,
            residualNorm: isBetter ? state.residualNorm : state.startNorm, iterations: state.iterations, applications: state.iterations,
            adjointApplications: 0, preconditionerApplications: 0, residualNorms: norms)
    }
}

extension SuccessiveOverRelaxation where Scalar: Real {
    /// The ω of the fastest asymptotic rate for a consistently ordered matrix (Young 1954):
    ///
    /// ω* = 1 + (β / (1 + √(1 − β²)))², β the spectral radius of I − D⁻¹A.
    ///
    /// - Precondition: β in 0 ..< 1.
    public static func optimalRelaxation(jacobiRadius beta: Scalar) -> Scalar {
        require(beta >= 0 && beta < 1, "spectral radius of Jacobi is \(beta); expected 0 ..< 1")
        let ratio = beta / (1 + Scalar.sqrt(1 - beta * beta))
        return 1 + ratio * ratio
    }

    /// The spectral radius of a sweep for a consistently ordered matrix: ¼ (ωβ + √(ω²β² − 4 (ω − 1)))² up to ω*, ω − 1 from there.
    public static func spectralRadius(relaxation omega: Scalar, jacobiRadius beta: Scalar) -> Scalar {
        guard omega < optimalRelaxation(jacobiRadius: beta) else { return omega - 1 }
        let root = omega * beta + Scalar.sqrt(max(0, omega * omega * beta * beta - 4 * (omega - 1)))
        return root * root / 4
    }
}
