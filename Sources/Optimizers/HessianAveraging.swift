import Kernels

/// How a noisy estimate of the Hessian's diagonal is averaged over neighbours. The mean of each group is kept.
public enum HessianAveraging: Sendable, Hashable, Codable {
    case none
    /// Groups of so many consecutive parameters of the flat vector, whose length they must divide.
    case consecutive(Int)
    /// By the blocks of a layout: vectors are left alone, convolution kernels (the last dimension of 3, the last two of 4)
    /// averaged, matrices as `matrices` says.
    case blocks(ParameterLayout, matrices: Matrices)

    /// What is averaged in a matrix of outputs × inputs.
    public enum Matrices: Sendable, Hashable, Codable {
        case none
        /// Over the columns: one value a row. The authors' default; it loses differences of scale between inputs.
        case overColumns
        /// Over the rows: one value a column.
        case overRows
        /// Groups of so many consecutive entries in row-major order, which may cross rows; their number must be a divisor.
        case consecutive(Int)
    }

    /// Averages `diagonal` in place.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func apply<Scalar: KernelScalar>(to diagonal: inout [Scalar]) {
        switch self {
        case .none: break
        case .consecutive(let size): Self.average(&diagonal, 0..<diagonal.count, groups: size, name: "the vector")
        case .blocks(let layout, let matrices):
            layout.requireCount(diagonal.count)
            for block in layout.blocks {
                switch (block.shape.count, matrices) {
                case (2, .overColumns), (3, _): Self.average(&diagonal, block.range, groups: block.shape.last!, name: block.name)
                case (4, _): Self.average(&diagonal, block.range, groups: block.shape[2] * block.shape[3], name: block.name)
                case (2, .consecutive(let size)): Self.average(&diagonal, block.range, groups: size, name: block.name)
                case (2, .overRows):
                    let (rows, columns) = (block.shape[0], block.shape[1])
                    for j in 0..<columns {
                        var sum = 0.0
                        for i in 0..<rows { sum += Double(diagonal[block.offset + i * columns + j]) }
                        for i in 0..<rows { diagonal[block.offset + i * columns + j] = Scalar(sum / Double(rows)) }
                    }
                default: break
                }
            }
        }
    }

    private static func average<Scalar: KernelScalar>(_ diagonal: inout [Scalar], _ range: Range<Int>, groups size: Int, name: String) {
        guard !range.isEmpty, size != 1 else { return }
        require(size >= 1 && range.count % size == 0, "groups of \(size) in the \(range.count) parameters of \(name); expected a divisor")
        for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
            var sum = 0.0
            for i in start..<start + size { sum += Double(diagonal[i]) }
            for i in start..<start + size { diagonal[i] = Scalar(sum / Double(size)) }
        }
    }
}
