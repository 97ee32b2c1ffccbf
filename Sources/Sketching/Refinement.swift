import Kernels
import LinearAlgebra
import Objectives

/// An iterate of a least-squares solver with all that is known there: what the solvers measure progress by, and the best of them.
struct LeastSquaresIterate<Scalar: KernelScalar>: Sendable {
    var x: [Scalar]
    /// [b; 0] − [A; √μ I] x.
    var residual: LeastSquaresSystem<Scalar>.Extended
    /// Pᵀ Aᵀ r: the gradient, whitened.
    var whitened: [Scalar]
    /// The estimated backward error of x.
    var error: Scalar

    /// x with its residual taken anew; one pass over A.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ x: [Scalar], _ system: LeastSquaresSystem<Scalar>, _ p: Whitening<Scalar>) throws(LinearAlgebraError) {
        self.x = x
        residual = system.right.zeros()
        whitened = p.whiten(try system.pass(x, from: system.right, into: &residual))
        error = p.backwardError(whitened: whitened, residual: residual.norm, length: p.length(x))
    }

    func estimate(
        _ method: LeastSquaresEstimate<Scalar>.Method, _ status: SolverStatus, _ reason: String, _ p: Whitening<Scalar>, iterations: Int,
        passes: Int
    ) -> LeastSquaresEstimate<Scalar> {
        LeastSquaresEstimate(
            solution: x, method: method, status: status, reason: reason, sketchRows: p.sketchRows, rank: p.rank, iterations: iterations,
            passes: passes, backwardError: error, conditionEstimate: p.condition)
    }
}

/// A stationary iteration with momentum in whitened coordinates: y ← y + α h + β (y − y₋₁).
struct HeavyBall<Scalar: KernelScalar>: Sendable {
    let alpha: Scalar, beta: Scalar
    var y: [Scalar], before: [Scalar]

    init(alpha: Scalar, beta: Scalar, from y: [Scalar]) { (self.alpha, self.beta, self.y, before) = (alpha, beta, y, y) }

    /// - Returns: the length of the step.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    mutating func descend(along h: [Scalar]) -> Scalar {
        var moves = h
        for k in h.indices {
            moves[k] = alpha * h[k] + beta * (y[k] - before[k])
            before[k] = y[k]
            y[k] += moves[k]
        }
        return Scalar.nrm2(moves.span)
    }
}
