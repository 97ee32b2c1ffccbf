import Kernels
import Objectives

/// Steps with the mean of every k gradients: large batches in parts.
public struct GradientAccumulation<Base: Optimizer>: Optimizer {
    public typealias Scalar = Base.Scalar

    public struct OptimizerState: Codable, Sendable {
        /// Gradients that the next step has so far.
        public internal(set) var count = 0
        /// Their sum over k.
        public internal(set) var mean: [Scalar]
        public internal(set) var base: Base.OptimizerState
    }

    public let base: Base
    public let every: Int

    /// - Parameter every: k, at least 1.
    public init(_ base: Base, every: Int) {
        require(every >= 1, "accumulation over \(every) gradients; expected at least 1")
        self.base = base
        self.every = every
    }

    public func initialState(like parameters: Span<Scalar>) -> OptimizerState {
        OptimizerState(mean: [Scalar](repeating: 0, count: parameters.count), base: base.initialState(like: parameters))
    }

    public func step(_ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, state: inout OptimizerState) {
        add(gradient, to: &state.mean)
        state.count += 1
        guard state.count == every else { return }
        // Out of the state while the base changes its part of it.
        var mean: [Scalar] = []
        swap(&mean, &state.mean)
        base.step(&parameters, gradient: mean.span, state: &state.base)
        for i in mean.indices { mean[i] = 0 }
        state.count = 0
        swap(&mean, &state.mean)
    }

    private func add(_ gradient: Span<Scalar>, to mean: inout [Scalar]) {
        var span = mean.mutableSpan
        Scalar.axpy(1 / Scalar(every), gradient, &span)
    }
}
