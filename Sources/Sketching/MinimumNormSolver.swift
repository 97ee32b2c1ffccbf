import Kernels
import LinearAlgebra
import Objectives

/// The x of least ‖x‖ with A x = b for wide A, by sketching its rows; with a ridge μ the x of least ‖b − A x‖² + μ ‖x‖².
///
/// The sketch of Aᵀ whitens A: with S Aᵀ = U Σ Vᵀ and P = V Σ⁻¹, Pᵀ A has nearly orthonormal rows. From x = 0 the correction of each step is
/// taken of a residual that is computed anew,
///
///     δ ← (1 − β)² P Pᵀ (b − A x − μ y) + β δ,    y ← y + δ,    x ← x + Aᵀ δ,    β = m/d
///
/// with one pass over A a step and an error that shrinks by √(m/d). If b has a part outside A's range (a rank-deficient A), x is the
/// solution of least squares.
///
/// - Complexity: a transposed copy of A, the sketch, and one pass a step.
public struct MinimumNormSolver: Sendable {
    public let sketch: SketchOptions
    public let iterationLimit: Int

    /// - Parameter sketch: by default 12 m rows with eight non-zeros a column, m the number of A's rows.
    /// - Precondition: the limit is at least 1.
    public init(sketch: SketchOptions = SketchOptions(), iterationLimit: Int = 200) {
        requireIterations(iterationLimit)
        (self.sketch, self.iterationLimit) = (sketch, iterationLimit)
    }

    /// The x of least norm. `backwardError` is ‖b − A x − μ y‖/(‖A‖_F ‖x‖ + ‖b‖) over the part of it in A's range.
    ///
    /// - Precondition: A has at most as many rows as columns, `b` as many elements as A has rows; the ridge is finite and not negative.
    /// - Throws: `LinearAlgebraError.nonFinite` for A or b, `LinearAlgebraError.overflow`, and what LAPACK's methods throw.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(
        _ a: any SketchableMatrix<Scalar>, _ b: [Scalar], ridge: Scalar = 0
    ) throws(LinearAlgebraError) -> LeastSquaresEstimate<Scalar> {
        let (m, n) = (a.rows, a.columns)
        require(m <= n, "minimum norm with a \(m)×\(n) matrix; expected at most as many rows as columns")
        if sketch.objection(rows: n, columns: m) != nil {
            return try LeastSquaresSystem(a, b, ridge: ridge).solvedDirectly(
                because: "\(n) columns are no more than \(sketch.ratio) times the \(m) rows")
        }
        require(b.count == m, "least squares with \(b.count) right-hand elements for \(m) rows; expected equally many")
        try requireFinite(b.span)
        let none = [Scalar](repeating: 0, count: n)
        do {
            let tall = try LeastSquaresSystem(a.adjointMatrix(), none, ridge: ridge)
            let p = try sketch.whitening(tall, scalesColumns: false)
            let beta = 1 / Scalar(sketch.ratio), alpha = (1 - beta) * (1 - beta), bNorm = Scalar.nrm2(b.span)
            let size = Scalar.nrm2(p.singularValues.span)
            var step = HeavyBall(alpha: alpha, beta: beta, from: [Scalar](repeating: 0, count: p.rank))
            // (x, −√μ y) is the extended residual of the transpose at −y.
            var x = tall.right.zeros(), next = tall.right.zeros(), h = p.whiten(b), iterations = 0, status = SolverStatus.iterationLimit
            var best = (x: none, error: Scalar.infinity), last = Scalar.infinity
            let unit = Scalar.ulpOfOne / 2
            while iterations < iterationLimit {
                let before = step.y
                _ = step.descend(along: h)
                let image = try tall.pass(p.color(difference(before, step.y)), from: x, into: &next)
                x.set(next, times: 1)
                iterations += 1
                h = p.whiten(difference(b, image))
                // Pᵀ(b − A x) weighted by Σ is the residual in A's range.
                let weighted = zip(h, p.singularValues).map { $0 * $1 }, scale = size * x.norm + bNorm
                let error = scale > 0 ? Scalar.nrm2(weighted.span) / scale : 0
                if error < best.error { best = (x.top, error) }
                // At rounding, or near it and no longer falling.
                if error <= unit / 4 || (error >= last && best.error <= 8 * unit) {
                    status = .converged
                    break
                }
                last = error
            }
            return LeastSquaresEstimate(
                solution: best.x, method: .minimumNorm, status: status,
                reason: status == .converged ? "the residual is that of rounding after \(iterations) steps" : "\(iterations) steps were made",
                sketchRows: p.sketchRows, rank: p.rank, iterations: iterations, passes: iterations + 1,
                backwardError: best.error, conditionEstimate: p.condition)
        } catch .nonFinite(let row, let column) {
            // The transpose's places.
            throw .nonFinite(row: column, column: row)
        }
    }
}
