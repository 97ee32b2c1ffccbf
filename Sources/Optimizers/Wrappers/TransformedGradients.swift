import Kernels
import Objectives

/// An optimiser that sees the gradient through a transformation, e.g. clipped: `TransformedGradients(by:
/// ClipByQuantile(0.1), base: sgd)`.
///
/// The base keeps its fused step; the transformation takes its passes before it.
public struct TransformedGradients<Transformation: GradientTransformation, Base: Optimizer>: Optimizer
where Transformation.Scalar == Base.Scalar {
    public typealias Scalar = Base.Scalar

    public struct OptimizerState: Codable, Sendable {
        public internal(set) var transformation: Transformation.State
        public internal(set) var base: Base.OptimizerState
    }

    public let transformation: Transformation
    public let base: Base

    public init(by transformation: Transformation, base: Base) {
        self.transformation = transformation
        self.base = base
    }

    public func initialState(like parameters: Span<Scalar>) -> OptimizerState {
        OptimizerState(transformation: transformation.initialState(like: parameters), base: base.initialState(like: parameters))
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout OptimizerState) {
        var updates = copy(of: gradient)
        var span = updates.mutableSpan
        transformation.update(&span, state: &state.transformation, parameters: parameters.span, context: UpdateContext())
        base.step(&parameters, gradient: updates.span, state: &state.base)
    }
}
