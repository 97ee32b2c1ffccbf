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

    /// x ← a p + x and r ← b q + r in one pass: a step of conjugate gradients.
    ///
    /// - Returns: Σᵢ rᵢ² of the new r, with the error of ``dot(_:_:)``.
    /// - Precondition: equal counts.
    static func conjugateUpdate(
        _ a: Self, _ p: Span<Self>, into x: inout MutableSpan<Self>, _ b: Self, _ q: Span<Self>, into r: inout MutableSpan<Self>
    ) -> Self

    // MARK: Grids

    /// y ← A x.
    ///
    /// - Returns: x·y.
    /// - Precondition: as many elements as points, here and in all that follow.
    static func stencilApply(_ g: StencilGrid<Self>, _ x: Span<Self>, into y: inout MutableSpan<Self>) -> Self

    /// r ← b − A x.
    ///
    /// - Returns: r·r.
    static func stencilResidual(_ g: StencilGrid<Self>, _ x: Span<Self>, _ b: Span<Self>, into r: inout MutableSpan<Self>) -> Self

    /// One sweep of successive over-relaxation: each point in turn, x ← x + ω (b − A x) / D. Zero diagonals are not looked for.
    ///
    /// - Parameter work: at least 3 · columns elements, overwritten; here and below.
    /// - Returns: ‖b − A x‖² of the new x if `measuring`, taken in the same pass; else 0.
    static func stencilRelax(
        _ g: StencilGrid<Self>, _ omega: Self, _ order: StencilOrder, measuring: Bool, work: inout MutableSpan<Self>, _ b: Span<Self>,
        _ x: inout MutableSpan<Self>) -> Self

    /// x ← (D/ω + L)⁻¹ b, or (D/ω + U)⁻¹ b if `upper`.
    static func stencilSolveTriangle(
        _ g: StencilGrid<Self>, _ omega: Self, upper: Bool, work: inout MutableSpan<Self>, _ b: Span<Self>, into x: inout MutableSpan<Self>)

    /// w ← (D/ω + L)⁻¹ (p + (1 − 2/ω) D t) and q ← p + ((1 − 1/ω) D + L) t. With p = (D/ω + U) t, q is A t and t + w is (D/ω + L)⁻¹ A t.
    static func stencilEisenstat(
        _ g: StencilGrid<Self>, _ omega: Self, work: inout MutableSpan<Self>, _ p: Span<Self>, _ t: Span<Self>,
        into w: inout MutableSpan<Self>, image q: inout MutableSpan<Self>)

    /// coarse ← Pᵀ fine.
    ///
    /// - Parameter work: at least as many elements as a line has, overwritten; here and below.
    static func stencilRestrict(
        _ t: StencilTransfer<Self>, _ fine: Span<Self>, work: inout MutableSpan<Self>, into coarse: inout MutableSpan<Self>)

    /// fine ← fine + P coarse.
    static func stencilProlong(
        _ t: StencilTransfer<Self>, _ coarse: Span<Self>, work: inout MutableSpan<Self>, into fine: inout MutableSpan<Self>)

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

    // MARK: Elementwise arithmetic

    /// zᵢ ← xᵢ yᵢ, rounded once.
    ///
    /// - Precondition: equal counts, here and in all that follow.
    static func multiply(_ x: Span<Self>, _ y: Span<Self>, into z: inout MutableSpan<Self>)

    /// zᵢ ← xᵢ / yᵢ, rounded once.
    static func divide(_ x: Span<Self>, _ y: Span<Self>, into z: inout MutableSpan<Self>)

    /// zᵢ ← xᵢ + yᵢ, rounded once.
    static func add(_ x: Span<Self>, _ y: Span<Self>, into z: inout MutableSpan<Self>)

    /// zᵢ ← xᵢ − yᵢ, rounded once.
    static func subtract(_ x: Span<Self>, _ y: Span<Self>, into z: inout MutableSpan<Self>)

    /// zᵢ ← the larger of xᵢ and yᵢ; NaN where either is NaN, as NumPy's `maximum` and unlike C's `fmax`. Where they compare
    /// equal, xᵢ.
    static func maximum(_ x: Span<Self>, _ y: Span<Self>, into z: inout MutableSpan<Self>)

    /// zᵢ ← the smaller of xᵢ and yᵢ; NaN where either is NaN. Where they compare equal, xᵢ.
    static func minimum(_ x: Span<Self>, _ y: Span<Self>, into z: inout MutableSpan<Self>)

    /// wᵢ ← xᵢ yᵢ + zᵢ, with error at most 2 u (|xᵢ yᵢ| + |zᵢ|).
    static func multiplyAdd(_ x: Span<Self>, _ y: Span<Self>, _ z: Span<Self>, into w: inout MutableSpan<Self>)

    /// zᵢ ← xᵢ yᵢ + zᵢ: as ``multiplyAdd(_:_:_:into:)``, to the bit.
    static func multiplyAccumulate(_ x: Span<Self>, _ y: Span<Self>, into z: inout MutableSpan<Self>)

    /// wᵢ ← aᵢ bᵢ + cᵢ dᵢ in one pass, with error at most 2 u (|aᵢ bᵢ| + |cᵢ dᵢ|): the tangent of a product.
    static func sumOfProducts(
        _ a: Span<Self>, _ b: Span<Self>, _ c: Span<Self>, _ d: Span<Self>, into w: inout MutableSpan<Self>)

    /// yᵢ ← a xᵢ + b, with error at most 2 u (|a xᵢ| + |b|).
    static func affine(_ a: Self, _ x: Span<Self>, _ b: Self, into y: inout MutableSpan<Self>)

    // MARK: Elementwise functions with derivatives

    /// yᵢ ← f(xᵢ).
    ///
    /// Errors, at most: those of the functions above for `exp` to `reciprocal`; `sin` and `cos` 0.95 ulp, `softplus` 1.5 ulp,
    /// `silu` 3.4 ulp (3.2 in Double), `gelu` 4.5 ulp; `relu` and `abs` are exact, `square` is rounded correctly. They hold for every input,
    /// infinities and subnormal results included: gelu(−∞) = silu(−∞) = −0, the limits. f(NaN) is NaN. `sin` and `cos`
    /// call the C library, element by element, for |x| above 10⁶ (`Float`) or 16384 (`Double`).
    static func apply(_ function: ElementwiseFunction, _ x: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢ ← f(xᵢ): as ``apply(_:_:into:)``, to the bit, in place.
    static func apply(_ function: ElementwiseFunction, _ x: inout MutableSpan<Self>)

    /// outᵢ ← gᵢ p(sᵢ), where p(s) is the derivative of f written in the saved number.
    ///
    /// Relative error at most 4.5 u (`log`, `sqrt` 2; `exp`, `square` 1; `relu`, `abs` 0), beside underflow. For `gelu` and
    /// `silu`, where p is a sum of terms that cancel near its zero, 7 u of the sum of their magnitudes. `relu` gives 0 where
    /// s ≤ 0 whatever g is, as PyTorch; the others multiply, so 0 · NaN is NaN.
    ///
    /// - Parameters:
    ///   - g: the cotangent of y.
    ///   - saved: y or x, as ``ElementwiseFunction/derivativeReadsOutput`` says.
    static func pullback(
        _ function: ElementwiseFunction, _ g: Span<Self>, saved: Span<Self>, into out: inout MutableSpan<Self>)

    /// gᵢ ← gᵢ p(sᵢ): as ``pullback(_:_:saved:into:)``, to the bit, in place.
    static func pullback(_ function: ElementwiseFunction, _ g: inout MutableSpan<Self>, saved: Span<Self>)

    /// outᵢ ← dgᵢ p(sᵢ) + gᵢ p′(sᵢ) dsᵢ: the tangent of ``pullback(_:_:saved:into:)``, p′ being the derivative of p by s.
    ///
    /// Errors of the terms: 1 u more than the pullback's for the first, at most 7.5 u for the second. `relu` has no second
    /// term, whatever g and ds are.
    ///
    /// - Parameters:
    ///   - dg: the tangent of `g`.
    ///   - savedTangent: the tangent of `saved`.
    static func pullbackTangent(
        _ function: ElementwiseFunction, _ g: Span<Self>, saved: Span<Self>, _ dg: Span<Self>, savedTangent: Span<Self>,
        into out: inout MutableSpan<Self>)

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

    // MARK: Rows of contiguous matrices

    /// yᵢₖ ← xᵢₖ + bₖ, rounded once: a bias for each row.
    ///
    /// - Parameters:
    ///   - x: `rows` rows of `columns` elements, one after the other; here and in all that follow, also for results.
    ///   - row: `columns` elements.
    static func addRow(rows: Int, columns: Int, _ x: Span<Self>, _ row: Span<Self>, into y: inout MutableSpan<Self>)

    /// xᵢₖ ← xᵢₖ + bₖ: as ``addRow(rows:columns:_:_:into:)``, in place.
    static func addRow(rows: Int, columns: Int, _ x: inout MutableSpan<Self>, _ row: Span<Self>)

    /// yᵢₖ ← xᵢₖ bₖ, rounded once.
    static func multiplyRow(rows: Int, columns: Int, _ x: Span<Self>, _ row: Span<Self>, into y: inout MutableSpan<Self>)

    /// zᵢ ← Σₖ xᵢₖ, as ``sum(_:)`` of each row.
    static func rowSums(rows: Int, columns: Int, of x: Span<Self>, into z: inout MutableSpan<Self>)

    /// zₖ ← Σᵢ xᵢₖ; 0 for no rows. Error at most 8 u Σᵢ|xᵢₖ| for any number of rows, beside the rounding of the result;
    /// NumPy's `sum(axis=0)` adds row by row, and its error grows with their number.
    static func columnSums(rows: Int, columns: Int, of x: Span<Self>, into z: inout MutableSpan<Self>)

    // MARK: Runs at steps
    //
    // Windows of an image, gathered and scattered. Both buffers must hold the last run.

    /// y[r·yRow + i·yStep + k] ← x[r·xRow + i·xStep + k] for r < rows, i < runs, k < length.
    static func copyRuns(
        rows: Int, runs: Int, length: Int, of x: Span<Self>, row xRow: Int, step xStep: Int, into y: inout MutableSpan<Self>,
        row yRow: Int, step yStep: Int)

    /// As ``copyRuns(rows:runs:length:of:row:step:into:row:step:)`` with y[…] ← y[…] + x[…], one run after the other, so that targets
    /// may overlap.
    static func addRuns(
        rows: Int, runs: Int, length: Int, of x: Span<Self>, row xRow: Int, step xStep: Int, into y: inout MutableSpan<Self>,
        row yRow: Int, step yStep: Int)

    /// zᵢ ← maxₖ xᵢₖ, NaN if one of them is; −∞ for no columns.
    static func rowMaximum(rows: Int, columns: Int, of x: Span<Self>, into z: inout MutableSpan<Self>)

    /// outᵢₖ ← yᵢₖ (gᵢₖ − Σₗ gᵢₗ yᵢₗ): the pullback of the cotangent g through the soft-max y.
    ///
    /// Error at most 24 u yᵢₖ (|gᵢₖ| + Σₗ|gᵢₗ yᵢₗ|).
    static func softmaxPullback(
        rows: Int, columns: Int, _ g: Span<Self>, softmax y: Span<Self>, into out: inout MutableSpan<Self>)

    /// yᵢₖ ← (xᵢₖ − mᵢ) − ln Σₗ exp(xᵢₗ − mᵢ) with mᵢ = maxₗ xᵢₗ: the logarithm of the soft-max.
    ///
    /// Error at most (6 + 3 |yᵢₖ|) u. Infinities as in ``softmax(rows:columns:of:stride:into:stride:)``.
    static func logSoftmax(rows: Int, columns: Int, of x: Span<Self>, into y: inout MutableSpan<Self>)

    /// outᵢₖ ← gᵢₖ − exp(yᵢₖ) Σₗ gᵢₗ: the pullback of the cotangent g through the log-soft-max y.
    ///
    /// Error at most 24 u (|gᵢₖ| + exp(yᵢₖ) Σₗ|gᵢₗ|).
    static func logSoftmaxPullback(
        rows: Int, columns: Int, _ g: Span<Self>, logSoftmax y: Span<Self>, into out: inout MutableSpan<Self>)

    /// zᵢ ← ln Σₖ exp(xᵢₖ) − xᵢₗ with l = labels[i]: the cross entropy of each row, with error at most (6 + 2 |zᵢ|) u.
    ///
    /// - Precondition: labels are in 0 ..< `columns`.
    static func crossEntropy(
        rows: Int, columns: Int, of x: Span<Self>, labels: Span<Int32>, into z: inout MutableSpan<Self>)

    /// outᵢₖ ← (softmax(xᵢ)ₖ − [k = labels[i]]) gᵢ: the pullback of ``crossEntropy(rows:columns:of:labels:into:)``, whose
    /// cotangent has one number for each row.
    ///
    /// Error at most (8 + 2 |xᵢₖ − mᵢ|) u |gᵢ| softmax(xᵢ)ₖ, and 10 u |gᵢ| at the label. A row that fits the first-level cache is
    /// read from memory once.
    ///
    /// - Precondition: labels are in 0 ..< `columns`.
    static func crossEntropyPullback(
        rows: Int, columns: Int, _ g: Span<Self>, of x: Span<Self>, labels: Span<Int32>, into out: inout MutableSpan<Self>)

    /// yᵢₖ ← (xᵢₖ − μᵢ) rᵢ with rᵢ = 1/√(σᵢ² + ε), μᵢ the mean and σᵢ² = Σₖ (xᵢₖ − μᵢ)²/columns the variance of row i.
    ///
    /// Error at most (25 + 16 |yᵢₖ|) u, also where the mean is far larger than the deviation: the mean is corrected by that
    /// of x − μ, where a rounded one alone would leave errors of u |μ|/σ. A constant row gives 0; squares beyond the type's
    /// range give 0 too.
    ///
    /// - Parameters:
    ///   - epsilon: not negative; a constant row with ε = 0 gives NaN.
    ///   - means: μᵢ.
    ///   - inverseDeviations: rᵢ, which the pullback reads.
    static func normalizeRows(
        rows: Int, columns: Int, of x: Span<Self>, epsilon: Self, into y: inout MutableSpan<Self>,
        means: inout MutableSpan<Self>, inverseDeviations: inout MutableSpan<Self>)

    /// outᵢₖ ← rᵢ (gᵢₖ − meanₗ gᵢₗ − yᵢₖ meanₗ gᵢₗ yᵢₗ): the pullback of the cotangent g through the normalised rows y.
    ///
    /// Error at most 26 u rᵢ (|gᵢₖ| + meanₗ |gᵢₗ| + |yᵢₖ| meanₗ |gᵢₗ yᵢₗ|).
    static func normalizeRowsPullback(
        rows: Int, columns: Int, _ g: Span<Self>, normalized y: Span<Self>, inverseDeviations: Span<Self>,
        into out: inout MutableSpan<Self>)

    /// yᵢₖ ← nᵢₖ scaleₖ + shiftₖ with nᵢ the row normalised, as ``normalizeRows(rows:columns:of:epsilon:into:means:inverseDeviations:)``
    /// gives it, in one pass. The mean comes in two parts, `means` rounded and `rests` what that lacks: the pullback reads both.
    static func layerNorm(
        rows: Int, columns: Int, of x: Span<Self>, epsilon: Self, scale: Span<Self>, shift: Span<Self>, into y: inout MutableSpan<Self>,
        means: inout MutableSpan<Self>, rests: inout MutableSpan<Self>, inverseDeviations: inout MutableSpan<Self>)

    /// The cotangents of x, scale and shift for the cotangent g of y, in one pass over g and x: with v = g scale,
    /// rᵢ (vᵢₖ − mean of vᵢ − nᵢₖ mean of vᵢ nᵢ), Σᵢ gᵢₖ nᵢₖ and Σᵢ gᵢₖ.
    ///
    /// - Parameters:
    ///   - means: with `rests` and `inverseDeviations`, what ``layerNorm(rows:columns:of:epsilon:scale:shift:into:means:rests:inverseDeviations:)`` gave.
    static func layerNormPullback(
        rows: Int, columns: Int, _ g: Span<Self>, of x: Span<Self>, means: Span<Self>, rests: Span<Self>, inverseDeviations: Span<Self>,
        scale: Span<Self>, into xCotangent: inout MutableSpan<Self>, scale scaleCotangent: inout MutableSpan<Self>,
        shift shiftCotangent: inout MutableSpan<Self>)

    // MARK: Random projections

    /// x ← H x with the Walsh–Hadamard matrix in natural order, H₁ = [1], H₂ₙ = [Hₙ Hₙ; Hₙ −Hₙ], not scaled: H H = n I.
    ///
    /// n log₂ n additions, with the same bits on every tier; error at most log₂ n · u · Σ |xⱼ|.
    ///
    /// - Precondition: the count is a power of two, or 0.
    static func hadamard(_ x: inout MutableSpan<Self>)

    /// X ← H X for a row-major matrix: `hadamard` along its columns, without a transposition.
    ///
    /// Columns are shared among ``Threads/count`` threads; the bits do not depend on their number.
    ///
    /// - Precondition: `rows` is a power of two, or 0; x has rows · columns elements.
    static func hadamardRows(rows: Int, columns: Int, _ x: inout MutableSpan<Self>)

    /// Y ← Y + Σᵢ Σⱼ ±eₜ xᵢᵀ: row i of X added to row t of Y for each of its `each` targets t = targets[i · each + j] ≥ 0, and
    /// taken from row ~t where that number is negative.
    ///
    /// X and Y are contiguous with `columns` columns. The additions to a row of Y come in the order of i and j, for any number of
    /// threads and any tier.
    ///
    /// - Precondition: targets has rows · each elements, which name rows of Y.
    static func scatterRows(
        rows: Int, columns: Int, of x: Span<Self>, targets: Span<Int32>, each: Int, into y: inout MutableSpan<Self>, rows yRows: Int)

    /// Y ← scale · Σ ±xᵢ over the rows of X that `sums` gives to each row of Y: the same as
    /// ``scatterRows(rows:columns:of:targets:each:into:rows:)`` from Y = 0, to the bit, and a multiplication.
    ///
    /// Faster where Y does not lie in the first cache levels: X is read once, each row of Y is read and written once for all members in a block.
    /// Columns are shared among ``Threads/count`` threads; the bits depend neither on their number nor on the tier.
    ///
    /// - Precondition: X has `sums.rows` rows of `columns` elements, Y `sums.targetRows`.
    static func sumRows(_ sums: SignedRowSums, columns: Int, of x: Span<Self>, scale: Self, into y: inout MutableSpan<Self>)

    /// r ← b − A x and g ← Aᵀ r for a row-major A, which is read once: what an iteration of least squares asks of its matrix.
    ///
    /// Error of rᵢ at most (columns/8 + 8) u (|bᵢ| + Σₖ |aᵢₖ xₖ|), in the scalar tier (columns/2 + 8) u; of gₖ at most
    /// (rows/64 + 600) u Σᵢ |aᵢₖ rᵢ|. Rows are shared among ``Threads/count`` threads in parts that the shape alone decides, so the
    /// bits do not depend on their number.
    ///
    /// - Precondition: A has rows · columns elements, `x` and `g` have `columns`, `b` and `r` have `rows`.
    /// - Complexity: 4 rows · columns operations.
    static func residualPullback(
        rows: Int, columns: Int, of a: Span<Self>, _ x: Span<Self>, _ b: Span<Self>, into r: inout MutableSpan<Self>,
        pulled g: inout MutableSpan<Self>)

    /// r ← b − A x and g ← Aᵀ sign(r): as ``residualPullback(rows:columns:of:_:_:into:pulled:)``, for least absolute deviations.
    ///
    /// sign(0) is 0 and sign(NaN) is NaN. Error of gₖ at most (rows/64 + 600) u Σᵢ |aᵢₖ|.
    static func signPullback(
        rows: Int, columns: Int, of a: Span<Self>, _ x: Span<Self>, _ b: Span<Self>, into r: inout MutableSpan<Self>,
        pulled g: inout MutableSpan<Self>)

    /// yᵢ ← row tᵢ of a row-major X, for each target t.
    ///
    /// - Precondition: X has whole rows of `columns` elements, and `y` as many rows as there are targets, which name rows of X.
    static func gatherRows(columns: Int, of x: Span<Self>, targets: Span<Int32>, into y: inout MutableSpan<Self>)

    /// G ← G + AᵀA and g ← g + Aᵀb, with A the rows tᵢ of a row-major X: the normal equations of a sample without the sample.
    ///
    /// Of G the lower triangle counts; above it some elements change. For few columns, up to about 32: beyond, gathered rows and a matrix
    /// product are faster. Error of an entry at most (n/256 + 257) u Σ |terms| for n targets.
    ///
    /// - Precondition: `b` has an element for each target, `gram` columns², `g` columns; else as
    ///   ``gatherRows(columns:of:targets:into:)``.
    static func gatherGram(
        columns: Int, of x: Span<Self>, targets: Span<Int32>, _ b: Span<Self>, into gram: inout MutableSpan<Self>,
        pulled g: inout MutableSpan<Self>)

    // MARK: Convolutions of grids

    /// y[p, f] = max(b[f] + Σ x[p + t, c] w[t, c, f], 0) + r[p, f]: a convolution with three taps an axis, zeros around each grid.
    ///
    /// x is [images, planes, rows, columns, channels], y the same with filters, w [plane taps, 3, 3, channels, filters]; taps t lie in
    /// {−1, 0, 1} along each axis, along planes in three dimensions only. The sums of a tile of places stay in registers. Error of
    /// the sum at most (taps · channels + 2) u · Σ|terms|. Lines are shared among ``Threads/count`` threads; the bits do not depend on
    /// their number. The zeros are multiplied too, so that an infinite weight makes NaN at the border.
    ///
    /// - Parameters:
    ///   - bias: b, or empty for none.
    ///   - residual: r, or empty for none.
    ///   - rectified: whether max(·, 0) is taken. A NaN passes.
    /// - Precondition: the counts are those of `form`.
    static func convolve(
        _ form: GridConvolutionForm, _ x: Span<Self>, weights w: Span<Self>, bias: Span<Self>, residual: Span<Self>, rectified: Bool,
        into y: inout MutableSpan<Self>)

    /// w[t, c, f] ← Σ x[p + t, c] g[p, f] over the places p of all images: the gradient of a convolution in its weights.
    ///
    /// Sums run along a line, then over lines and images: error at most (columns + lines · images + 1) u · Σ|terms|. Taps are shared
    /// among threads, with the same bits for any number.
    ///
    /// - Precondition: the counts are those of `form`.
    static func convolutionWeightGradient(
        _ form: GridConvolutionForm, _ x: Span<Self>, cotangent g: Span<Self>, into w: inout MutableSpan<Self>)

    // MARK: Products of matrices

    /// c ← `alpha`·op(A)·op(B) + `beta`·c + row, with `row` added to each row: a product in tiles whose sums stay in registers.
    ///
    /// With `beta` = 0 the old c is not read. Sums run over the inner extent in order, in blocks of at most 256: error at most
    /// (inner + inner/256 + 4) u · (Σ|terms| + |`beta`·c| + |row|). Elements between the rows of c are not touched. Parts are shared
    /// among ``Threads/count`` threads; the bits do not depend on their number, nor on the shape of the rest of the product. An infinite
    /// or NaN element reaches the rows and columns that it belongs to, as in plain sums.
    ///
    /// - Parameter row: one element for each column, or empty for none.
    /// - Precondition: the counts are those of `form`.
    /// - Complexity: 2·rows·columns·inner operations; both factors are copied in blocks to room that is kept.
    static func multiply(
        _ form: MatrixProductForm, alpha: Self, _ a: Span<Self>, _ b: Span<Self>, beta: Self, row: Span<Self>,
        into c: inout MutableSpan<Self>)

    // MARK: Searches over costs and potentials

    /// The least and the second least of cⱼ − vⱼ, and where the first is: what a bid of an auction and the pricing of a simplex ask for.
    ///
    /// Subtractions round once; the result is the same on every tier. A NaN is never the least.
    ///
    /// - Precondition: equal counts below 2³¹.
    static func leastPair(of c: Span<Self>, minus v: Span<Self>) -> LeastPair<Self>

    /// dⱼ ← min(dⱼ, (cⱼ − vⱼ) + base), with from[j] ← row where that made it less: a step of Dijkstra's method over a row of costs.
    ///
    /// A column that is done has dⱼ = ∞ and vⱼ = −∞; it stays so and is never returned while another is finite.
    ///
    /// - Returns: where the least dⱼ is, the lowest place of equal ones.
    /// - Precondition: equal counts below 2³¹.
    static func relax(
        _ c: Span<Self>, minus v: Span<Self>, plus base: Self, row: Int, into d: inout MutableSpan<Self>,
        from: inout MutableSpan<Int32>) -> Int

    /// The largest pᵢ − cᵢ and their places, as many as `values` has room for, from the largest down; of equal ones the lower place is first.
    ///
    /// - Returns: how many there are: no more than p has elements.
    /// - Precondition: p and c have equal counts below 2³¹, `values` and `places` too.
    /// - Complexity: one pass over p and c with about k log(n/k) insertions into a heap for numbers in random order, n at worst.
    static func largest(
        of p: Span<Self>, minus c: Span<Self>, values: inout MutableSpan<Self>, places: inout MutableSpan<Int32>) -> Int

    /// The sums of eᵢ = max((pᵢ − cᵢ) − threshold, 0), in `Double`.
    static func excess(of p: Span<Self>, minus c: Span<Self>, over threshold: Self) -> ExcessSums

    /// yᵢ ← yᵢ + scale · max((pᵢ − cᵢ) − threshold, 0).
    static func addExcess(
        of p: Span<Self>, minus c: Span<Self>, over threshold: Self, times scale: Self, into y: inout MutableSpan<Self>)

    // MARK: Steps of optimisers
    //
    // Each reads and writes each array once. Every operation rounds by itself, in the order of the formula, so a step has the
    // same bits on every tier and for any thread count. Long arrays are cut into blocks for ``Threads/count`` threads.
    // All counts must be equal.

    /// x ← x − step (g + l2 x).
    static func sgdStep(_ c: SGDCoefficients<Self>, gradient g: Span<Self>, parameters x: inout MutableSpan<Self>)

    /// G = g + l2 x, m ← momentum m + gain G, x ← x − step m; with Nesterov's look-ahead x ← x − step (G + momentum m).
    static func momentumStep(
        _ c: SGDCoefficients<Self>, gradient g: Span<Self>, momentum m: inout MutableSpan<Self>,
        parameters x: inout MutableSpan<Self>)

    /// G = g + l2 x, m ← b₁ m + a₁ G, v ← b₂ v + a₂ G², x ← x − step (c₁ m / (√(c₂ v) + ε) + decay x).
    static func adamStep(
        _ c: MomentCoefficients<Self>, gradient g: Span<Self>, first m: inout MutableSpan<Self>,
        second v: inout MutableSpan<Self>, parameters x: inout MutableSpan<Self>)

    /// G = g + l2 x, v ← b₂ v + a₂ G², x ← x − step G / (√v + ε).
    static func rmsPropStep(
        _ c: MomentCoefficients<Self>, gradient g: Span<Self>, second v: inout MutableSpan<Self>,
        parameters x: inout MutableSpan<Self>)

    /// u = sign(b₁ m + a₁ g), m ← b₂ m + a₂ g, x ← x − step (u + decay x). The sign of 0 is 0, that of NaN is NaN.
    static func lionStep(
        _ c: MomentCoefficients<Self>, gradient g: Span<Self>, first m: inout MutableSpan<Self>,
        parameters x: inout MutableSpan<Self>)

    /// m ← b₁ m + a₁ g, v ← b₂ v + a₂ g², d₁ = 1 + p₂ v / (v + ε), d₂ = 1 + p₁ m² / (m² + ε),
    /// x ← x − step (growth · c₁ (m + g) d₁ / (√(c₂ v d₂) + ε) + decay x).
    static func exAdamStep(
        _ c: MomentCoefficients<Self>, gradient g: Span<Self>, first m: inout MutableSpan<Self>,
        second v: inout MutableSpan<Self>, parameters x: inout MutableSpan<Self>)

    /// v ← b₂ v + a₂ d² (if `d` is not empty), m ← b₁ m + a₁ g, x ← x − step (c₁ m / (√(c₂ v)^power + ε) + decay x).
    ///
    /// Powers other than 0, 1/2 and 1 go through exp and log, so that the tiers differ within the bound of `pow`.
    static func adaHessianStep(
        _ c: MomentCoefficients<Self>, gradient g: Span<Self>, hessianDiagonal d: Span<Self>, first m: inout MutableSpan<Self>,
        second v: inout MutableSpan<Self>, parameters x: inout MutableSpan<Self>)

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

    // MARK: Transport
    //
    // Gibbs kernels Kᵢₖ = 2^(fᵢ + hₖ − scale · costᵢₖ), of which sums of rows and columns are taken in one pass. Shifts f and h are whole
    // numbers, so that large terms cancel exactly; what is left of a potential goes into the scales u and v.

    /// sᵢ = Σₖ Kᵢₖ vₖ, then uᵢ by `rule` from sᵢ, and totalₖ ← totalₖ + Σᵢ uᵢ Kᵢₖ with these: an iteration of Sinkhorn's with one
    /// exponential a pair and one reading of the costs.
    ///
    /// Relative error of an entry of K at most 2.1e-7 (`Float`) or 6e-16 (`Double`) and 1 u of its exponent's size (2 u of the
    /// terms' where the tier has no FMA); of sums of terms of one sign 70 u more. Where a rule divides and sᵢ leaves 2^±40
    /// (`Float`) or 2^±300, fᵢ is set anew, so that the row's largest exponent is about 0, and the row is taken again (`power` then begins from u = w/s). Rows are shared
    /// among ``Threads/count`` threads; the bits depend on their number.
    ///
    /// - Parameters:
    ///   - cost: `rows` rows of `columns` elements.
    ///   - weights: w of the rule.
    ///   - offsets: of the rule's exponent, or empty for 0.
    ///   - rowSums: s.
    ///   - rowScales: u; read under `fixed` and `power`.
    ///   - columnTotals: added to; empty if only rows are wanted.
    /// - Precondition: shifts are whole numbers below 2²¹ (`Float`) or 2⁵⁰ (`Double`); v is not negative where the rule divides.
    static func gibbsPass(
        rows: Int, columns: Int, cost: Span<Self>, scale: Self, rowShifts: inout MutableSpan<Self>, columnShifts: Span<Self>,
        columnScales: Span<Self>, rule: ScalingRule<Self>, weights: Span<Self>, offsets: Span<Self>,
        rowSums: inout MutableSpan<Self>, rowScales: inout MutableSpan<Self>, columnTotals: inout MutableSpan<Double>)

    /// As ``gibbsPass(rows:columns:cost:scale:rowShifts:columnShifts:columnScales:rule:weights:offsets:rowSums:rowScales:columnTotals:)``,
    /// with costs taken from points as they are needed: no memory beyond the vectors.
    ///
    /// - Parameters:
    ///   - x: coordinates of the rows: `dimension` lines of `rows` elements.
    ///   - y: coordinates of the columns: `dimension` lines of `columns` elements.
    static func gibbsPass(
        rows: Int, columns: Int, cost: PairCost, dimension: Int, x: Span<Self>, y: Span<Self>, scale: Self,
        rowShifts: inout MutableSpan<Self>, columnShifts: Span<Self>, columnScales: Span<Self>, rule: ScalingRule<Self>,
        weights: Span<Self>, offsets: Span<Self>, rowSums: inout MutableSpan<Self>, rowScales: inout MutableSpan<Self>,
        columnTotals: inout MutableSpan<Double>)

    /// The same with K itself in memory, without exponentials.
    static func kernelPass(
        rows: Int, columns: Int, kernel: Span<Self>, columnScales: Span<Self>, rule: ScalingRule<Self>, weights: Span<Self>,
        offsets: Span<Self>, rowSums: inout MutableSpan<Self>, rowScales: inout MutableSpan<Self>,
        columnTotals: inout MutableSpan<Double>)

    /// planᵢₖ ← uᵢ vₖ Kᵢₖ.
    static func gibbsPlan(
        rows: Int, columns: Int, cost: Span<Self>, scale: Self, rowShifts: Span<Self>, columnShifts: Span<Self>,
        rowScales: Span<Self>, columnScales: Span<Self>, into plan: inout MutableSpan<Self>)

    /// maximumₖ ← max(maximumₖ, fᵢ − scale · costᵢₖ) over rows with uᵢ > 0.
    static func gibbsColumnMaximum(
        rows: Int, columns: Int, cost: Span<Self>, scale: Self, rowShifts: Span<Self>, rowScales: Span<Self>,
        into maximum: inout MutableSpan<Self>)

    /// Σᵢ 2^xᵢ for x within the normal exponents: what limits a pass over a Gibbs kernel, an exponential and an addition a pair.
    static func sumOfExponentials(_ x: Span<Self>) -> Double
}
