/// Watches a run, and may cancel it.
///
/// The body is called when the run starts (or resumes), then at most ten times a second, and once more when the run has ended; that last
/// call has ``Progress/termination`` set, and its answer is not used. (A run that ends where it starts is that last call alone.) It runs on the solver's thread, so a slow body slows the solver.
public struct Observer {
    public enum Answer: Sendable { case proceed, cancel }

    let body: (Progress) -> Answer

    /// The shortest time between two calls but the last.
    static let interval: Duration = .milliseconds(100)

    public init(_ body: @escaping (Progress) -> Answer) { self.body = body }
}
