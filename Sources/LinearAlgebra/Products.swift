import Kernels

// BLAS 2 and 3 on matrices. The scalar may be NaN or infinite: products follow IEEE arithmetic and throw nothing.
// As in BLAS, with `beta` = 0 the old content of the result is not read, so it may be NaN.

/// C ← `alpha`·op(A)·op(B) + `beta`·C, where op transposes if asked to. The operands may be views with strided rows.
///
/// - Precondition: the columns of op(A) equal the rows of op(B), and C has the shape of the product.
/// - Complexity: O(m·n·k), at the speed of BLAS `gemm`, with no copy.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiply<Scalar: KernelScalar>(
    _ a: borrowing MatrixView<Scalar>, _ b: borrowing MatrixView<Scalar>, transposeA: Bool = false, transposeB: Bool = false,
    alpha: Scalar = 1, beta: Scalar = 0, into c: inout Matrix<Scalar>
) {
    let m = transposeA ? a.columns : a.rows, n = transposeB ? b.rows : b.columns
    require(c.rows == m && c.columns == n, "product of order \(m)×\(n) into \(c.rows)×\(c.columns)")
    var span = c.storage.mutableSpan
    multiply(a, b, transposeA: transposeA, transposeB: transposeB, alpha: alpha, beta: beta, into: &span, rowStride: n)
}

/// C ← `alpha`·op(A)·op(B) + `beta`·C + row into a buffer of the caller's: row i of C begins at element i · `rowStride`, and `row`
/// is added to each.
///
/// Elements between the rows are not touched.
///
/// - Parameter row: one element for each column of the product, or empty for none.
/// - Precondition: the columns of op(A) equal the rows of op(B), and `c` holds the rows of the product.
/// - Complexity: O(m·n·k), at the speed of BLAS `gemm`, with no copy.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiply<Scalar: KernelScalar>(
    _ a: borrowing MatrixView<Scalar>, _ b: borrowing MatrixView<Scalar>, transposeA: Bool = false, transposeB: Bool = false,
    alpha: Scalar = 1, beta: Scalar = 0, row: Span<Scalar> = Span(), into c: inout MutableSpan<Scalar>, rowStride: Int
) {
    let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let (inner, n) = transposeB ? (b.columns, b.rows) : (b.rows, b.columns)
    require(k == inner, "product of \(m)×\(k) by \(inner)×\(n); expected inner sizes to agree")
    require(rowStride >= n, "row stride is \(rowStride); expected at least \(n), the number of columns of the product")
    guard m > 0, n > 0 else { return }
    require(c.count >= (m - 1) * rowStride + n,
            "\(c.count) elements for a \(m)×\(n) product with row stride \(rowStride); expected at least \((m - 1) * rowStride + n)")
    require(row.isEmpty || row.count == n, "a row of \(row.count) elements to add to \(n) columns; expected one each, or none")
    let strideA = a.rowStride, strideB = b.rowStride
    if k == 0 || prefersPackedProduct(m, n, k, transposeA, transposeB) {
        let form = MatrixProductForm(rows: m, columns: n, inner: k, transposeA: transposeA, transposeB: transposeB, strideA: strideA,
                                     strideB: strideB, stride: rowStride)
        return Scalar.multiply(form, alpha: alpha, a.elements, b.elements, beta: beta, row: row, into: &c)
    }
    unsafe a.elements.withUnsafeBufferPointer { a in
        unsafe b.elements.withUnsafeBufferPointer { b in
            unsafe c.withUnsafeMutableBufferPointer { c in
                unsafe Scalar.gemm(transposeA, transposeB, m, n, k, alpha, a.baseAddress!, strideA, b.baseAddress!, strideB,
                                   beta, c.baseAddress!, rowStride)
            }
        }
    }
    guard !row.isEmpty else { return }
    if rowStride == n {
        var whole = c._mutatingExtracting(0..<m * n)
        Scalar.addRow(rows: m, columns: n, &whole, row)
    } else {
        for i in 0..<m {
            var part = c._mutatingExtracting(i * rowStride..<i * rowStride + n)
            Scalar.addRow(rows: 1, columns: n, &part, row)
        }
    }
}

