import Kernels
import Synchronization

/// A tensor's part in the transformations under way: one link for each that differentiates it, the innermost first.
///
/// Transformations nest, and each has a level; one that starts inside another has a greater level. An operation looks at
/// the levels of its operands one by one, from the outermost, so that a derivative of a derivative never confuses the two
/// (no perturbation confusion). `outer` is how the tensor looks from outside this link's transformation.
final class Trace<Scalar: KernelScalar>: Sendable {
    let level: Int
    /// Reverse mode and linearisation: the tensor is result number `index` of `tape`.
    let tape: Tape<Scalar>?
    let index: Int
    /// Forward mode: the derivative along the direction that it carries.
    let tangent: Tensor<Scalar>?
    let outer: Trace?
    /// The tensor from outside, where its elements wait until something reads them; `outer` is `nil` then.
    let primal: Deferred<Scalar>?
    /// Whether the results of operations on the tensor may wait so.
    let defersResults: Bool

    init(
        level: Int, tape: __owned Tape<Scalar>? = nil, index: Int = 0, tangent: __owned Tensor<Scalar>? = nil, outer: __owned Trace?,
        primal: __owned Deferred<Scalar>? = nil, defersResults: Bool = false
    ) {
        self.level = level
        self.tape = tape
        self.index = index
        self.tangent = tangent
        self.outer = outer
        self.primal = primal
        self.defersResults = defersResults
    }
}

private let levels = Atomic<Int>(0)

/// The level of a transformation that starts now: greater than those of all that are under way.
func newLevel() -> Int { levels.wrappingAdd(1, ordering: .relaxed).newValue }

extension Tensor {
    /// The level of the innermost transformation that knows the tensor; 0 for plain data.
    var level: Int { trace?.level ?? 0 }

    /// Whether no transformation knows the tensor.
    var isPlain: Bool { trace == nil }

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
        return primal.traced(Trace(
            level: level, tape: trace.tape, index: trace.index, tangent: trace.tangent, outer: primal.trace, defersResults: true))
    }

    /// What the transformation of `level` knows of the tensor. A link of greater level comes from a transformation
    /// that has ended, and counts no more.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func link(at level: Int) -> Trace<Scalar>? {
        var link = trace
        while let present = link, present.level > level { link = present.primal.map(\.value.trace) ?? present.outer }
        return link?.level == level ? link : nil
    }
}
