import Kernels
import LinearAlgebra
import Randomness

/// √(M/d) R H D: random signs D, the orthonormal Walsh–Hadamard transform H of M elements (m padded with zeros to a power of two), and d
/// of its rows without replacement, R (SRHT; Ailon and Chazelle 2006, Tropp 2011).
///
/// Applying it costs m n log₂ m additions and a padded copy of A. d of the order of n log n is safe; with 2n to 4n it is as good as a
/// Gaussian for ordinary matrices, and fails for those with a few rows that matter alone.
public struct SubsampledHadamard: SketchDistribution {
    public init() {}

    public func sample<Scalar: KernelScalar>(
        _ type: Scalar.Type, rows: Int, columns: Int, random: RandomStream
    ) -> any Sketch<Scalar> {
        requireSketch(rows, columns)
        var padded = 1
        while padded < columns { padded *= 2 }
        require(rows <= padded, "a subsampled Hadamard sketch of \(rows) rows for \(columns) columns; expected at most \(padded)")
        var random = random
        let signs: [Scalar] = random.rademacher(count: columns)
        return HadamardSample(rows: rows, columns: columns, padded: padded, signs: signs, chosen: random.sample(rows, of: padded))
    }
}

private struct HadamardSample<Scalar: KernelScalar>: Sketch {
    let rows: Int, columns: Int, padded: Int
    let signs: [Scalar]
    let chosen: [Int]

    /// √(M/d) / √M, for the transform that is not scaled.
    private var scale: Scalar { 1 / Scalar(rows).squareRoot() }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func apply(to a: Matrix<Scalar>) -> Matrix<Scalar> {
        requireRows(a.rows, a.columns)
        var mixed = Matrix<Scalar>.zeros(rows: padded, columns: a.columns)
        for i in 0..<columns {
            var row = mixed.mutableRow(i)
            Scalar.affine(signs[i] * scale, a.row(i), 0, into: &row)
        }
        var span = mixed.mutableSpan
        Scalar.hadamardRows(rows: padded, columns: a.columns, &span)
        var result = Matrix<Scalar>.zeros(rows: rows, columns: a.columns)
        for (i, source) in chosen.enumerated() {
            var row = result.mutableRow(i)
            copy(mixed.row(source), &row)
        }
        return result
    }

    @specialized(where Scalar == Float) @specialized(where Scalar == Double)
    func applyAdjoint(_ y: Span<Scalar>, into x: inout MutableSpan<Scalar>) {
        requireAdjoint(y.count, x.count)
        var mixed = [Scalar](repeating: 0, count: padded)
        for (i, source) in chosen.enumerated() { mixed[source] = y[i] * scale }
        var span = mixed.mutableSpan
        Scalar.hadamard(&span)
        for i in 0..<columns { x[i] = signs[i] * mixed[i] }
    }
}
