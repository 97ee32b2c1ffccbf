import Kernels

/// Which parameters of a flat vector something applies to, e.g. weight decay: ranges of indices.
///
/// `layout.mask { $0.shape.count > 1 }` takes the weights and leaves biases and scales out.
public struct ParameterMask: Sendable, Hashable, Codable {
    /// Ascending, disjoint and not empty.
    public let ranges: [Range<Int>]

    /// - Precondition: the ranges ascend and do not overlap.
    public init(_ ranges: [Range<Int>]) {
        var end = 0
        for range in ranges {
            require(range.lowerBound >= end, "range \(range) begins before \(end); expected ascending, disjoint ranges from 0 on")
            end = range.upperBound
        }
        self.ranges = ranges.filter { !$0.isEmpty }
    }

    /// All of 0..<`count` cut into parts that lie within the mask or outside it.
    func parts(of count: Int) -> [(range: Range<Int>, isInside: Bool)] {
        let end = ranges.last?.upperBound ?? 0
        require(end <= count, "mask reaches to \(end); expected at most the \(count) parameters")
        var parts: [(range: Range<Int>, isInside: Bool)] = []
        var position = 0
        for range in ranges {
            if range.lowerBound > position { parts.append((position..<range.lowerBound, false)) }
            parts.append((range, true))
            position = range.upperBound
        }
        if position < count { parts.append((position..<count, false)) }
        return parts
    }
}