/// Whether a product goes to `Kernels` and not to BLAS: where it was measured the faster one, against OpenBLAS 0.3.21.
///
/// That is with AVX-512 (with AVX2 both are alike), from the size on at which OpenBLAS begins to pack its factors (it does so for
/// small ones too if B alone is transposed), and up to where both run at the speed of the multipliers. Few columns are
/// OpenBLAS's as well.
private func prefersPackedProduct(_ m: Int, _ n: Int, _ k: Int, _ transposeA: Bool, _ transposeB: Bool) -> Bool {
    let work = m * n * k
    guard work > (transposeB && !transposeA ? 4096 : 1_000_000), work < 1 << 30, m > 1, n > 8 else { return false }
    let tier = KernelTier.active
    return tier == .avx512 || tier == .avx512icl
}

/// C ← `alpha`·op(A)·op(B) + `beta`·C, where op transposes if asked to.
///
/// - Precondition: the columns of op(A) equal the rows of op(B), and C has the shape of the product.
/// - Complexity: O(m·n·k), at the speed of BLAS `gemm`, with no copy.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiply<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, _ b: Matrix<Scalar>, transposeA: Bool = false, transposeB: Bool = false,
    alpha: Scalar = 1, beta: Scalar = 0, into c: inout Matrix<Scalar>
) {
    multiply(a.view, b.view, transposeA: transposeA, transposeB: transposeB, alpha: alpha, beta: beta, into: &c)
}

/// op(A)·op(B), where op transposes if asked to.
///
/// - Precondition: the columns of op(A) equal the rows of op(B).
/// - Complexity: O(m·n·k), at the speed of BLAS `gemm`, with no copy.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiply<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, _ b: Matrix<Scalar>, transposeA: Bool = false, transposeB: Bool = false
) -> Matrix<Scalar> {
    var c = Matrix<Scalar>.zeros(rows: transposeA ? a.columns : a.rows, columns: transposeB ? b.rows : b.columns)
    multiply(a, b, transposeA: transposeA, transposeB: transposeB, into: &c)
    return c
}

/// y ← `alpha`·op(A)·x + `beta`·y, where op transposes if asked to.
///
/// - Precondition: `x` has as many elements as op(A) has columns, `y` as many as it has rows.
/// - Complexity: O(`rows` · `columns`), at the speed of BLAS `gemv`.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiply<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, _ x: Span<Scalar>, transpose: Bool = false, alpha: Scalar = 1, beta: Scalar = 0,
    into y: inout MutableSpan<Scalar>
) {
    requireCount(x.count, transpose ? a.rows : a.columns, "vector factor of a \(a.rows)×\(a.columns) matrix")
    requireCount(y.count, transpose ? a.columns : a.rows, "result of a \(a.rows)×\(a.columns) matrix")
    guard !y.isEmpty else { return }
    guard !x.isEmpty else { return scale(&y, by: beta) }
    unsafe a.storage.withUnsafeBufferPointer { elements in
        unsafe x.withUnsafeBufferPointer { x in
            unsafe y.withUnsafeMutableBufferPointer { y in
                unsafe Scalar.gemv(transpose, a.rows, a.columns, alpha, elements.baseAddress!, a.columns, x.baseAddress!,
                                   beta, y.baseAddress!)
            }
        }
    }
}

/// y ← `alpha`·A·x + `beta`·y with A symmetric, of which only `triangle` is read.
///
/// - Precondition: A is square; `x` and `y` have as many elements as it has rows.
/// - Complexity: O(`rows`²), reading half of the matrix.
@specialized(where Scalar == Float)
@specialized(where Scalar == Double)
public func multiplySymmetric<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, _ x: Span<Scalar>, triangle: Triangle = .lower, alpha: Scalar = 1, beta: Scalar = 0,
    into y: inout MutableSpan<Scalar>
) {
    requireSquare(a.rows, a.columns, "symmetric product")
    requireCount(x.count, a.rows, "vector factor of a \(a.rows)×\(a.columns) matrix")
    requireCount(y.count, a.rows, "result of a \(a.rows)×\(a.columns) matrix")
    guard !y.isEmpty else { return }
    unsafe a.storage.withUnsafeBufferPointer { elements in
        unsafe x.withUnsafeBufferPointer { x in
            unsafe y.withUnsafeMutableBufferPointer { y in
                unsafe Scalar.symv(triangle, a.rows, alpha, elements.baseAddress!, x.baseAddress!, beta, y.baseAddress!)
            }
        }
    }
}

