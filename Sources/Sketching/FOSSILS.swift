import Kernels
import LinearAlgebra
import Randomness

/// Least squares ‖b − A x‖₂ → min for tall dense A by sketching, backward stable as Householder QR is: FOSSILS (Epperly, Meier and
/// Nakatsukasa 2024, arXiv:2406.03468).
///
/// With D scaling the columns of A to norm 1, a sketch S A D = U Σ Vᵀ of d = 12 n rows makes A D V Σ⁻¹ nearly orthonormal. From the
/// sketched problem's solution x = V Σ⁻¹ Uᵀ S b, two rounds of refinement follow. Each takes the residual anew, r = b − A x, and solves
/// for the correction by a stationary iteration with momentum, whose factors follow from β = n/d alone:
///
///     c = Σ⁻¹ Vᵀ Aᵀ r,    δ ← δ + (1 − β)² (c − Σ⁻¹ Vᵀ AᵀA V Σ⁻¹ δ) + β (δ − δ₋₁),    x ← x + V Σ⁻¹ δ
///
/// The second round ends when the estimated backward error (Karlson and Waldén, with the sketch for A) is that of rounding. Each step reads A
/// once and contracts the error by about √(n/d) = 0.29.
///
/// Differs from LAPACK's `gels`: a numerically rank-deficient A (condition beyond 1/(30 u)) is solved on its leading singular
/// vectors, and the rank is reported. Where sketching cannot pay (fewer than 12 n rows) or does not converge, Householder QR is used, and
/// the solution says so.
///
/// - Complexity: 8 additions for each element of A for the sketch, O(d n²) for its decomposition, and 4 m n for each of about 30 steps,
///   against 2 m n² for QR.
public struct FOSSILS: Sendable {
    /// d/n. Default: 12, the authors'.
    public let sketchRatio: Int
    public let sketch: any SketchDistribution
    /// Chooses the sketch.
    public let seed: UInt64

    /// - Precondition: the ratio is at least 2.
    public init(sketchRatio: Int = 12, sketch: any SketchDistribution = SparseSignEmbedding(), seed: UInt64 = 0) {
        require(sketchRatio >= 2, "the sketch has \(sketchRatio) times as many rows as the matrix has columns; expected at least 2")
        (self.sketchRatio, self.sketch, self.seed) = (sketchRatio, sketch, seed)
    }

