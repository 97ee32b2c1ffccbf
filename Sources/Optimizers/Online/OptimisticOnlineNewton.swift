import Kernels
import LinearAlgebra

/// Optimistic online Newton steps on a Euclidean ball, for exp-concave losses.
///
///     H_t = (1 + β G²/2) I + (β/2) Σ_{s<t} g_s g_sᵀ,   β = ½ min(1/(4 G D), α),   D = 2 r
///     x_t = Π_H(x̂_t − H⁻¹ M_t),   x̂_{t+1} = Π_H(x̂_t − H⁻¹ g_t),   M_t = g_{t−1},   M₁ = 0
///
/// with the projection in the norm of H. Regret O(d log T), but with the constant d/β: where the theory's β is small (about
/// 0.02 in the authors' setting) plain descent does better for long; a β 10 to 100 times larger is worth trying.
///
/// H⁻¹ is kept by Sherman and Morrison, and made anew from H every 1000 rounds: O(d²) a round. A projection takes one
/// eigendecomposition, O(d³), in the rounds in which the step leaves the ball.
///
/// Source: Chen et al. 2023, arXiv 2302.04552.
public struct OptimisticOnlineNewton: OnlineLearner {
    public struct State: Codable, Sendable {
        public internal(set) var rounds = 0
        public internal(set) var center: [Double]
        /// M: what the next gradient is taken to be; the last gradient unless it is set.
        public var hint: [Double]
        /// H and H⁻¹, row-major.
        public internal(set) var hessian: [Double]
        public internal(set) var inverse: [Double]
    }

    public let radius: Double
    public let dimension: Int
    public let gradientBound: Double
    public let beta: Double
    private static let refreshInterval = 1000

    /// - Parameters:
    ///   - expConcavity: α of the losses.
    ///   - betaScale: multiplies the theory's β.
    public init(radius: Double, dimension: Int, gradientBound: Double, expConcavity: Double, betaScale: Double = 1) {
        require(radius > 0 && gradientBound > 0 && expConcavity > 0 && betaScale > 0
                && (radius + gradientBound + betaScale).isFinite,
                "radius \(radius), gradient bound \(gradientBound), exp-concavity \(expConcavity), scale \(betaScale); expected finite numbers above 0")
        require(dimension >= 1, "dimension is \(dimension); expected at least 1")
        self.radius = radius
        self.dimension = dimension
        self.gradientBound = gradientBound
        beta = betaScale * 0.5 * min(1 / (8 * gradientBound * radius), expConcavity)
    }

    public var initialState: State {
        let scale = 1 + beta * gradientBound * gradientBound / 2
        func diagonal(_ value: Double) -> [Double] {
            (0..<dimension * dimension).map { $0 % (dimension + 1) == 0 ? value : 0 }
        }
        let zero = [Double](repeating: 0, count: dimension)
        return State(center: zero, hint: zero, hessian: diagonal(scale), inverse: diagonal(1 / scale))
    }

    public func play(_ state: State) -> [Double] { moved(state, state.hint) }

    public func observe(_ gradient: [Double], state: inout State) {
        requireState(gradient.count, dimension)
        state.center = moved(state, gradient)
        let image = Matrix(rows: dimension, columns: dimension, elements: state.inverse) * gradient
        let factor = beta / 2 / (1 + beta / 2 * Double.dot(gradient.span, image.span))
        for i in 0..<dimension {
            for j in 0..<dimension {
                state.hessian[i * dimension + j] += beta / 2 * gradient[i] * gradient[j]
                state.inverse[i * dimension + j] -= factor * image[i] * image[j]
            }
        }
        state.hint = gradient
        state.rounds += 1
        if state.rounds % Self.refreshInterval == 0,
           let fresh = try? Cholesky(Matrix(rows: dimension, columns: dimension, elements: state.hessian)).solve(.identity(dimension)) {
            state.inverse = fresh.elements
        }
    }

    private func moved(_ state: State, _ gradient: [Double]) -> [Double] {
        let step = Matrix(rows: dimension, columns: dimension, elements: state.inverse) * gradient
        let target = difference(state.center, step)
        return project(target, in: Matrix(rows: dimension, columns: dimension, elements: state.hessian))
    }

    /// argmin ½ (x − y)ᵀH (x − y) on the ball: (H + μ I) x = H y with μ ≥ 0 such that ‖x‖ = r, by Newton's method on 1/‖x(μ)‖.
    ///
    /// - Parameter hessian: symmetric positive definite.
    public func project(_ y: [Double], in hessian: Matrix<Double>) -> [Double] {
        guard Double.nrm2(y.span) > radius, let eigen = try? SymmetricEigen(hessian) else { return y }
        let values = eigen.values, coordinates = multiply(eigen.vectors, Matrix(rows: dimension, columns: 1, elements: y), transposeA: true).elements
        var mu = 0.0
        for _ in 0..<100 {
            var square = 0.0, derivative = 0.0
            for i in 0..<dimension {
                let x = values[i] * coordinates[i] / (values[i] + mu)
                square += x * x
                derivative -= x * x / (values[i] + mu)
            }
            let norm = square.squareRoot()
            // 1/‖x(μ)‖ is concave and nearly linear: the steps come from one side.
            let next = mu + square / -derivative * (norm / radius - 1)
            if abs(next - mu) <= 1e-15 * (1 + abs(next)) { break }
            mu = max(0, next)
        }
        let scaled = (0..<dimension).map { values[$0] * coordinates[$0] / (values[$0] + mu) }
        return eigen.vectors * scaled
    }
}
