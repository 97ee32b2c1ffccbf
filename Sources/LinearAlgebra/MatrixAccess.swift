import Kernels

extension Matrix {
    /// All elements, row after row, borrowed.
    @inlinable public var span: Span<Scalar> {
        storage.span
    }

    /// All elements, row after row, borrowed for writing.
    @inlinable public var mutableSpan: MutableSpan<Scalar> {
        @_lifetime(&self) mutating get { storage.mutableSpan }
    }

    /// Row `index`, borrowed without a copy.
    ///
    /// - Precondition: `index` is in range.
    @_lifetime(borrow self)
    @inlinable public func row(_ index: Int) -> Span<Scalar> {
        requireRow(index)
        return storage.span.extracting(index * columns..<(index + 1) * columns)
    }

    /// Row `index`, borrowed for writing.
    ///
    /// - Precondition: `index` is in range.
    @_lifetime(&self)
    @inlinable public mutating func mutableRow(_ index: Int) -> MutableSpan<Scalar> {
        requireRow(index)
        let columns = columns
        let all = storage.mutableSpan
        return all._consumingExtracting(index * columns..<(index + 1) * columns)
    }

    /// A copy of column `index`.
    ///
    /// - Precondition: `index` is in range.
    /// - Complexity: O(`rows`), with a stride of a row: ``transposed()`` first where all columns are wanted.
    public func column(_ index: Int) -> [Scalar] {
        require(index >= 0 && index < columns, "column \(index) of a \(rows)×\(columns) matrix")
        return (0..<rows).map { storage[$0 * columns + index] }
    }

    /// A copy of the diagonal, min(`rows`, `columns`) elements.
    public var diagonal: [Scalar] { (0..<min(rows, columns)).map { storage[$0 * (columns + 1)] } }

    /// A copy of a block of rows and columns.
    ///
    /// - Precondition: the ranges lie inside the matrix.
    public func submatrix(rows rowRange: Range<Int>, columns columnRange: Range<Int>) -> Matrix {
        Matrix(view.submatrix(rows: rowRange, columns: columnRange))
    }

    /// The transpose, copied tile by tile.
    ///
    /// - Complexity: O(`rows` · `columns`); each element is read and written once.
    public func transposed() -> Matrix {
        unsafe Matrix(rows: columns, columns: rows, uninitialized: { out in
            unsafe storage.withUnsafeBufferPointer { unsafe transpose($0.baseAddress!, rows, columns, into: out) }
        })
    }

    /// The matrix of `transform(element)`.
    @inlinable public func map<Result: KernelScalar, Failure: Error>(
        _ transform: (Scalar) throws(Failure) -> Result
    ) throws(Failure) -> Matrix<Result> {
        Matrix<Result>(rows: rows, columns: columns, elements: try storage.map(transform))
    }

    @usableFromInline func requireRow(_ index: Int) {
        require(index >= 0 && index < rows, "row \(index) of a \(rows)×\(columns) matrix")
    }
}
