import Kernels
import LinearAlgebra
import Objectives

/// Least squares by LSQR (Paige and Saunders 1982) on A P, which a sketch makes nearly orthonormal: the number of steps does not
/// depend on the condition of A.
///
/// Warm-started from the sketched problem's solution; from 0 it loses digits on ill-conditioned problems (Meier, Nakatsukasa, Townsend and Webb
/// 2023, arXiv:2302.07202), and also warm it is not backward stable: `backwardError` says what was reached, and ``FOSSILS`` reaches rounding.
/// It needs no bound on the distortion, so it serves with any sketch that embeds at all.
///
/// | | sketch | start | columns scaled |
/// |---|---|---|---|
/// | default | sparse signs, d = 12 n | warm | yes |
/// | ``blendenpik`` (Avron, Maymounkov and Toledo 2010) | subsampled cosine transform, d = 4 n, drawn up to three times more if the rank looks deficient | 0 | yes |
/// | ``lsrn`` (Meng, Saunders and Mahoney 2014) | Gaussian, d = 2 n | 0 | no: a rank-deficient problem gets its solution of least norm |
///
/// Differs from Blendenpik's own code: a rank that stays deficient is solved on the leading singular vectors, not by QR.
///
/// - Complexity: one pass over A a step.
public struct SketchAndPrecondition: Sendable {
    public enum Start: String, Sendable, Hashable, Codable {
        /// The sketched problem's solution.
        case warm
        case zero
    }

    public let sketch: SketchOptions
    public let start: Start
    public let scalesColumns: Bool
    /// How many more sketches are drawn while one has a smaller rank than columns.
    public let redraws: Int
    /// Bound of ‖(A P)ᵀ r‖/‖r‖ relative to its first value's scale ‖A P‖ ≈ 1. Default: 4 times the spacing at 1.
    public let tolerance: Double?
    public let iterationLimit: Int

    /// - Precondition: the limit is at least 1, redraws are not negative, and the tolerance is positive.
    public init(
        sketch: SketchOptions = SketchOptions(), start: Start = .warm, scalesColumns: Bool = true, redraws: Int = 0, tolerance: Double? = nil,
        iterationLimit: Int = 200
    ) {
        requireIterations(iterationLimit)
        require(redraws >= 0, "\(redraws) redraws; expected no negative number")
        require(tolerance.map { $0 > 0 } ?? true, "tolerance is \(tolerance ?? 0); expected a positive number")
        (self.sketch, self.start, self.scalesColumns) = (sketch, start, scalesColumns)
        (self.redraws, self.tolerance, self.iterationLimit) = (redraws, tolerance, iterationLimit)
    }

    public static let blendenpik = SketchAndPrecondition(
        sketch: SketchOptions(ratio: 4, distribution: SubsampledCosine()), start: .zero, redraws: 3)

    public static let lsrn = SketchAndPrecondition(
        sketch: SketchOptions(ratio: 2, distribution: GaussianSketch()), start: .zero, scalesColumns: false)

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
        var p = try sketch.whitening(system, scalesColumns: scalesColumns)
        var draws = 1
        while p.rank < a.columns, draws <= redraws {
            p = try sketch.whitening(system, scalesColumns: scalesColumns, attempt: draws)
            draws += 1
        }
        let x0 = start == .warm ? p.color(p.start) : [Scalar](repeating: 0, count: a.columns)
        let first = try LeastSquaresIterate(x0, system, p)
        var lsqr = LSQR(first.residual, first.whitened)
        let tolerance = tolerance.map { Scalar($0) } ?? 4 * Scalar.ulpOfOne, scale = system.right.norm
        var iterations = 0, reason: String?
        while reason == nil, iterations < iterationLimit {
            if lsqr.normalResidual <= tolerance {
                reason = "the gradient, whitened, is \(lsqr.normalResidual) of the residual after \(iterations) steps"
            } else if lsqr.residual <= tolerance * scale {
                reason = "the residual is \(lsqr.residual) after \(iterations) steps"
            } else {
                try lsqr.step(system, p)
                iterations += 1
            }
        }
        let last = try LeastSquaresIterate(added(x0, p.color(lsqr.y)), system, p)
        let best = last.error <= first.error ? last : first, passes = draws + iterations + 2
        if let reason {
            return best.estimate(.sketchAndPrecondition, .converged, reason, p, iterations: iterations, passes: passes)
        }
        return best.estimate(
            .sketchAndPrecondition, .iterationLimit, "\(iterations) steps were made", p, iterations: iterations, passes: passes)
    }
}

/// LSQR on [A; √μ I] P from a given residual, with one pass over A a step: with u the left vector, α u − A P v is the next one but for its
/// length, and the same pass pulls it back.
private struct LSQR<Scalar: KernelScalar> {
    /// The correction so far, in whitened coordinates.
    private(set) var y: [Scalar]
    /// ‖r‖ and ‖(A P)ᵀ r‖/‖r‖ at ``y``.
    private(set) var residual: Scalar
    var normalResidual: Scalar { alpha * cosine.magnitude }

    /// α u, and −β u of the next step.
    private var left: LeastSquaresSystem<Scalar>.Extended, next: LeastSquaresSystem<Scalar>.Extended
    private var right: [Scalar], direction: [Scalar]
    private var alpha: Scalar, cosine: Scalar = 1, rhoBar: Scalar

    init(_ residual: LeastSquaresSystem<Scalar>.Extended, _ whitened: [Scalar]) {
        let beta = residual.norm, factor = beta > 0 ? 1 / beta : 0
        alpha = factor * Scalar.nrm2(whitened.span)
        let scale = alpha > 0 ? factor / alpha : 0
        right = whitened.map { scale * $0 }
        direction = right
        y = right.map { _ in 0 }
        left = residual.zeros()
        left.set(residual, times: alpha * factor)
        next = residual.zeros()
        rhoBar = alpha
        self.residual = beta
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func step(_ system: LeastSquaresSystem<Scalar>, _ p: Whitening<Scalar>) throws(LinearAlgebraError) {
        var pulled = p.whiten(try system.pass(p.color(right), from: left, into: &next))
        let beta = next.norm, factor: Scalar = beta > 0 ? -1 / beta : 0
        for k in pulled.indices { pulled[k] = factor * pulled[k] - beta * right[k] }
        alpha = Scalar.nrm2(pulled.span)
        let scale: Scalar = alpha > 0 ? 1 / alpha : 0
        left.set(next, times: factor * alpha)

        let pair = [rhoBar, beta]
        let rho = Scalar.nrm2(pair.span)
        cosine = rhoBar / rho
        let sine = beta / rho, theta = sine * alpha, phi = cosine * residual
        rhoBar = -cosine * alpha
        residual *= sine
        for k in right.indices {
            right[k] = scale * pulled[k]
            y[k] += phi / rho * direction[k]
            direction[k] = right[k] - theta / rho * direction[k]
        }
    }
}
