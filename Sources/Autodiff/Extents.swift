import Kernels
import Synchronization

/// A tensor's extents as the tensor holds them: in place, so that a copy of a tensor retains no array for its shape.
struct Extents: Sendable, Equatable, RandomAccessCollection {
    /// Up to eight extents, in order; −1 for an axis that is missing. A shape that does not fit is −1 and then its place in
    /// `uncommonShapes`.
    private var first = SIMD4<Int32>(repeating: -1), second = SIMD4<Int32>(repeating: -1)

    init(_ shape: [Int]) {
        guard shape.count <= 8, shape.allSatisfy({ $0 >= 0 && $0 <= Int32.max }) else {
            first[1] = Int32(placeOfUncommonShape(shape))
            return
        }
        for axis in shape.indices {
            if axis < 4 { first[axis] = Int32(shape[axis]) } else { second[axis - 4] = Int32(shape[axis]) }
        }
    }

    private var uncommon: [Int]? {
        first[0] < 0 && first[1] >= 0 ? uncommonShapes.withLock { $0[Int(first[1])] } : nil
    }

    var startIndex: Int { 0 }

    /// The number of axes.
    var endIndex: Int {
        // The sign bits count the axes that are missing.
        uncommon?.count ?? 8 + Int((first &>> 31 &+ second &>> 31).wrappedSum())
    }

    subscript(axis: Int) -> Int {
        require(axis >= 0 && axis < count, "axis \(axis) of shape \(shape); expected one of its \(count)")
        return uncommon?[axis] ?? Int(axis < 4 ? first[axis] : second[axis - 4])
    }

    var shape: [Int] {
        uncommon ?? (0..<count).map { Int($0 < 4 ? first[$0] : second[$0 - 4]) }
    }
}

/// Shapes of more than eight axes, or with an extent of 2³¹ or more: rare enough to be kept, once each, while the process lives.
private let uncommonShapes = Mutex<[[Int]]>([])

private func placeOfUncommonShape(_ shape: [Int]) -> Int {
    uncommonShapes.withLock { shapes in
        if let place = shapes.firstIndex(of: shape) { return place }
        shapes.append(shape)
        return shapes.count - 1
    }
}
