import Kernels

/// A learner that plays a point in each round, sees a gradient of that round's loss there, and tries to keep its regret low.
public protocol OnlineLearner<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar
    associatedtype State: Codable & Sendable

    /// The state before the first round.
    var initialState: State { get }

    /// The point for this round. It does not change the state: asked twice it is the same.
    func play(_ state: State) -> [Scalar]

    /// Takes the gradient of the round's loss at the point that ``play(_:)`` gave, and ends the round.
    func observe(_ gradient: [Scalar], state: inout State)
}
