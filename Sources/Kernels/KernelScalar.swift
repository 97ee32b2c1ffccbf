/// A floating-point type that the kernels know: `Float` and `Double`, no others.
///
/// Each requirement works on a whole buffer and calls C once. Generic code reaches the kernels through these.
/// Buffers are `Span`s, so a user's own arrays go in without copying: `Float.dot(x.span, y.span)`.
///
/// Counts that do not fit are a precondition failure that names them; empty buffers are fine everywhere. NaN and
/// infinities are data: they travel through each formula as IEEE 754 says, with the exceptions stated. One ulp is the
/// spacing of the type's numbers at the exact result; u is half the type's `ulpOfOne`. The same input gives the same bits
/// on one tier; between tiers results differ within the stated bounds.
public protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable, Codable where RawSignificand: FixedWidthInteger {
    // MARK: Reductions

    /// Σᵢ xᵢ yᵢ; 0 for empty operands.
    ///
    /// Error at most 20 u · Σ|xᵢ yᵢ| for any length, beside the rounding of the result: blocks are summed in lanes, blocks
    /// of floats then in `Double`, blocks of doubles with their rounding errors carried along. Differs from NumPy's
    /// `dot`, whose bound grows with the length.
    ///
    /// - Precondition: equal counts.
    static func dot(_ x: Span<Self>, _ y: Span<Self>) -> Self

    /// Σᵢ xᵢ; 0 for an empty operand. Error at most 20 u · Σ|xᵢ|, as ``dot(_:_:)``.
    static func sum(_ x: Span<Self>) -> Self

    /// √Σᵢ xᵢ², with relative error at most 21 u; 0 for an empty operand.
    ///
    /// Squares neither overflow nor underflow: the norm of (10³⁰⁰, 10³⁰⁰) is finite. An infinite element gives +∞, a NaN gives
    /// NaN. Differs from `numpy.linalg.norm`, which overflows.
    static func nrm2(_ x: Span<Self>) -> Self

    /// maxᵢ |xᵢ|, exactly; 0 for an empty operand, NaN if any element is NaN.
    static func maxAbs(_ x: Span<Self>) -> Self

    // MARK: Updates

    /// y ← a x + y. A coefficient 0 is multiplied like any other, so 0 · NaN is NaN; BLAS may leave `x` unread.
    ///
    /// - Precondition: equal counts.
    static func axpy(_ a: Self, _ x: Span<Self>, _ y: inout MutableSpan<Self>)

    /// y ← a x + b y. With b = 0 a NaN in `y` stays NaN; BLAS would overwrite it.
    ///
    /// - Precondition: equal counts.
    static func axpby(_ a: Self, _ x: Span<Self>, _ b: Self, _ y: inout MutableSpan<Self>)

    /// x ← a x.
    static func scale(_ a: Self, _ x: inout MutableSpan<Self>)

    /// w ← a x + b y + c z in one pass: each array is read once and `w` written once.
    ///
    /// - Precondition: equal counts.
    static func linearCombination(
        _ a: Self, _ x: Span<Self>, _ b: Self, _ y: Span<Self>, _ c: Self, _ z: Span<Self>,
        into w: inout MutableSpan<Self>)

    // MARK: Elementwise functions

    /// yᵢ ← eˣ. Error at most 1.1 ulp (`Float`), 1.1 ulp (`Double`).
    ///
    /// x above log(max) gives +∞; below log(smallest normal) the result underflows gradually to 0. exp(−∞) = 0, exp(±0) = 1.
    ///
    /// - Precondition: equal counts.
    static func exp(_ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← eˣ: as ``exp(_:into:)``, to the bit, in place.
    static func exp(_ x: inout MutableSpan<Self>)

    /// yᵢ ← ln x. Error at most 0.9 ulp (`Float`), 1 ulp (`Double`).
    ///
    /// log(±0) = −∞, log(+∞) = +∞, x < 0 gives NaN (not an error: check before if your data can be negative).
    ///
    /// - Precondition: equal counts.
    static func log(_ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← ln x: as ``log(_:into:)``, to the bit, in place.
    static func log(_ x: inout MutableSpan<Self>)

    /// yᵢ ← tanh x. Error at most 1.3 ulp (`Float`), 1.75 ulp (`Double`).
    ///
    /// tanh(±∞) = ±1, tanh(±0) = ±0.
    ///
    /// - Precondition: equal counts.
    static func tanh(_ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← tanh x: as ``tanh(_:into:)``, to the bit, in place.
    static func tanh(_ x: inout MutableSpan<Self>)

    /// yᵢ ← 1 / (1 + e⁻ˣ). Error at most 1.3 ulp (`Float`), 1.4 ulp (`Double`).
    ///
    /// logistic(−∞) = 0, logistic(+∞) = 1; for very negative x it underflows as eˣ does.
    ///
    /// - Precondition: equal counts.
    static func logistic(_ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← 1 / (1 + e⁻ˣ): as ``logistic(_:into:)``, to the bit, in place.
    static func logistic(_ x: inout MutableSpan<Self>)

    /// yᵢ ← (2/√π) ∫₀ˣ exp(−t²) dt. Error at most 1.2 ulp (`Float`), 1.5 ulp (`Double`).
    ///
    /// erf(±∞) = ±1, erf(±0) = ±0.
    ///
    /// - Precondition: equal counts.
    static func erf(_ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← (2/√π) ∫₀ˣ exp(−t²) dt: as ``erf(_:into:)``, to the bit, in place.
    static func erf(_ x: inout MutableSpan<Self>)

    /// yᵢ ← √x. Rounded correctly.
    ///
    /// sqrt(±0) = ±0, sqrt(+∞) = +∞, x < 0 gives NaN.
    ///
    /// - Precondition: equal counts.
    static func sqrt(_ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← √x: as ``sqrt(_:into:)``, to the bit, in place.
    static func sqrt(_ x: inout MutableSpan<Self>)

    /// yᵢ ← 1/x. Rounded correctly.
    ///
    /// reciprocal(±0) = ±∞, reciprocal(±∞) = ±0; a subnormal x can overflow to ±∞.
    ///
    /// - Precondition: equal counts.
    static func reciprocal(_ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← 1/x: as ``reciprocal(_:into:)``, to the bit, in place.
    static func reciprocal(_ x: inout MutableSpan<Self>)

    // MARK: Rows

    /// yᵢₖ ← exp(xᵢₖ − mᵢ) / Σₗ exp(xᵢₗ − mᵢ) with mᵢ = maxₗ xᵢₗ: the soft-max of each row.
    ///
    /// Equal entries share equally, infinite ones too: a row of −∞ alone gives 1/columns, and j entries +∞ give 1/j each
    /// and 0 elsewhere, as in the limit. A NaN makes its row NaN. Differs from SciPy and PyTorch, where both infinite cases
    /// give NaN. Relative error at most (6 + 2 |xᵢₖ − mᵢ|) u, beside the underflow of exp.
    ///
    /// `x` has `rows` rows of `columns` elements, `xStride` elements from row to row, and `y` likewise. Elements between rows
    /// are not touched.
    ///
    /// - Complexity: a row that fits the first-level cache is read from memory once.
    static func softmax(
        rows: Int, columns: Int, of x: Span<Self>, stride xStride: Int, into y: inout MutableSpan<Self>, stride yStride: Int)

    /// As ``softmax(rows:columns:of:stride:into:stride:)``, to the bit, in place.
    static func softmax(rows: Int, columns: Int, of x: inout MutableSpan<Self>, stride: Int)

    /// zᵢ ← ln Σₖ exp(xᵢₖ), without overflow: mᵢ + ln Σₖ exp(xᵢₖ − mᵢ) with mᵢ = maxₖ xᵢₖ.
    ///
    /// A row of −∞ alone, or of no columns, gives −∞; an entry +∞ gives +∞; a NaN gives NaN. Error at most 6 u + u |zᵢ|.
    /// `z` has one element for each row.
    static func logSumExp(rows: Int, columns: Int, of x: Span<Self>, stride: Int, into z: inout MutableSpan<Self>)

    // MARK: Random numbers

    /// Uniform numbers in [0, 1) from the blocks `source` on: multiples of 2⁻²⁴ (`Float`, 4 a block) or 2⁻⁵³ (`Double`,
    /// 2 a block).
    static func fillUniform(_ span: inout MutableSpan<Self>, from source: PhiloxSource)

    /// Normal numbers from the blocks `source` on: 4 a block (`Float`) or 2 a block (`Double`), by the transform of Box
    /// and Muller. The largest deviation from the mean is 6.8 (`Float`) or 8.5 (`Double`) standard deviations.
    static func fillNormal(
        _ span: inout MutableSpan<Self>, mean: Self, standardDeviation: Self, from source: PhiloxSource)

    /// ±1 with equal probability from the blocks `source` on: 128 a block, +1 where
    /// `fillBits(_:from:)` gives a 1.
    static func fillRademacher(_ span: inout MutableSpan<Self>, from source: PhiloxSource)

    /// How many numbers of ``fillUniform(_:from:)`` and ``fillNormal(_:mean:standardDeviation:from:)`` a block gives.
    static var numbersPerRandomBlock: Int { get }
}
