import Kernels

/// A map from gradients to steps that remembers: the building block of optimisers.
///
/// A chain of transformations turns a gradient into what is added to the parameters; its last member turns the sign round
/// and sets the length, e.g. ``ScaleByLearningRate``:
///
/// ```swift
/// let transformation = chain(Float.self) {
///     ClipByGlobalNorm(1)
///     ScaleByAdam()
///     AddDecayedWeights(0.01, mask: layout.mask { $0.shape.count > 1 })
///     ScaleByLearningRate(1e-3)
/// }
/// let optimizer = TransformationOptimizer(transformation)
/// ```
///
/// Everything is elementwise in the scalar, and each operation rounds by itself. The fused optimisers (``SGD``, ``Adam``,
/// ``AdamW``, ``Lion`` …) make the same bits in one pass over memory; a chain takes one for each member.
public protocol GradientTransformation<Scalar>: Sendable {
    associatedtype Scalar: KernelScalar
    /// What is remembered between updates.
    associatedtype State: Codable & Sendable

    /// The state before the first update on parameters like these.
    func initialState(like parameters: Span<Scalar>) -> State

    /// Changes `updates`, which come in as the gradient or as what an earlier member of the chain made of it.
    ///
    /// - Precondition: `updates` has as many elements as `parameters`, and `state` was made for that many.
    func update(
        _ updates: inout MutableSpan<Scalar>, state: inout State, parameters: Span<Scalar>, context: UpdateContext<Scalar>)
}

/// What is known at an update beside the gradient.
public struct UpdateContext<Scalar: KernelScalar>: Sendable {
    /// The objective's value, for ``ReduceOnPlateau``.
    public var value: Scalar?
    /// An estimate of the Hessian's diagonal, for ``ScaleByHessianDiagonal``.
    public var hessianDiagonal: [Scalar]?

    public init(value: Scalar? = nil, hessianDiagonal: [Scalar]? = nil) {
        self.value = value
        self.hessianDiagonal = hessianDiagonal
    }
}

/// The state of a transformation that remembers nothing.
public struct Stateless: Codable, Sendable, Hashable {
    public init() {}
}

extension GradientTransformation where State == Stateless {
    public func initialState(like parameters: Span<Scalar>) -> Stateless { Stateless() }
}

/// Requires as many moments as parameters.
@inline(__always)
func requireState(_ count: Int, _ parameters: Int) {
    require(count == parameters, "state has \(count) elements; expected \(parameters), one for each parameter")
}
