import Kernels
import Synchronization

/// Wraps an objective and counts its evaluations.
///
/// Copies share one count, and evaluations from several threads are counted correctly. The wrapper keeps
/// the bounds, Hessian products and finite-sum terms of its base.
public struct CountingObjective<Base: Objective>: Objective {
    public let base: Base
    private let counter = Counter()

    public init(_ base: Base) { self.base = base }

    /// The evaluations so far.
    public var counts: EvaluationCounts { counter.counts.withLock { $0 } }

    /// Sets all counts to zero.
    public func reset() { counter.counts.withLock { $0 = EvaluationCounts() } }

    public var dimension: Int { base.dimension }

    public func value(at x: Span<Base.Scalar>) -> Base.Scalar {
        counter.counts.withLock { $0.values += 1 }
        return base.value(at: x)
    }

    public func valueAndGradient(at x: Span<Base.Scalar>, gradient: inout MutableSpan<Base.Scalar>) -> Base.Scalar {
        counter.counts.withLock { $0.gradients += 1 }
        return base.valueAndGradient(at: x, gradient: &gradient)
    }

    private final class Counter: Sendable {
        let counts = Mutex(EvaluationCounts())
    }
}

extension CountingObjective: Sendable where Base: Sendable {}

extension CountingObjective: BoundedObjective where Base: BoundedObjective {
    public var bounds: Bounds<Base.Scalar> { base.bounds }
}

extension CountingObjective: TwiceDifferentiableObjective where Base: TwiceDifferentiableObjective {
    public func hessianVectorProduct(
        at x: Span<Base.Scalar>, direction v: Span<Base.Scalar>, into product: inout MutableSpan<Base.Scalar>
    ) {
        counter.counts.withLock { $0.hessianProducts += 1 }
        base.hessianVectorProduct(at: x, direction: v, into: &product)
    }

    public func hessianVectorProducts(
        at x: Span<Base.Scalar>, directions: Span<Base.Scalar>, into products: inout MutableSpan<Base.Scalar>
    ) {
        let count = directions.count / max(1, dimension)
        counter.counts.withLock { $0.hessianProducts += count }
        base.hessianVectorProducts(at: x, directions: directions, into: &products)
    }
}

extension CountingObjective: FiniteSumObjective where Base: FiniteSumObjective {
    public var termCount: Int { base.termCount }

    public func value(at x: Span<Base.Scalar>, terms: Span<Int>) -> Base.Scalar {
        let count = terms.count
        counter.counts.withLock { $0.terms += count }
        return base.value(at: x, terms: terms)
    }

    public func valueAndGradient(
        at x: Span<Base.Scalar>, terms: Span<Int>, gradient: inout MutableSpan<Base.Scalar>
    ) -> Base.Scalar {
        let count = terms.count
        counter.counts.withLock { $0.terms += count }
        return base.valueAndGradient(at: x, terms: terms, gradient: &gradient)
    }
}