/// C ← `alpha`·op(A)·op(A)ᵀ + `beta`·C with C symmetric: AAᵀ, or AᵀA with `transpose`.
///
/// Half of the products are computed (BLAS `syrk`) and mirrored, so the result is symmetric to the bit.
/// With `beta` ≠ 0 only the lower triangle of C is read.
///
/// - Precondition: C is square, of the size of the product.
/// - Complexity: O(n²·k) for a product of order n with inner size k.
public func symmetricProduct<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, transpose: Bool = false, alpha: Scalar = 1, beta: Scalar = 0, into c: inout Matrix<Scalar>
) {
    let (n, k) = transpose ? (a.columns, a.rows) : (a.rows, a.columns)
    require(c.rows == n && c.columns == n, "symmetric product of order \(n) into \(c.rows)×\(c.columns); expected \(n)×\(n)")
    guard n > 0 else { return }
    if k == 0 {
        c.scaleInPlace(by: beta)
    } else {
        unsafe a.storage.withUnsafeBufferPointer { elements in
            unsafe c.storage.withUnsafeMutableBufferPointer { c in
                unsafe Scalar.syrk(transpose, n, k, alpha, elements.baseAddress!, a.columns, beta, c.baseAddress!)
            }
        }
    }
    c.mirrorLower()
}

extension Matrix {
    /// The matrix product.
    ///
    /// Differs from NumPy: `*` is the product, as `@` there; ``multipliedElementwise(by:)`` is NumPy's `*`.
    ///
    /// - Precondition: the left side has as many columns as the right side has rows.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public static func * (a: Matrix, b: Matrix) -> Matrix { multiply(a, b) }

    /// The product with a column vector.
    ///
    /// - Precondition: the vector has as many elements as the matrix has columns.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    public static func * (a: Matrix, x: [Scalar]) -> [Scalar] {
        var y: [Scalar] = zeroVector(a.rows)
        var span = y.mutableSpan
        multiply(a, x.span, into: &span)
        return y
    }

    /// Adds `scale`·x·yᵀ (BLAS `ger`).
    ///
    /// - Precondition: `x` has as many elements as there are rows, `y` as many as there are columns.
    public mutating func addOuterProduct(_ x: Span<Scalar>, _ y: Span<Scalar>, scale: Scalar = 1) {
        requireCount(x.count, rows, "left factor of an outer product into \(rows)×\(columns)")
        requireCount(y.count, columns, "right factor of an outer product into \(rows)×\(columns)")
        guard !isEmpty else { return }
        let (m, n) = (rows, columns)
        unsafe x.withUnsafeBufferPointer { x in
            unsafe y.withUnsafeBufferPointer { y in
                unsafe storage.withUnsafeMutableBufferPointer {
                    unsafe Scalar.ger(m, n, scale, x.baseAddress!, y.baseAddress!, $0.baseAddress!)
                }
            }
        }
    }

    /// AᵀA for this matrix A, symmetric to the bit.
    public func gram() -> Matrix {
        var c = Matrix.zeros(rows: columns, columns: columns)
        symmetricProduct(self, transpose: true, into: &c)
        return c
    }

    /// Copies the lower triangle onto the upper one.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    mutating func mirrorLower() {
        let n = rows, tile = 32
        unsafe storage.withUnsafeMutableBufferPointer { c in
            for i0 in stride(from: 0, to: n, by: tile) {
                for j0 in stride(from: i0, to: n, by: tile) {
                    for i in i0..<min(i0 + tile, n) {
                        for j in max(j0, i + 1)..<max(j0, i + 1, min(j0 + tile, n)) {
                            unsafe c[i * n + j] = unsafe c[j * n + i]
                        }
                    }
                }
            }
        }
    }
}
