import Kernels
import LinearAlgebra
import Objectives

/// The x of least ‖x‖ with A x = b for wide A, by sketching its rows; with a ridge μ the x of least ‖b − A x‖² + μ ‖x‖².
///
/// The sketch of Aᵀ whitens A: with S Aᵀ = U Σ Vᵀ and P = V Σ⁻¹, Pᵀ A has nearly orthonormal rows. In rounds of refinement the residual
/// b − A x − μ y is computed anew, and the correction Aᵀ P δ found by conjugate gradients on Pᵀ (A Aᵀ + μ I) P δ = Pᵀ (b − A x − μ y), with one pass over A
/// a step and an error that shrinks by √(m/d). If b has a part outside A's range (a rank-deficient A), x is the solution of least squares.
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
            let unit = Scalar.ulpOfOne / 2, size = Scalar.nrm2(p.singularValues.span), bNorm = Scalar.nrm2(b.span)
            // Pᵀ of a residual weighted by Σ is what of it lies in A's range.
            func error(_ h: [Scalar], _ x: LeastSquaresSystem<Scalar>.Extended) -> Scalar {
                let weighted = zip(h, p.singularValues).map { $0 * $1 }, scale = size * x.norm + bNorm
                return scale > 0 ? Scalar.nrm2(weighted.span) / scale : 0
            }
            // (x, √μ y) is the image of y.
            var x = tall.right.zeros(), image = tall.right.zeros(), h = p.whiten(b)
            var best = (x: none, error: error(h, x)), iterations = 0, passes = 1
            let still = [Scalar](repeating: 0, count: m), start = tall.right.zeros()
            while best.error > unit / 4, iterations < iterationLimit {
                var direction = h, square = Scalar.dot(h.span, h.span)
                let enough = Scalar.ulpOfOne * Scalar.ulpOfOne * square
                repeat {
                    let minusProduct = p.whiten(try tall.pass(p.color(direction), from: start, into: &image))
                    iterations += 1
                    passes += 1
                    let curvature = image.norm * image.norm
                    guard curvature > 0 else { break }
                    let length = square / curvature
                    x.add(image, times: -length)
                    for k in h.indices { h[k] += length * minusProduct[k] }
                    let next = Scalar.dot(h.span, h.span)
                    for k in h.indices { direction[k] = h[k] + next / square * direction[k] }
                    square = next
                } while square > enough && error(h, x) > unit / 8 && iterations < iterationLimit
                h = p.whiten(difference(b, try tall.pass(still, from: x, into: &image)))
                passes += 1
                let reached = error(h, x), helped = reached < best.error / 2
                if reached < best.error { best = (x.top, reached) }
                if !helped { break }
            }
            let status = best.error <= 8 * unit ? SolverStatus.converged : iterations < iterationLimit ? .stagnated : .iterationLimit
            return LeastSquaresEstimate(
                solution: best.x, method: .minimumNorm, status: status,
                reason: status == .converged ? "the residual is that of rounding after \(iterations) steps"
                    : "\(iterations) steps left a relative residual of \(best.error)",
                sketchRows: p.sketchRows, rank: p.rank, iterations: iterations, passes: passes,
                backwardError: best.error, conditionEstimate: p.condition)
        } catch .nonFinite(let row, let column) {
            // The transpose's places.
            throw .nonFinite(row: column, column: row)
        }
    }
}
