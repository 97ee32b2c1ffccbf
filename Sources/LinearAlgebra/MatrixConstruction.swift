import Kernels

extension Matrix {
    /// A matrix whose elements all equal `value`.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public init(rows: Int, columns: Int, repeating value: Scalar) {
        requireShape(rows, columns)
        self.init(rows: rows, columns: columns, elements: Array(repeating: value, count: rows * columns))
    }

    /// A matrix whose element (i, j) is `element(i, j)`; the calls go row after row.
    @inlinable public init<Failure: Error>(
        rows: Int, columns: Int, _ element: (_ row: Int, _ column: Int) throws(Failure) -> Scalar
    ) throws(Failure) {
        self.init(rows: rows, columns: columns, repeating: 0)
        var k = 0
        for i in 0..<rows {
            for j in 0..<columns {
                storage[k] = try element(i, j)
                k += 1
            }
        }
    }

    /// A matrix with the given rows. No rows give the 0×0 matrix.
    ///
    /// - Precondition: the rows are equally long.
    public init(rows list: [[Scalar]]) {
        let columns = list.first?.count ?? 0
        for (i, row) in list.enumerated() {
            require(row.count == columns, "row \(i) has \(row.count) elements and row 0 has \(columns); expected equal lengths")
        }
        self.init(rows: list.count, columns: columns, elements: Array(list.joined()))
    }

    /// The matrix of zeros.
    public static func zeros(rows: Int, columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns, repeating: 0)
    }

    /// The identity of the given size.
    public static func identity(_ size: Int) -> Matrix {
        diagonal(Array(repeating: 1, count: size))
    }

    /// The square matrix with `values` on the diagonal and zeros elsewhere.
    public static func diagonal(_ values: [Scalar]) -> Matrix {
        var result = zeros(rows: values.count, columns: values.count)
        for (i, value) in values.enumerated() { result.storage[i * (values.count + 1)] = value }
        return result
    }

    /// A matrix whose elements `initialize` writes; every element must be written.
    init(rows: Int, columns: Int, uninitialized initialize: (UnsafeMutablePointer<Scalar>) -> Void) {
        let count = rows * columns
        self.init(rows: rows, columns: columns, elements: unsafe Array(unsafeUninitializedCapacity: count) {
            if count > 0 { unsafe initialize($0.baseAddress!) }
            $1 = count
        })
    }
}

/// A vector of zeros.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
func zeroVector<Scalar: KernelScalar>(_ count: Int) -> [Scalar] { Array(repeating: 0, count: count) }

extension Matrix: ExpressibleByArrayLiteral {
    /// A matrix written as its rows: `[[1, 2], [3, 4]]`.
    ///
    /// - Precondition: the rows are equally long.
    public init(arrayLiteral rows: [Scalar]...) {
        self.init(rows: rows)
    }
}
