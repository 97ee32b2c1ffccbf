import Kernels
import LinearAlgebra
import Objectives

/// An iterate and its residual, which follows by recurrence: x ← x + α p, r ← r − α A·p.
///
/// The residual is kept divided by a power of two near its first norm, so that squares of tiny or huge data neither underflow nor overflow
/// and the bits do not depend on the scale. When the recurrence reaches the tolerance, the residual is taken anew; if that is above it, the
/// run goes on from there, until rounding forbids.
struct RecurredResidual<Scalar: KernelScalar>: Codable, Sendable {
    var iterate: [Scalar]
    /// (b − A·x) / ``scale``.
    private(set) var residual: [Scalar]
    private(set) var scale: Scalar = 1
    /// rᵀ·r of the scaled residual.
    private(set) var square: Scalar = 0
    private(set) var bound: Scalar = 0
    /// Whether the residual is that of the iterate, not of the recurrence.
    private(set) var isTrue = true
    /// Norm of the last one that was taken anew.
    private var lastTrueNorm: Scalar = .greatestFiniteMagnitude
    /// A copy of the iterate, taken whenever the norm has fallen tenfold, and its norm: what is left when the run goes astray.
    private var checkpoint: [Scalar]
    private(set) var checkpointNorm: Scalar = 0
    var iterations = 0
    var applications = 0
    var preconditionerApplications = 0

    var norm: Scalar { scale * square.squareRoot() }

    /// The iterate, or the last copy of one if the norm has grown `factor` times since.
    func best(unlessGrown factor: Scalar) -> [Scalar] { norm <= factor * checkpointNorm ? iterate : checkpoint }

    /// The norm of the residual of ``best(unlessGrown:)``.
    func bestNorm(unlessGrown factor: Scalar) -> Scalar { norm <= factor * checkpointNorm ? norm : checkpointNorm }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ system: LinearSystem<Scalar>, from start: [Scalar]?, _ tolerance: ResidualTolerance) {
        let n = system.matrix.columns
        iterate = start ?? [Scalar](repeating: 0, count: n)
        checkpoint = iterate
        residual = system.rightHandSide
        if start != nil {
            system.residual(of: iterate, into: &residual)
            applications = 1
        }
        rescale()
        checkpointNorm = norm
        bound = tolerance.bound(rightHandSide: system.rightHandSide.span, initialResidual: norm)
    }

    private mutating func rescale() {
        scale = powerOfTwo(near: LinearSolvers.norm(residual))
        if scale != 1 { Kernels.scale(1 / scale, &residual) }
        square = dot(residual, residual)
    }

    /// x ← x + α·scale·p, r ← r − α q, with q = A·p.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func move(_ alpha: Scalar, along p: [Scalar], image q: [Scalar]) {
        square = Self.update(alpha * scale, p, &iterate, -alpha, q, &residual)
        isTrue = false
        iterations += 1
        if norm <= checkpointNorm / 10 {
            assign(iterate, &checkpoint)
            checkpointNorm = norm
        }
    }

    /// x ← a p + x, r ← b q + r; rᵀr.
    @inline(__always)
    private static func update(_ a: Scalar, _ p: [Scalar], _ x: inout [Scalar], _ b: Scalar, _ q: [Scalar], _ r: inout [Scalar]) -> Scalar {
        var xSpan = x.mutableSpan, rSpan = r.mutableSpan
        return Scalar.conjugateUpdate(a, p.span, into: &xSpan, b, q.span, into: &rSpan)
    }

    enum Verdict { case ended(Termination), proceed, replaced }

    /// Whether the run ends; takes the residual anew where the recurrence has reached the tolerance.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func check(_ system: LinearSystem<Scalar>) -> Verdict {
        guard square.isFinite, bound == bound else {
            return .ended(Termination(.nonFinite, "the residual norm is \(norm) after \(iterations) iterations"))
        }
        guard norm <= bound else {
            return norm <= growthLimit() * checkpointNorm ? .proceed : .ended(Termination(
                .brokeDown, "the residual norm has grown from \(checkpointNorm) to \(norm): the system is singular and inconsistent, or not positive definite"))
        }
        if !isTrue {
            system.residual(of: iterate, into: &residual)
            applications += 1
            rescale()
            isTrue = true
            guard square.isFinite else {
                return .ended(Termination(.nonFinite, "the residual is not finite after \(iterations) iterations"))
            }
            guard norm <= bound else {
                defer { lastTrueNorm = norm }
                if norm > lastTrueNorm / 2 {
                    return .ended(Termination(
                        .stagnated, "rounding keeps the residual norm at \(norm), above \(bound), after \(iterations) iterations"))
                }
                return .replaced
            }
        }
        return .ended(Termination(.converged, "the residual norm \(norm) is at most \(bound)"))
    }
}

/// How far a residual may grow above its smallest before a run is given up: √κ is what conjugate gradients need, and κ is not above 1/ε.
func growthLimit<Scalar: KernelScalar>() -> Scalar { 1 / Scalar.ulpOfOne.squareRoot() }
