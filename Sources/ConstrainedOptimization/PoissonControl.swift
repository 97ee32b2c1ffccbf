import Kernels
import LinearAlgebra
import Objectives
import RealModule

/// Optimal control of Poisson's equation on the unit square: find a source u whose state w is near a target w_d,
///
/// min ½‖w − w_d‖² + (α/2)‖u‖² subject to (Δ_h w)/h² + u = 0,
///
/// with the five-point Laplacian of signs (4, −1, −1, −1, −1) on an N × N grid, zero beyond it, h = 2/(N + 1). The variables are w row by row, then u:
/// 2 N² variables and N² constraints. The target of point (i, j), counted from 1, is
/// sin(4 + (i − (N + 1)/2)/(10 √15)) + cos(3 + (j − (N + 1)/2)/(10 √15)).
///
/// Source: the PDE-constrained experiment of Hong, Na, Mahoney & Kolar 2023.
public struct PoissonControl<Scalar: KernelScalar & Real>: TwiceDifferentiableConstrainedObjective, Sendable {
    /// N.
    public let size: Int
    /// α.
    public let controlWeight: Scalar
    public let target: [Scalar]

    /// - Precondition: N is at least 1, and α positive.
    public init(size: Int, controlWeight: Scalar = 0.1) {
        require(size >= 1 && controlWeight > 0, "grid of \(size) and control weight \(controlWeight); expected at least 1 and a positive number")
        (self.size, self.controlWeight) = (size, controlWeight)
        let center = Scalar(size + 1) / 2, step = 0.1 / Scalar(15).squareRoot()
        target = (0..<size * size).map { k in
            .sin(4 + step * (Scalar(k / size + 1) - center)) + .cos(3 + step * (Scalar(k % size + 1) - center))
        }
    }

    public var dimension: Int { 2 * size * size }
    public var constraintCount: Int { size * size }

    public func value(at x: Span<Scalar>) -> Scalar {
        requireDimension(x.count)
        let n = constraintCount
        return (0..<n).reduce(0) { sum, k in
            let miss = x[k] - target[k]
            return sum + miss * miss / 2 + controlWeight / 2 * x[n + k] * x[n + k]
        }
    }

    public func valueAndGradient(at x: Span<Scalar>, gradient: inout MutableSpan<Scalar>) -> Scalar {
        requireDimension(gradient.count, "gradient")
        let n = constraintCount
        for k in 0..<n {
            gradient[k] = x[k] - target[k]
            gradient[n + k] = controlWeight * x[n + k]
        }
        return value(at: x)
    }

    public func constraints(at x: Span<Scalar>, into values: inout MutableSpan<Scalar>) {
        jacobianProduct(at: x, direction: x, into: &values)
    }

    public func jacobianProduct(at x: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        requireDimension(v.count, "direction")
        applyLaplacian(v, &product)
        for k in 0..<constraintCount { product[k] += v[constraintCount + k] }
    }

    public func transposedJacobianProduct(at x: Span<Scalar>, multipliers u: Span<Scalar>, into product: inout MutableSpan<Scalar>) {
        requireDimension(product.count, "product")
        applyLaplacian(u, &product)
        for k in 0..<constraintCount { product[constraintCount + k] = u[k] }
    }

    public func lagrangianHessianProduct(
        at x: Span<Scalar>, multipliers: Span<Scalar>, direction v: Span<Scalar>, into product: inout MutableSpan<Scalar>
    ) {
        requireDimension(v.count, "direction")
        for k in 0..<dimension { product[k] = k < constraintCount ? v[k] : controlWeight * v[k] }
    }

    /// The first N² elements of `y` from those of `x`.
    private func applyLaplacian(_ x: Span<Scalar>, _ y: inout MutableSpan<Scalar>) {
        let n = size, h = 2 / Scalar(n + 1), scale = 1 / (h * h)
        for i in 0..<n {
            for j in 0..<n {
                let k = i * n + j
                var sum = 4 * x[k]
                if i > 0 { sum -= x[k - n] }
                if i + 1 < n { sum -= x[k + n] }
                if j > 0 { sum -= x[k - 1] }
                if j + 1 < n { sum -= x[k + 1] }
                y[k] = scale * sum
            }
        }
    }
}
