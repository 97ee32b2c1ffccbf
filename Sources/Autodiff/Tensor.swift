import Kernels
import LinearAlgebra

/// A dense array of any rank, row-major, that transformations can differentiate through.
///
/// A tensor is a value: it never changes after it is made, and copies share their elements. Its last axis is contiguous;
/// an element's place is Σ indexᵢ · strideᵢ with stride = product of the later extents. A rank-0 tensor holds one number.
/// Reshapes and slices along the first axis borrow the elements of their source, everything else makes new ones.
///
/// Inside a transformation (`valueAndGradient(of:)`, `jvp(of:)` …) a tensor also remembers how it came
/// about. Outside it is plain data, and arithmetic on it costs no memory beyond its results.
///
/// Differs from PyTorch and JAX: there is no `requires_grad` and no tracer type; whether a derivative is taken depends on
/// the transformation alone. Elements are `Float` or `Double`; indices and labels are `[Int]`.
public struct Tensor<Scalar: KernelScalar>: Sendable {
    /// ``shape``, without an array.
    let extents: Extents
    /// The number of elements, the product of ``shape``.
    public let count: Int
    /// Elements `offset..<offset + count` are this tensor's; empty where only the shape is kept (``shapeOnly``).
    var storage: [Scalar]
    let offset: Int
    /// What transformations know of the tensor; `nil` for plain data.
    var trace: Trace<Scalar>?

    init(_ extents: Extents, count: Int, storage: __owned [Scalar], offset: Int, trace: __owned Trace<Scalar>?) {
        self.extents = extents
        self.count = count
        self.storage = storage
        self.offset = offset
        self.trace = trace
    }

    /// Plain data over `elements`, which are moved, not copied.
    init(_ extents: Extents, _ elements: __owned [Scalar]) {
        self.init(extents, count: elements.count, storage: elements, offset: 0, trace: nil)
    }

    init(_ shape: [Int], _ elements: __owned [Scalar]) { self.init(Extents(shape), elements) }

    /// A tensor over `elements` in row-major order, which are moved, not copied.
    ///
    /// - Precondition: no extent is negative, and their product is `elements.count`.
    public init(shape: [Int], elements: [Scalar]) {
        let count = elementCount(shape)
        require(elements.count == count, "\(elements.count) elements for shape \(shape); expected \(count)")
        self.init(shape, elements)
    }

    /// A vector, shape [n].
    public init(_ elements: [Scalar]) { self.init([elements.count], elements) }

    /// One number, shape [].
    public init(_ number: Scalar) { self.init([], [number]) }

    /// A matrix, shape [rows, columns]. The elements are moved, not copied.
    public init(_ matrix: Matrix<Scalar>) { self.init([matrix.rows, matrix.columns], matrix.elements) }

    /// A tensor whose elements all equal `value`.
    public init(shape: [Int], repeating value: Scalar) {
        self.init(shape, filled(elementCount(shape), value))
    }

    /// Zeros.
    public static func zeros(_ shape: [Int]) -> Tensor { Tensor(shape: shape, repeating: 0) }

    /// Ones.
    public static func ones(_ shape: [Int]) -> Tensor { Tensor(shape: shape, repeating: 1) }

    /// The extent of each axis; empty for a single number. An array is made each time, so keep it where a loop reads it.
    public var shape: [Int] { extents.shape }

    /// The number of axes.
    public var rank: Int { extents.count }

    /// The elements in row-major order. Free unless the tensor is a part of a larger one, which is then copied.
    public var elements: [Scalar] {
        offset == 0 && storage.count == count ? storage : Array(storage[offset..<offset + count])
    }

