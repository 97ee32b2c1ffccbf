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
///     h = Pᵀ Aᵀ r − Pᵀ AᵀA P δ,    δ ← δ + (1 − β)² h + β (δ − δ₋₁),    then x ← x + P δ
///
/// Each step reads A once and contracts the error by about √(n/d) = 0.29. A round ends when the estimated backward error (Karlson and Waldén, with the
/// sketch for A) is that of rounding, which the next round's fresh residual has to confirm.
///
/// or by conjugate gradients (``Inner``).
///
/// Differs from the paper's code: D is taken from the sketch, so that A is not read for it; h gives the backward error for nothing at every
/// step; there are rounds until one does not help, two as a rule, and not two always.
/// Differs from LAPACK's `gels`: a numerically rank-deficient A (condition beyond 1/(30 u)) is solved on its leading singular vectors, and the
/// rank is reported. Where sketching cannot pay (at most 12 n rows), or the refinement ends above the error of rounding, a direct method of LAPACK is
/// used, and the solution says so.
///
/// - Complexity: 8 additions for each element of A for the sketch, O(d n²) for its decomposition, and 4 m n for each of about 30 steps,
///   against 2 m n² for QR.
public struct FOSSILS: Sendable {
    /// How the correction of a round is found.
    public enum Inner: String, Sendable, Hashable, Codable, CaseIterable {
        /// With fixed factors from n/d, as above: FOSSILS. Slows down where S embeds worse than the theory of Gaussian ones says, and diverges
        /// where it embeds badly.
        case momentum
        /// By conjugate gradients on the same whitened equations: SPIR. As many passes where the sketch is good, and no bound on its
        /// distortion is needed.
        case conjugateGradients
    }

    public let inner: Inner
    public let sketch: SketchOptions
    /// Steps in all rounds together.
    public let iterationLimit: Int

    /// - Parameter sketch: by default 12 n rows with eight non-zeros a column, the authors' choice.
    /// - Precondition: the limit is at least 1.
    public init(inner: Inner = .momentum, sketch: SketchOptions = SketchOptions(), iterationLimit: Int = 200) {
        requireIterations(iterationLimit)
        (self.inner, self.sketch, self.iterationLimit) = (inner, sketch, iterationLimit)
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
        let beta = 1 / Scalar(sketch.ratio), unit = Scalar.ulpOfOne / 2
        var current = try LeastSquaresIterate(p.color(p.start), system, p), best = current
        let none = best.residual.zeros()
        var iterations = 0, passes = 2, rounds = 0, image = none.zeros()
        // What rounding makes idle in the first round; later ones, which correct just that, go on to rounding of the correction.
        var idle = 5 * Scalar.ulpOfOne * (p.norm * p.length(best.x) + 0.04 * p.condition * best.residual.norm)
        while best.error > unit / 2, iterations < iterationLimit {
            var correction = InnerIteration(inner, current.whitened, beta: beta)
            repeat {
                let change = try correction.step(system, p, none, &image)
                iterations += 1
                passes += 1
                let x = added(current.x, p.color(correction.y))
                let error = p.backwardError(whitened: correction.gradient, residual: current.residual.norm, length: p.length(x))
                if !(error > unit / 2 && change > idle) { break }
            } while iterations < iterationLimit
            let next = try LeastSquaresIterate(added(current.x, p.color(correction.y)), system, p)
            passes += 1
            rounds += 1
            idle = Scalar.ulpOfOne * Scalar.nrm2(next.whitened.span)
            let helped = next.error < current.error / 2
            current = next
            if next.error < best.error { best = next }
            // The first round ends at its rounding, which for an ill-conditioned A may be a larger backward error than that of the
            // start; the second corrects it.
            if !helped && rounds > 1 { break }
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

/// The iteration of a round on Pᵀ AᵀA P δ = c, one pass over A a step.
private struct InnerIteration<Scalar: KernelScalar> {
    private let kind: FOSSILS.Inner
    private let c: [Scalar]
    private var ball: HeavyBall<Scalar>
    private var direction: [Scalar]
    /// c − Pᵀ AᵀA P δ, which momentum takes anew and conjugate gradients carry along.
    private(set) var gradient: [Scalar]

    /// δ.
    private(set) var y: [Scalar]

    init(_ kind: FOSSILS.Inner, _ c: [Scalar], beta: Scalar) {
        (self.kind, self.c) = (kind, c)
        ball = HeavyBall(alpha: (1 - beta) * (1 - beta), beta: beta, from: c)
        (direction, gradient) = (c, c)
        y = kind == .momentum ? c : c.map { _ in 0 }
    }

    /// After it, ``gradient`` belongs to the δ before the last move (momentum) or after it (conjugate gradients).
    ///
    /// - Returns: the length of the move.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func step(
        _ system: LeastSquaresSystem<Scalar>, _ p: Whitening<Scalar>, _ none: LeastSquaresSystem<Scalar>.Extended,
        _ image: inout LeastSquaresSystem<Scalar>.Extended
    ) throws(LinearAlgebraError) -> Scalar {
        let minusProduct = p.whiten(try system.pass(p.color(kind == .momentum ? y : direction), from: none, into: &image))
        if kind == .momentum {
            gradient = added(c, minusProduct)
            let change = ball.descend(along: gradient)
            y = ball.y
            return change
        }
        let before = Scalar.dot(gradient.span, gradient.span), curvature = image.norm * image.norm
        guard curvature > 0 else { return 0 }
        let length = before / curvature
        for k in y.indices {
            y[k] += length * direction[k]
            gradient[k] += length * minusProduct[k]
        }
        let factor = Scalar.dot(gradient.span, gradient.span) / before
        let change = length * Scalar.nrm2(direction.span)
        for k in y.indices { direction[k] = gradient[k] + factor * direction[k] }
        return change
    }
}
