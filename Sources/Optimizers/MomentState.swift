import Kernels

/// What an optimiser with moments of the gradient remembers.
public struct MomentState<Scalar: KernelScalar>: Codable, Sendable, Hashable {
    /// Steps made.
    public internal(set) var steps = 0
    /// The first moment or momentum; empty for a method without one.
    public internal(set) var first: [Scalar]
    /// The second moment; empty for a method without one.
    public internal(set) var second: [Scalar]

    init(count: Int, first: Bool, second: Bool) {
        self.first = [Scalar](repeating: 0, count: first ? count : 0)
        self.second = [Scalar](repeating: 0, count: second ? count : 0)
    }

    /// Counts a step, and calls `body` with the parts of the arrays on which `mask` is one and the same.
    ///
    /// `parameters`, `gradient` and the moments that the state has must agree in size; a moment that it has not is empty.
    mutating func advance(
        _ parameters: inout MutableSpan<Scalar>, gradient: Span<Scalar>, mask: ParameterMask?,
        _ body: (
            _ isInside: Bool, _ g: Span<Scalar>, _ m: inout MutableSpan<Scalar>, _ v: inout MutableSpan<Scalar>,
            _ x: inout MutableSpan<Scalar>
        ) -> Void
    ) {
        let count = parameters.count
        require(gradient.count == count, "gradient has \(gradient.count) elements; expected \(count), one for each parameter")
        require(first.isEmpty || first.count == count, "state has \(first.count) first moments; expected \(count), one for each parameter")
        require(second.isEmpty || second.count == count, "state has \(second.count) second moments; expected \(count), one for each parameter")
        Self.forEachPart(&first, &second, &parameters, gradient, mask, body)
    }

    private static func forEachPart(
        _ first: inout [Scalar], _ second: inout [Scalar], _ parameters: inout MutableSpan<Scalar>, _ gradient: Span<Scalar>,
        _ mask: ParameterMask?,
        _ body: (Bool, Span<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>, inout MutableSpan<Scalar>) -> Void
    ) {
        var allFirst = first.mutableSpan, allSecond = second.mutableSpan
        let hasFirst = allFirst.count > 0, hasSecond = allSecond.count > 0
        for (range, isInside) in mask?.parts(of: parameters.count) ?? [(0..<parameters.count, true)] {
            var m = allFirst._mutatingExtracting(hasFirst ? range : 0..<0)
            var v = allSecond._mutatingExtracting(hasSecond ? range : 0..<0)
            var x = parameters._mutatingExtracting(range)
            body(isInside, gradient.extracting(range), &m, &v, &x)
        }
    }
}

/// Requires a rate of decay of a moment: 0 ≤ `rate` < 1.
func checkedRate(_ rate: Double, _ name: StaticString) -> Double {
    require(rate >= 0 && rate < 1, "\(name) is \(rate); expected at least 0 and less than 1")
    return rate
}

/// Requires a finite number that is not negative.
func checkedNonnegative(_ value: Double, _ name: StaticString) -> Double {
    require(value.isFinite && value >= 0, "\(name) is \(value); expected a finite number, at least 0")
    return value
}
