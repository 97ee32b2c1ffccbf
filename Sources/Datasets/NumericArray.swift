import Kernels
import LinearAlgebra

/// An array of numbers as a file holds it: any shape, any element type, kept as bytes until it is asked for as one of our types.
///
/// Elements are row-major and little-endian, whatever order the file had.
public struct NumericArray: Sendable, Hashable {
    /// The extent in each dimension; empty for a single number.
    public let shape: [Int]
    public let elementType: ElementType
    public let bytes: [UInt8]

    /// - Precondition: `bytes` holds exactly the elements of `shape`.
    public init(shape: [Int], elementType: ElementType, bytes: [UInt8]) {
        let size = Self.byteCount(shape: shape, elementType)
        require(size == bytes.count,
                "\(bytes.count) bytes for shape \(shape) of \(elementType); expected \(size.map(String.init) ?? "a valid shape")")
        self.shape = shape
        self.elementType = elementType
        self.bytes = bytes
    }

    /// An array of `float32` or `float64`.
    ///
    /// - `shape`: One dimension if `nil`.
    /// - Precondition: `shape` has as many elements as `values`.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public init<Scalar: KernelScalar>(_ values: [Scalar], shape: [Int]? = nil) {
        var bytes: [UInt8] = []
        let size = MemoryLayout<Scalar>.size
        bytes.reserveCapacity(values.count * size)
        for value in values {
            let pattern = size == 4 ? UInt64(Float(value).bitPattern) : Double(value).bitPattern
            for k in 0..<size { bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt64(8 * k))) }
        }
        self.init(shape: shape ?? [values.count], elementType: size == 4 ? .float32 : .float64, bytes: bytes)
    }

    /// An array of two dimensions.
    public init<Scalar>(_ matrix: Matrix<Scalar>) {
        self.init(matrix.elements, shape: [matrix.rows, matrix.columns])
    }

    /// An array of `int64`.
    public init(integers: [Int], shape: [Int]? = nil) {
        let bytes = integers.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        self.init(shape: shape ?? [integers.count], elementType: .int64, bytes: bytes)
    }

    /// The number of elements.
    public var count: Int { bytes.count / elementType.size }

    /// The elements in row-major order, rounded to the nearest `Scalar`; too large a number becomes ±∞.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func values<Scalar: KernelScalar>(as _: Scalar.Type = Scalar.self) -> [Scalar] {
        let span = bytes.span
        var result = [Scalar](repeating: 0, count: count)
        switch elementType {
        case .bool: for i in result.indices { result[i] = span[i] == 0 ? 0 : 1 }
        case .int8: for i in result.indices { result[i] = Scalar(Int8(bitPattern: span[i])) }
        case .uint8: for i in result.indices { result[i] = Scalar(span[i]) }
        case .int16: for i in result.indices { result[i] = Scalar(Int16(truncatingIfNeeded: pattern(span, i, 2))) }
        case .uint16: for i in result.indices { result[i] = Scalar(UInt16(truncatingIfNeeded: pattern(span, i, 2))) }
        case .int32: for i in result.indices { result[i] = Scalar(Int32(truncatingIfNeeded: pattern(span, i, 4))) }
        case .uint32: for i in result.indices { result[i] = Scalar(UInt32(truncatingIfNeeded: pattern(span, i, 4))) }
        case .int64: for i in result.indices { result[i] = Scalar(Int64(bitPattern: pattern(span, i, 8))) }
        case .uint64: for i in result.indices { result[i] = Scalar(pattern(span, i, 8)) }
        case .float16: for i in result.indices { result[i] = Scalar(floatFromHalf(UInt16(pattern(span, i, 2)))) }
        case .bfloat16: for i in result.indices { result[i] = Scalar(Float(bitPattern: UInt32(pattern(span, i, 2)) << 16)) }
        case .float32: for i in result.indices { result[i] = Scalar(Float(bitPattern: UInt32(pattern(span, i, 4)))) }
        case .float64: for i in result.indices { result[i] = Scalar(Double(bitPattern: pattern(span, i, 8))) }
        }
        return result
    }

    /// The elements in row-major order, if all of them are whole numbers that `Int` holds; otherwise `nil`.
    public func integers() -> [Int]? {
        let span = bytes.span
        var result = [Int](repeating: 0, count: count)
        switch elementType {
        case .bool, .uint8: for i in result.indices { result[i] = Int(span[i]) }
        case .int8: for i in result.indices { result[i] = Int(Int8(bitPattern: span[i])) }
        case .int16: for i in result.indices { result[i] = Int(Int16(truncatingIfNeeded: pattern(span, i, 2))) }
        case .int32: for i in result.indices { result[i] = Int(Int32(truncatingIfNeeded: pattern(span, i, 4))) }
        case .uint16, .uint32, .uint64:
            for i in result.indices {
                guard let value = Int(exactly: pattern(span, i, elementType.size)) else { return nil }
                result[i] = value
            }
        case .int64: for i in result.indices { result[i] = Int(truncatingIfNeeded: pattern(span, i, 8)) }
        case .float16, .bfloat16, .float32, .float64:
            let numbers = values(as: Double.self)
            for i in result.indices {
                guard let value = Int(exactly: numbers[i]) else { return nil }
                result[i] = value
            }
        }
        return result
    }

    /// The elements as a matrix: the first dimension gives the rows, the others together the columns.
    ///
    /// One dimension gives a column, none a 1 × 1 matrix.
    public func matrix<Scalar: KernelScalar>(as _: Scalar.Type = Scalar.self) -> Matrix<Scalar> {
        Matrix(rows: shape.first ?? 1, columns: shape.dropFirst().reduce(1, *), elements: values())
    }

    /// The bytes that an array of this shape takes; `nil` if an extent is negative or the number does not fit.
    static func byteCount(shape: [Int], _ type: ElementType) -> Int? {
        var total = type.size
        // Extents of 0 count as 1 for overflow, so that no partial product of a shape that passes can overflow.
        for extent in shape {
            let (product, overflow) = total.multipliedReportingOverflow(by: max(1, extent))
            guard extent >= 0, !overflow else { return nil }
            total = product
        }
        return shape.contains(0) ? 0 : total
    }
}

/// The bits of element i, of `size` bytes.
@inline(__always)
private func pattern(_ bytes: Span<UInt8>, _ i: Int, _ size: Int) -> UInt64 {
    var result: UInt64 = 0
    for k in 0..<size { result |= UInt64(bytes[i * size + k]) << UInt64(8 * k) }
    return result
}

/// A binary16 number; every one is exact in `Float`. (`Float16` does not exist on every platform.)
private func floatFromHalf(_ bits: UInt16) -> Float {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 31), fraction = Float(bits & 1023)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 25, significand: fraction + 1024)
    }
}
