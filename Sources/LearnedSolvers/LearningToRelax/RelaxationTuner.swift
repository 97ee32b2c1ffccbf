import Kernels
import LinearAlgebra
import LinearSolvers

/// A solver for a sequence of related systems that learns its relaxation factor ω from the iterations each system took ("Learning to Relax").
///
/// ```swift
/// var tuner = RelaxationTuner(ChebCB(arms: evenlySpaced(1...1.95, count: 20), contexts: 0...1, random: RandomStream(seed: 1)))
/// for (a, b, shift) in systems { let x = tuner.solve(a, b, context: shift).solution.iterate }
/// ```
///
/// The cost that the learner sees is the number of iterations, and the limit of the method for a system that was not solved.
///
/// Source: Khodak, Chow, Balcan & Talwalkar 2024.
public struct RelaxationTuner<Bandit: ParameterBandit>: Codable, Sendable {
    /// What ω relaxes.
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// Sweeps of `SuccessiveOverRelaxation` until ‖b − A·x‖ ≤ 1e-8 ‖b − A·x₀‖.
        case sor
        /// `SSORConjugateGradient` until ‖b − A·x‖ ≤ 1e-8 ‖b‖.
        case ssorConjugateGradients
    }

    public private(set) var bandit: Bandit
    public let method: Method
    public let iterationLimit: Int

    /// - Parameters:
    ///   - bandit: its values are ω, in (0, 2).
    ///   - iterationLimit: of one system. Default: 10 000, the paper's.
    public init(_ bandit: Bandit, method: Method = .sor, iterationLimit: Int = 10_000) {
        require(bandit.arms.allSatisfy { $0 > 0 && $0 < 2 }, "values of \(bandit.arms); expected relaxation factors in (0, 2)")
        require(iterationLimit >= 1, "iteration limit is \(iterationLimit); expected at least 1")
        (self.bandit, self.method, self.iterationLimit) = (bandit, method, iterationLimit)
    }

    /// Solves A·x = b with a factor of the learner's choice, and tells it the cost.
    ///
    /// - Parameters:
    ///   - start: x₀, e.g. the solution of the system before; 0 if `nil`.
    ///   - context: what the learner may know of A, e.g. a shift of its diagonal.
    public mutating func solve(
        _ a: any RelaxableOperator<Double>, _ b: [Double], from start: [Double]? = nil, context: Double = 0
    ) -> (solution: LinearSolution<Double>, relaxation: Double) {
        let relaxation = bandit.arms[bandit.choose(context: context)]
        let solution = Self.solve(a, b, from: start, relaxation: relaxation, method: method, iterationLimit: iterationLimit)
        bandit.observe(cost: Double(solution.status == .converged ? solution.iterations : iterationLimit))
        return (solution, relaxation)
    }

    /// The same with a factor of the caller's.
    public static func solve(
        _ a: any RelaxableOperator<Double>, _ b: [Double], from start: [Double]? = nil, relaxation: Double, method: Method,
        iterationLimit: Int = 10_000
    ) -> LinearSolution<Double> {
        switch method {
        case .sor:
            SuccessiveOverRelaxation(relaxation: relaxation, tolerance: .relativeToInitialResidual(1e-8), iterationLimit: iterationLimit)
                .solve(a, b, from: start)
        case .ssorConjugateGradients:
            SSORConjugateGradient(relaxation: relaxation, tolerance: .relativeToRightHandSide(1e-8), iterationLimit: iterationLimit)
                .solve(a, b, from: start)
        }
    }
}
