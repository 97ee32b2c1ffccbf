import Kernels

/// A named array within the flat vector of parameters, row-major.
public struct ParameterBlock: Sendable, Hashable, Codable {
    public let name: String
    public let shape: [Int]
    /// Where it begins in the flat vector.
    public let offset: Int

    /// - Precondition: no size is negative, nor the offset.
    public init(name: String, shape: [Int], offset: Int) {
        require(shape.allSatisfy { $0 >= 0 }, "block \(name) has the shape \(shape); expected no negative size")
        require(offset >= 0, "block \(name) has the offset \(offset); expected no negative number")
        self.name = name
        self.shape = shape
        self.offset = offset
    }

    public var count: Int { shape.reduce(1, *) }
    public var range: Range<Int> { offset..<offset + count }
}

/// How the arrays of a model lie in one flat vector.
public struct ParameterLayout: Sendable, Hashable, Codable {
    /// In ascending order, without gaps or overlaps.
    public let blocks: [ParameterBlock]

    /// - Precondition: each block begins where the one before it ends, and the first at 0.
    public init(_ blocks: [ParameterBlock]) {
        var end = 0
        for block in blocks {
            require(block.offset == end, "block \(block.name) begins at \(block.offset); expected \(end), the end of the one before")
            end += block.count
        }
        self.blocks = blocks
    }

    /// Blocks of these names and shapes, one after the other.
    public init(_ shapes: [(name: String, shape: [Int])]) {
        var blocks: [ParameterBlock] = []
        for (name, shape) in shapes {
            blocks.append(ParameterBlock(name: name, shape: shape, offset: blocks.last?.range.upperBound ?? 0))
        }
        self.init(blocks)
    }

    /// The number of parameters.
    public var count: Int { blocks.last?.range.upperBound ?? 0 }

    /// The parameters of the blocks that `isIncluded` picks.
    public func mask(_ isIncluded: (ParameterBlock) -> Bool) -> ParameterMask {
        ParameterMask(blocks.filter(isIncluded).map(\.range))
    }

    /// Requires a vector of the layout's length.
    func requireCount(_ count: Int) {
        require(count == self.count, "\(count) parameters; the layout has \(self.count)")
    }
}
