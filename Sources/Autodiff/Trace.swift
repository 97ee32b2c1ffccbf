import Kernels
import Synchronization

/// A tensor's part in the transformations under way: one link for each that differentiates it, the innermost first.
///
/// Transformations nest, and each has a level; one that starts inside another has a greater level. An operation looks at
/// the levels of its operands one by one, from the outermost, so that a derivative of a derivative never confuses the two
/// (no perturbation confusion). `outer` is how the tensor looks from outside this link's transformation.
final class Trace<Scalar: KernelScalar>: Sendable {
    enum Role: Sendable {
        /// Result number `index` of a tape: reverse mode and linearisation.
        case recorded(Tape<Scalar>, index: Int)
        /// The derivative along the direction that forward mode carries.
        case tangent(Tensor<Scalar>)
    }

    let level: Int
    let role: Role
    let outer: Trace?
    /// The tensor from outside, where its elements wait until something reads them; `outer` is `nil` then.
    let primal: Deferred<Scalar>?
    /// Whether the results of operations on the tensor may wait so.
    let defersResults: Bool

    init(level: Int, role: Role, outer: Trace?, primal: Deferred<Scalar>? = nil, defersResults: Bool = false) {
        self.level = level
        self.role = role
        self.outer = outer
        self.primal = primal
        self.defersResults = defersResults
    }
}

private let levels = Atomic<Int>(0)

/// The level of a transformation that starts now: greater than those of all that are under way.
func newLevel() -> Int { levels.wrappingAdd(1, ordering: .relaxed).newValue }

extension Tensor {
    /// The tensor seen from outside the transformation of `level`, and of those inside it.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func outside(_ level: Int) -> Tensor {
        guard var link = trace, link.level >= level else { return self }
        while link.level >= level {
            if let primal = link.primal { return primal.value.outside(level) }
            guard let outer = link.outer else { return constant }
            link = outer
        }
        return traced(link)
    }

    /// The same tensor, known, after which results of ``DeferrableOperation``s wait in the transformation of `level`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func deferringResults(in level: Int) -> Tensor {
        guard let trace, trace.level == level else { return self }
        let primal = outside(level)
        return primal.traced(Trace(level: level, role: trace.role, outer: primal.trace, defersResults: true))
    }

    /// What the transformation of `level` knows of the tensor. A link of greater level comes from a transformation
    /// that has ended, and counts no more.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func role(at level: Int) -> Trace<Scalar>.Role? {
        var link = trace
        while let present = link, present.level > level { link = present.primal.map(\.value.trace) ?? present.outer }
        return link?.level == level ? link?.role : nil
    }
}
