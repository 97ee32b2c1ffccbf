import Kernels
import LinearAlgebra
import Objectives

/// Least squares for tall A by sketching, backward stable as Householder QR is: FOSSILS (Epperly, Meier and Nakatsukasa 2024,
/// arXiv:2406.03468).
///
/// With D scaling the columns of S A to norm 1, S A D = U Σ Vᵀ makes A P with P = D V Σ⁻¹ nearly orthonormal. From the sketched
/// problem's solution x = P Uᵀ S b, rounds of refinement follow. Each takes the residual anew, r = b − A x, and solves for the correction by
/// a stationary iteration with momentum, whose factors follow from β = n/d alone:
///
///     h = Pᵀ Aᵀ (r − A P δ),    δ ← δ + (1 − β)² h + β (δ − δ₋₁),    then x ← x + P δ
///
/// Each step reads A once and contracts the error by about √(n/d) = 0.29. A round ends when the estimated backward error (Karlson and Waldén, with the
/// sketch for A) is that of rounding, which the next round's fresh residual has to confirm.
///
/// Differs from the paper's code: D is taken from the sketch, so that A is not read for it; h is taken of the inner residual, which gives the
/// backward error for nothing at every step; there are rounds until one does not help, two as a rule, and not two always.
/// Differs from LAPACK's `gels`: a numerically rank-deficient A (condition beyond 1/(30 u)) is solved on its leading singular vectors, and the
/// rank is reported. Where sketching cannot pay (at most 12 n rows), or the refinement ends above the error of rounding, a direct method of LAPACK is
/// used, and the solution says so.
///
/// - Complexity: 8 additions for each element of A for the sketch, O(d n²) for its decomposition, and 4 m n for each of about 30 steps,
///   against 2 m n² for QR.
public struct FOSSILS: Sendable {
    public let sketch: SketchOptions
    /// Steps in all rounds together.
    public let iterationLimit: Int

    /// - Parameter sketch: by default 12 n rows with eight non-zeros a column, the authors' choice.
    /// - Precondition: the limit is at least 1.
    public init(sketch: SketchOptions = SketchOptions(), iterationLimit: Int = 200) {
        requireIterations(iterationLimit)
        (self.sketch, self.iterationLimit) = (sketch, iterationLimit)
    }

    /// The x of least ‖b − A x‖² + `ridge` ‖x‖².
    ///
    /// - Precondition: A has at least as many rows as columns, `b` as many elements as A has rows; the ridge is finite and not negative.
    /// - Throws: `LinearAlgebraError.nonFinite` for A or b, `LinearAlgebraError.overflow`, and what LAPACK's methods throw.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(
        _ a: any SketchableMatrix<Scalar>, _ b: [Scalar], ridge: Scalar = 0
    ) throws(LinearAlgebraError) -> LeastSquaresEstimate<Scalar> {
        requireTall(a.rows, a.columns)
        let system = try LeastSquaresSystem(a, b, ridge: ridge)
        if let objection = sketch.objection(rows: a.rows, columns: a.columns) { return try system.solvedDirectly(because: objection) }
        let p = try sketch.whitening(system)
        let beta = 1 / Scalar(sketch.ratio), alpha = (1 - beta) * (1 - beta), unit = Scalar.ulpOfOne / 2
        var best = try LeastSquaresIterate(p.color(p.start), system, p)
        var iterations = 0, passes = 2, inner = best.residual
        while best.error > unit / 2, iterations < iterationLimit {
            let base = p.length(best.x)
            // What rounding makes idle: below it, steps move δ by nothing but noise.
            let idle = 5 * Scalar.ulpOfOne * (p.norm * base + 0.04 * p.condition * best.residual.norm)
            var state = HeavyBall(alpha: alpha, beta: beta, from: best.whitened)
            repeat {
                let z = p.color(state.y)
                let h = p.whiten(try system.pass(z, from: best.residual, into: &inner))
                iterations += 1
                passes += 1
                let error = p.backwardError(whitened: h, residual: inner.norm, length: p.length(added(best.x, z)))
                if !(error > unit / 2) { break }
                let change = state.descend(along: h)
                if !(change > idle) { break }
            } while iterations < iterationLimit
            let next = try LeastSquaresIterate(added(best.x, p.color(state.y)), system, p)
            passes += 1
            let helped = next.error < best.error / 2
            if next.error < best.error { best = next }
            if !helped { break }
        }
        // Householder QR itself is within a small multiple of √n u.
        if best.error <= 5 * Scalar.ulpOfOne * Scalar(a.columns).squareRoot() {
            return best.estimate(
                .fossils, .converged, "the estimated backward error is that of rounding after \(iterations) steps", p, iterations: iterations,
                passes: passes)
        }
        if iterations >= iterationLimit {
            return best.estimate(
                .fossils, .iterationLimit, "\(iterations) steps were made", p, iterations: iterations, passes: passes)
        }
        return try system.solvedDirectly(
            because: "the refinement ended with a backward error of \(best.error)", sketchRows: p.sketchRows, iterations: iterations, passes: passes)
    }
}
