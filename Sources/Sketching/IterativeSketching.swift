import Kernels
import LinearAlgebra
import Objectives

/// Least squares by steps along gradients that one sketch whitens: forward stable, not backward stable (Epperly 2023, arXiv:2311.04362;
/// Pilanci and Wainwright 2016 with a sketch in each step).
///
///     x ← x + α P Pᵀ Aᵀ (b − A x) + β (x − x₋₁)
///
/// from the sketched problem's solution. With ρ = n/d the factors and the error's contraction a step are
///
/// | ``Variant`` | α | β | contraction | converges for |
/// |---|---|---|---|---|
/// | basic | 1 | 0 | (2 − √ρ) √ρ/(1 − √ρ)² | d > 11.7 n |
/// | damped | (1 − ρ)²/(1 + ρ) | 0 | 2 √ρ/(1 + ρ) | d > n |
/// | momentum | (1 − ρ)² | ρ | √ρ | d > n |
///
/// if S embeds as well as a Gaussian one does. Where it does not, the steps grow; then a direct method of LAPACK is used and the solution says so.
/// ``FOSSILS`` is the same iteration inside rounds of refinement, which make it backward stable.
///
/// - Complexity: one pass over A a step.
public struct IterativeSketching: Sendable {
    public enum Variant: String, Sendable, Hashable, Codable, CaseIterable {
        case basic, damped, momentum
    }

    public let variant: Variant
    public let sketch: SketchOptions
    public let iterationLimit: Int

    /// - Parameter sketch: by default 20 n rows with eight non-zeros a column.
    /// - Precondition: the limit is at least 1.
    public init(_ variant: Variant = .momentum, sketch: SketchOptions = SketchOptions(ratio: 20), iterationLimit: Int = 100) {
        requireIterations(iterationLimit)
        (self.variant, self.sketch, self.iterationLimit) = (variant, sketch, iterationLimit)
    }

    private func factors(_ rho: Double) -> (alpha: Double, beta: Double) {
        switch variant {
        case .basic: (1, 0)
        case .damped: ((1 - rho) * (1 - rho) / (1 + rho), 0)
        case .momentum: ((1 - rho) * (1 - rho), rho)
        }
    }

    /// The x of least ‖b − A x‖² + `ridge` ‖x‖².
    ///
    /// It has converged when ‖r − r₋₁‖ ≤ u (‖A‖ ‖x‖ + 0.04 κ ‖r‖), the authors' criterion, with norms and κ of the scaled sketch, or when the
    /// estimated backward error is below u/2.
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
        let (alpha, beta) = factors(1 / Double(sketch.ratio)), unit = Scalar.ulpOfOne / 2
        var best = try LeastSquaresIterate(p.color(p.start), system, p), current = best
        var step = HeavyBall(alpha: Scalar(alpha), beta: Scalar(beta), from: [Scalar](repeating: 0, count: p.rank))
        var iterations = 0, first: Scalar = 0
        while iterations < iterationLimit {
            // The whitened position stands for x − x₀, whose steps alone are used.
            let before = step.y
            let change = step.descend(along: current.whitened)
            let idle = unit * (p.norm * p.length(current.x) + 0.04 * p.condition * current.residual.norm)
            current = try LeastSquaresIterate(added(current.x, p.color(difference(step.y, before))), system, p)
            iterations += 1
            if iterations == 1 { first = change }
            if current.error < best.error { best = current }
            if change <= idle || current.error <= unit / 2 {
                return best.estimate(
                    .iterativeSketching, .converged, "the residual no longer moves, or the estimated backward error is that of rounding, after \(iterations) steps", p, iterations: iterations,
                    passes: iterations + 2)
            }
            if !(change <= 1e3 * first) {
                return try system.solvedDirectly(
                    because: "iterative sketching diverged after \(iterations) steps", sketchRows: p.sketchRows, iterations: iterations,
                    passes: iterations + 2)
            }
        }
        return best.estimate(
            .iterativeSketching, .iterationLimit, "\(iterations) steps were made", p, iterations: iterations, passes: iterations + 2)
    }
}

/// x − y.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
func difference<Scalar: KernelScalar>(_ x: [Scalar], _ y: [Scalar]) -> [Scalar] {
    var result = x
    var span = result.mutableSpan
    Scalar.axpy(-1, y.span, &span)
    return result
}
