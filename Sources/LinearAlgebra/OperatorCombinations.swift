import Kernels

extension LinearOperator {
    /// Aᵀ as an operator.
    public var adjoint: AdjointOperator<Self> { AdjointOperator(base: self) }

    /// `factor`·A as an operator.
    public func scaled(by factor: Scalar) -> ScaledOperator<Self> { ScaledOperator(base: self, factor: factor) }

    /// A + B as an operator.
    ///
    /// - Precondition: equal shapes.
    public func adding<Other: LinearOperator>(_ other: Other) -> SumOperator<Self, Other> where Other.Scalar == Scalar {
        require(rows == other.rows && columns == other.columns,
                "sum of \(rows)×\(columns) and \(other.rows)×\(other.columns) operators; expected equal shapes")
        return SumOperator(first: self, second: other)
    }

    /// A·B as an operator: B is applied first.
    ///
    /// - Precondition: A has as many columns as B has rows.
    public func composed<Inner: LinearOperator>(with inner: Inner) -> ComposedOperator<Self, Inner>
    where Inner.Scalar == Scalar {
        require(columns == inner.rows,
                "composition of \(rows)×\(columns) with \(inner.rows)×\(inner.columns); expected inner sizes to agree")
        return ComposedOperator(outer: self, inner: inner)
    }
}

/// Aᵀ. Costs nothing beyond A.
public struct AdjointOperator<Base: LinearOperator>: LinearOperator {
    public typealias Scalar = Base.Scalar
    public let base: Base
    public var rows: Int { base.columns }
    public var columns: Int { base.rows }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) { base.applyAdjoint(x, into: &y) }
    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) { base.apply(y, into: &x) }
}

/// A factor times A. One more pass over the result.
public struct ScaledOperator<Base: LinearOperator>: LinearOperator {
    public typealias Scalar = Base.Scalar
    public let base: Base
    public let factor: Scalar
    public var rows: Int { base.rows }
    public var columns: Int { base.columns }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        base.apply(x, into: &y)
        scale(&y, by: factor)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        base.applyAdjoint(y, into: &x)
        scale(&x, by: factor)
    }
}

/// A + B. Each application allocates one vector.
public struct SumOperator<First: LinearOperator, Second: LinearOperator>: LinearOperator
where First.Scalar == Second.Scalar {
    public typealias Scalar = First.Scalar
    public let first: First
    public let second: Second
    public var rows: Int { first.rows }
    public var columns: Int { first.columns }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        var part: [Scalar] = zeroVector(rows)
        var span = part.mutableSpan
        second.apply(x, into: &span)
        first.apply(x, into: &y)
        accumulate(part.span, scale: 1, into: &y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        var part: [Scalar] = zeroVector(columns)
        var span = part.mutableSpan
        second.applyAdjoint(y, into: &span)
        first.applyAdjoint(y, into: &x)
        accumulate(part.span, scale: 1, into: &x)
    }
}

/// A·B. Each application allocates one vector.
public struct ComposedOperator<Outer: LinearOperator, Inner: LinearOperator>: LinearOperator
where Outer.Scalar == Inner.Scalar {
    public typealias Scalar = Outer.Scalar
    public let outer: Outer
    public let inner: Inner
    public var rows: Int { outer.rows }
    public var columns: Int { inner.columns }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        var middle: [Scalar] = zeroVector(inner.rows)
        var span = middle.mutableSpan
        inner.apply(x, into: &span)
        outer.apply(middle.span, into: &y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        var middle: [Scalar] = zeroVector(inner.rows)
        var span = middle.mutableSpan
        outer.applyAdjoint(y, into: &span)
        inner.applyAdjoint(middle.span, into: &x)
    }
}

/// An operator from two closures, each of which gets the whole vector.
public struct ClosureOperator<Scalar: KernelScalar>: LinearOperator {
    public typealias Map = @Sendable (_ input: Span<Scalar>, _ output: inout MutableSpan<Scalar>) -> Void

    public let rows: Int
    public let columns: Int
    private let forward: Map
    private let backward: Map

    /// An operator of the given shape. ``LinearOperator/adjointDefect(seed:)`` tells whether the closures fit together.
    ///
    /// - Precondition: sizes are not negative.
    /// - `apply`: writes A·input, `rows` elements, over whatever the output holds.
    /// - `applyAdjoint`: writes Aᵀ·input, `columns` elements.
    public init(rows: Int, columns: Int, apply: @escaping Map, applyAdjoint: @escaping Map) {
        requireShape(rows, columns)
        self.rows = rows
        self.columns = columns
        forward = apply
        backward = applyAdjoint
    }

    public func apply(_ x: Span<Scalar>, into y: inout MutableSpan<Scalar>) {
        requireCount(x.count, columns, "argument of a \(rows)×\(columns) operator")
        requireCount(y.count, rows, "result of a \(rows)×\(columns) operator")
        forward(x, &y)
    }

    public func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        requireCount(y.count, rows, "argument of the adjoint of a \(rows)×\(columns) operator")
        requireCount(x.count, columns, "result of the adjoint of a \(rows)×\(columns) operator")
        backward(y, &x)
    }
}
