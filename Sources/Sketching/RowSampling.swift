import Kernels
import LinearAlgebra
import Randomness

/// d rows drawn with replacement, row i with probability pᵢ and times 1/√(d pᵢ).
///
/// With pᵢ in proportion to the leverage scores (``leverageScores(of:sketch:probes:)``) d of the order of n log n embeds; with equal
/// ones only matrices none of whose rows matters much more than others. Costs d n to apply.
public struct RowSampling: SketchDistribution {
    /// Of each row, in proportion; `nil` for equal ones.
    private let weights: [Double]?

    /// Every row with the same probability.
    public static let uniform = RowSampling(optional: nil)

    /// Rows in proportion to `weights`, e.g. leverage scores.
    ///
    /// - Precondition: the weights are finite, none is negative, and one is positive.
    public init(weights: [Double]) {
        require(weights.allSatisfy { $0 >= 0 && $0.isFinite } && weights.contains { $0 > 0 },
                "\(weights.count) weights; expected finite ones, none negative, one positive")
        self.init(optional: weights)
    }

    private init(optional weights: [Double]?) { self.weights = weights }

    /// - Precondition: as many columns as weights.
    public func sample<Scalar: KernelScalar>(
        _ type: Scalar.Type, rows: Int, columns: Int, random: RandomStream
    ) -> any Sketch<Scalar> {
        requireSketch(rows, columns)
        var random = random
        guard let weights else {
            let factor = (Scalar(columns) / Scalar(rows)).squareRoot()
            let chosen = (0..<rows).map { _ in random.integer(in: 0..<columns) }
            return RowSample(rows: rows, columns: columns, chosen: chosen, factors: [Scalar](repeating: factor, count: rows))
        }
        require(weights.count == columns, "\(weights.count) weights for \(columns) columns; expected equally many")
        var sums: [Double] = [], total = 0.0
        for w in weights {
            total += w
            sums.append(total)
        }
        let draws: [Double] = random.uniform(count: rows)
        let chosen = draws.map { draw in
            // The first row whose sum exceeds the draw; a row of weight 0 has the sum of the row before.
            var low = 0, high = columns - 1
            while low < high {
                let middle = (low + high) / 2
                if sums[middle] > draw * total { high = middle } else { low = middle + 1 }
            }
            return low
        }
        let factors = chosen.map { Scalar((total / (Double(rows) * weights[$0])).squareRoot()) }
        return RowSample(rows: rows, columns: columns, chosen: chosen, factors: factors)
    }
}

private struct RowSample<Scalar: KernelScalar>: Sketch {
    let rows: Int, columns: Int
    let chosen: [Int]
    let factors: [Scalar]

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: Matrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        var result = Matrix<Scalar>.zeros(rows: rows, columns: a.columns)
        for i in 0..<rows {
            var row = result.mutableRow(i)
            Scalar.affine(factors[i], a.row(chosen[i]), 0, into: &row)
        }
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: SparseMatrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        var result = Matrix<Scalar>.zeros(rows: rows, columns: a.columns)
        for i in 0..<rows {
            var row = result.mutableRow(i)
            for e in a.rowOffsets[chosen[i]]..<a.rowOffsets[chosen[i] + 1] { row[Int(a.columnIndices[e])] = factors[i] * a.values[e] }
        }
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        requireAdjoint(y.count, x.count)
        for i in 0..<columns { x[i] = 0 }
        for i in 0..<rows { x[chosen[i]] += factors[i] * y[i] }
    }
}

/// The leverage scores ‖eᵢᵀ Q‖² of A's rows, Q being an orthonormal basis of its range, approximately: lᵢ ≈ ‖eᵢᵀ A P G‖² with P from a sketch
/// (A P is nearly orthonormal) and G of n×k normal numbers of variance 1/k (Drineas, Magdon-Ismail, Mahoney and Woodruff 2012).
///
/// Each is within the sketch's distortion and a factor 1 ± √(2/k) or so of the true one; they add up to about the rank.
///
/// - Parameter probes: k.
/// - Precondition: the sketch has at least as many rows as A has columns; at least one probe.
/// - Throws: `LinearAlgebraError.nonFinite`, `LinearAlgebraError.overflow`, and those of the decompositions.
@specialized(where Scalar == Float) @specialized(where Scalar == Double)
public func leverageScores<Scalar: KernelScalar>(
    of a: any SketchableMatrix<Scalar>, sketch: SketchOptions = SketchOptions(), probes: Int = 32
) throws(LinearAlgebraError) -> [Double] {
    require(probes >= 1, "\(probes) probes; expected at least 1")
    guard a.columns > 0, a.rows > 0 else { return [Double](repeating: 0, count: a.rows) }
    let p = try sketch.whitening(LeastSquaresSystem(a, [Scalar](repeating: 0, count: a.rows), ridge: 0))
    var random = RandomStream(seed: sketch.seed, stream: .max)
    let deviation = (1 / Scalar(probes)).squareRoot()
    let g = Matrix<Scalar>(
        rows: p.rank, columns: probes, elements: random.normal(count: p.rank * probes, mean: 0, standardDeviation: deviation))
    let image = a.applied(to: p.color(g))
    return (0..<a.rows).map { i in Double(Scalar.dot(image.row(i), image.row(i))) }
}