    /// The x of least ‖b − A x‖₂.
    ///
    /// - Precondition: A has at least as many rows as columns, and `b` as many elements as A has rows.
    /// - Throws: `LinearAlgebraError.nonFinite` for A or b, `LinearAlgebraError.overflow`, and what QR throws
    ///   where it is used.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    public func solve<Scalar: KernelScalar>(_ a: Matrix<Scalar>, _ b: [Scalar]) throws(LinearAlgebraError) -> LeastSquaresEstimate<Scalar> {
        let (m, n) = (a.rows, a.columns)
        require(m >= n, "least squares with a \(m)×\(n) matrix; expected at least as many rows as columns")
        require(b.count == m, "least squares with \(b.count) right-hand elements for \(m) rows; expected equally many")
        try a.requireFinite()
        try requireFinite(b.span)
        let d = sketchRatio * n
        guard n > 0, d < m else { return try byQR(a, b, "\(m) rows are no more than \(sketchRatio) times the \(n) columns") }
        let norms = columnNorms(a)
        if let column = norms.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            return try byQR(a, b, "column \(column) has the norm \(norms[column])")
        }
        let factor = try Preconditioner(
            a, columnNorms: norms, sketch.sample(Scalar.self, rows: d, columns: m, random: RandomStream(seed: seed)), b)
        let first = refined(a, factor.start, b, factor) { change, enough, _, _ in change <= enough }
        var isNear = false
        let second = refined(a, first.x, b, factor) { _, _, step, x in
            guard step % 5 == 0 else { return false }
            let error = estimate(a, x(), b, factor)
            // Rounding unit u, or close to it once and five steps later.
            defer { isNear = error <= 2 * Scalar.ulpOfOne }
            return isNear || error <= Scalar.ulpOfOne / 2
        }
        let steps = first.steps + second.steps, backwardError = estimate(a, second.x, b, factor)
        // Householder QR itself is within a small multiple of √n u.
        guard backwardError <= 5 * Scalar.ulpOfOne * Scalar(n).squareRoot() else {
            return try byQR(a, b, "the refinement ended with a backward error of \(backwardError)")
        }
        return LeastSquaresEstimate(
            solution: second.x, backwardError: backwardError, rank: factor.rank, steps: steps, usedQR: false,
            reason: "the estimated backward error is that of rounding after \(steps) steps")
    }

    /// One round of refinement.
    ///
    /// - Parameter isEnough: of the step's length, the length that rounding makes idle, the step's number and the x it leads to.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func refined<Scalar: KernelScalar>(
        _ a: Matrix<Scalar>, _ x: [Scalar], _ b: [Scalar], _ factor: Preconditioner<Scalar>,
        until isEnough: (_ change: Scalar, _ idle: Scalar, _ step: Int, _ x: () -> [Scalar]) -> Bool
    ) -> (x: [Scalar], steps: Int) {
        let beta = 1 / Scalar(sketchRatio), alpha = (1 - beta) * (1 - beta)
        let (residual, pulled) = residualAndPullback(a, x, b)
        let c = factor.whiten(pulled)
        let idle = 5 * Scalar.ulpOfOne * (factor.norm * euclideanNorm(factor.scaled(x).span)
                                          + 0.04 * factor.condition * euclideanNorm(residual.span))
        var delta = c, before = c, steps = 0
        while steps < 100 {
            let gradient = factor.whiten(normalProduct(a, factor.color(delta)))
            let change = descend(&delta, &before, along: zip(c, gradient).map { $0 - $1 }, alpha: alpha, beta: beta)
            steps += 1
            let current = delta
            if !change.isFinite || isEnough(change, idle, steps, { added(x, factor.color(current)) }) { break }
        }
        return (added(x, factor.color(delta)), steps)
    }

    /// (δ, δ₋₁) ← (δ + α g + β (δ − δ₋₁), δ).
    ///
    /// - Returns: the length of the step.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func descend<Scalar: KernelScalar>(
        _ delta: inout [Scalar], _ before: inout [Scalar], along g: [Scalar], alpha: Scalar, beta: Scalar
    ) -> Scalar {
        var moves = g
        for k in g.indices {
            moves[k] = alpha * g[k] + beta * (delta[k] - before[k])
            before[k] = delta[k]
            delta[k] += moves[k]
        }
        return euclideanNorm(moves.span)
    }

    /// The Karlson–Waldén estimate of the least ‖ΔA‖_F for which x solves the problem of A + ΔA, by ‖A‖_F, in the column scaling of `factor`:
    /// (ω/‖r‖) ‖(Σ² + ω²)^(−1/2) Vᵀ Aᵀ r‖ with ω = ‖r‖/‖x‖.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    private func estimate<Scalar: KernelScalar>(
        _ a: Matrix<Scalar>, _ x: [Scalar], _ b: [Scalar], _ factor: Preconditioner<Scalar>
    ) -> Scalar {
        let (residual, pulled) = residualAndPullback(a, x, b)
        let size = euclideanNorm(residual.span), length = euclideanNorm(factor.scaled(x).span)
        guard size > 0, length > 0 else { return size > 0 ? euclideanNorm(pulled.span) / size : 0 }
        let omega = size / length
        return omega / size * factor.damped(pulled, omega) / Scalar(a.columns).squareRoot()
    }

    private func byQR<Scalar: KernelScalar>(
        _ a: Matrix<Scalar>, _ b: [Scalar], _ reason: String
    ) throws(LinearAlgebraError) -> LeastSquaresEstimate<Scalar> {
        let x = try QR(a).solve(b)
        return LeastSquaresEstimate(
            solution: x, backwardError: nil, rank: a.columns, steps: 0, usedQR: true, reason: "Householder QR: " + reason)
    }
}

/// The solution of a least-squares problem, and how it came about.
public struct LeastSquaresEstimate<Scalar: KernelScalar>: Sendable {
    public let solution: [Scalar]
    /// The estimated relative backward error, of A with its columns scaled to norm 1; `nil` for QR.
    public let backwardError: Scalar?
    /// The number of singular vectors that were used.
    public let rank: Int
    /// Products with A and its transpose.
    public let steps: Int
    /// Whether Householder QR gave the solution.
    public let usedQR: Bool
    /// Why the solver ended, or took QR, as a sentence.
    public let reason: String
}

