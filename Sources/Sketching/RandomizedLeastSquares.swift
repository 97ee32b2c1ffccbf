import Kernels
import LinearAlgebra

/// Least squares by the method that fits the problem's shape; ``LeastSquaresEstimate/method`` and ``LeastSquaresEstimate/reason`` say which
/// one that was and why.
///
/// | shape of A, m×n | method |
/// |---|---|
/// | wide, n > 12 m | ``MinimumNormSolver`` |
/// | fewer than ``leastColumns`` columns, or fewer than ``leastRatio(columns:)`` n rows | QR of LAPACK; singular values if the rank is deficient or A is wide |
/// | else | ``FOSSILS`` by conjugate gradients, with four non-zeros a column of the sketch, whose rows are 6 n, and 12 n where m is 100 n and more |
///
/// The bounds are measured, on one thread of an x86-64 processor with AVX-512 against OpenBLAS's QR ("How tall, how wide" in the article of this
/// module). They hold for dense matrices: a sparse one is sketched whatever its number of columns, since QR would have to fill it.
public struct RandomizedLeastSquares: Sendable {
    /// Fewest columns for which sketching is faster than QR.
    public static let leastColumns = 50

    /// Least m/n for which sketching is faster than QR: 150 for fewer than 100 columns, 30 from there on.
    public static func leastRatio(columns n: Int) -> Int { n < 100 ? 150 : 30 }

    /// Chooses the sketch.
    public let seed: UInt64

    public init(seed: UInt64 = 0) { self.seed = seed }

    /// The x of least ‖b − A x‖² + `ridge` ‖x‖², and of least ‖x‖ if there are many.
    ///
    /// - Precondition: `b` has as many elements as A has rows; the ridge is finite and not negative.
    /// - Throws: `LinearAlgebraError.nonFinite` for A or b, `LinearAlgebraError.overflow`, and what LAPACK's methods throw.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(
        _ a: any SketchableMatrix<Scalar>, _ b: [Scalar], ridge: Scalar = 0
    ) throws(LinearAlgebraError) -> LeastSquaresEstimate<Scalar> {
        let (m, n) = (a.rows, a.columns)
        if m < n { return try MinimumNormSolver(sketch: SketchOptions(seed: seed)).solve(a, b, ridge: ridge) }
        if a is Matrix<Scalar> {
            let ratio = Self.leastRatio(columns: n)
            let reason: String? = n < Self.leastColumns ? "with \(n) columns, fewer than \(Self.leastColumns), it is faster than sketching"
                : m < ratio * n ? "with \(m) rows, fewer than \(ratio) times the \(n) columns, it is faster than sketching" : nil
            if let reason { return try LeastSquaresSystem(a, b, ridge: ridge).solvedDirectly(because: reason) }
        }
        // Conjugate gradients need no bound on the distortion, so half of the usual non-zeros do: as many steps, and the sketch in little more
        // than half the time.
        let sketch = SketchOptions(ratio: m < 100 * n ? 6 : 12, distribution: SparseSignEmbedding(nonzerosPerColumn: 4), seed: seed)
        return try FOSSILS(inner: .conjugateGradients, sketch: sketch).solve(a, b, ridge: ridge)
    }
}
