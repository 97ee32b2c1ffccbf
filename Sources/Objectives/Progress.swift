/// Where a run stands after an iteration: what stopping criteria, trace and observer see.
///
/// Numbers are `Double`, which holds every `Float` exactly.
public struct Progress: Sendable, Hashable {
    /// Iterations done; 0 at the start.
    public let iteration: Int
    /// Wall time, interrupted parts of a resumed run added up.
    public let seconds: Double
    public let evaluations: EvaluationCounts
    /// f at the current iterate.
    public let value: Double
    /// |f − f before the last iteration|; `nil` at the start.
    public let valueChange: Double?
    /// The lowest finite value so far.
    public let bestValue: Double?
    /// ‖∇f‖₂ at the current iterate, for a method that knows it.
    public let gradientNorm: Double?
    /// ‖∇f‖₂ at the start of the run.
    public let initialGradientNorm: Double?
    /// ‖x − x before the last iteration‖₂, for a method that knows it; `nil` at the start.
    public let stepNorm: Double?
    /// Why the run ends; `nil` while it goes on.
    public internal(set) var termination: Termination?
}
