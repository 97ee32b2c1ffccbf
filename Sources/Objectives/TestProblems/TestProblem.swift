import Kernels
import RealModule

/// A function with a known minimum on a box, on which optimisers are tried out.
///
/// The problems are value types in the namespace ``TestProblems``: `TestProblems.Rosenbrock<Double>(dimension: 10)`.
/// ``TestProblems/all(_:)`` lists them by name. Constants such as minimisers are exact to the last digit or two of `Double`.
public protocol TestProblem<Scalar>: BoundedObjective, Sendable where Scalar: Real {
    /// The function's name in the literature.
    var name: String { get }

    /// Where the function comes from.
    var citation: String { get }

    /// The lowest value on the box.
    var minimum: Scalar { get }

    /// Points of the box where ``minimum`` is attained: all of them, unless the type says otherwise.
    var minimizers: [[Scalar]] { get }

    /// Where descent methods start: the literature's point where there is one, else 0.3 and 0.4 of the way through the box by turns.
    var standardStart: [Scalar] { get }

    /// Whether the function is continuously differentiable at every point of the box.
    ///
    /// Where it is not, the gradient is right at every point of differentiability, and at a kink it takes one-sided derivatives as 0.
    var isDifferentiable: Bool { get }
}

extension TestProblem {
    public var isDifferentiable: Bool { true }

    public var standardStart: [Scalar] {
        (0..<dimension).map { bounds.lower[$0] + (bounds.upper[$0] - bounds.lower[$0]) * ($0 % 2 == 0 ? 0.3 : 0.4) }
    }
}

/// The library of test problems; see ``TestProblem``.
public enum TestProblems {}
