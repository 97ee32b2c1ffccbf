import Kernels

/// Multiplies by a factor that falls when the objective no longer does.
///
/// The factor starts at 1 and is multiplied by `factor` when `patience` updates in a row have brought no new lowest value. It needs
/// ``UpdateContext/value``; updates without it leave the factor as it is.
public struct ReduceOnPlateau<Scalar: KernelScalar>: GradientTransformation {
    public let factor: Double
    public let patience: Int

    public struct State: Codable, Sendable, Hashable {
        public internal(set) var scale: Double = 1
        public internal(set) var lowest: Scalar?
        public internal(set) var updatesSinceLowest = 0
    }

    /// - Parameters:
    ///   - factor: above 0 and less than 1.
    ///   - patience: at least 1.
    public init(factor: Double = 0.1, patience: Int = 10) {
        require(factor > 0 && factor < 1, "factor is \(factor); expected above 0 and less than 1")
        require(patience >= 1, "patience is \(patience); expected at least 1")
        self.factor = factor
        self.patience = patience
    }

    public func initialState(like parameters: Span<Scalar>) -> State { State() }

    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout State, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        if let value = context.value {
            if state.lowest.map({ value < $0 }) ?? value.isFinite {
                state.lowest = value
                state.updatesSinceLowest = 0
            } else {
                state.updatesSinceLowest += 1
                if state.updatesSinceLowest == patience {
                    state.scale *= factor
                    state.updatesSinceLowest = 0
                }
            }
        }
        Scalar.scale(Scalar(state.scale), &updates)
    }
}
