import Kernels

/// A borrowed dense matrix whose rows may lie apart: element (i, j) is at `i * rowStride + j` of the span.
///
/// Use it for a block of a ``Matrix`` (``Matrix/view`` and ``submatrix(rows:columns:)``), or for a buffer of one's own with
/// padded rows. It is an operand of `multiply` without a copy; `Matrix(view)` copies it.
public struct MatrixView<Scalar: KernelScalar>: ~Escapable {
    public let rows: Int
    public let columns: Int
    /// The distance in elements from one row's first element to the next one's.
    public let rowStride: Int
    @usableFromInline let elements: Span<Scalar>

    /// A view of `elements`.
    ///
    /// - Precondition: sizes are not negative, `rowStride` ≥ `columns`, and the last row ends inside `elements`.
    @_lifetime(copy elements)
    public init(_ elements: Span<Scalar>, rows: Int, columns: Int, rowStride: Int) {
        requireShape(rows, columns)
        require(rowStride >= columns, "row stride is \(rowStride); expected at least \(columns), the number of columns")
        let needed = rows == 0 || columns == 0 ? 0 : (rows - 1) * rowStride + columns
        require(elements.count >= needed,
                "\(elements.count) elements for a \(rows)×\(columns) view with row stride \(rowStride); expected at least \(needed)")
        self.rows = rows
        self.columns = columns
        self.rowStride = rowStride
        self.elements = elements
    }

    /// The element in row `row` and column `column`, both counted from 0.
    ///
    /// - Precondition: both are in range.
    @inlinable public subscript(row: Int, column: Int) -> Scalar {
        if UInt(bitPattern: row) >= UInt(bitPattern: rows) || UInt(bitPattern: column) >= UInt(bitPattern: columns) {
            indexOutOfRange(row, column)
        }
        return elements[row * rowStride + column]
    }

    /// Row `index`, borrowed.
    ///
    /// - Precondition: `index` is in range.
    @_lifetime(copy self)
    public func row(_ index: Int) -> Span<Scalar> {
        require(index >= 0 && index < rows, "row \(index) of a \(rows)×\(columns) view")
        return columns == 0 ? elements.extracting(first: 0)
            : elements.extracting(index * rowStride..<index * rowStride + columns)
    }

    /// A block of rows and columns, borrowed.
    ///
    /// - Precondition: the ranges lie inside the view.
    @_lifetime(copy self)
    public func submatrix(rows rowRange: Range<Int>, columns columnRange: Range<Int>) -> MatrixView {
        require(rowRange.lowerBound >= 0 && rowRange.upperBound <= rows
                && columnRange.lowerBound >= 0 && columnRange.upperBound <= columns,
                "rows \(rowRange) and columns \(columnRange) of a \(rows)×\(columns) matrix")
        guard !rowRange.isEmpty, !columnRange.isEmpty else {
            return MatrixView(elements.extracting(first: 0), rows: rowRange.count, columns: columnRange.count,
                              rowStride: rowStride)
        }
        return MatrixView(elements.extracting(droppingFirst: rowRange.lowerBound * rowStride + columnRange.lowerBound),
                          rows: rowRange.count, columns: columnRange.count, rowStride: rowStride)
    }

    @usableFromInline func indexOutOfRange(_ row: Int, _ column: Int) -> Never {
        fatalError("element (\(row), \(column)) of a \(rows)×\(columns) view")
    }
}

extension Matrix {
    /// The whole matrix as a view.
    public var view: MatrixView<Scalar> {
        @_lifetime(borrow self) borrowing get {
            MatrixView(storage.span, rows: rows, columns: columns, rowStride: columns)
        }
    }

    /// A copy of a view, with its rows next to each other.
    ///
    /// - Complexity: O(`rows` · `columns`).
    public init(_ view: borrowing MatrixView<Scalar>) {
        let rows = view.rows, columns = view.columns, stride = view.rowStride
        let source = view.elements
        unsafe self.init(rows: rows, columns: columns, uninitialized: { out in
            unsafe source.withUnsafeBufferPointer { source in
                for i in 0..<rows {
                    unsafe (out + i * columns).initialize(from: source.baseAddress! + i * stride, count: columns)
                }
            }
        })
    }
}
