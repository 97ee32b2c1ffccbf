import Kernels

/// u ← −η(t) u: the last member of a chain.
public struct ScaleByLearningRate<Scalar: KernelScalar>: GradientTransformation {
    public let learningRate: Schedule

    /// The count of updates so far.
    public struct State: Codable, Sendable, Hashable { public internal(set) var steps = 0 }

    public init(_ learningRate: Schedule) { self.learningRate = learningRate }

    public func initialState(like parameters: Span<Scalar>) -> State { State() }

    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout State, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        Scalar.scale(-Scalar(learningRate.value(at: state.steps)), &updates)
        state.steps += 1
    }
}
