import Kernels

/// A mean over terms, f(x) = (1/N) Σᵢ fᵢ(x), that can be evaluated on some of them: the objective of stochastic methods.
///
/// ``Objective/value(at:)`` and ``Objective/valueAndGradient(at:gradient:)`` stand for the mean over all N terms.
public protocol FiniteSumObjective<Scalar>: Objective {
    /// The number of terms N.
    var termCount: Int { get }

    /// (1/|S|) Σ_{i∈S} fᵢ(x) over the terms that `terms` names; a term named twice counts twice.
    ///
    /// - Precondition: `terms` is not empty and each lies in `0..<termCount`.
    func value(at x: Span<Scalar>, terms: Span<Int>) -> Scalar

    /// (1/|S|) Σ_{i∈S} fᵢ(x), with its gradient written over all of `gradient`.
    ///
    /// - Precondition: `terms` is not empty and each lies in `0..<termCount`.
    func valueAndGradient(at x: Span<Scalar>, terms: Span<Int>, gradient: inout MutableSpan<Scalar>) -> Scalar
}

extension FiniteSumObjective {
    /// Stops with a message if `terms` is empty or names a term that does not exist.
    public func requireTerms(_ terms: Span<Int>) {
        require(terms.count > 0, "no terms; expected at least one of \(termCount)")
        for i in terms.indices {
            require(terms[i] >= 0 && terms[i] < termCount, "term \(terms[i]) is outside 0..<\(termCount)")
        }
    }
}
