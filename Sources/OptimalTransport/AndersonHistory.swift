import Kernels
import LinearAlgebra
import RealModule

/// Anderson's acceleration of x ← G(x), x the logarithms of v: the next point is Σ wₖ G(xₖ) over the last points, with the weights of the sum 1
/// for which Σ wₖ (G(xₖ) − xₖ) is smallest.
///
/// Weights are w ∝ (RᵀR/‖RᵀR‖ + δ)⁻¹ 1 for the residuals R. A point whose marginal error is above that of the one before is given up: the
/// plain step of the one before is taken, and the history begins anew.
///
/// Sources: Anderson 1965; Chizat et al. 2020 for Sinkhorn's iteration.
struct AndersonHistory: Sendable, Codable {
    private var images: [[Double]] = []
    private var residuals: [[Double]] = []
    private var lastError = Double.infinity
    /// Keeps the weights finite where residuals are nearly dependent.
    private static var ridge: Double { 1e-10 }

    /// The point after x, of which G(x) and the marginal error are known.
    mutating func next(from x: [Double], image: [Double], error: Double, memory: Int) -> [Double] {
        if error > lastError, let plain = images.last {
            self = AndersonHistory()
            return plain
        }
        lastError = error
        if images.count == memory {
            images.removeFirst()
            residuals.removeFirst()
        }
        images.append(image)
        residuals.append(zip(image, x).map { $0 - $1 })
        let count = images.count
        var gram = Matrix<Double>.zeros(rows: count, columns: count)
        for k in 0..<count {
            for l in 0...k {
                let (left, right) = (residuals[k], residuals[l])
                gram[k, l] = Double.dot(left.span, right.span)
                gram[l, k] = gram[k, l]
            }
        }
        let norm = gram.frobeniusNorm
        guard count > 1, norm > 0 else { return image }
        gram = (1 / norm) * gram
        for k in 0..<count { gram[k, k] += Self.ridge }
        guard var weights = try? Cholesky(gram).solve([Double](repeating: 1, count: count)) else { return image }
        let sum = weights.reduce(0, +)
        guard sum > 0, sum.isFinite else { return image }
        weights = weights.map { $0 / sum }
        return image.indices.map { j in (0..<count).reduce(0) { $0 + weights[$1] * images[$1][j] } }
    }
}

extension GibbsScaling {
    /// log₂ v of the columns that have mass; 0 of the others.
    func columnExponents(_ b: [Scalar]) -> [Double] {
        b.indices.map { b[$0] > 0 ? Double(columnShifts[$0]) + Double.log2(Double(columnScales[$0])) : 0 }
    }

    /// Sets v.
    mutating func setColumnExponents(_ x: [Double], _ b: [Scalar]) {
        for j in b.indices where b[j] > 0 {
            let whole = x[j].rounded()
            columnShifts[j] = Scalar(whole)
            columnScales[j] = Scalar(Double.exp2(x[j] - whole))
        }
    }
}
