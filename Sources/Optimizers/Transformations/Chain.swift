import Kernels

/// Two transformations, one after the other; ``chain(_:_:)`` makes it of any number.
public struct Chain<First: GradientTransformation, Second: GradientTransformation>: GradientTransformation
where First.Scalar == Second.Scalar {
    public typealias Scalar = First.Scalar

    public struct State: Codable, Sendable {
        public var first: First.State
        public var second: Second.State
    }

    public let first: First
    public let second: Second

    public init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }

    public func initialState(like parameters: Span<Scalar>) -> State {
        State(first: first.initialState(like: parameters), second: second.initialState(like: parameters))
    }

    public func update(
        _ updates: inout MutableSpan<Scalar>, state: inout State, parameters: Span<Scalar>, context: UpdateContext<Scalar>
    ) {
        first.update(&updates, state: &state.first, parameters: parameters, context: context)
        second.update(&updates, state: &state.second, parameters: parameters, context: context)
    }
}

/// Collects the lines of ``chain(_:_:)``.
@resultBuilder
public enum ChainBuilder<Scalar: KernelScalar> {
    public static func buildExpression<T: GradientTransformation<Scalar>>(_ transformation: T) -> T { transformation }

    public static func buildPartialBlock<T: GradientTransformation<Scalar>>(first: T) -> T { first }

    public static func buildPartialBlock<A: GradientTransformation<Scalar>, B: GradientTransformation<Scalar>>(
        accumulated: A, next: B
    ) -> Chain<A, B> { Chain(accumulated, next) }
}

/// The transformations of the lines, applied from the first to the last.
public func chain<Scalar: KernelScalar, T: GradientTransformation<Scalar>>(
    _: Scalar.Type, @ChainBuilder<Scalar> _ lines: () -> T
) -> T { lines() }