/// V Σ⁻¹ of the sketched matrix S A D, without the singular vectors that rounding drowns.
private struct Preconditioner<Scalar: KernelScalar> {
    /// D⁻¹: the norms of A's columns.
    private let columnNorms: [Scalar]
    private let v: Matrix<Scalar>
    private let singularValues: [Scalar]
    /// D V Σ⁻¹ Uᵀ S b: the sketched problem's solution.
    let start: [Scalar]

    /// The largest singular value, and how many times it exceeds the smallest that is used.
    var norm: Scalar { singularValues[0] }
    var condition: Scalar { singularValues[0] / singularValues[singularValues.count - 1] }
    var rank: Int { singularValues.count }

    /// - Parameter columnNorms: positive and finite.
    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    init(_ a: Matrix<Scalar>, columnNorms: [Scalar], _ sketch: any Sketch<Scalar>, _ b: [Scalar]) throws(LinearAlgebraError) {
        self.columnNorms = columnNorms
        var sketched = sketch.apply(to: a)
        for i in 0..<sketched.rows {
            var row = sketched.mutableRow(i)
            for j in 0..<row.count { row[j] /= columnNorms[j] }
        }
        let svd = try SVD(sketched)
        let u = Scalar.ulpOfOne / 2
        let rank = svd.singularValues.count { $0 > 30 * u * svd.singularValues[0] }
        singularValues = Array(svd.singularValues[..<rank])
        v = svd.vTransposed.submatrix(rows: 0..<rank, columns: 0..<a.columns).transposed()
        var coefficients = svd.u.applyAdjoint(sketch.apply(b))
        coefficients.removeLast(coefficients.count - rank)
        start = zip(v.apply(zip(coefficients, singularValues).map { $0 / $1 }), columnNorms).map { $0 / $1 }
    }

    /// D V Σ⁻¹ y.
    func color(_ y: [Scalar]) -> [Scalar] {
        zip(v.apply(zip(y, singularValues).map { $0 / $1 }), columnNorms).map { $0 / $1 }
    }

    /// Σ⁻¹ Vᵀ D g.
    func whiten(_ g: [Scalar]) -> [Scalar] {
        zip(v.applyAdjoint(zip(g, columnNorms).map { $0 / $1 }), singularValues).map { $0 / $1 }
    }

    /// ‖(Σ² + ω²)^(−1/2) Vᵀ D g‖.
    func damped(_ g: [Scalar], _ omega: Scalar) -> Scalar {
        let pulled = v.applyAdjoint(zip(g, columnNorms).map { $0 / $1 })
        let terms = zip(pulled, singularValues).map { $0 / ($1 * $1 + omega * omega).squareRoot() }
        return euclideanNorm(terms.span)
    }

    /// D⁻¹ x: the solution in scaled columns.
    func scaled(_ x: [Scalar]) -> [Scalar] { zip(x, columnNorms).map { $0 * $1 } }
}

/// ‖a_j‖ of each column; 0 or infinity where its square is.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func columnNorms<Scalar: KernelScalar>(_ a: Matrix<Scalar>) -> [Scalar] {
    var squares = [Scalar](repeating: 0, count: a.columns)
    var span = squares.mutableSpan
    for i in 0..<a.rows { Scalar.multiplyAccumulate(a.row(i), a.row(i), into: &span) }
    return squares.map { $0.squareRoot() }
}

/// r = b − A x and Aᵀ r in one pass over A.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func residualAndPullback<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, _ x: [Scalar], _ b: [Scalar]
) -> (residual: [Scalar], pulled: [Scalar]) {
    var residual = b, pulled = [Scalar](repeating: 0, count: a.columns)
    var sum = pulled.mutableSpan
    for i in 0..<a.rows {
        residual[i] = b[i] - Scalar.dot(a.row(i), x.span)
        Scalar.axpy(residual[i], a.row(i), &sum)
    }
    return (residual, pulled)
}

/// AᵀA z in one pass over A.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func normalProduct<Scalar: KernelScalar>(_ a: Matrix<Scalar>, _ z: [Scalar]) -> [Scalar] {
    var pulled = [Scalar](repeating: 0, count: a.columns)
    var sum = pulled.mutableSpan
    for i in 0..<a.rows { Scalar.axpy(Scalar.dot(a.row(i), z.span), a.row(i), &sum) }
    return pulled
}

@specialized(where Scalar == Float) @specialized(where Scalar == Double)
private func added<Scalar: KernelScalar>(_ x: [Scalar], _ y: [Scalar]) -> [Scalar] { zip(x, y).map { $0 + $1 } }
