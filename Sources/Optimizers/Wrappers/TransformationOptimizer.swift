import Kernels
import Objectives

/// The optimiser that adds what a transformation makes of the gradient.
public struct TransformationOptimizer<Transformation: GradientTransformation>: Optimizer {
    public typealias Scalar = Transformation.Scalar
    public typealias OptimizerState = Transformation.State

    public let transformation: Transformation

    public init(_ transformation: Transformation) { self.transformation = transformation }

    public func initialState(like parameters: Span<Scalar>) -> Transformation.State {
        transformation.initialState(like: parameters)
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout Transformation.State) {
        step(&parameters, gradient: gradient, state: &state, context: UpdateContext())
    }

    /// A step with what the members of the chain ask for beside the gradient.
    public func step(
        _ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout Transformation.State,
        context: UpdateContext<Scalar>
    ) {
        requireState(gradient.count, parameters.count)
        var updates = copy(of: gradient)
        var span = updates.mutableSpan
        transformation.update(&span, state: &state, parameters: parameters.span, context: context)
        Scalar.axpy(1, updates.span, &parameters)
    }
}