    /// The elements in row-major order, borrowed.
    public var span: Span<Scalar> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(offset..<offset + count) }
    }

    /// The only element.
    ///
    /// - Precondition: ``count`` is 1.
    public var scalar: Scalar {
        require(count == 1, "scalar of a tensor of shape \(shape); expected one element")
        return storage[offset]
    }

    /// One element, by one index an axis, each counted from 0.
    ///
    /// - Precondition: as many indices as axes, each in range.
    public subscript(indices: Int...) -> Scalar {
        require(indices.count == rank, "\(indices.count) indices for shape \(shape); expected \(rank)")
        var place = 0
        for (index, extent) in zip(indices, extents) {
            require(index >= 0 && index < extent, "element \(indices) of a tensor of shape \(shape)")
            place = place * extent + index
        }
        return storage[offset + place]
    }

    /// The matrix of a rank-2 tensor, or of the last axis against all earlier ones. Moves the elements where it can.
    ///
    /// - Precondition: ``rank`` is at least 1.
    public var matrix: Matrix<Scalar> {
        require(rank >= 1, "matrix of a tensor of shape []; expected at least one axis")
        let columns = extents[rank - 1]
        return Matrix(rows: elementCount(Array(extents.dropLast())), columns: columns, elements: elements)
    }

    /// The tensor as plain data: no derivative passes through it. The elements are shared.
    var constant: Tensor { traced(nil) }

    /// self ← self + x of one shape, without a new array if nothing else holds the elements; false, and nothing done, unless both
    /// are plain data and `storage` holds nothing but the elements.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func addInPlace(_ x: Tensor) -> Bool {
        guard trace == nil, x.trace == nil, storage.count == count else { return false }
        var sum = storage.mutableSpan
        Scalar.axpy(1, x.span, &sum)
        return true
    }

    __consuming func traced(_ trace: __owned Trace<Scalar>?) -> Tensor {
        Tensor(extents, count: count, storage: storage, offset: offset, trace: trace)
    }

    /// The shape alone, in place of a value that no derivative will read.
    var shapeOnly: Tensor { Tensor(extents, count: count, storage: [], offset: 0, trace: nil) }

    init(shapeOnly shape: [Int]) {
        self.init(Extents(shape), count: elementCount(shape), storage: [], offset: 0, trace: nil)
    }
}

extension Tensor: Equatable {
    /// Whether shapes and elements are equal; NaN is unequal to itself.
    public static func == (a: Tensor, b: Tensor) -> Bool { a.extents == b.extents && a.elements == b.elements }
}

extension Tensor: CustomStringConvertible {
    /// The shape, and the elements where there are at most 64.
    public var description: String {
        func text(_ axis: Int, _ start: Int, _ count: Int) -> String {
            guard axis < rank else { return "\(storage[start])" }
            let part = extents[axis] == 0 ? 0 : count / extents[axis]
            return "[" + (0..<extents[axis]).map { text(axis + 1, start + $0 * part, part) }.joined(separator: ", ") + "]"
        }
        return count <= 64 ? "tensor \(shape) " + text(0, offset, count) : "tensor \(shape)"
    }
}

extension Tensor: Codable {
    private enum CodingKeys: String, CodingKey { case shape, elements }

    /// Decodes what `encode(to:)` wrote: plain data.
    ///
    /// - Throws: `DecodingError.dataCorrupted` if the shape does not fit the number of elements.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let shape = try container.decode([Int].self, forKey: .shape)
        let elements = try container.decode([Scalar].self, forKey: .elements)
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { count = -1; break }
            count = product
        }
        guard count == elements.count else {
            throw DecodingError.dataCorruptedError(
                forKey: .elements, in: container, debugDescription: "\(elements.count) elements for shape \(shape)")
        }
        self.init(shape, elements)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(shape, forKey: .shape)
        try container.encode(elements, forKey: .elements)
    }
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func filled<Scalar: KernelScalar>(_ count: Int, _ value: Scalar) -> [Scalar] { Array(repeating: value, count: count) }

/// The product of the extents.
///
/// - Precondition: none is negative.
func elementCount(_ shape: [Int]) -> Int {
    var count = 1
    for extent in shape {
        require(extent >= 0, "shape is \(shape); expected no negative extent")
        count *= extent
    }
    return count
}
