import Kernels

/// A tensor's extents as the tensor holds them: up to four in place, so that a copy of one retains no array for its shape.
struct Extents: Sendable, Equatable, RandomAccessCollection {
    /// −1 for an axis that is missing.
    private let packed: SIMD4<Int32>
    /// All extents, if there are more than four or one is too large; `packed` holds none then.
    private let array: [Int]?

    init(_ shape: [Int]) {
        var packed = SIMD4<Int32>(repeating: -1)
        var fits = shape.count <= 4
        for axis in 0..<Swift.min(4, shape.count) {
            if let extent = Int32(exactly: shape[axis]) { packed[axis] = extent } else { fits = false }
        }
        self.packed = fits ? packed : SIMD4(repeating: -1)
        array = fits ? nil : shape
    }

    var startIndex: Int { 0 }

    var endIndex: Int {
        if let array { return array.count }
        return packed[3] >= 0 ? 4 : packed[2] >= 0 ? 3 : packed[1] >= 0 ? 2 : packed[0] >= 0 ? 1 : 0
    }

    subscript(axis: Int) -> Int {
        require(axis >= 0 && axis < count, "axis \(axis) of \(shape); expected one of \(count)")
        return array?[axis] ?? Int(packed[axis])
    }

    var shape: [Int] {
        if let array { return array }
        return switch count {
        case 0: []
        case 1: [Int(packed[0])]
        case 2: [Int(packed[0]), Int(packed[1])]
        case 3: [Int(packed[0]), Int(packed[1]), Int(packed[2])]
        default: [Int(packed[0]), Int(packed[1]), Int(packed[2]), Int(packed[3])]
        }
    }
}
